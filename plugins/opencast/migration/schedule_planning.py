"""Plan what to do with events that are scheduled, or look as if they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property

from opencast.api.opencast import Opencast
from opencast.errors import OpencastError
from opencast.migration.decisions import decide
from opencast.migration.options import Options, PastSchedules
from opencast.migration.schedules import ScheduledEvent, read_scheduled
from opencast.model.event import EventRow, EventStatus
from opencast.store.base import utc_now
from opencast.store.ledger import Kind, Ledger, State
from opencast.store.plans import Action, Item

_FAILED = "its recording failed; the param include_failed takes such events along"


class SchedulePlanner:
    """Judge events whose status speaks of a recording that is to come, or that goes on, or that failed.

    Such a status may be out of date: without its workflow, a recorded event is listed by the last word of its capture
    agent, or as scheduled when there was none. The owner of its snapshot decides.
    """

    def __init__(self, source: Opencast, ledger: Ledger, *, now: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._ledger = ledger
        self._now = now

    def concerns(self, row: EventRow) -> bool:
        """Tell whether an event has to be looked at one by one."""
        status = row.event_status
        return status.is_scheduled or status.is_recording or status is EventStatus.RECORDING_FAILURE

    def item(self, row: EventRow, options: Options) -> Item | None:
        """Return the plan's row of a scheduled event, or None when the event has been recorded."""
        try:
            event = read_scheduled(self._source, row.identifier)
        except OpencastError as error:
            # The task meets the same error, and notes it for this event alone.
            return _item(row, Action.MIGRATE, f"cannot be read: {error.message}")
        if event is None:
            return None
        obstacle = self._obstacle(row, event, options)
        if obstacle:
            return _item(row, Action.SKIP, obstacle)
        version = event.fingerprint
        entry = self._ledger.entry(Kind.SCHEDULED, row.identifier)
        action, reason = decide(entry, version, "changes", options.repeat)
        return _item(row, action, reason, version)

    def replacement(self, row: EventRow, options: Options) -> Item | None:
        """Return the plan's row of a recorded event that was migrated while it was scheduled, if it is to stay so."""
        if options.replace_scheduled or row.identifier not in self._migrated:
            return None
        reason = (
            "it was migrated as a scheduled event and has been recorded since; the param replace_scheduled removes "
            "the scheduled event from the target and brings the recording"
        )
        return Item(Kind.MEDIAPACKAGE, row.identifier, row.title, Action.SKIP, reason)

    @cached_property
    def _migrated(self) -> frozenset[str]:
        entries = self._ledger.entries(Kind.SCHEDULED)
        return frozenset(entry.identifier for entry in entries if entry.state is State.DONE)

    def _obstacle(self, row: EventRow, event: ScheduledEvent, options: Options) -> str:
        if row.event_status.is_recording:
            return "it is being recorded; run again later"
        if row.event_status is EventStatus.RECORDING_FAILURE and not options.include_failed:
            return _FAILED
        if event.schedule.end <= self._now() and options.past_schedules is PastSchedules.SKIP:
            return "its time is over and nothing was recorded; the param past_schedules takes such events along"
        return ""


def _item(row: EventRow, action: Action, reason: str, version: str | None = None) -> Item:
    return Item(Kind.SCHEDULED, row.identifier, row.title, action, reason, version)
