"""Windows of creation time: each moment lies in exactly one period, whatever the zone's clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencast.errors import InvalidFilter
from opencast.migration.options import Options
from opencast.migration.selection import Selection
from opencast.migration.windows import (
    FIRST_MOMENT,
    LAST_MOMENT,
    Granularity,
    RunTimes,
    Window,
    is_dated,
    period_window,
    require_over,
    window,
)

BERLIN = ZoneInfo("Europe/Berlin")
#: Zones whose clocks change at midnight, skip a day, or lie far from Greenwich.
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Asia/Kathmandu")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def month(label: str, zone: ZoneInfo = BERLIN) -> Window:
    return window(RunTimes(partition_key=label), Granularity.MONTH, zone)


def holds(wanted: Window, moment: datetime) -> bool:
    assert wanted.begin is not None and wanted.end is not None
    return wanted.begin <= moment < wanted.end


def test_an_event_of_31_december_2330_utc_lies_in_january_alone_in_berlin() -> None:
    created = datetime(2024, 12, 31, 23, 30, tzinfo=UTC)
    assert [label for label in ("2024-11", "2024-12", "2025-01", "2025-02") if holds(month(label), created)] == [
        "2025-01"
    ]
    assert holds(month("2024-12", ZoneInfo("UTC")), created)


def test_a_window_is_half_open() -> None:
    wanted = month("2024-02")
    assert wanted.begin == datetime(2024, 1, 31, 23, tzinfo=UTC)
    assert wanted.end == datetime(2024, 2, 29, 23, tzinfo=UTC) == month("2024-03").begin
    assert wanted.end is not None and not holds(wanted, wanted.end)


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)], ids=["spring", "autumn", "summer"]
)
def test_a_day_with_a_clock_change_has_its_real_length(day: str, hours: int) -> None:
    wanted = period_window(day, BERLIN)
    assert wanted.begin is not None and wanted.end is not None
    assert wanted.end - wanted.begin == timedelta(hours=hours)


def test_a_day_whose_midnight_does_not_exist_begins_with_the_jump() -> None:
    """In Brazil clocks went from 23:59:59 on 3 November 2018 to 01:00 on the 4th."""
    assert period_window("2018-11-04", ZoneInfo("America/Sao_Paulo")).begin == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_a_day_that_a_calendar_leaves_out_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="Pacific/Apia has no day 2011-12-30"):
        period_window("2011-12-30", ZoneInfo("Pacific/Apia"))


@settings(max_examples=200, deadline=None)
@given(
    moment=st.datetimes(datetime(1965, 1, 1), datetime(2105, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    granularity=st.sampled_from(Granularity),
)
def test_each_moment_lies_in_exactly_one_period_or_is_undated(
    moment: datetime, zone: ZoneInfo, granularity: Granularity
) -> None:
    local = moment.astimezone(zone)
    labels = {(local + timedelta(days=days)).strftime(granularity.key_format) for days in (-32, -1, 0, 1, 32)}
    hits = 0
    for label in labels:
        try:
            hits += holds(period_window(label, zone), moment)
        except InvalidFilter:
            continue  # before 1970, after 2100, or a day that the zone never had
    assert hits == (1 if is_dated(moment) else 0)


@settings(max_examples=60, deadline=None)
@given(first=st.dates(date(1971, 1, 1), date(2098, 12, 1)), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_the_days_of_a_month_are_the_month(first: date, zone: ZoneInfo) -> None:
    first = first.replace(day=1)
    whole = period_window(first.strftime("%Y-%m"), zone)
    end = whole.begin
    for number in range(31):
        day = first + timedelta(days=number)
        if day.month != first.month or (day == date(2011, 12, 30) and zone.key == "Pacific/Apia"):
            continue
        wanted = period_window(day.isoformat(), zone)
        assert wanted.begin == end
        end = wanted.end
    assert end == whole.end


def test_a_year_is_a_period_too() -> None:
    assert period_window("2024", BERLIN).begin == month("2024-01").begin
    assert period_window("2024", BERLIN).end == month("2024-12").end


@pytest.mark.parametrize(
    "key", ["2024", "2024-2", "2024-02-10", "24-02", "2024-13", "2024-00", "last month", "../2024"]
)
def test_a_month_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(InvalidFilter, match=r"is no month|not in the calendar"):
        month(key)


@pytest.mark.parametrize("key", ["2024-02", "2024-02-30", "2024-2-1", "10.02.2024", "2024-02-10T00:00:00"])
def test_a_day_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(InvalidFilter, match=r"is no day|not in the calendar"):
        window(RunTimes(partition_key=key), Granularity.DAY, BERLIN)


@pytest.mark.parametrize("label", ["Feb 2024", "2024-02-30", "1969", "0001", "2100", "9999", "20240210", "٢٠٢٤"])
def test_a_period_that_no_calendar_has_is_refused(label: str) -> None:
    with pytest.raises(InvalidFilter):
        period_window(label, BERLIN)


def test_a_partition_without_label_is_the_one_that_holds_its_date() -> None:
    """The first moment of February in Berlin is written as the last day of January in UTC."""
    times = RunTimes(partition_date=datetime(2024, 1, 31, 23, tzinfo=UTC))
    assert window(times, Granularity.MONTH, BERLIN).label == "2024-02"
    assert window(times, Granularity.DAY, BERLIN).label == "2024-02-01"


def test_a_run_without_partition_is_about_its_data_interval() -> None:
    times = RunTimes(data_interval_start=datetime(2024, 2, 10, 12, tzinfo=UTC))
    assert window(times, Granularity.DAY, BERLIN).label == "2024-02-10"
    assert window(times, Granularity.MONTH, BERLIN).label == "2024-02"


def test_explicit_dates_are_a_filter_and_win_over_the_data_interval() -> None:
    times = RunTimes(data_interval_start=NOW)
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    wanted = window(times, Granularity.DAY, BERLIN, created_from=begin)
    assert (wanted.begin, wanted.end, wanted.is_period) == (begin, None, False)


def test_a_period_of_the_params_wins_over_the_data_interval() -> None:
    assert window(RunTimes(data_interval_start=NOW), Granularity.MONTH, BERLIN, period="undated").undated


@pytest.mark.parametrize(
    "given", [{"period": "2024-02"}, {"created_from": NOW}, {"created_to": NOW}], ids=lambda given: next(iter(given))
)
def test_a_partition_and_params_that_say_another_window_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilter, match="only be about one"):
        window(RunTimes(partition_key="2024-03"), Granularity.MONTH, BERLIN, **given)


def test_a_run_that_says_no_window_is_refused_instead_of_taking_everything() -> None:
    with pytest.raises(InvalidFilter, match="does not say which period"):
        window(RunTimes(), Granularity.DAY, BERLIN)


def test_a_period_that_is_not_over_is_refused_and_says_when_it_ends() -> None:
    require_over(month("2024-05", ZoneInfo("UTC")), NOW)
    with pytest.raises(InvalidFilter, match=r"2024-06 is not over: it ends at 2024-07-01"):
        require_over(month("2024-06", ZoneInfo("UTC")), NOW)
    with pytest.raises(InvalidFilter, match="2030-01 has not begun"):
        require_over(month("2030-01"), NOW)
    require_over(period_window("undated", BERLIN), NOW)


@pytest.mark.parametrize(
    "created",
    [
        None,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        LAST_MOMENT,
        datetime(9999, 1, 1, tzinfo=UTC),
    ],
    ids=["none", "year 1", "epoch", "2100", "9999"],
)
def test_events_without_a_usable_date_are_in_the_undated_period(created: datetime | None) -> None:
    assert not is_dated(created)
    assert Selection(undated=True).was_created_inside(created)


def test_the_first_and_last_usable_moments_have_a_period() -> None:
    assert holds(period_window("1970-01-02", ZoneInfo("UTC")), FIRST_MOMENT)
    assert holds(period_window("2099-12-31", ZoneInfo("UTC")), LAST_MOMENT - timedelta(microseconds=1))


class TestTheChoicesOfARun:
    """``Options.for_run``: the params of a partitioned DAG and its run's partition become one window."""

    def test_the_partition_becomes_the_filter_of_creation(self) -> None:
        options = Options(granularity=Granularity.MONTH, timezone="Europe/Berlin")
        effective = options.for_run(RunTimes(partition_key="2024-02"), now=NOW)
        selection = effective.selection()
        assert (selection.created_from, selection.created_to) == (month("2024-02").begin, month("2024-02").end)
        assert effective.period == "2024-02"

    def test_the_zone_of_the_params_decides_what_a_label_means(self) -> None:
        for zone in ("UTC", "America/New_York"):
            options = Options(granularity=Granularity.DAY, timezone=zone)
            effective = options.for_run(RunTimes(partition_key="2024-02-10"), now=NOW)
            assert effective.selection().created_from == period_window("2024-02-10", ZoneInfo(zone)).begin

    def test_an_unfinished_period_is_taken_when_the_params_say_so(self) -> None:
        options = Options.from_params({"granularity": "month", "unfinished_period": "take"})
        assert options.for_run(RunTimes(partition_key="2024-06"), now=NOW).period == "2024-06"

    def test_the_undated_period_selects_by_the_lack_of_a_date(self) -> None:
        options = Options(granularity=Granularity.DAY, period="undated")
        selection = options.for_run(RunTimes(), now=NOW).selection()
        assert selection.undated and selection.created_from is None

    def test_a_dag_without_periods_is_left_as_it_is(self) -> None:
        options = Options(created_from="2024-01-01")
        assert options.for_run(RunTimes(data_interval_start=NOW), now=NOW) is options

    def test_an_unknown_zone_is_refused(self) -> None:
        with pytest.raises(InvalidFilter, match="no time zone 'Berlin'"):
            Options(granularity=Granularity.DAY, timezone="Berlin").for_run(
                RunTimes(partition_key="2024-02-10"), now=NOW
            )
