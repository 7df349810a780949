"""Rates are shared by all processes, and a target in trouble gets fewer imports at the same time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opencast.store.database import Database
from opencast.store.pace import RECOVERY, SAME_TROUBLE, Allowances, TargetPaces

T0 = datetime(2024, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


def test_two_processes_share_one_rate(store: Database) -> None:
    clock = Clock()
    one, two = (Allowances(store, clock=clock.seconds) for _ in range(2))
    waits = [taker.take("requests s", 1, 2.0) for taker in (one, two, one, two)]
    assert waits == [0.0, 0.5, 1.0, 1.5]


def test_what_is_not_used_up_is_no_credit(store: Database) -> None:
    clock = Clock()
    allowances = Allowances(store, clock=clock.seconds)
    allowances.take("bytes s", 100, 100)
    clock.now += timedelta(hours=1)
    assert [allowances.take("bytes s", 100, 100) for _ in range(2)] == [0.0, 1.0]


def test_another_rate_takes_effect_at_the_next_part(store: Database) -> None:
    allowances = Allowances(store, clock=Clock().seconds)
    allowances.take("requests s", 1, 1.0)
    assert [allowances.take("requests s", 1, 4.0) for _ in range(2)] == [1.0, 1.25]


def test_rates_of_different_sources_are_apart(store: Database) -> None:
    allowances = Allowances(store, clock=Clock().seconds)
    allowances.take("requests a", 100, 1.0)
    assert allowances.take("requests b", 1, 1.0) == 0.0


def test_a_target_without_trouble_gets_what_is_wanted(store: Database) -> None:
    assert TargetPaces(store).allowed("t", 8) == 8


def test_each_trouble_halves_the_imports_and_time_brings_them_back(store: Database) -> None:
    clock = Clock()
    paces = TargetPaces(store, now=clock)
    assert paces.slow_down("t", 8, "503")
    assert paces.allowed("t", 8) == 4
    clock.now += SAME_TROUBLE
    assert paces.slow_down("t", 8, "503")
    assert paces.allowed("t", 8) == 2
    clock.now += 2 * RECOVERY
    assert paces.allowed("t", 8) == 4
    clock.now += timedelta(hours=1)
    assert paces.allowed("t", 8) == 8


def test_a_trouble_that_all_imports_meet_is_one(store: Database) -> None:
    clock = Clock()
    paces = TargetPaces(store, now=clock)
    assert [paces.slow_down("t", 16, "503") for _ in range(4)] == [True, False, False, False]
    assert paces.allowed("t", 16) == 8


def test_one_import_goes_on_always(store: Database) -> None:
    clock = Clock()
    paces = TargetPaces(store, now=clock)
    for _ in range(10):
        paces.slow_down("t", 4, "no answer")
        clock.now += SAME_TROUBLE
    assert paces.allowed("t", 4) == 1


def test_the_reason_of_the_last_trouble_is_kept(store: Database) -> None:
    paces = TargetPaces(store)
    paces.slow_down("t", 8, "an answer took 31 s")
    trouble = paces.trouble("t")
    assert trouble is not None and trouble.reason == "an answer took 31 s"
