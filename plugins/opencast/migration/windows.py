"""Windows of creation time: which period a run is about, and whether that period is over.

A period is a calendar label, a day such as ``2024-02-10`` or a month such as ``2024-02``, read in one zone. Its window
is half-open and ends exactly where the next one begins, whatever the zone's clocks do in between, so each moment lies
in exactly one period.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opencast.errors import InvalidFilter

#: The period of the events whose creation date says nothing.
UNDATED = "undated"
#: Creation dates outside of these bounds are taken for nonsense: the year 1 of an empty field, the first day of Unix.
FIRST_MOMENT = datetime(1970, 1, 2, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)

_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_YEAR = re.compile(r"([0-9]{4})")
_FORMS = "Write a day as 2024-02-10, a month as 2024-02, a year as 2024, or undated."


class Granularity(StrEnum):
    """The length of the periods of a DAG."""

    DAY = "day"
    MONTH = "month"

    @property
    def key_format(self) -> str:
        """How a period is written, for ``strftime``."""
        return "%Y-%m-%d" if self is Granularity.DAY else "%Y-%m"

    @property
    def cron(self) -> str:
        """When a period begins."""
        return "0 0 * * *" if self is Granularity.DAY else "0 0 1 * *"


@dataclass(frozen=True)
class RunTimes:
    """What Airflow says about the time that a run is for.

    :param partition_key: label of the run's partition, or None.
    :param partition_date: aware moment at which that partition begins, or None.
    :param data_interval_start: aware; runs of ``dag.test()`` have nothing else.
    """

    partition_key: str | None = None
    partition_date: datetime | None = None
    data_interval_start: datetime | None = None


@dataclass(frozen=True)
class Window:
    """A span of creation time.

    :param label: how people call it.
    :param begin: aware, the first moment that belongs to it; None: no bound.
    :param end: aware, the first moment that does not; None: no bound.
    :param undated: it is made of the events without a usable creation date instead.
    :param is_period: a calendar period, which may well be empty; else a filter, which must match something.
    """

    label: str
    begin: datetime | None = None
    end: datetime | None = None
    undated: bool = False
    is_period: bool = True

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing can be created in it any more."""
        return self.end is None or self.end <= now


def window(
    times: RunTimes,
    granularity: Granularity,
    zone: ZoneInfo,
    *,
    period: str = "",
    created_from: datetime | None = None,
    created_to: datetime | None = None,
) -> Window:
    """Find out which window a run is about.

    A partition (back-fill, schedule, or the field of the trigger form) comes first, then what the params say, then the
    data interval, which only tells the day for which ``dag.test()`` or a dated run was asked.

    :param period: ``2024``, ``2024-02``, ``2024-02-10``, ``undated``, or empty.
    :param created_from: aware.
    :param created_to: aware.
    :raises InvalidFilter: nothing says which, two things do, or the label has a wrong form.
    """
    explicit = created_from is not None or created_to is not None
    given = [
        name
        for name, is_given in (
            ("a partition", bool(times.partition_key or times.partition_date)),
            ("the param period", bool(period)),
            ("the params created_from and created_to", explicit),
        )
        if is_given
    ]
    if len(given) > 1:
        raise InvalidFilter(
            f"The run is about {' and about '.join(given)}; it can only be about one of them.",
            advice="Leave the period and the creation dates empty in runs that have a partition.",
        )
    if times.partition_key:
        return _partition(times.partition_key, granularity, zone)
    if times.partition_date is not None:
        return _containing(times.partition_date, granularity, zone)
    if period:
        return period_window(period, zone)
    if explicit:
        return Window(_label(created_from, created_to), created_from, created_to, is_period=False)
    if times.data_interval_start is not None:
        return _containing(times.data_interval_start, granularity, zone)
    raise InvalidFilter(
        "The run does not say which period it is about.",
        advice=f"Give a partition key such as {_example(granularity)}, or the param period, or creation dates.",
    )


