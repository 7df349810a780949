"""Filters: each alone, together, their counts, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from opencast.errors import FilterMatchesNothing, InvalidFilter
from opencast.migration.id_lists import IdList
from opencast.migration.options import Options
from opencast.migration.selection import Selection, Selector
from opencast.model.event import EventRow

MARCH = datetime(2021, 3, 1, tzinfo=UTC)
NEW_YEAR = datetime(2021, 12, 31, 23, 30, tzinfo=UTC)
ROWS = (
    EventRow(
        identifier="a",
        title="Algorithms I",
        created=datetime(2021, 3, 1, tzinfo=UTC),
        start=datetime(2021, 3, 1, 8, tzinfo=UTC),
        series="s1",
        series_title="Computer Science",
        presenters=("Ada Lovelace", "Alan Turing"),
        location="hall-1",
        language="eng",
        status="EVENTS.EVENTS.STATUS.PROCESSED",
        publication_status=("engage-player", "api"),
    ),
    EventRow(
        identifier="b",
        title="Öffentlichkeitsarbeit",
        created=NEW_YEAR,
        series="s2",
        presenters=("Grace Hopper",),
        language="deu",
        status="EVENTS.EVENTS.STATUS.PROCESSING_FAILURE",
    ),
    EventRow(identifier="c", title="No dates", status="EVENTS.EVENTS.STATUS.PROCESSED"),
)


def selected(**fields: Any) -> set[str]:
    return {row.identifier for row in Selector(Selection(**fields)).select(ROWS)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"a", "b", "c"}),
        ({"series": ("s1",)}, {"a"}),
        ({"events": ("a", "c")}, {"a", "c"}),
        ({"text": "ÖFFENTLICH"}, {"b"}),
        ({"text": "turing"}, {"a"}),
        ({"text": "computer science"}, {"a"}),
        ({"presenters": ("ada lovelace",)}, {"a"}),
        ({"locations": ("hall-1",)}, {"a"}),
        ({"languages": ("eng", "deu")}, {"a", "b"}),
        ({"channels": ("api",)}, {"a"}),
        ({"statuses": ("processing_failure",)}, {"b"}),
        ({"exclude_series": ("s1",)}, {"b", "c"}),
        ({"exclude_events": ("a",)}, {"b", "c"}),
        ({"exclude_created_from": NEW_YEAR}, {"a", "c"}),
        ({"exclude_created_to": NEW_YEAR}, {"b", "c"}),
        ({"exclude_created_from": MARCH, "exclude_created_to": NEW_YEAR}, {"b", "c"}),
        ({"exclude_start_from": MARCH}, {"b", "c"}),
        ({"exclude_start_to": MARCH}, {"a", "b", "c"}),
        ({"events_file": IdList("list.txt", frozenset({"a", "c"}))}, {"a", "c"}),
        ({"exclude_events_file": IdList("list.txt", frozenset({"a"}))}, {"b", "c"}),
        ({"exclude_text": "dates"}, {"a", "b"}),
        ({"exclude_presenters": ("Alan Turing",)}, {"b", "c"}),
        ({"exclude_locations": ("hall-1",)}, {"b", "c"}),
        ({"exclude_languages": ("deu",)}, {"a", "c"}),
        ({"exclude_channels": ("engage-player",)}, {"b", "c"}),
        ({"exclude_statuses": ("PROCESSED",)}, {"b"}),
        ({"languages": ("eng", "deu"), "exclude_text": "algorithms"}, {"b"}),
        (
            {
                "series": ("s1", "s2"),
                "events": ("a", "b"),
                "created_from": MARCH,
                "start_from": MARCH,
                "text": "a",
                "presenters": ("ada lovelace", "grace hopper"),
                "locations": ("hall-1",),
                "languages": ("eng", "deu"),
                "channels": ("api",),
                "statuses": ("PROCESSED",),
                "exclude_series": ("s2",),
                "exclude_events": ("c",),
            },
            {"a"},
        ),
    ],
)
def test_each_filter_selects(fields: dict[str, object], expected: set[str]) -> None:
    assert selected(**fields) == expected


def test_a_window_that_leaves_everything_out_is_named() -> None:
    selector = Selector(
        Selection(exclude_created_from=datetime(1990, 1, 1, tzinfo=UTC), statuses=("PROCESSING_FAILURE",))
    )
    assert list(selector.select(ROWS)) == []
    with pytest.raises(FilterMatchesNothing, match="the filters exclude_created, statuses together"):
        selector.check_hits()


def test_windows_are_half_open() -> None:
    assert selected(created_from=NEW_YEAR) == {"b"}
    assert selected(created_to=NEW_YEAR) == {"a"}
    assert selected(start_from=datetime(2021, 3, 1, 8, tzinfo=UTC)) == {"a"}


def test_an_event_without_a_date_is_in_no_window() -> None:
    assert "c" not in selected(created_to=datetime(2999, 1, 1, tzinfo=UTC))


def test_times_without_an_offset_are_in_the_zone_of_the_params() -> None:
    berlin = Options(created_from="2022-01-01", timezone="Europe/Berlin").selection()
    utc = Options(created_from="2022-01-01").selection()
    assert [row.identifier for row in Selector(berlin).select(ROWS)] == ["b"]
    assert [row.identifier for row in Selector(utc).select(ROWS)] == []


def test_every_filter_counts_what_it_lets_through() -> None:
    selector = Selector(Selection(languages=("eng", "deu"), series=("s1",)))
    assert [row.identifier for row in selector.select(ROWS)] == ["a"]
    assert (selector.seen, selector.selected, dict(selector.matched)) == (3, 1, {"languages": 2, "series": 1})


def test_filters_that_match_nothing_are_named() -> None:
    selector = Selector(Selection(series=("other",), text="algorithms"))
    assert list(selector.select(ROWS)) == []
    with pytest.raises(FilterMatchesNothing, match=r"the filter series \(series = \('other',\)\)"):
        selector.check_hits()


def test_events_that_were_asked_for_and_not_met_are_named() -> None:
    selector = Selector(Selection(events=("a", "unknown")))
    list(selector.select(ROWS))
    assert selector.missing_events() == ("unknown",)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="no time zone"):
        Selection(created_from=datetime(2021, 1, 1))


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"created_from": "next Tuesday"}, "created_from = 'next Tuesday' is no date or time"),
        ({"created_from": "2024-02-01", "created_to": "2024-02-01"}, "must lie before"),
        ({"timezone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"timezone": "../etc/passwd"}, "no time zone"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(params: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidFilter, match=said):
        Options.from_params(params).selection()


def test_what_an_untouched_form_sends_is_not_given() -> None:
    options = Options.from_params({"series": None, "text": " ", "events": [" ", "x "], "created_from": ""})
    assert (options.series, options.text, options.events, options.created_from) == ((), "", ("x",), None)


def test_a_param_out_of_range_is_refused_with_its_name() -> None:
    with pytest.raises(InvalidFilter, match="imports_in_flight"):
        Options.from_params({"imports_in_flight": 0})


def test_a_misspelt_param_is_refused_because_it_would_select_everything() -> None:
    with pytest.raises(InvalidFilter, match=r"There is no param 'serie'. Did you mean 'series'\?"):
        Options.from_params({"serie": ["s1"]})
