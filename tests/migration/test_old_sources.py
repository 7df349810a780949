"""Sources of every generation come over: the older ones through other services (contract 7.6 and 8; issue 5, 11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.store.ledger import Entry, Kind, State
from opencast.store.plans import Action

from tests.migration.pair import Pair, server

EVENT = "c-ev-two-streams"
#: Its title, presenters and place are in its catalog only.
DESCRIBED = "c-ev-fast"
SERIES = "c-series-1"
Pairs = Callable[..., Pair]


def _old(pairs: Pairs, generation: int) -> Pair:
    return pairs("recorded-15", source={"generation": generation})


def _bad(entries: dict[str, Entry]) -> dict[str, str]:
    return {name: entry.reason for name, entry in entries.items() if entry.state is not State.DONE}


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5, 6, 10, 11, 12, 14, 16])
def test_an_event_of_every_generation_arrives(pairs: Pairs, generation: int) -> None:
    pair = _old(pairs, generation)
    entry = pair.migrate(EVENT)
    assert entry.state is State.DONE, entry.reason
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    there = target.assets.episode(EVENT)
    package = source.holdings.find(EVENT)
    assert package is not None
    assert {e.id for e in package.elements} == {e.id for e in there.elements}
    engage = there.publication("engage-player")
    assert engage is not None
    assert engage.elements
    assert not source.has(Feature.SEARCH_JSON) or generation >= 16


@pytest.mark.parametrize("generation", [1, 3, 5])
def test_a_whole_library_of_an_old_server_arrives(pairs: Pairs, generation: int) -> None:
    pair = _old(pairs, generation)
    done = pair.migrate_all(past_schedules="schedule", include_failed=True)
    assert EVENT in done
    assert _bad(done) == {}
    series = [item for item in pair.plan(key="dag/again").values() if item.kind is Kind.SERIES]
    assert series
    assert {item.action for item in series} == {Action.SKIP}, "what was migrated is not planned again"


@pytest.mark.parametrize("generation", [1, 3, 5, 9, 15])
def test_the_rows_of_an_old_library_say_what_the_new_ones_say(pairs: Pairs, generation: int) -> None:
    """So that every filter means the same on every source."""
    pair = pairs("recorded-15", source={"generation": generation}, target={"library": "recorded-15", "generation": 15})
    old, new = Opencast(server(pair.source)), Opencast(server(pair.target))
    names: tuple[str, ...] = (
        "title",
        "series",
        "series_title",
        "presenters",
        "contributors",
        "location",
        "language",
        "created",
        "start",
    )
    names = (*names, "publication_status", "archive_version", "description")
    expected = {row.identifier: row for row in new.events.all()}
    found = old.holdings.row(DESCRIBED)
    assert {n: getattr(found, n) for n in names} == {n: getattr(expected[DESCRIBED], n) for n in names}
    assert found.event_status is expected[DESCRIBED].event_status
    archived = {row.identifier for row in old.holdings.rows()}
    plans = {name for name, row in expected.items() if row.event_status.is_scheduled}
    assert expected.keys() - plans <= archived <= expected.keys()


@pytest.mark.parametrize("generation", [1, 3, 5])
def test_filters_hold_for_old_sources(pairs: Pairs, generation: int) -> None:
    pair = _old(pairs, generation)
    row = Opencast(server(pair.source)).holdings.row(DESCRIBED)
    items = pair.plan(presenters=[row.presenters[0]], series=[row.series or ""], created_from="1990-01-01")
    assert items[DESCRIBED].action is Action.MIGRATE
    assert EVENT not in items or items[EVENT].kind is Kind.MEDIAPACKAGE


@pytest.mark.parametrize("generation", [3, 11])
def test_a_workflow_on_an_old_source_is_noticed(pairs: Pairs, generation: int) -> None:
    pair = _old(pairs, generation)
    for workflow in pair.source.state.workflows_of(EVENT):
        workflow.state = "PAUSED"
    entry = pair.migrate(EVENT)
    assert entry.state is State.SKIPPED
    assert "active workflow on the source" in entry.reason


def test_an_event_that_is_being_processed_on_an_old_source_is_left_for_later(pairs: Pairs) -> None:
    pair = _old(pairs, 3)
    for workflow in pair.source.state.workflows_of(EVENT):
        workflow.state = "RUNNING"
    item = pair.plan()[EVENT]
    assert (item.action, item.reason) == (Action.SKIP, "it is being processed; run again later")


def test_one_bad_package_of_an_old_archive_is_named_alone(pairs: Pairs) -> None:
    pair = _old(pairs, 3)
    pair.source.faults.add(f"^/archive/archive/mediapackage/{DESCRIBED}/", status=404)
    items = pair.plan()
    assert items[DESCRIBED].action is Action.CANNOT
    assert "404" in items[DESCRIBED].reason
    assert items[EVENT].action is Action.MIGRATE


def test_plans_of_a_server_before_4_are_named_as_lost(pairs: Pairs) -> None:
    pair = _old(pairs, 3)
    pair.plan()
    with pair.bench() as bench:
        head = bench.plans.head("dag/run")
    assert head is not None
    lost = [loss["what"] for loss in head.notes["not_migrated"]]
    assert "Scheduled events" in lost


def test_preflight_lets_old_sources_pass_and_no_old_target(pairs: Pairs) -> None:
    pair = pairs("recorded-15", source={"generation": 1}, target={"generation": 12})
    with pair.bench() as bench:
        checks = {check.name: check for check in bench.preflight().run()}
    assert checks["source: version"].ok
    assert "1.6.2" in checks["source: version"].message
    assert not checks["target: version"].ok
    assert "too old" in checks["target: version"].message
