"""A video that several events have in common: fetched once, staged once, sent at most twice, whatever the order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.migration.runs import plan_import
from opencast.store.ledger import State
from opencast.store.sent_files import SentFiles

from tests.migration.pair import KEY, Pair

VIDEO = 1_200_000
EVENTS = 5


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    """Five events with one and the same video."""
    return pairs(library="generated", source={"events": EVENTS, "event_bytes": VIDEO, "shared_fraction": 1.0})


def test_one_video_of_many_events_is_read_once_and_sent_twice_at_most(pair: Pair) -> None:
    entries = pair.migrate_all()
    assert {entry.state for entry in entries.values()} == {State.DONE}
    assert len(entries) == EVENTS
    read = sum(entry.traffic.read for entry in entries.values())
    written = sum(entry.traffic.written for entry in entries.values())
    assert VIDEO <= read < VIDEO * 1.1
    assert written < VIDEO * 2.1


def test_events_on_their_way_at_the_same_time_share_one_upload(pair: Pair) -> None:
    with pair.bench() as bench:
        first, second, *_ = [row.identifier for row in bench.source.events.all()]
        assert bench.imports.claim(second, KEY, 8)
        bench.mediapackage_migrator(second, KEY)._mover.stage(plan_import(bench.source.assets.episode(second)))
    written = [pair.migrate(event).traffic.written for event in (first, second)]
    assert VIDEO <= written[0] < VIDEO * 1.1
    assert written[1] < VIDEO * 0.1


def test_the_target_keeps_no_shared_file_after_the_run(pair: Pair) -> None:
    pair.migrate_all()
    collections = pair.target.storage / "files" / "collection"
    assert [p for p in collections.rglob("*") if p.is_file()] != []
    with pair.bench() as bench:
        assert bench.ways.clear_shared() == 1
        assert SentFiles(bench.ledger).collected() == []
    assert [p for p in collections.rglob("*") if p.is_file()] == []
    assert len(list((pair.target.storage / "archive").rglob("*.mp4"))) == EVENTS


def test_the_archives_files_are_whole_after_a_second_run_with_another_video(pair: Pair) -> None:
    pair.migrate_all()
    before = {path: path.read_bytes() for path in (pair.target.storage / "archive").rglob("*.mp4")}
    with pair.bench() as bench:
        bench.ways.clear_shared()
        event = next(iter(bench.source.events.all())).identifier
    pair.migrate(event, key="dag/second", existing="overwrite")
    assert {path: path.read_bytes() for path in before} == before
