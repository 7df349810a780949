"""Which agents, themes and playlists a plan takes along, and how a batch of them goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import OpencastError, Unreachable
from opencast.migration.batch import migrate_batch
from opencast.migration.migrated import Migrated
from opencast.store.ledger import Kind, State
from opencast.store.plans import Action, Item

from tests.migration.pair import KEY, Pair, server

SMALL = {Kind.AGENT, Kind.THEME, Kind.PLAYLIST}


def small(items: dict[str, Item]) -> dict[str, Action]:
    return {name: item.action for name, item in items.items() if item.kind in SMALL}


def test_without_filters_everything_comes_along(pair: Pair) -> None:
    names = {"a-hall-a", "a-lab 7", "smoke-ca", "1302"}
    playlists = {"2c244276-4474-4661-b331-55039f44a427", "f35df1c2-8a47-45b1-8c11-f2bc413b19ee"}
    assert small(pair.plan()) == dict.fromkeys(names | playlists, Action.MIGRATE)


def test_they_are_planned_in_the_order_in_which_they_are_needed(pair: Pair) -> None:
    kinds = list(dict.fromkeys(item.kind for item in pair.plan(include_failed=True).values()))
    assert kinds[:3] == [Kind.AGENT, Kind.THEME, Kind.SERIES]
    assert kinds[-1] is Kind.PLAYLIST


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"series": ["a-series-algorithms"]}, {"1302", "a-hall-a", "f35df1c2-8a47-45b1-8c11-f2bc413b19ee"}),
        ({"series": ["a-series-uml"]}, set()),
        ({"events": ["a-ev-no-series"]}, set()),
        ({"events": ["a-sched-future"]}, {"1302", "a-hall-a"}),
    ],
)
def test_with_filters_only_what_the_selected_objects_refer_to(
    pair: Pair, filters: dict[str, Any], expected: set[str]
) -> None:
    found = small(pair.plan(**filters))
    assert {name for name, action in found.items() if action is Action.MIGRATE} == expected


@pytest.mark.parametrize("kind", ["agents", "themes", "playlists"])
def test_each_kind_can_be_left_out(pair: Pair, kind: str) -> None:
    options: dict[str, Any] = {f"include_{kind}": False}
    items = pair.plan(**options).values()
    assert {item.kind for item in items if item.kind in SMALL} == SMALL - {Kind(kind.removesuffix("s"))}


def test_an_agent_that_only_events_name_cannot_come(pair: Pair) -> None:
    Opencast(server(pair.source)).agents.delete("a-hall-a")
    item = pair.plan(events=["a-sched-future"])["a-hall-a"]
    assert (item.action, item.reason) == (Action.CANNOT, "The source has no such agent; it only plans with it.")


def test_what_is_done_and_unchanged_is_skipped_in_the_next_plan(pair: Pair) -> None:
    pair.plan()
    for kind in SMALL:
        pair.migrate_belongings(kind)
    assert set(small(pair.plan(key="dag/2")).values()) == {Action.SKIP}


def test_what_the_source_has_changed_is_updated(pair: Pair) -> None:
    pair.plan()
    for kind in SMALL:
        pair.migrate_belongings(kind)
    source = Opencast(server(pair.source))
    source.agents.put_configuration("a-lab 7", {"k": "v"})
    source.agents.put_state("a-hall-a", "offline", "http://10.1.2.3")
    updated = {name for name, action in small(pair.plan(key="dag/2")).items() if action is Action.UPDATE}
    assert updated == {"a-lab 7"}, "the state of an agent changes all the time"


def test_an_object_that_cannot_be_read_is_left_to_its_task(pair: Pair) -> None:
    pair.plan()
    pair.migrate_belongings(Kind.AGENT)
    pair.source.faults.add("/agents/a-lab 7/configuration", status=400)
    item = pair.plan(key="dag/2")["a-lab 7"]
    assert item.action is Action.UPDATE
    assert item.reason.startswith("cannot be read: ")


def test_a_library_of_small_objects_alone_is_no_empty_library(pairs: Callable[..., Pair]) -> None:
    pair = pairs(library="empty")
    Opencast(server(pair.source)).agents.put_configuration("ca", {"k": "v"})
    assert small(pair.plan()) == {"ca": Action.MIGRATE}


# --- batches ---------------------------------------------------------------------------------------------------------


def batch(pair: Pair, migrate: Callable[[str], Migrated], *names: str, retry: bool = False) -> tuple[str, ...]:
    items = [Item(Kind.AGENT, name, name, Action.MIGRATE, "") for name in names]
    with pair.bench() as bench:
        found = migrate_batch(bench.ledger, KEY, Kind.AGENT, items, migrate, will_retry=lambda e: retry and e.retriable)
    assert (found.passing is not None) == (retry and bool(found.failed))
    return tuple(name for name, _ in found.failed)


def done(name: str) -> Migrated:
    return Migrated(name, "1", ("configuration",))


def test_an_error_costs_its_object_only_and_is_noted(pair: Pair) -> None:
    def migrate(name: str) -> Migrated:
        if name == "bad":
            raise OpencastError("It is broken.")
        if name == "worse":
            raise KeyError("surprise")
        return done(name)

    assert batch(pair, migrate, "bad", "worse", "good") == ("bad", "worse")
    assert (pair.entry(Kind.AGENT, "bad").state, pair.entry(Kind.AGENT, "bad").reason) == (
        State.FAILED, "It is broken.",
    )  # fmt: skip
    assert pair.entry(Kind.AGENT, "worse").reason == "KeyError: 'surprise'"
    assert pair.entry(Kind.AGENT, "good").state is State.DONE


def test_an_object_that_may_do_better_stays_open_and_what_is_done_is_not_done_again(pair: Pair) -> None:
    seen: list[str] = []

    def migrate(name: str) -> Migrated:
        seen.append(name)
        if name == "bad" and seen.count("bad") == 1:
            raise Unreachable("no answer")
        return done(name)

    assert batch(pair, migrate, "bad", "good", retry=True) == ("bad",)
    assert pair.entry(Kind.AGENT, "bad").state is State.RUNNING
    assert batch(pair, migrate, "bad", "good") == ()
    assert seen == ["bad", "good", "bad"]
    assert pair.entry(Kind.AGENT, "bad").state is State.DONE
