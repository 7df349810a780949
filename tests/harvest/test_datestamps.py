"""Datestamps and windows, as the protocol and as administrators write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from opencast.errors import ConfigurationError
from opencast.harvest.datestamps import Granularity, as_utcdatetime, is_day, read
from opencast.harvest.windows import Window


def test_utcdatetime_ends_with_z() -> None:
    """The protocol wants it, although +00:00 means the same."""
    berlin = datetime(2026, 1, 1, 0, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert as_utcdatetime(berlin) == "2025-12-31T23:30:00Z"


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        as_utcdatetime(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T02:13:06Z", "2026-11-22T02:13:06+00:00"),
        ("2026-11-22", "2026-11-22T00:00:00+00:00"),
        ("2026-11-22T02:13:06.123Z", "2026-11-22T02:13:06.123000+00:00"),
        ("2026-11-22T02:13:06+02:00", "2026-11-22T00:13:06+00:00"),
        (" 2026-11-22T02:13:06Z\n", "2026-11-22T02:13:06+00:00"),
        ("2026-11-22T02:13:06", "2026-11-22T02:13:06+00:00"),
    ],
)
def test_what_is_understood(text: str, expected: str) -> None:
    moment = read(text)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", None, "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "1.1.2026", "9" * 400]
)
def test_what_is_not(text: str | None) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("YYYY-MM-DDThh:mm:ssZ", Granularity.SECOND),
        (" yyyy-mm-ddthh:mm:ssz ", Granularity.SECOND),
        ("YYYY-MM-DD", Granularity.DAY),
        ("", Granularity.DAY),
    ],
)
def test_granularities(text: str, expected: Granularity) -> None:
    assert Granularity.of(text) is expected


def test_arguments_are_rounded_down() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
    assert Granularity.SECOND.write(moment) == "2026-01-02T03:04:05Z"
    assert Granularity.DAY.write(moment) == "2026-01-02"


def test_days_are_told_from_times() -> None:
    assert is_day("2026-01-02")
    assert not is_day("2026-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("begin", "end", "granularity", "expected"),
    [
        ("2026-01-01", "2026-01-31", Granularity.SECOND, ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")),
        ("2026-01-01", "2026-01-31", Granularity.DAY, ("2026-01-01", "2026-02-01")),
        ("2026-01-01 10:00:00", None, Granularity.SECOND, ("2026-01-01T10:00:00Z", None)),
        (None, "2026-01-01T10:00:00Z", Granularity.SECOND, (None, "2026-01-01T10:00:01Z")),
        ("", " ", Granularity.SECOND, (None, None)),
    ],
)
def test_windows(
    begin: str | None, end: str | None, granularity: Granularity, expected: tuple[str | None, str | None]
) -> None:
    assert Window.read(begin, end).borders(granularity) == expected


@pytest.mark.parametrize(("begin", "end"), [("2026-02-01", "2026-01-01"), ("soon", None), (None, "31.1.2026")])
def test_windows_that_cannot_be(begin: str | None, end: str | None) -> None:
    with pytest.raises(ConfigurationError):
        Window.read(begin, end)
