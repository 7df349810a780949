"""Readings of a source's library: one at a time, and shared by everybody while it is fresh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from opencast.store.base import utc_now
from opencast.store.campaigning import LibraryReading
from opencast.store.database import Database
from opencast.store.rows import locked_row

#: A reader without a sign of life for so long is gone.
LEASE = timedelta(minutes=5)


class Unreadable(NamedTuple):
    """An object that is listed and could not be understood.

    :param kind: value of a ``Kind``.
    """

    identifier: str
    reason: str
    kind: str = "mediapackage"


@dataclass(frozen=True)
class ReadingState:
    """What is known about the readings of a library.

    :param reader: who reads right now, or None.
    :param complete: begin of the last reading of the whole library.
    :param recent: begin of the last reading of any kind.
    :param unreadable: what could not be understood.
    """

    reader: str | None = None
    complete: datetime | None = None
    recent: datetime | None = None
    unreadable: tuple[Unreadable, ...] = ()


class Readings:
    """The readings of one source's library.

    :param source: ``<url>#<organization>``.
    """

    def __init__(self, database: Database, source: str, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._source = source
        self._now = now

    def state(self) -> ReadingState:
        """Return what is known."""
        now = self._now()
        with self._database.reading() as session:
            row = session.get(LibraryReading, self._source)
            if row is None:
                return ReadingState()
            reader = row.reader if row.lease_until is not None and row.lease_until > now else None
            unreadable = tuple(Unreadable(*map(str, parts)) for parts in row.unreadable)
            return ReadingState(reader, row.complete, row.recent, unreadable)

    def begin(self, reader: str) -> bool:
        """Become the reader, or go on being it.

        :param reader: ``<dag id>/<run id>``.
        :return: False when somebody else reads.
        """
        now = self._now()
        with self._database.session() as session:
            row = self._row(session)
            if row.reader not in {None, reader} and row.lease_until is not None and row.lease_until > now:
                return False
            row.reader, row.lease_until = reader, now + LEASE
            return True

    def end(self, reader: str, began: datetime, unreadable: tuple[Unreadable, ...], *, complete: bool) -> None:
        """Note a reading that came to its end.

        :param began: what changed after this moment may have been missed.
        """
        with self._database.session() as session:
            row = self._row(session)
            row.recent = began
            row.complete = began if complete else row.complete
            row.unreadable = [list(parts) for parts in unreadable]
            if row.reader == reader:
                row.reader = row.lease_until = None

    def give_up(self, reader: str) -> None:
        """Stop being the reader after a reading that broke off."""
        with self._database.session() as session:
            row = self._row(session)
            if row.reader == reader:
                row.reader = row.lease_until = None

    def _row(self, session: Session) -> LibraryReading:
        return locked_row(session, LibraryReading, self._source, unreadable=[])
