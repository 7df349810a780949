"""Hours in which imports may begin."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from opencast.errors import InvalidFilter
from opencast.migration.hours import Hours

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    """Return a moment of the week that begins with Monday, 3 June 2024."""
    day, _, time = text.partition(" ")
    number = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)
    hour, minute = map(int, time.split(":"))
    return datetime(2024, 6, 3 + number, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("22:00-06:00", ["mon 22:00", "tue 05:59", "sun 23:00", "mon 00:00"], ["mon 21:59", "tue 06:00", "wed 12:00"]),
        ("9-17", ["mon 09:00", "sun 16:59"], ["mon 08:59", "mon 17:00"]),
        ("mon-fri 20-6", ["mon 20:00", "sat 05:59"], ["mon 05:59", "sat 20:00", "sun 03:00"]),
        ("fri-mon 0-24", ["fri 00:00", "sun 12:00", "mon 23:59"], ["thu 23:59", "tue 00:00"]),
        ("mon-fri 20-6; sat,sun 0-24", ["mon 20:00", "sat 12:00", "sun 23:59"], ["mon 12:00"]),
        ("", ["mon 00:00", "sat 12:00"], []),
    ],
)
def test_a_moment_lies_inside_or_outside(hours: str, inside: list[str], outside: list[str]) -> None:
    parsed = Hours.parse(hours)
    assert [text for text in inside if not parsed.is_open(at(text))] == []
    assert [text for text in outside if parsed.is_open(at(text))] == []


@pytest.mark.parametrize("text", ["nights", "25-6", "22:60-6", "6-6", "monday 20-6", "mon- 20-6", "22:00", "20-6 mon"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter, match="are no hours"):
        Hours.parse(text)


def test_the_next_opening_is_told() -> None:
    assert Hours.parse("22-6").opens(at("wed 12:30")) == at("wed 22:00")
    assert Hours.parse("sat 10-12").opens(at("sun 00:00")) == at("sat 10:00").replace(day=15)
    assert Hours.parse("22-6").opens(at("wed 23:30")) == at("wed 23:30")


def test_hours_are_meant_by_the_clock_on_the_wall() -> None:
    """In the night in which clocks go forward, 22 to 6 is an hour shorter, and still ends at 6."""
    hours = Hours.parse("22-6")
    assert hours.is_open(datetime(2024, 3, 31, 5, 59, tzinfo=BERLIN))
    assert not hours.is_open(datetime(2024, 3, 31, 6, 0, tzinfo=BERLIN))
