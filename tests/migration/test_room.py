"""Staging that is full makes mediapackages wait, not fail, unless nothing else could ever free room."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.errors import StagingFull
from opencast.migration.mediapackage import Progress
from opencast.migration.runs import plan_import
from opencast.migration.workbench import Workbench
from opencast.store.ledger import State
from opencast.triggers.importing import SLOT, ImportTrigger

from tests.migration.pair import KEY, Pair, finish

VIDEO = 300_000


@pytest.fixture(autouse=True)
def nothing_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let staged files be cleared away at once, instead of half a minute later."""
    monkeypatch.setattr("opencast.migration.workbench._YOUNG_S", 0.0)


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    """Three events; staging holds the files of one of them."""
    pair = pairs(library="generated", source={"events": 3, "event_bytes": VIDEO})
    pair.settings = pair.settings.model_copy(update={"staging_budget_gb": VIDEO * 1.9 / 1e9})
    return pair


def events(pair: Pair) -> list[str]:
    with pair.bench() as bench:
        return [row.identifier for row in bench.source.events.all()]


def stage(bench: Workbench, event: str) -> None:
    """Do what a task does between its claim and the moment in which everything was sent."""
    assert bench.imports.claim(event, KEY, 8)
    package = bench.source.assets.episode(event)
    bench.mediapackage_migrator(event, KEY)._mover.stage(plan_import(package))


def test_what_was_sent_makes_room_for_the_next(pair: Pair) -> None:
    entries = pair.migrate_all()
    assert {entry.state for entry in entries.values()} == {State.DONE}
    assert len(entries) == 3


def test_files_that_were_sent_are_needed_no_more(pair: Pair) -> None:
    first, *_ = events(pair)
    with pair.bench() as bench:
        migrator = bench.mediapackage_migrator(first, KEY)
        progress = migrator.begin()
        assert bench.imports.needed() == set()
        finish(migrator, progress)


def test_files_are_kept_while_an_import_needs_them(pair: Pair) -> None:
    first, second, _ = events(pair)
    with pair.bench() as bench:
        stage(bench, first)
        held = {found.digest for found in bench.store.objects()}
        assert bench.mediapackage_migrator(second, KEY).begin() is Progress.NO_ROOM
        assert held <= {found.digest for found in bench.store.objects()}


def test_who_finds_no_room_gives_back_its_slot_and_its_files(pair: Pair) -> None:
    first, second, _ = events(pair)
    with pair.bench() as bench:
        stage(bench, first)
        needed = bench.imports.needed()
        migrator = bench.mediapackage_migrator(second, KEY)
        assert migrator.begin() is Progress.NO_ROOM
        assert migrator.others == 1
        assert bench.imports.load(second) is None
        assert bench.imports.needed() == needed, "or two that hold a half each would wait for each other"
        assert bench.imports.others(first) == 0


def test_it_begins_again_when_fewer_imports_are_in_flight(pair: Pair) -> None:
    first, second, _ = events(pair)
    with pair.bench() as bench:
        stage(bench, first)
        migrator = bench.mediapackage_migrator(second, KEY)
        progress = migrator.begin()
        trigger = ImportTrigger.of(bench, second, KEY, progress, migrator.others)
        assert trigger._look(bench) == Progress.NO_ROOM, "there are free slots, but no room"
        bench.imports.release(first)
        assert trigger._look(bench) == SLOT
        again = bench.mediapackage_migrator(second, KEY)
        finish(again, again.begin())
    assert trigger.serialize()[1]["slots"] == 1


def test_with_nothing_else_in_flight_it_fails_and_says_what_to_do(pair: Pair) -> None:
    pair.settings = pair.settings.model_copy(update={"staging_budget_gb": (VIDEO + 2000) / 1e9})
    first, *_ = events(pair)
    with pair.bench() as bench, pytest.raises(StagingFull, match="its budget is"):
        migrator = bench.mediapackage_migrator(first, KEY)
        migrator.begin()
        pytest.fail(f"staging holds {bench.store.own_bytes()} bytes")
    entry = pair.migrate(first)
    assert entry.state is State.FAILED
    assert "raise the staging budget" in entry.reason
