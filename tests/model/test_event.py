"""Rows of the list of events."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from opencast.errors import InvalidAnswer, InvalidIdentifier
from opencast.model.event import EventRow, EventStatus

from tests.model import recorded


def rows(generation: int) -> dict[str, EventRow]:
    parsed = [EventRow.parse(row) for row in json.loads(recorded.body("events/all", generation))]
    return {row.identifier: row for row in parsed}


def test_every_recorded_row_is_read() -> None:
    assert len(rows(17)) == 15
    assert len(rows(15)) == 11


@pytest.mark.parametrize(("generation", "prefix"), [(17, "a"), (15, "c")])
def test_a_recorded_row_has_all_its_fields(generation: int, prefix: str) -> None:
    row = rows(generation)[f"{prefix}-ev-fast"]
    assert row == EventRow(
        identifier=f"{prefix}-ev-fast",
        title="Published by fast, title edited",
        created=datetime(2021, 3, 10, 8, tzinfo=UTC),
        start=datetime(2021, 3, 10, 8, tzinfo=UTC),
        duration=4000,
        series=f"{prefix}-series-algorithms",
        series_title="Algorithms & Data Structures <2021>",
        presenters=("Ada Lovelace",),
        language="eng",
        creator="Administrator",
        status="EVENTS.EVENTS.STATUS.PROCESSED",
        processing_state="SUCCEEDED",
        archive_version=4,
        publication_status=("internal", "engage-player"),
    )


def test_a_recorded_event_without_series_has_none() -> None:
    assert rows(17)["a-ev-no-series"].series is None


def test_moments_are_aware_and_in_utc() -> None:
    row = rows(17)["a-ev-no-series"]
    assert row.created == datetime(2021, 12, 31, 23, 30, tzinfo=UTC)
    assert row.created.utcoffset() == datetime(2021, 1, 1, tzinfo=UTC).utcoffset()


def test_an_unknown_duration_is_none_and_zero_is_zero() -> None:
    assert EventRow.parse({"identifier": "a", "duration": None}).duration is None
    assert EventRow.parse({"identifier": "a", "duration": ""}).duration is None
    assert EventRow.parse({"identifier": "a", "duration": 0}).duration == 0
    assert EventRow.parse({"identifier": "a", "duration": 4018.0}).duration == 4018


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "9" * 5000, "-1", "1.5", True, [], {}])
def test_a_number_that_cannot_be_read_is_none(value: object) -> None:
    assert EventRow.parse({"identifier": "a", "duration": value}).duration is None


def test_absent_empty_and_strange_values_are_tolerated() -> None:
    bare = EventRow.parse({"identifier": "a-ev"})
    assert bare == EventRow("a-ev")
    empty = {"created": "", "start": "", "archive_version": "", "presenter": "", "is_part_of": "", "title": None}
    assert EventRow.parse({"identifier": "a-ev", **empty}) == bare
    strange = {"created": "yesterday", "start": 5, "presenter": [1, "Ada"], "title": 2024, "archive_version": True}
    assert EventRow.parse({"identifier": "a-ev", **strange}) == EventRow("a-ev", presenters=("Ada",))
    assert EventRow.parse({"identifier": "a-ev", "presenter": "Ada"}).presenters == ("Ada",)


@pytest.mark.parametrize("row", [None, "text", 5, ["a"]])
def test_what_is_no_object_is_refused(row: object) -> None:
    with pytest.raises(InvalidAnswer):
        EventRow.parse(row)


@pytest.mark.parametrize(
    "row",
    [{}, {"identifier": ""}, {"identifier": 5}, {"identifier": "../../x"}, {"identifier": "a", "is_part_of": "a/../b"}],
)
def test_an_id_that_opencast_would_refuse_is_refused(row: object) -> None:
    with pytest.raises(InvalidIdentifier):
        EventRow.parse(row)


@pytest.mark.parametrize(
    ("identifier", "status"),
    [
        ("a-sched-future", EventStatus.SCHEDULED),
        ("a-ev-broken", EventStatus.PROCESSING_FAILURE),
        ("a-ev-names", EventStatus.PROCESSED),
    ],
)
def test_the_recorded_status_is_understood(identifier: str, status: EventStatus) -> None:
    assert rows(17)[identifier].event_status is status


@pytest.mark.parametrize("text", ["", "EVENTS.EVENTS.STATUS.", "EVENTS.EVENTS.STATUS.NEW", "nonsense"])
def test_a_status_that_is_not_known_is_unknown_and_nothing_else(text: str) -> None:
    status = EventStatus.parse(text)
    assert status is EventStatus.UNKNOWN
    assert not any(answers(status).values())


def answers(status: EventStatus) -> dict[str, bool]:
    return {
        "scheduled": status.is_scheduled,
        "recording": status.is_recording,
        "processing": status.is_processing,
        "paused": status.is_paused,
        "failed": status.is_failed,
        "finished": status.is_finished,
    }


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("SCHEDULED", "scheduled"),
        ("RECORDING", "recording"),
        ("INGESTING", "recording"),
        ("PENDING", "processing"),
        ("PROCESSING", "processing"),
        ("PAUSED", "paused"),
        ("PROCESSED", "finished"),
        ("PROCESSING_FAILURE", "failed"),
        ("PROCESSING_CANCELLED", "failed"),
        ("RECORDING_FAILURE", "failed"),
    ],
)
def test_each_status_answers_exactly_one_question_with_yes(status: str, answer: str) -> None:
    given = answers(EventStatus.parse(f"EVENTS.EVENTS.STATUS.{status}"))
    assert [name for name, value in given.items() if value] == [answer]


def test_an_event_may_belong_to_a_series_whose_id_is_an_address() -> None:
    assert EventRow.parse({"identifier": "a", "is_part_of": "http://lms/a"}).series == "http://lms/a"
