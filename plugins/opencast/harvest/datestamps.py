"""Datestamps: read what repositories write, and write what the protocol asks for (OAI-PMH 2.0, section 3.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

_LENGTH_OF_DAY = len("2026-11-22")
_LENGTH_OF_SECOND = len("2026-11-22T02:13:06Z")


class Granularity(Enum):
    """The finest datestamp that a repository knows."""

    DAY = "YYYY-MM-DD"
    SECOND = "YYYY-MM-DDThh:mm:ssZ"

    @classmethod
    def of(cls, text: str) -> Granularity:
        """Read what ``Identify`` says; whatever is not clear means days, which every repository must understand."""
        return cls.SECOND if "T" in text.strip().upper() else cls.DAY

    @property
    def step(self) -> timedelta:
        """The distance of two neighbouring datestamps."""
        return timedelta(days=1) if self is Granularity.DAY else timedelta(seconds=1)

    def write(self, moment: datetime) -> str:
        """Write a time as an argument, rounded down.

        :param moment: aware.
        """
        return as_utcdatetime(moment) if self is Granularity.SECOND else moment.astimezone(UTC).date().isoformat()


def as_utcdatetime(moment: datetime) -> str:
    """Write a time as ``UTCdatetime``: the protocol wants ``Z``, not the equally valid ``+00:00``.

    :param moment: aware, in any zone; parts of a second are cut off.
    :raises ValueError: for a naive time, of which nobody knows the zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"The naive time {moment.isoformat()} has no zone.")
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def read(text: str | None) -> datetime | None:
    """Read a datestamp or ``responseDate``.

    Beyond the two forms of the protocol, fractions of a second and offsets are understood, because nothing is lost by
    it; a time without zone is taken as UTC.

    :returns: an aware time in UTC, the beginning of the day for a day; None when the text is no datestamp.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text if len(text) == _LENGTH_OF_SECOND else text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_day(text: str) -> bool:
    """Tell whether a datestamp, without blanks around it, names a day only."""
    return len(text) == _LENGTH_OF_DAY
