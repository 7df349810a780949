"""Harvest one list of one repository: begin or go on, page by page, until it is certain to be complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from opencast.errors import EndlessList, HarvestError
from opencast.harvest.ahead import ReadAhead
from opencast.harvest.changes import DELETED, NEW
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.datestamps import Granularity, is_day
from opencast.harvest.lease import Lease
from opencast.harvest.lists import Part, read_list
from opencast.harvest.page import OaiRecord, Page
from opencast.harvest.page_writer import PageWriter
from opencast.harvest.record_writer import PageOutcome
from opencast.harvest.refusals import BadResumptionToken, NoRecordsMatch, OaiError
from opencast.harvest.stream_state import Mode, StreamState
from opencast.harvest.tally import Tally
from opencast.store.bulk import may_be_repeated
from opencast.store.database import Database

#: How often a list is begun again without anything new before it is given up.
_FRUITLESS = 3
#: How often a list that became shorter while it was read is read again in one harvest.
_LOOKS = 3
#: Bytes of records that wait for being written at most, or one page; as many are then written in one transaction.
_AHEAD = 1_500_000
#: A record that comes later than this after its datestamp was not delayed, but skipped or changed.
_LATE = timedelta(hours=1)


@dataclass
class Traits:
    """What is known of a repository's behaviour; a list learns more while it is harvested.

    :param granularity: what it wants as arguments.
    :param overlap: how far before the last harvest the next one begins.
    :param orders_by_datestamp: whether its lists are known to ascend (Opencast's do).
    :param check_borders: whether records around the ends of pages are asked for again.
    :param stamps_by_day: whether it stamps by day although it announces seconds.
    :param counts_unreliable: whether its ``completeListSize`` was proven wrong.
    :param lateness: how long after their datestamp records have become visible.
    """

    granularity: Granularity
    overlap: timedelta
    orders_by_datestamp: bool
    check_borders: bool
    stamps_by_day: bool = False
    counts_unreliable: bool = False
    lateness: timedelta = timedelta(0)

    @property
    def lookback(self) -> timedelta:
        """How far an incremental harvest really looks back: what was once late is expected to be late again."""
        return max(self.overlap, 2 * self.lateness)

    def border(self, moment: datetime) -> str:
        """Write the lower border of a list."""
        if self.stamps_by_day and self.granularity is Granularity.SECOND:
            moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return self.granularity.write(moment)


def _weight(part: Part) -> int:
    return sum([len(record.xml) for record in part.page.records])


class _BeginEarlier(Exception):  # no error: the list is read with another border
    def __init__(self, from_stamp: str) -> None:
        super().__init__(from_stamp)
        self.from_stamp = from_stamp


class ListHarvest:
    """The harvest of one list.

    :param prefix: metadata prefix.
    :param clock: our time, aware.
    :param read_ahead: whether the next pages are asked for while others are written.
    """

    def __init__(
        self,
        database: Database,
        client: OaiPmhClient,
        *,
        prefix: str,
        traits: Traits,
        writer: PageWriter,
        lease: Lease,
        tally: Tally,
        clock: Callable[[], datetime],
        read_ahead: bool = True,
    ) -> None:
        self._database = database
        self._client = client
        self._prefix = prefix
        self._traits = traits
        self._writer = writer
        self._lease = lease
        self._tally = tally
        self._clock = clock
        self._read_ahead = read_ahead

    def begin(
        self, session: Session, state: StreamState, mode: Mode, window: tuple[str | None, str | None] = (None, None)
    ) -> None:
        """Begin a pass.

        :param window: borders of a window, in the repository's granularity.
        """
        from_stamp, until_stamp = window
        if mode is Mode.INCREMENTAL and state.base is not None:
            from_stamp = self._traits.border(state.base - self._traits.lookback)
        state.begin(self._tally.run_id, mode, from_stamp, until_stamp, self._clock())
        state.save(session)

    def run(self, state: StreamState) -> bool:
        """Read the list to its end.

        :returns: whether the list is believed to be complete; if not, the next harvest reads it again.
        :raises EndlessList: it was begun again several times and never came further.
        :raises OaiError: the repository refuses it.
        """
        fruitless = looks = 0
        furthest = self._progress(state)
        while True:
            try:
                shrank = self._read(state)
            except _BeginEarlier as earlier:
                self._tally.find("clock-set-back: the repository's clock was set back; the harvest begins earlier")
                state.begin_earlier(earlier.from_stamp)
                continue
            except (BadResumptionToken, EndlessList) as error:
                reached = max(furthest, self._progress(state))
                fruitless = 0 if reached > furthest else fruitless + 1
                furthest = reached
                self._begin_again(state, error, fruitless)
                continue
            if not self._is_doubtful(state, shrank):
                return self._finish(state, keep_watermark=False)
            looks += 1
            if looks >= (_LOOKS if shrank else 2):
                return self._accept_doubt(state, shrank)
            state.begin_again(self._traits.granularity, trust_order=False)

    def _progress(self, state: StreamState) -> tuple[int, float]:
        """Give a number that grows while the list comes further."""
        reached = state.high_stamp.timestamp() if state.high_stamp is not None else 0.0
        return self._tally.new + self._tally.changed + self._tally.deleted, reached

    # --- pages -------------------------------------------------------------------------------------------------------

    def _read(self, state: StreamState) -> bool:
        """Read and write pages until the list's end; tell whether the list became shorter meanwhile."""
        shrank = False
        fresh = state.token is None
        try:
            with self._parts(state) as batches:
                for parts in batches:
                    if fresh:
                        self._check_clock(state, parts[0].page.response_date)
                        fresh = False
                    shrank = self._write(state, parts) or shrank
        except NoRecordsMatch as nothing:
            self._check_clock(state, nothing.response_date)
            state.began = state.began or nothing.response_date
        except (BadResumptionToken, EndlessList):
            raise
        except OaiError as refused:
            # A lower border in the repository's future is refused by some: its clock may have been set back.
            self._check_clock(state, refused.response_date)
            raise
        return shrank

    def _parts(self, state: StreamState) -> AbstractContextManager[Iterator[list[Part]]]:
        borders = self._traits.granularity if self._traits.check_borders else None
        parts = (
            part._replace(page=self._writer.prepare(part.page))
            for part in read_list(self._client, state.request(self._prefix), token=state.token or "", borders=borders)
        )
        if self._read_ahead:
            return ReadAhead(parts, weigh=_weight, limit=_AHEAD)
        return nullcontext([part] for part in parts)

    def _write(self, state: StreamState, parts: list[Part]) -> bool:
        """Write pages in one transaction with the place where the list goes on after them.

        :returns: whether the list became shorter from one page to another.
        """
        now = self._clock()
        shrank = False
        records: list[OaiRecord] = []
        for part in parts:
            records.extend(part.page.records)
            self._learn(part.page)
        with self._database.session() as session:
            may_be_repeated(session.connection())
            self._lease.renew(session, now)
            outcome = self._writer.write(session, records, now)
            for page in [part.page for part in parts if part.advances]:
                size = state.complete_list_size or 0
                state.advance(page)
                shrank = shrank or size > (state.complete_list_size or 0)
            state.save(session)
            self._tally.count([part.page for part in parts], outcome)
            self._tally.measure(self._client.transport)
            self._tally.save(session)
        self._measure_lateness(state, outcome)
        return shrank

    # --- what the repository's behaviour tells ------------------------------------------------------------------------

    def _check_clock(self, state: StreamState, response_date: datetime | None) -> None:
        if state.mode != Mode.INCREMENTAL or state.base is None or state.from_stamp is None:
            return
        back = state.setback(response_date, self._clock(), self._traits.overlap)
        earlier = self._traits.border(state.base - self._traits.lookback - back)
        if back and earlier < state.from_stamp:
            raise _BeginEarlier(earlier)

    def _learn(self, page: Page) -> None:
        traits = self._traits
        if traits.granularity is Granularity.SECOND and not traits.stamps_by_day:
            traits.stamps_by_day = any(is_day(record.stamp) for record in page.records)
            if traits.stamps_by_day:
                self._tally.find("stamps-by-day: the repository announces seconds and stamps by day")

    def _measure_lateness(self, state: StreamState, outcome: PageOutcome) -> None:
        """Notice records that came after the harvest that should have brought them."""
        base = state.base
        if base is None or state.mode == Mode.WINDOW:
            return
        stamps = [stored.record.datestamp for stored in outcome.stored if stored.kind in {NEW, DELETED}]
        late = [base - stamp for stamp in stamps if stamp is not None and base - _LATE < stamp < base]
        self._traits.lateness = max([self._traits.lateness, *late])

    # --- the list's end ----------------------------------------------------------------------------------------------

    def _begin_again(self, state: StreamState, error: HarvestError, fruitless: int) -> None:
        if fruitless >= _FRUITLESS:
            raise EndlessList(
                f"The list of {self._prefix} was begun again {fruitless} times and came no further: {error.message}"
            ) from error
        kind = "repeated-page" if isinstance(error, EndlessList) else "dead-token"
        self._tally.find(f"{kind}: the list was begun again, because {error.message}")
        # A repository of which the order is unknown is first believed when its list cannot be read in one go.
        trust = self._traits.orders_by_datestamp or state.restarts > 0
        state.begin_again(self._traits.granularity, trust_order=trust)

    def _is_doubtful(self, state: StreamState, shrank: bool) -> bool:
        """Tell whether the list may have skipped records: it became shorter, or ended before its announced end."""
        if self._traits.counts_unreliable or state.complete_list_size is None:
            return False
        return shrank or state.received < state.complete_list_size

    def _accept_doubt(self, state: StreamState, shrank: bool) -> bool:
        if shrank:
            self._tally.find("shrinking-list: the list becomes shorter while it is read; the next harvest repeats it")
            return self._finish(state, keep_watermark=True)
        self._tally.find(
            f"wrong-count: the repository announces {state.complete_list_size} records and gives {state.received}"
        )
        self._traits.counts_unreliable = True
        return self._finish(state, keep_watermark=False)

    def _finish(self, state: StreamState, *, keep_watermark: bool) -> bool:
        state.finish(keep_watermark=keep_watermark)
        with self._database.session() as session:
            self._lease.renew(session, self._clock())
            state.save(session)
            self._tally.save(session)
        return not keep_watermark
