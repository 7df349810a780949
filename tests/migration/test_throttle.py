"""Rates of the source are kept over all processes; a target that slows down is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import ServerError
from opencast.migration.limits import Limits
from opencast.migration.throttle import LIMITS_LIFETIME_S, CurrentLimits, SourceThrottle, TargetWatch
from opencast.store.database import Database
from opencast.store.pace import Allowances, TargetPaces

from tests.migration.pair import server
from tests.simulator import Simulator


class Clock:
    """A clock that goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    return database


def throttle(database: Database, clock: Clock, limits: Callable[[], Limits]) -> SourceThrottle:
    current = CurrentLimits(limits, clock=clock)
    return SourceThrottle(Allowances(database, clock=clock), current, "source", sleep=clock.sleep)


@pytest.mark.parametrize("rate", [0.5, 4, 100])
def test_requests_keep_to_their_rate(database: Database, rate: float) -> None:
    clock = Clock()
    began = clock.now
    source = throttle(database, clock, lambda: Limits(requests_per_second=rate))
    for _ in range(200):
        source.before()
    assert 200 / rate - 1 / rate - 0.5 <= clock.now - began <= 200 / rate


def test_two_processes_keep_to_one_rate_together(database: Database) -> None:
    clock = Clock()
    began = clock.now
    sources = [throttle(database, clock, lambda: Limits(requests_per_second=2)) for _ in range(2)]
    for _ in range(20):
        for source in sources:
            source.before()
    assert clock.now - began >= 40 / 2 - 2


def test_bytes_keep_to_their_rate_whatever_the_size_of_a_piece(database: Database) -> None:
    clock = Clock()
    for piece in (4096, 5_000_000):
        began = clock.now
        source = throttle(database, clock, lambda: Limits(megabytes_per_second=1))
        for _ in range(20_000_000 // piece):
            source.take(piece)
        assert 14 <= clock.now - began <= 21
        clock.now += 100


def test_a_changed_rate_takes_effect_within_seconds(database: Database) -> None:
    clock = Clock()
    rates = [2.0]
    source = throttle(database, clock, lambda: Limits(requests_per_second=rates[0]))
    for _ in range(40):
        source.before()
    rates[0] = 100.0
    changed = clock.now
    for _ in range(200):
        source.before()
    assert clock.now - changed < LIMITS_LIFETIME_S + 3


def test_without_limits_nothing_waits_and_the_store_is_not_asked(database: Database) -> None:
    clock = Clock()
    began = clock.now
    source = throttle(database, clock, Limits)
    database.dispose()
    for _ in range(10):
        source.before()
        source.take(10**9)
    assert clock.now == began


def test_a_client_waits_before_each_request_and_the_rate_counts_repeated_ones(
    simulators: Callable[..., Simulator], database: Database
) -> None:
    simulator = simulators(library="empty")
    client = Opencast(server(simulator))
    clock = Clock()
    client.client.watched_by(throttle(database, clock, lambda: Limits(requests_per_second=1)))
    simulator.faults.add("^/info/me.json$", status=503, times=1)
    began = clock.now
    client.info.me()
    client.info.me()
    assert simulator.requests.count == 3
    assert clock.now - began == pytest.approx(2.0, abs=0.01)


def watch(database: Database, slow_s: float = 10) -> TargetWatch:
    return TargetWatch(TargetPaces(database), CurrentLimits(Limits), "target", slow_s)


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "HTTP 503"), (429, "HTTP 429"), (502, "HTTP 502"), (None, "no answer")]
)
def test_a_target_that_turns_requests_away_is_spared(database: Database, status: int | None, reason: str) -> None:
    watch(database).after("POST", status, 0.1)
    assert TargetPaces(database).allowed("target", 8) == 4
    trouble = TargetPaces(database).trouble("target")
    assert trouble is not None and trouble.reason == reason


def test_a_target_that_answers_slowly_is_spared(database: Database) -> None:
    watch(database).after("GET", 200, 12.0)
    assert TargetPaces(database).allowed("target", 8) == 4


@pytest.mark.parametrize(("method", "status", "seconds"), [("GET", 200, 2), ("GET", 404, 1), ("POST", 200, 200)])
def test_what_is_usual_is_no_trouble(database: Database, method: str, status: int, seconds: float) -> None:
    """A write may take minutes: the start of a workflow takes a snapshot first."""
    watch(database).after(method, status, seconds)
    assert TargetPaces(database).trouble("target") is None


def test_a_real_503_of_the_target_is_noticed_although_the_client_repeats_the_request(
    simulators: Callable[..., Simulator], database: Database
) -> None:
    simulator = simulators(library="empty")
    client = Opencast(server(simulator))
    client.client.watched_by(watch(database))
    simulator.faults.add("^/info/me.json$", status=503, times=1)
    client.info.me()
    assert TargetPaces(database).allowed("target", 8) == 4


def test_a_target_that_is_gone_is_noticed(simulators: Callable[..., Simulator], database: Database) -> None:
    simulator = simulators(library="empty")
    client = Opencast(server(simulator))
    client.client.watched_by(watch(database))
    simulator.stop()
    with pytest.raises(ServerError):
        client.info.me()
    trouble = TargetPaces(database).trouble("target")
    assert trouble is not None and trouble.reason == "no answer"
