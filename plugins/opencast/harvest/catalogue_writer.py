"""Make the catalogue of records: series, matterhorn records, tracks, media items, places in playlists.

Everything is done for a page at once, with a fixed number of statements; a harvest and a clean-up do the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from opencast.harvest.changes import Change, note
from opencast.harvest.item_writer import ItemWriter
from opencast.harvest.items import ItemRules
from opencast.harvest.readings import Gone, Owned, Reading, SeriesRow
from opencast.harvest.track_writer import write_tracks
from opencast.store.bulk import BulkInsert
from opencast.store.catalogue import MatterhornRecord, Series
from opencast.store.membership import one_of

_KEY = ("repository_id", "identifier")
_FIELDS = (
    "record_id",
    "record_digest",
    "mediapackage_id",
    "title",
    "description",
    "series_id",
    "creators",
    "created",
    "duration",
    "deleted",
)
_RECORDS = BulkInsert(MatterhornRecord, (*_KEY, *_FIELDS), key=_KEY, changed=_FIELDS, returning=("identifier", "id"))
_SERIES_DEFAULTS: dict[str, Any] = {"users": [], "groups": [], "institutions": [], "signed_in": False, "public": False}
_SERIES = BulkInsert(Series, (*_KEY, "title", *_SERIES_DEFAULTS), key=_KEY)
# Built once: they are part of every page's transaction.
_KNOWN_SERIES = select(*(getattr(Series, name) for name in SeriesRow._fields)).where(
    Series.repository_id == bindparam("repository"), one_of(Series.identifier, "some")
)
_IDS = select(MatterhornRecord.identifier, MatterhornRecord.id).where(
    MatterhornRecord.repository_id == bindparam("repository"), one_of(MatterhornRecord.identifier, "some")
)


class CatalogueWriter:
    """Catalogues the records of one repository.

    :param rules: what the repository's settings say about media items.
    :param retitles: whether a series takes over another title from its records; when all records are gone through, in
        whatever order, an old one must not bring back an old title.
    """

    def __init__(self, repository_id: int, rules: ItemRules, *, retitles: bool = True) -> None:
        self._repository_id = repository_id
        self._retitles = retitles
        self._items = ItemWriter(rules)

    def write(self, session: Session, readings: Sequence[Reading], gone: Sequence[Gone], now: datetime) -> list[Change]:
        """Bring the catalogue up to these records, and note what became new, different or deleted.

        :param readings: records that exist, each identifier once.
        :param gone: records that were deleted.
        :param now: time of the change, by our clock.
        """
        connection = session.connection()
        changes: list[Change] = []
        if readings:
            changes += self._write_alive(connection, readings, now)
        if gone:
            changes += self._write_gone(connection, gone, now)
        note(connection, self._repository_id, changes, now)
        return changes

    def _write_alive(self, connection: Connection, readings: Sequence[Reading], now: datetime) -> list[Change]:
        series = self._ensure_series(connection, readings)
        rows = [self._row(reading, series) for reading in readings]
        ids = dict(map(tuple, _RECORDS.execute(connection, rows)))
        owned = [Owned(ids[reading.identifier], reading) for reading in readings]
        write_tracks(connection, owned, now)
        return self._items.write(connection, owned, series, now)

    def _write_gone(self, connection: Connection, gone: Sequence[Gone], now: datetime) -> list[Change]:
        ids = self._ids(connection, [one.identifier for one in gone])
        for one in gone:
            values = {"deleted": True, "record_id": one.record_id, "record_digest": one.digest}
            if one.identifier in ids:
                row = MatterhornRecord.id == ids[one.identifier]
                connection.execute(update(MatterhornRecord).where(row).values(values))
        owners = {row: identifier for identifier, row in ids.items()}
        return self._items.mark_deleted(connection, owners, now)

    def _ensure_series(self, connection: Connection, readings: Iterable[Reading]) -> Mapping[str, SeriesRow]:
        """Give the series of the records by identifier, making those that are not there yet.

        A series may be there before its first record, configured by hand; its title comes with the record. Identifiers
        are unique within a repository only.
        """
        titles: dict[str, str] = {}
        for reading in readings:
            data = reading.data
            if data.series:
                titles[data.series] = data.series_title or titles.get(data.series, "")
        found = self._read_series(connection, titles)
        missing = [
            (self._repository_id, identifier, title, *_SERIES_DEFAULTS.values())
            for identifier, title in titles.items()
            if identifier not in found
        ]
        if missing:
            _SERIES.execute(connection, missing)
            found = self._read_series(connection, titles)
        for identifier, title in titles.items():
            row = found[identifier]
            if title and row.title != title and (self._retitles or not row.title):
                connection.execute(update(Series).where(Series.id == row.id).values(title=title))
        return found

    def _read_series(self, connection: Connection, identifiers: Iterable[str]) -> dict[str, SeriesRow]:
        wanted = list(identifiers)
        if not wanted:
            return {}
        values = {"repository": self._repository_id, "some": wanted}
        return {row.identifier: SeriesRow._make(row) for row in connection.execute(_KNOWN_SERIES, values)}

    def _row(self, reading: Reading, series: Mapping[str, SeriesRow]) -> tuple[Any, ...]:
        data = reading.data
        return (
            self._repository_id,
            reading.identifier,
            reading.record_id,
            reading.digest,
            data.mediapackage_id,
            data.title,
            data.description,
            series[data.series].id if data.series else None,
            data.creators,
            data.created,
            data.duration,
            False,
        )

    def _ids(self, connection: Connection, identifiers: list[str]) -> dict[str, int]:
        rows = connection.execute(_IDS, {"repository": self._repository_id, "some": identifiers})
        return {identifier: row for identifier, row in rows}
