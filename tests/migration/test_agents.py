"""Capture agents: the whole configuration, address and state; awkward names; nothing written twice."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import MigrationError, ObjectGone, VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.store.ledger import Kind, State

from tests.migration.pair import Pair, server
from tests.simulator.agents import Agent

ORG = "mh_default_org"


def migrate(pair: Pair, name: str) -> Migrated:
    with pair.bench() as bench:
        return bench.agent_migrator().migrate(name)


def add(pair: Pair, name: str, state: str = "idle", url: str = "http://ca", **configuration: str) -> None:
    pair.source.agents.load(Agent(name, ORG, state, url, configuration or {"capture.device.names": "cam"}))


def test_configuration_address_and_state_arrive(pair: Pair) -> None:
    done = migrate(pair, "a-hall-a")
    source, target = Opencast(server(pair.source)).agents, Opencast(server(pair.target)).agents
    assert target.configuration("a-hall-a") == source.configuration("a-hall-a")
    assert target.configuration("a-hall-a")["friendly.name"] == "Hörsaal A"
    assert (target.get("a-hall-a").state, target.get("a-hall-a").url) == ("idle", "http://10.1.2.3")
    assert (done.written, done.notes) == (("configuration", "state and address"), ())


def test_an_equal_agent_is_not_written_again(pair: Pair) -> None:
    migrate(pair, "a-hall-a")
    before = pair.writes()
    assert migrate(pair, "a-hall-a").written == ()
    assert pair.writes() == before


@pytest.mark.parametrize("name", ["a-lab 7", "Aula/1", "Hörsaal Ä", "50% #1?x=y", "a+b", "x.xml", "[1];v=2", "007"])
def test_awkward_names_arrive(pair: Pair, name: str) -> None:
    add(pair, name, url="http://ca/ü")
    migrate(pair, name)
    there = Opencast(server(pair.target)).agents.get(name)
    assert (there.name, there.url) == (name, "http://ca/ü")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_no_path_can_hold_is_named(pair: Pair, name: str) -> None:
    add(pair, name)
    with pytest.raises(MigrationError, match=r"cannot be asked for the capture agent '\.+'"):
        migrate(pair, name)


@pytest.mark.parametrize("refusing", ["source", "target"])
def test_a_name_that_a_web_server_refuses_is_named_with_the_reason(pair: Pair, refusing: str) -> None:
    add(pair, "Aula/1")
    getattr(pair, refusing).faults.add("/agents/Aula/1", status=404, body=b"<html>Not Found</html>")
    with pytest.raises(MigrationError, match=r"'Aula/1'.*AllowEncodedSlashes") as error:
        migrate(pair, "Aula/1")
    assert not error.value.retriable


def test_values_that_look_like_numbers_markup_or_lines_stay_texts(pair: Pair) -> None:
    awkward = {"pin": "0123", "flag": "true", "markup": "<a & b>", "lines": "one\ntwo", "empty": "", "ü key": "=:#"}
    add(pair, "awkward", **awkward)
    migrate(pair, "awkward")
    assert Opencast(server(pair.target)).agents.configuration("awkward") == awkward


def test_an_agent_without_configuration_is_created(pair: Pair) -> None:
    pair.source.agents.load(Agent("bare", ORG))
    done = migrate(pair, "bare")
    assert Opencast(server(pair.target)).agents.get("bare").url == ""
    assert (done.written, done.notes) == (("configuration",), ())


def test_the_state_of_an_agent_without_address_is_not_written(pair: Pair) -> None:
    add(pair, "no address", url="")
    done = migrate(pair, "no address")
    there = Opencast(server(pair.target)).agents.get("no address")
    assert (there.url, there.state) == ("", "unknown")
    assert "Its state idle was not set" in done.notes[0]


def test_an_agent_that_has_reported_to_the_target_keeps_its_state(pair: Pair) -> None:
    migrate(pair, "a-hall-a")
    Opencast(server(pair.target)).agents.put_state("a-hall-a", "capturing", "http://10.1.2.3")
    assert migrate(pair, "a-hall-a").written == ()
    assert Opencast(server(pair.target)).agents.get("a-hall-a").state == "capturing"


def test_a_try_that_ended_between_the_two_writes_is_gone_on_with(pair: Pair) -> None:
    source, target = Opencast(server(pair.source)).agents, Opencast(server(pair.target)).agents
    target.put_configuration("a-hall-a", source.configuration("a-hall-a"))
    assert migrate(pair, "a-hall-a").written == ("state and address",)


def test_a_configuration_that_does_not_arrive_is_noticed(pair: Pair) -> None:
    pair.target.faults.add("configuration$", method="POST", status=200, body=b"{}")
    with pytest.raises(VerificationFailed, match=r"'a-hall-a' differs on the target in 'capture\.device"):
        migrate(pair, "a-hall-a")


def test_an_agent_that_is_gone_is_named(pair: Pair) -> None:
    with pytest.raises(ObjectGone, match="'gone' is not on the source"):
        migrate(pair, "gone")


def test_an_agent_that_cannot_be_addressed_fails_alone(pair: Pair) -> None:
    add(pair, "..")
    pair.plan()
    batch = pair.migrate_belongings(Kind.AGENT)
    assert [identifier for identifier, _ in batch.failed] == [".."]
    failed = pair.entry(Kind.AGENT, "..")
    assert failed.state is State.FAILED
    assert "cannot be asked for the capture agent" in failed.reason
    assert pair.entry(Kind.AGENT, "a-lab 7").state is State.DONE
