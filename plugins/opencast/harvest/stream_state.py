"""The state of one list, kept with the pages that it belongs to: where a harvest begins, goes on, and begins again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from opencast.harvest.datestamps import Granularity
from opencast.harvest.lists import ListRequest
from opencast.harvest.page import Page
from opencast.store.harvesting import HarvestStream

#: Two readings of the same clock seem to differ by this much without anybody having set it: requests take time.
CLOCK_TOLERANCE = timedelta(seconds=2)


class Mode(StrEnum):
    """What a harvest asks for."""

    #: What changed since the last one.
    INCREMENTAL = "incremental"
    #: Everything.
    FULL = "full"
    #: What has a datestamp in a window; does not change where the next incremental harvest begins.
    WINDOW = "window"


@dataclass
class StreamState:
    """One row of :class:`opencast.store.harvesting.HarvestStream`, and what follows from it."""

    id: int
    set_spec: str
    window: str
    watermark: datetime | None
    watermark_own: datetime | None
    pass_id: int | None
    mode: str
    from_stamp: str | None
    until_stamp: str | None
    token: str | None
    began: datetime | None
    began_own: datetime | None
    high_stamp: datetime | None
    ascending: bool
    received: int
    complete_list_size: int | None
    restarts: int

    @classmethod
    def load(cls, session: Session, format_id: int, set_spec: str, window: str) -> StreamState:
        """Read the state of a list, making its row when there is none."""
        query = select(HarvestStream).where(
            HarvestStream.format_id == format_id,
            HarvestStream.set_spec == set_spec,
            HarvestStream.window == window,
        )
        row = session.scalars(query).one_or_none()
        if row is None:
            row = HarvestStream(format_id=format_id, set_spec=set_spec, window=window)
            session.add(row)
            session.flush()
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    def save(self, session: Session) -> None:
        """Write the state, in the transaction of the page that it belongs to."""
        values = {field: getattr(self, field) for field in _SAVED}
        session.connection().execute(_SAVE, {**values, "row": self.id})

    # --- beginning ---------------------------------------------------------------------------------------------------

    @property
    def base(self) -> datetime | None:
        """The time up to which everything is known, by the slower of the two clocks.

        Datestamps may come from a third clock, such as the database's: whichever is right, the slower one is safe.
        """
        times = [time for time in (self.watermark, self.watermark_own) if time is not None]
        return min(times) if times else None

    def is_resumable(self, mode: Mode) -> bool:
        """Tell whether a pass is under way that does what this harvest is to do."""
        return self.pass_id is not None and (mode is not Mode.FULL or self.mode == Mode.FULL)

    def begin(self, pass_id: int, mode: Mode, from_stamp: str | None, until_stamp: str | None, now: datetime) -> None:
        """Begin a pass.

        :param pass_id: the run that begins it.
        :param now: our clock.
        """
        self.pass_id = pass_id
        self.mode = mode
        self.from_stamp = from_stamp
        self.until_stamp = until_stamp
        self.began = None
        self.began_own = now
        self.restarts = 0
        self._rewind()

    def _rewind(self) -> None:
        self.token = None
        self.high_stamp = None
        self.ascending = True
        self.received = 0
        self.complete_list_size = None

    # --- going on ----------------------------------------------------------------------------------------------------

    def advance(self, page: Page) -> None:
        """Take note of a page of the list, and of the token that comes after it."""
        if self.began is None:
            self.began = page.response_date
        for record in page.records:
            if record.datestamp is None:
                continue
            if self.high_stamp is None or record.datestamp >= self.high_stamp:
                self.high_stamp = record.datestamp
            else:
                self.ascending = False
        self.received += len(page.records)
        if page.token is not None and page.token.complete_list_size is not None:
            self.complete_list_size = page.token.complete_list_size
        self.token = page.next_token or None

    def begin_again(self, granularity: Granularity, *, trust_order: bool) -> None:
        """Read the list again without its token.

        :param trust_order: whether an ascending list goes on from the latest datestamp instead of from its beginning.
        """
        if trust_order and self.ascending and self.high_stamp is not None:
            self.from_stamp = granularity.write(self.high_stamp)
        self.restarts += 1
        self._rewind()

    def begin_earlier(self, from_stamp: str) -> None:
        """Read the list again with an earlier lower border."""
        self.from_stamp = from_stamp
        self._rewind()

    def request(self, prefix: str) -> ListRequest:
        """Give the list's first request."""
        return ListRequest(prefix, self.set_spec, self.from_stamp, self.until_stamp)

    # --- ending ------------------------------------------------------------------------------------------------------

    def finish(self, *, keep_watermark: bool = False) -> None:
        """End the pass; what the next one need not ask for again is known from now on.

        :param keep_watermark: whether the next harvest repeats this one, because something may be missing.
        """
        if self.mode != Mode.WINDOW and not keep_watermark and self.began_own is not None:
            self.watermark = self.began or self.began_own
            self.watermark_own = self.began_own
        self.pass_id = None
        self._rewind()

    def setback(self, response_date: datetime | None, now: datetime, overlap: timedelta) -> timedelta:
        """Tell by how much the repository's clock was set back since the watermark; zero when it was not.

        Records may have been stamped with times that were harvested before.

        :param response_date: the repository's clock.
        :param now: our clock at the same time.
        :param overlap: how far back a harvest looks anyway; half of it covers what is less.
        """
        if response_date is None or self.watermark is None or self.watermark_own is None:
            return timedelta(0)
        expected = self.watermark + (now - self.watermark_own)
        back = expected - response_date
        return back if back > max(CLOCK_TOLERANCE, overlap / 2) else timedelta(0)


_SAVED = tuple(field.name for field in fields(StreamState) if field.name not in {"id", "set_spec", "window"})
# Built once: it is part of every page's transaction.
_SAVE = (
    update(HarvestStream).where(HarvestStream.id == bindparam("row")).values({name: bindparam(name) for name in _SAVED})
)
