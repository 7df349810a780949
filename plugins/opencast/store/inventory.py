"""Rows of the inventory: what a source holds, as it was listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from opencast.model.event import EventRow
from opencast.store.database import Database
from opencast.store.tables import InventoryEvent, InventorySeries

#: Rows a statement; bounded by SQLite's limit of 32,766 bound values.
_BATCH = 1000
_KEY = ("source", "identifier")


@dataclass(frozen=True)
class SeriesRow:
    """One series in the inventory."""

    identifier: str
    title: str
    created: datetime | None


@dataclass(frozen=True)
class InventoryState:
    """How old the inventory of a source is, and how much it holds.

    :param taken: when it was read completely for the last time, UTC, or None.
    """

    taken: datetime | None
    events: int
    series: int


class Inventory:
    """The inventory of one source.

    :param source: ``<url>#<organization>`` of the source.
    """

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    def write_events(self, rows: Iterable[EventRow], seen: datetime) -> int:
        """Insert or update events seen by the inventory run that began at ``seen``; return how many."""
        return self._upsert(InventoryEvent, (self._event_values(row, seen) for row in rows))

    def write_series(self, rows: Iterable[SeriesRow], seen: datetime) -> int:
        """Insert or update series seen by the inventory run that began at ``seen``; return how many."""
        values = (
            {
                "source": self._source,
                "identifier": row.identifier,
                "title": row.title,
                "created": row.created,
                "seen": seen,
            }
            for row in rows
        )
        return self._upsert(InventorySeries, values)

    def unseen_events(self, seen: datetime) -> list[str]:
        """Return the ids of the events that the run that began at ``seen`` did not meet."""
        return self._unseen(InventoryEvent, seen)

    def unseen_series(self, seen: datetime) -> list[str]:
        """Return the ids of the series that the run that began at ``seen`` did not meet."""
        return self._unseen(InventorySeries, seen)

    def forget_unseen(self, seen: datetime) -> int:
        """Remove what a complete run that began at ``seen`` did not meet: it is gone from the source."""
        removed = 0
        with self._database.session() as session:
            for table in (InventoryEvent, InventorySeries):
                result = session.execute(delete(table).where(table.source == self._source, table.seen < seen))
                removed += int(getattr(result, "rowcount", 0))
        return removed

    def with_status(self, statuses: Iterable[str]) -> list[str]:
        """Return the ids of the events with one of these statuses.

        :param statuses: the last word of each, such as ``SCHEDULED``.
        """
        wanted = [f"EVENTS.EVENTS.STATUS.{status}" for status in statuses]
        query = select(InventoryEvent.identifier).where(
            InventoryEvent.source == self._source, InventoryEvent.status.in_(wanted)
        )
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(InventoryEvent.identifier)))

    def state(self) -> InventoryState:
        """Return age and size."""
        with self._database.reading() as session:
            events, oldest = session.execute(
                select(func.count(), func.min(InventoryEvent.seen)).where(InventoryEvent.source == self._source)
            ).one()
            series, series_oldest = session.execute(
                select(func.count(), func.min(InventorySeries.seen)).where(InventorySeries.source == self._source)
            ).one()
        known = [moment for moment in (oldest, series_oldest) if moment is not None]
        return InventoryState(min(known) if known else None, events, series)

    def events(self) -> Iterator[EventRow]:
        """Iterate all events, oldest creation first, without holding them in memory."""
        query = (
            select(InventoryEvent)
            .where(InventoryEvent.source == self._source)
            .order_by(InventoryEvent.created, InventoryEvent.identifier)
            .execution_options(yield_per=_BATCH)
        )
        with self._database.reading() as session:
            for row in session.scalars(query):
                yield _event_row(row)

    def series(self) -> Iterator[SeriesRow]:
        """Iterate all series by identifier."""
        query = (
            select(InventorySeries)
            .where(InventorySeries.source == self._source)
            .order_by(InventorySeries.identifier)
            .execution_options(yield_per=_BATCH)
        )
        with self._database.reading() as session:
            for row in session.scalars(query):
                yield SeriesRow(row.identifier, row.title, row.created)

    def _unseen(self, table: type[InventoryEvent] | type[InventorySeries], seen: datetime) -> list[str]:
        query = select(table.identifier).where(table.source == self._source, table.seen < seen)
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(table.identifier)))

    def _upsert(self, table: type[InventoryEvent] | type[InventorySeries], values: Iterable[dict[str, Any]]) -> int:
        count = 0
        rows = iter(values)
        while chunk := list(islice(rows, _BATCH)):
            # A page of a moving list may show an object twice; one statement must not meet it twice.
            unique = {row["identifier"]: row for row in chunk}
            with self._database.session() as session:
                session.execute(_insert_or_update(session, table, chunk[0]), list(unique.values()))
            count += len(unique)
        return count

    def _event_values(self, row: EventRow, seen: datetime) -> dict[str, Any]:
        return {
            "source": self._source,
            "identifier": row.identifier,
            "title": row.title,
            "created": row.created,
            "start": row.start,
            "duration": row.duration,
            "series": row.series or None,
            "status": row.status,
            "processing_state": row.processing_state,
            "archive_version": row.archive_version,
            "fields": {name: _plain(getattr(row, name)) for name in _FIELDS},
            "seen": seen,
        }


_FIELDS = (
    "series_title",
    "presenters",
    "contributors",
    "subjects",
    "location",
    "language",
    "rightsholder",
    "license",
    "source",
    "description",
    "creator",
    "publication_status",
)
_TUPLES = frozenset({"presenters", "contributors", "subjects", "publication_status"})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _event_row(row: InventoryEvent) -> EventRow:
    fields: dict[str, Any] = {name: tuple(value) if name in _TUPLES else value for name, value in row.fields.items()}
    return EventRow(
        identifier=row.identifier,
        title=row.title,
        created=row.created,
        start=row.start,
        duration=row.duration,
        series=row.series,
        status=row.status,
        processing_state=row.processing_state,
        archive_version=row.archive_version,
        **fields,
    )


def _insert_or_update(
    session: Session, table: type[InventoryEvent] | type[InventorySeries], row: dict[str, Any]
) -> Any:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in row if name not in _KEY}
    return statement.on_conflict_do_update(index_elements=list(_KEY), set_=changed)
