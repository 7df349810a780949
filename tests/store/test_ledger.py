"""The ledger: one row for each object, over all runs."""

from __future__ import annotations

import threading
from datetime import timedelta

from opencast.store.database import Database
from opencast.store.ledger import Kind, Ledger, ObjectKey, Outcome, State, Traffic


def key(identifier: str, run: str = "dag/1") -> ObjectKey:
    return ObjectKey(Kind.SERIES, identifier, run, f"Title of {identifier}")


def test_steps_add_up_and_a_new_begin_starts_from_zero(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    ledger.begin(key("s"), "1")
    ledger.step(key("s"), "send", Outcome.DONE, traffic=Traffic(10, 20, 30))
    ledger.step(key("s"), "send", Outcome.DONE, traffic=Traffic(written=5))
    ledger.finish(key("s"), State.DONE, notes=("a note",))
    entry = ledger.entry(Kind.SERIES, "s")
    assert entry is not None and entry.traffic == Traffic(10, 20, 35) and entry.notes == ("a note",)
    ledger.begin(key("s", "dag/2"), "2")
    entry = ledger.entry(Kind.SERIES, "s")
    assert entry is not None and (entry.state, entry.traffic, entry.plan_key) == (State.RUNNING, Traffic(), "dag/2")


def test_many_objects_are_looked_up_at_once(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    for number in range(3):
        ledger.finish(key(f"s{number}"), State.DONE)
    found = ledger.lookup(Kind.SERIES, ["s0", "s2", "unknown", *(f"x{number}" for number in range(2000))])
    assert sorted(found) == ["s0", "s2"]
    assert ledger.lookup(Kind.MEDIAPACKAGE, ["s0"]) == {}


def test_the_ledgers_of_two_pairs_of_servers_are_apart(store: Database) -> None:
    Ledger(store, "a", "b").finish(key("s"), State.DONE)
    assert Ledger(store, "a", "c").entry(Kind.SERIES, "s") is None
    assert Ledger(store, "a", "b").entry(Kind.SERIES, "s") is not None


def test_one_run_at_a_time_works_on_a_series(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    assert ledger.begin_alone(key("s", "dag/1"))
    assert not ledger.begin_alone(key("s", "dag/2"))
    assert ledger.begin_alone(key("s", "dag/1")), "the same run may try again"
    ledger.finish(key("s", "dag/1"), State.DONE)
    assert ledger.begin_alone(key("s", "dag/2"))


def test_a_run_that_was_killed_does_not_hold_a_series_for_ever(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    ledger.begin_alone(key("s", "dag/killed"))
    assert ledger.begin_alone(key("s", "dag/2"), patience=timedelta(0))


def test_of_many_runs_that_begin_at_the_same_time_one_gets_the_series(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    barrier = threading.Barrier(4)
    won: list[bool] = []

    def run(number: int) -> None:
        barrier.wait()
        won.append(ledger.begin_alone(key("s", f"dag/{number}")))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]
