"""Events as the list of the external API shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from opencast.errors import InvalidAnswer
from opencast.model.identifiers import check_mediapackage_id, check_series_id
from opencast.model.moment import parse_moment

_DIGITS = re.compile(r"[0-9]{1,19}")
_STATUS_PREFIX = "EVENTS.EVENTS.STATUS."


class EventStatus(Enum):
    """What an event is doing, as Opencast derives it from its latest workflow or from its recording."""

    SCHEDULED = "SCHEDULED"
    RECORDING = "RECORDING"
    INGESTING = "INGESTING"
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    PAUSED = "PAUSED"
    PROCESSED = "PROCESSED"
    PROCESSING_FAILURE = "PROCESSING_FAILURE"
    PROCESSING_CANCELLED = "PROCESSING_CANCELLED"
    RECORDING_FAILURE = "RECORDING_FAILURE"
    #: No status, or one that this package does not know.
    UNKNOWN = ""

    @classmethod
    def parse(cls, text: str) -> EventStatus:
        """Read a status such as ``EVENTS.EVENTS.STATUS.PROCESSED``."""
        try:
            return cls(text.strip().removeprefix(_STATUS_PREFIX))
        except ValueError:
            return cls.UNKNOWN

    @property
    def is_scheduled(self) -> bool:
        """Planned for a capture agent; nothing was recorded so far."""
        return self is EventStatus.SCHEDULED

    @property
    def is_recording(self) -> bool:
        """An agent records it or uploads what it recorded."""
        return self in {EventStatus.RECORDING, EventStatus.INGESTING}

    @property
    def is_processing(self) -> bool:
        """A workflow runs or waits to be started."""
        return self in {EventStatus.PENDING, EventStatus.PROCESSING}

    @property
    def is_paused(self) -> bool:
        """A workflow waits for a person."""
        return self is EventStatus.PAUSED

    @property
    def is_failed(self) -> bool:
        """The latest workflow failed or was stopped, or the recording failed; there may be a good archive yet."""
        return self in {
            EventStatus.PROCESSING_FAILURE,
            EventStatus.PROCESSING_CANCELLED,
            EventStatus.RECORDING_FAILURE,
        }

    @property
    def is_finished(self) -> bool:
        """Nothing runs and nothing failed."""
        return self is EventStatus.PROCESSED


_OF_WORKFLOW = {
    "INSTANTIATED": EventStatus.PENDING,
    "RUNNING": EventStatus.PROCESSING,
    "FAILING": EventStatus.PROCESSING,
    "PAUSED": EventStatus.PAUSED,
    "FAILED": EventStatus.PROCESSING_FAILURE,
    "STOPPED": EventStatus.PROCESSING_CANCELLED,
}


def status_of_workflow(state: str) -> str:
    """Return the status of an event whose latest workflow is in a state, as later versions write it.

    :param state: in upper case; empty for an event without a workflow, or with one that was cleaned up.
    """
    return _STATUS_PREFIX + _OF_WORKFLOW.get(state, EventStatus.PROCESSED).value


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of ``GET /api/events``. Absent text is empty, as in the answer.

    :param identifier: id of the mediapackage, checked.
    :param created: UTC, or None when absent or unreadable.
    :param start: of the recording (bibliographic), UTC, or None.
    :param duration: in milliseconds, or None.
    :param series: id of the series, checked, or None.
    :param creator: name of the user who created the event, not of a presenter.
    :param status: raw, such as ``EVENTS.EVENTS.STATUS.PROCESSED``; see :attr:`event_status`.
    :param processing_state: of the latest workflow in upper case; empty once that workflow was cleaned up.
    :param archive_version: of the latest snapshot, or None when there is none.
    :param publication_status: ids of the channels.
    """

    identifier: str
    title: str = ""
    created: datetime | None = None
    start: datetime | None = None
    duration: int | None = None
    series: str | None = None
    series_title: str = ""
    presenters: tuple[str, ...] = ()
    contributors: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    location: str = ""
    language: str = ""
    rightsholder: str = ""
    license: str = ""
    source: str = ""
    description: str = ""
    creator: str = ""
    status: str = ""
    processing_state: str = ""
    archive_version: int | None = None
    publication_status: tuple[str, ...] = ()

    @classmethod
    def parse(cls, row: object) -> EventRow:
        """Read a row of parsed JSON.

        :raises InvalidAnswer: no JSON object.
        :raises InvalidIdentifier: no id, or an id of the event or its series that Opencast would not accept.
        """
        if not isinstance(row, Mapping):
            raise InvalidAnswer("A row of the list of events is no JSON object.")
        series = _text(row, "is_part_of")
        return cls(
            identifier=check_mediapackage_id(_text(row, "identifier")),
            title=_text(row, "title"),
            created=parse_moment(_text(row, "created")),
            start=parse_moment(_text(row, "start")),
            duration=_number(row, "duration"),
            series=check_series_id(series) if series else None,
            series_title=_text(row, "series"),
            presenters=_texts(row, "presenter"),
            contributors=_texts(row, "contributor"),
            subjects=_texts(row, "subjects"),
            location=_text(row, "location"),
            language=_text(row, "language"),
            rightsholder=_text(row, "rightsholder"),
            license=_text(row, "license"),
            source=_text(row, "source"),
            description=_text(row, "description"),
            creator=_text(row, "creator"),
            status=_text(row, "status"),
            processing_state=_text(row, "processing_state"),
            archive_version=_number(row, "archive_version"),
            publication_status=_texts(row, "publication_status"),
        )

    @property
    def event_status(self) -> EventStatus:
        """The status as a value that can be asked questions."""
        return EventStatus.parse(self.status)


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _texts(row: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = row.get(key)
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _number(row: Mapping[str, object], key: str) -> int | None:
    value = row.get(key)
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
