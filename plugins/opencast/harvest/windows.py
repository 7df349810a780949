"""Windows of datestamps for back-fills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from opencast.errors import ConfigurationError
from opencast.harvest import datestamps
from opencast.harvest.datestamps import Granularity


@dataclass(frozen=True)
class Window:
    """The datestamps from ``begin`` to ``end``, both included; None leaves a side open.

    :raises ConfigurationError: the end comes before the beginning.
    """

    begin: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.begin is not None and self.end is not None and self.end < self.begin:
            raise ConfigurationError(f"The window ends at {self.end:%Y-%m-%d %H:%M:%S}, before it begins.")

    @classmethod
    def read(cls, begin: str | None, end: str | None) -> Window:
        """Read borders as an administrator writes them: a day, or a time with or without zone (then UTC).

        A day as end covers all of it.

        :raises ConfigurationError: no date.
        """
        first = _read("begin", begin)
        last = _read("end", end)
        if last is not None and datestamps.is_day((end or "").strip()):
            last = datetime.combine(last.date(), time(23, 59, 59), UTC)
        return cls(first, last)

    def borders(self, granularity: Granularity) -> tuple[str | None, str | None]:
        """Give the arguments of the first request.

        The upper one is a step later than the window's end: some repositories leave out what has exactly this
        datestamp, and Opencast refuses two equal borders. A few records more do no harm.
        """
        upper = granularity.write(self.end + granularity.step) if self.end is not None else None
        return granularity.write(self.begin) if self.begin is not None else None, upper

    def __str__(self) -> str:
        sides = (datestamps.as_utcdatetime(side) if side is not None else "" for side in (self.begin, self.end))
        return "/".join(sides)


def _read(side: str, text: str | None) -> datetime | None:
    if text is None or not text.strip():
        return None
    moment = datestamps.read(text.strip().replace(" ", "T", 1))
    if moment is None:
        raise ConfigurationError(f"The {side} of the window, {text!r}, is no date.", advice="Write it as 2024-01-31.")
    return moment
