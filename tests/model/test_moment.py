"""Moments are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from opencast.model.moment import parse_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-03-17T08:00:00Z", datetime(2021, 3, 17, 8, tzinfo=UTC)),
        ("2026-11-22T02:52:34.804Z", datetime(2026, 11, 22, 2, 52, 34, 804000, tzinfo=UTC)),
        ("2022-01-01T00:30:00+01:00", datetime(2021, 12, 31, 23, 30, tzinfo=UTC)),
        ("2021-03-17T08:00:00", datetime(2021, 3, 17, 8, tzinfo=UTC)),
        (" 2021-03-17 ", datetime(2021, 3, 17, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_read(text: str, moment: datetime) -> None:
    parsed = parse_moment(text)
    assert parsed == moment
    assert parsed is not None
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", [None, "", " ", "yesterday", "2021-13-01T00:00:00Z", "0", "0001-01-01T00:00:00+23:00"])
def test_anything_else_is_no_moment(text: str | None) -> None:
    assert parse_moment(text) is None
