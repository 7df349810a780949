"""Hours in which work may begin, such as nights and week-ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from opencast.errors import InvalidFilter

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_SPAN = re.compile(
    r"(?:(?P<days>[a-z,\-]+)\s+)?(?P<begin>\d{1,2}(?::\d\d)?)\s*-\s*(?P<end>\d{1,2}(?::\d\d)?)", re.ASCII
)


@dataclass(frozen=True)
class Span:
    """A span of each of some days of the week.

    :param days: on which it begins, 0 for Monday.
    :param begin: minutes after midnight.
    :param end: minutes after midnight, not part of it; not after ``begin``: it ends on the next day.
    """

    days: frozenset[int]
    begin: int
    end: int

    def holds(self, local: datetime) -> bool:
        """Tell whether a moment lies in it, by the wall clock."""
        minute = local.hour * 60 + local.minute
        if self.begin < self.end:
            return local.weekday() in self.days and self.begin <= minute < self.end
        before = (local.weekday() - 1) % 7
        return (local.weekday() in self.days and minute >= self.begin) or (before in self.days and minute < self.end)


@dataclass(frozen=True)
class Hours:
    """Some spans together; none of them: always."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Read hours such as ``22:00-06:00`` or ``mon-fri 20-6; sat,sun 0-24``.

        :raises InvalidFilter: it cannot be read.
        """
        parts = [part.strip().lower() for part in text.split(";") if part.strip()]
        return cls(tuple(_span(part) for part in parts))

    def is_open(self, local: datetime) -> bool:
        """Tell whether work may begin at a moment.

        :param local: in the zone in which the hours are meant.
        """
        return not self.spans or any(span.holds(local) for span in self.spans)

    def opens(self, local: datetime) -> datetime | None:
        """Return the next moment at which work may begin, to the minute; None when there is none within a week."""
        moment = local.replace(second=0, microsecond=0)
        for _ in range(7 * _DAY_MINUTES + 1):
            if self.is_open(moment):
                return moment
            moment += timedelta(minutes=1)
        return None


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    begin, end = (_minutes(match[name], text) for name in ("begin", "end"))
    if begin == end:
        raise _unreadable(text)
    return Span(_weekdays(match["days"], text), begin % _DAY_MINUTES, end)


def _minutes(text: str, whole: str) -> int:
    hour, _, minute = text.partition(":")
    minutes = int(hour) * 60 + int(minute or 0)
    if minutes > _DAY_MINUTES or int(minute or 0) > 59:
        raise _unreadable(whole)
    return minutes


def _weekdays(text: str | None, whole: str) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise _unreadable(whole)
        begin = _DAYS.index(first)
        count = (_DAYS.index(last) - begin) % 7 if dash else 0
        days.update((begin + number) % 7 for number in range(count + 1))
    return frozenset(days)


def _unreadable(text: str) -> InvalidFilter:
    return InvalidFilter(
        f"{text!r} are no hours.", advice="Write 22:00-06:00, or with days: mon-fri 20:00-06:00; sat,sun 0-24."
    )
