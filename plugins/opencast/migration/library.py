"""Take the inventory: read what the source holds into the store, completely or only what may be new."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from opencast.api.holdings import Found
from opencast.api.opencast import Opencast
from opencast.errors import LibraryBusy, NotFound, OpencastError
from opencast.migration.options import Reading
from opencast.model.event import EventRow
from opencast.store.base import utc_now
from opencast.store.inventory import Inventory, SeriesRow
from opencast.store.ledger import Kind
from opencast.store.readings import LEASE, Readings, Unreadable

log = logging.getLogger(__name__)

#: A reading of what is recent goes on from a complete one that is not older than this.
COMPLETE_EVERY = timedelta(hours=24)
#: Recordings are published, edited and trimmed in the weeks after they were made.
RECENT = timedelta(days=30)
#: Objects that a reading did not meet are asked for one by one, up to so many of each kind.
_ASKED_ONE_BY_ONE = 1000
#: Times that the list of series is read until it holds as many as the source counts.
_SERIES_TRIES = 3
#: Seconds between two looks whether another run has finished its reading.
_WAIT_S = 5.0
#: Statuses of events that will be something else sooner or later.
_UNFINISHED = frozenset({"SCHEDULED", "RECORDING", "INGESTING", "PENDING", "PROCESSING", "PAUSED"})


@dataclass(frozen=True)
class Taken:
    """What an inventory run found.

    :param gone: rows of earlier runs that the source does not have any more.
    :param unreadable: what cannot be understood.
    :param how: ``complete``, ``recent``, or ``shared`` when a reading of another run was used.
    """

    events: int
    series: int
    gone: int
    unreadable: tuple[Unreadable, ...]
    how: str = Reading.COMPLETE


def take_inventory(source: Opencast, inventory: Inventory, *, beat: Callable[[], None] = lambda: None) -> Taken:
    """Read all series and events of the source.

    Events and series may come and go meanwhile. Rows that were known and are not met any more are removed at the end,
    after the source was asked for each of them; a reading that breaks off removes nothing. The memory that it needs
    does not grow with the library, but for the ids.

    :param beat: called from time to time while it reads.
    :raises OpencastError: the source cannot be read completely.
    """
    seen = utc_now()
    unreadable: list[Unreadable] = []
    _read_series(source, inventory, seen, unreadable)
    inventory.write_events(_events(source.holdings.rows(), unreadable, beat), seen)
    _ask_for_unseen(source, inventory, seen, unreadable)
    gone = inventory.forget_unseen(seen)
    state = inventory.state()
    log.info("The source holds %d events and %d series; %d are gone.", state.events, state.series, gone)
    return Taken(state.events, state.series, gone, tuple(unreadable))


class LibraryReader:
    """The readings of one library by several runs: one reads, the others use what it read.

    :param reader: ``<dag id>/<run id>`` of the own run.
    :param sleep: waits for another run's reading, in seconds.
    """

    def __init__(
        self,
        source: Opencast,
        inventory: Inventory,
        readings: Readings,
        reader: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._source = source
        self._inventory = inventory
        self._readings = readings
        self._reader = reader
        self._sleep = sleep
        self._now = now

    def take(self, how: Reading, max_age: timedelta, *, patience: timedelta = timedelta(hours=2)) -> Taken:
        """Make sure that the inventory is fresh.

        :param how: what to read when it is not. What is recent alone is only read when the whole library was read
            less than a day before.
        :param max_age: a reading that began so long ago, or less, is fresh; so is one that begins meanwhile.
        :param patience: how long to wait for another run's reading.
        :raises LibraryBusy: another run has been reading for longer than that.
        :raises OpencastError: the source cannot be read completely.
        """
        asked = self._now()
        while True:
            fresh = self._fresh(how, asked - max_age)
            if fresh is not None:
                return fresh
            if self._readings.begin(self._reader):
                break
            if self._now() - asked > patience:
                raise LibraryBusy(f"The run {self._readings.state().reader} is still reading the source's library.")
            self._sleep(_WAIT_S)
        # Between the two looks above the other run may just have come to its end.
        fresh = self._fresh(how, asked - max_age)
        if fresh is not None:
            self._readings.give_up(self._reader)
            return fresh
        try:
            return self._read(how)
        except BaseException:
            self._readings.give_up(self._reader)
            raise

    def _fresh(self, how: Reading, oldest: datetime) -> Taken | None:
        state = self._readings.state()
        taken = state.complete if how is Reading.COMPLETE else state.recent
        if taken is None or taken < oldest:
            return None
        held = self._inventory.state()
        log.info("The reading that began at %s is used.", taken.isoformat(timespec="seconds"))
        return Taken(held.events, held.series, 0, state.unreadable, "shared")

    def _read(self, how: Reading) -> Taken:
        before = self._readings.state()
        began = self._now()
        beat = _Beat(lambda: self._readings.begin(self._reader))
        complete = before.complete
        if how is Reading.RECENT and complete is not None and began - complete < COMPLETE_EVERY:
            taken = read_recent(self._source, self._inventory, complete - RECENT, beat=beat)
            known = {(one.kind, one.identifier): one for one in (*before.unreadable, *taken.unreadable)}
            self._readings.end(self._reader, began, tuple(known.values()), complete=False)
            return taken
        taken = take_inventory(self._source, self._inventory, beat=beat)
        self._readings.end(self._reader, began, taken.unreadable, complete=True)
        return taken


def read_recent(
    source: Opencast, inventory: Inventory, since: datetime, *, beat: Callable[[], None] = lambda: None
) -> Taken:
    """Read what may be new or different since the last complete reading.

    The list can neither be sorted nor filtered by what changed. So these are read: all series, the events that start
    at ``since`` or later, and those that were not finished. An older event that was edited or uploaded since is met by
    the next complete reading.

    :param since: aware; some weeks before the last complete reading.
    """
    seen = utc_now()
    unreadable: list[Unreadable] = []
    _read_series(source, inventory, seen, unreadable)
    inventory.write_events(_events(source.holdings.rows_since(since), unreadable, beat), seen)
    behind = set(inventory.unseen_events(seen))
    again = [event for event in inventory.with_status(_UNFINISHED) if event in behind]
    inventory.write_events(_one_by_one(source, again, unreadable), seen)
    state = inventory.state()
    log.info("The inventory holds %d events; %d that were not finished were read again.", state.events, len(again))
    return Taken(state.events, state.series, 0, tuple(unreadable), Reading.RECENT)


def _read_series(source: Opencast, inventory: Inventory, seen: datetime, unreadable: list[Unreadable]) -> None:
    """Read the list of series until it holds as many as the source counts: pages of a changing list leave some out."""
    refused: dict[str, str] = {}
    for _ in range(_SERIES_TRIES):
        count = source.series.count()
        listed = source.series.list(refused=refused.__setitem__)
        rows = (SeriesRow(row.identifier, row.title, row.created) for row in listed)
        if inventory.write_series(rows, seen) + len(refused) >= count:
            break
    else:
        log.warning("The source counts %d series and does not list all of them.", count)
    for identifier, reason in refused.items():
        log.warning("The series %r of the source cannot be migrated: %s", identifier, reason)
        unreadable.append(Unreadable(identifier, reason, Kind.SERIES.value))


def _ask_for_unseen(source: Opencast, inventory: Inventory, seen: datetime, unreadable: list[Unreadable]) -> None:
    """Ask for what a complete reading did not meet: an event whose start was changed meanwhile may have slipped by."""
    events, series = inventory.unseen_events(seen), inventory.unseen_series(seen)
    if len(events) <= _ASKED_ONE_BY_ONE:
        inventory.write_events(_one_by_one(source, events, unreadable), seen)
    if len(series) <= _ASKED_ONE_BY_ONE:
        known = {row.identifier: row for row in inventory.series() if row.identifier in set(series)}
        inventory.write_series((known[name] for name in series if source.series.exists(name)), seen)


def _one_by_one(source: Opencast, events: list[str], unreadable: list[Unreadable]) -> Iterator[EventRow]:
    for event in events:
        try:
            yield source.holdings.row(event)
        except NotFound:
            continue
        except OpencastError as error:
            if error.retriable:
                raise
            unreadable.append(Unreadable(event, error.message))


def _events(rows: Iterator[Found], unreadable: list[Unreadable], beat: Callable[[], None]) -> Iterator[EventRow]:
    for number, row in enumerate(rows, 1):
        if number % 1000 == 0:
            beat()
        if number % 5000 == 0:
            log.info("%d events read", number)
        if isinstance(row, EventRow):
            yield row
        else:
            log.warning("The event %r of the source cannot be understood: %s", row.identifier, row.reason)
            unreadable.append(Unreadable(row.identifier, row.reason))


class _Beat:
    """Calls a function when the last call was some time ago."""

    def __init__(self, call: Callable[[], object], every: timedelta = LEASE / 5) -> None:
        self._call = call
        self._every = every.total_seconds()
        self._last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._last > self._every:
            self._last = time.monotonic()
            self._call()