def period_window(label: str, zone: ZoneInfo) -> Window:
    """Return the window of a day, a month, a year, or of the events without a usable creation date.

    :raises InvalidFilter: the label has none of these forms, or the zone's calendar lacks the day.
    """
    label = label.strip()
    if label.lower() == UNDATED:
        return Window(UNDATED, undated=True)
    first, following = _days(label)
    if following.year < FIRST_MOMENT.year or first.year >= LAST_MOMENT.year:
        raise InvalidFilter(
            f"The period {label} lies outside of {FIRST_MOMENT:%Y-%m-%d} to {LAST_MOMENT:%Y-%m-%d}.",
            advice=f"Events with such creation dates are in the period {UNDATED}.",
        )
    begin, end = max(_midnight(first, zone), FIRST_MOMENT), min(_midnight(following, zone), LAST_MOMENT)
    if begin >= end:
        raise InvalidFilter(f"The calendar of {zone.key} has no day {label}.")
    return Window(label, begin, end)


def is_dated(created: datetime | None) -> bool:
    """Tell whether a creation date is usable: it is there, and lies where some period can find it."""
    return created is not None and FIRST_MOMENT <= created < LAST_MOMENT


def require_over(wanted: Window, now: datetime) -> None:
    """Refuse a period in which events may still be created: a run that ends well says that a period is complete.

    :param now: aware.
    :raises InvalidFilter: the period is not over, or has not begun.
    """
    if wanted.is_over(now) or not wanted.is_period:
        return
    begun = wanted.begin is None or wanted.begin <= now
    raise InvalidFilter(
        f"The period {wanted.label} {'is not over' if begun else 'has not begun'}: it ends at"
        f" {wanted.end.isoformat() if wanted.end else 'no time'}. Nothing was done.",
        advice="Run it again after its end, or set the param unfinished_period to take for what is there up to now.",
    )


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone.

    :raises InvalidFilter: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidFilter(
            f"There is no time zone {name!r}.", advice="Give a name such as Europe/Berlin or UTC."
        ) from error


def _partition(key: str, granularity: Granularity, zone: ZoneInfo) -> Window:
    pattern = _DAY if granularity is Granularity.DAY else _MONTH
    if key.strip().lower() != UNDATED and not pattern.fullmatch(key.strip()):
        raise InvalidFilter(
            f"The partition key {key!r} is no {granularity.value}.",
            advice=f"Write it as {_example(granularity)}.",
        )
    return period_window(key, zone)


def _containing(moment: datetime, granularity: Granularity, zone: ZoneInfo) -> Window:
    return period_window(moment.astimezone(zone).strftime(granularity.key_format), zone)


def _days(label: str) -> tuple[date, date]:
    """Return the first day of a period and the first one after it."""
    try:
        if match := _DAY.fullmatch(label):
            first = date(*map(int, match.groups()))
            return first, first + timedelta(days=1)
        if match := _MONTH.fullmatch(label):
            year, month = map(int, match.groups())
            return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
        if match := _YEAR.fullmatch(label):
            return date(int(match[1]), 1, 1), date(int(match[1]) + 1, 1, 1)
    except (ValueError, OverflowError) as error:
        raise InvalidFilter(f"The period {label!r} is not in the calendar.", advice=_FORMS) from error
    raise InvalidFilter(f"{label!r} is no period.", advice=_FORMS)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day, in UTC.

    Where clocks jump over midnight, the first moment is that of the jump; where midnight comes twice, the first one.
    Both are what Python makes of ``fold=0``.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _label(begin: datetime | None, end: datetime | None) -> str:
    parts = [f"from {begin.isoformat()}" if begin else "", f"before {end.isoformat()}" if end else ""]
    return " ".join(part for part in parts if part)


def _example(granularity: Granularity) -> str:
    return "2024-02-10" if granularity is Granularity.DAY else "2024-02"
