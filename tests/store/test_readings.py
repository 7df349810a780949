"""A library is read by one run at a time; the others use what it read."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from opencast.store.database import Database
from opencast.store.readings import LEASE, Readings, Unreadable

T0 = datetime(2024, 1, 1, tzinfo=UTC)


def test_one_run_reads_and_the_others_are_told_who(store: Database) -> None:
    readings = Readings(store, "source")
    assert readings.begin("dag/1")
    assert not readings.begin("dag/2")
    assert readings.begin("dag/1"), "the reader goes on, as when its task is tried again"
    assert readings.state().reader == "dag/1"


def test_sources_are_read_independently(store: Database) -> None:
    assert Readings(store, "a").begin("dag/1")
    assert Readings(store, "b").begin("dag/2")


def test_of_many_runs_that_begin_at_the_same_time_one_reads(store: Database) -> None:
    won: list[str] = []
    barrier = threading.Barrier(4)

    def run(name: str) -> None:
        barrier.wait()
        if Readings(store, "source").begin(name):
            won.append(name)

    threads = [threading.Thread(target=run, args=(f"dag/{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_reader_that_gives_no_sign_of_life_is_followed_by_another(store: Database) -> None:
    now = [T0]
    readings = Readings(store, "source", now=lambda: now[0])
    readings.begin("dag/killed")
    now[0] += LEASE + timedelta(seconds=1)
    assert readings.state().reader is None
    assert readings.begin("dag/2")


def test_a_complete_reading_is_remembered_with_what_it_could_not_understand(store: Database) -> None:
    readings = Readings(store, "source")
    readings.begin("dag/1")
    found = (Unreadable("event", "no id"), Unreadable("a/..", "no usable id", "series"))
    readings.end("dag/1", T0, found, complete=True)
    state = readings.state()
    assert (state.reader, state.complete, state.recent, state.unreadable) == (None, T0, T0, found)


def test_a_reading_of_what_is_recent_does_not_make_the_library_younger(store: Database) -> None:
    readings = Readings(store, "source")
    readings.end("dag/1", T0, (), complete=True)
    readings.end("dag/2", T0 + timedelta(hours=1), (), complete=False)
    state = readings.state()
    assert (state.complete, state.recent) == (T0, T0 + timedelta(hours=1))


def test_a_reading_that_broke_off_leaves_the_way_free_and_changes_nothing(store: Database) -> None:
    readings = Readings(store, "source")
    readings.begin("dag/1")
    readings.give_up("dag/1")
    assert readings.state().recent is None
    assert readings.begin("dag/2")
