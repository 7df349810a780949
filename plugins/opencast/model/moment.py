"""Moments as Opencast writes them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_moment(text: str | None) -> datetime | None:
    """Return the aware moment in UTC of an ISO 8601 text such as ``2021-03-17T08:00:00Z``.

    :param text: with or without fractions of a second; without a time zone it is taken as UTC.
    :return: None for nothing, empty text, and what is no moment.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
