"""Back-fill by creation date: all periods together are the library, and nothing is in two of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from opencast.errors import FilterMatchesNothing
from opencast.migration.options import Options
from opencast.migration.windows import RunTimes
from opencast.model.event import EventRow
from opencast.store.base import utc_now
from opencast.store.inventory import Inventory, SeriesRow
from opencast.store.ledger import Kind, ObjectKey, State
from opencast.store.plans import Action

from tests.migration.pair import Pair

CREATED = {
    "spring": datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC),
    "new-year": datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
    "december": datetime(2024, 12, 31, 22, 59, 59, tzinfo=UTC),
    "nothing": None,
    "year-one": datetime(1, 1, 1, tzinfo=UTC),
}
MONTHS = [f"{year}-{month:02}" for year in (2024, 2025) for month in range(1, 13)]


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    """A source whose inventory is written by the test: an event for each moment above, in a series of its own."""
    pair = pairs("empty")
    with pair.bench() as bench:
        inventory = Inventory(pair.database, bench.parties.source.name)
        seen = utc_now()
        inventory.write_series([SeriesRow(f"series-{name}", name, moment) for name, moment in CREATED.items()], seen)
        inventory.write_series([SeriesRow("series-empty", "empty", CREATED["new-year"])], seen)
        rows = (
            EventRow(identifier=name, created=moment, series=f"series-{name}", archive_version=0)
            for name, moment in CREATED.items()
        )
        inventory.write_events(rows, seen)
    return pair


def planned(pair: Pair, period: str, **params: Any) -> set[tuple[Kind, str]]:
    """Plan one period and return what the plan is about."""
    given = {"granularity": "month", "timezone": "Europe/Berlin", "period": period, **params}
    options = Options.from_params(given).for_run(RunTimes(), now=datetime(2090, 1, 1, tzinfo=UTC))
    key = f"dag/{period}"
    with pair.bench() as bench:
        bench.planner().plan(key, given, options)
        return {(item.kind, item.identifier) for item in bench.plans.items(key)}


def test_the_periods_together_are_the_library_and_share_nothing(pair: Pair) -> None:
    seen = [item for period in (*MONTHS, "undated") for item in planned(pair, period)]
    events = [identifier for kind, identifier in seen if kind is Kind.MEDIAPACKAGE]
    assert sorted(events) == sorted(CREATED)
    assert {identifier for kind, identifier in seen if kind is Kind.SERIES} == {
        *(f"series-{name}" for name in CREATED),
        "series-empty",
    }


def test_an_event_on_the_boundary_is_planned_in_the_month_of_its_zone(pair: Pair) -> None:
    assert (Kind.MEDIAPACKAGE, "new-year") in planned(pair, "2025-01")
    assert (Kind.MEDIAPACKAGE, "new-year") not in planned(pair, "2024-12")
    assert (Kind.MEDIAPACKAGE, "new-year") in planned(pair, "2024-12", timezone="UTC")


def test_events_without_a_usable_date_are_named_in_a_period_of_their_own(pair: Pair) -> None:
    events = {identifier for kind, identifier in planned(pair, "undated") if kind is Kind.MEDIAPACKAGE}
    assert events == {"nothing", "year-one"}


def test_a_series_without_events_belongs_to_the_period_of_its_own_creation(pair: Pair) -> None:
    assert (Kind.SERIES, "series-empty") in planned(pair, "2025-01")
    assert (Kind.SERIES, "series-empty") not in planned(pair, "2024-12")


def test_a_period_without_events_is_no_error(pair: Pair) -> None:
    assert planned(pair, "2025-06") == set()


def test_another_filter_that_matches_nothing_is_an_error_in_a_period_too(pair: Pair) -> None:
    with pytest.raises(FilterMatchesNothing, match="presenters"):
        planned(pair, "2025-06", presenters=["Nobody"])


def test_a_filter_that_matches_elsewhere_is_no_error_in_a_period(pair: Pair) -> None:
    assert planned(pair, "2025-06", events=["spring"]) == set()


def test_explicit_creation_dates_that_match_nothing_are_an_error(pair: Pair) -> None:
    with pytest.raises(FilterMatchesNothing, match="created_from"):
        planned(pair, "", created_from="2030-01-01")


class TestACreationDateThatChanges:
    """Somebody corrects a creation date on the source while the periods are migrated one after another."""

    def move(self, pair: Pair, name: str, moment: datetime) -> None:
        with pair.bench() as bench:
            row = EventRow(identifier=name, created=moment, series=f"series-{name}", archive_version=0)
            Inventory(pair.database, bench.parties.source.name).write_events([row], utc_now())

    def note_done(self, pair: Pair, name: str) -> None:
        with pair.bench() as bench:
            key = ObjectKey(Kind.MEDIAPACKAGE, name, "dag/earlier", name)
            bench.ledger.begin(key, "0")
            bench.ledger.finish(key, State.DONE, source_version="0")

    def test_into_a_later_period_it_is_not_migrated_twice(self, pair: Pair) -> None:
        self.note_done(pair, "spring")
        self.move(pair, "spring", datetime(2025, 6, 15, tzinfo=UTC))
        planned(pair, "2025-06")
        with pair.bench() as bench:
            item = bench.plans.item("dag/2025-06", Kind.MEDIAPACKAGE, "spring")
        assert item is not None and item.action is Action.SKIP

    def test_into_a_period_that_was_migrated_it_is_found_when_that_is_repeated(self, pair: Pair) -> None:
        assert (Kind.MEDIAPACKAGE, "new-year") not in planned(pair, "2024-03")
        self.move(pair, "new-year", datetime(2024, 3, 5, tzinfo=UTC))
        assert (Kind.MEDIAPACKAGE, "new-year") not in planned(pair, "2025-01")
        assert (Kind.MEDIAPACKAGE, "new-year") in planned(pair, "2024-03")

    def test_into_no_period_it_is_found_in_the_one_without_dates(self, pair: Pair) -> None:
        self.move(pair, "spring", datetime(1, 1, 1, tzinfo=UTC))
        assert (Kind.MEDIAPACKAGE, "spring") in planned(pair, "undated")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
def test_in_every_zone_the_periods_together_are_the_library(pair: Pair, zone: str) -> None:
    """Zones with clocks that change, with odd offsets, and with a day that was left out."""
    seen = [
        identifier
        for period in (*MONTHS, "undated")
        for kind, identifier in planned(pair, period, timezone=zone)
        if kind is Kind.MEDIAPACKAGE
    ]
    assert sorted(seen) == sorted(CREATED)
