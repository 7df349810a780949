"""Times as Opencast writes them: always UTC, in three notations."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Give the current time, aware and cut to milliseconds, which is what Opencast's database keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def seconds(moment: datetime) -> str:
    """Write ``2026-11-22T02:12:00Z``, the form of the external API and of a package's ``start``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(moment: datetime) -> str:
    """Write ``2026-11-22T02:52:34.804Z``, always three digits: the form of the workflow XML."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def shortest(moment: datetime) -> str:
    """Write ``2026-11-22T02:53:12.01Z``: no trailing zeros, the form of operations in ``/api/workflows``."""
    text = millis(moment)[:-1].rstrip("0").rstrip(".")
    return text + "Z"


def epoch_millis(moment: datetime) -> int:
    """Give milliseconds since 1970, the form of ``started`` in the workflow XML."""
    return int(moment.timestamp() * 1000)


def parse(text: str) -> datetime | None:
    """Read any of the notations of a W3C date; None when it is none."""
    text = text.strip()
    for candidate in (text, f"{text}-01", f"{text}-01-01"):
        try:
            moment = datetime.fromisoformat(candidate)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
