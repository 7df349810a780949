"""Every recorded request of both generations is answered as it was, apart from the listed differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.replay.accepted import ACCEPTED, Accepted
from tests.replay.comparison import Difference, compare
from tests.replay.replay import Replayer, recorded
from tests.replay.sequence import LATE_SEARCHES, Sequence
from tests.simulator import Library, Settings, Simulator, User, clock
from tests.simulator.oaipmh import OaiContents, OaiRecord
from tests.simulator.recordings import Exchange, Recordings

GENERATIONS = (17, 15)


class Found(dict[str, list[Difference]]):
    """Differences by name of the recording; says little when a test shows it."""

    def __repr__(self) -> str:
        return f"<{len(self)} answers>"


@cache
def reading(generation: int) -> tuple[Exchange, ...]:
    """Give the exchanges that need nothing but the library, in the order of their names."""
    others = ("writes/", "oaipmh/paged/", "oaipmh/get_deleted")
    held = Recordings(generation).all()
    return tuple(e for e in held if not e.name.startswith(others) and not LATE_SEARCHES.match(e.name))


def names_of(generation: int) -> list[str]:
    """Give the names of all exchanges."""
    return [e.name for e in Recordings(generation).all()]


def settings(generation: int) -> Settings:
    """Give the accounts that the recorded server had."""
    plain = Settings(generation=generation)
    # The rig with Opencast 15 had set a mail address for the administrator.
    admin = replace(plain.users[0], email="admin@localhost" if generation == 15 else "")
    alice = User("alice", "alice", "Alice", ("ROLE_USER", "ROLE_USER_ALICE", "ROLE_ANONYMOUS"))
    return replace(plain, users=(admin, *plain.users[1:], alice), admin_email=admin.email)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Found]]:
    """Send all requests and give the differences by generation and name."""
    result: dict[int, Found] = {}
    for generation in GENERATIONS:
        storage: Path = tmp_path_factory.mktemp("replay") / str(generation)
        with Simulator(storage, Library("recorded", others=True), settings(generation)) as simulator:
            replayer = Replayer(simulator)
            answers = ((e.name, compare(recorded(e), replayer.send(e))) for e in reading(generation))
            result[generation] = Found(answers)
        with Simulator(storage, Library("recorded", oai_records=72), settings(generation)) as simulator:
            result[generation].update(harvested(simulator))
        # The target of generation 17 was empty; of generation 15 there was one server for both.
        library = Library("empty" if generation == 17 else "recorded")
        with Simulator(storage, library, settings(generation)) as simulator:
            simulator.state.skip_job_ids(900_000)  # so that an id is no other number of an answer
            written = Sequence(Replayer(simulator), generation).run()
            result[generation].update((e.name, compare(recorded(e), answer)) for e, answer in written)
    yield result


def harvested(simulator: Simulator) -> Iterator[tuple[str, list[Difference]]]:
    """Send the harvests of a repository with 72 records, and ask for one that is deleted then."""
    replayer, recordings = Replayer(simulator), Recordings(simulator.settings.generation)
    last = recordings.exchange("oaipmh/get_deleted")
    deleted = last.path.rsplit("=", 1)[-1]
    record = OaiRecord("default", deleted, "mh_default_org", clock.now(), lambda: OaiContents(""))
    if simulator.state.oai.get(record.org, record.repository, deleted) is None:
        simulator.state.oai.put(record)
    for exchange in recordings.all("oaipmh/paged"):
        yield exchange.name, compare(recorded(exchange), replayer.follow(exchange))
    simulator.state.oai.delete(record.org, record.repository, deleted)
    yield last.name, compare(recorded(last), replayer.follow(last))


def unlisted(generation: int, name: str, differences: list[Difference]) -> list[str]:
    """Give the differences that no entry accepts."""
    return [str(d) for d in differences if not any(entry.covers(generation, name, d) for entry in ACCEPTED)]


@pytest.mark.parametrize(
    ("generation", "name"),
    [pytest.param(g, name, id=f"{g}-{name}") for g in GENERATIONS for name in names_of(g)],
)
def test_a_request_is_answered_as_recorded(found: dict[int, Found], generation: int, name: str) -> None:
    assert unlisted(generation, name, found[generation][name]) == []


@pytest.mark.parametrize("entry", ACCEPTED, ids=lambda entry: f"{entry.name} {entry.place}")
def test_an_accepted_difference_still_occurs(found: dict[int, Found], entry: Accepted) -> None:
    for generation in entry.generations:
        held = found[generation].items()
        assert any(entry.covers(generation, name, d) for name, differences in held for d in differences), generation
