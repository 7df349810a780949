"""Make, update and mark the media items of records that were read, and put new ones into playlists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, case, delete, func, select, update

from opencast.harvest.changes import CHANGED, DELETED, ITEM, NEW, Change
from opencast.harvest.items import ItemRules, State, described, made
from opencast.harvest.matterhorn import TrackData
from opencast.harvest.readings import Owned, Reading, SeriesRow
from opencast.store.bulk import BulkInsert
from opencast.store.catalogue import PERMISSION_FIELDS, MediaItem, PlaylistItem, Track
from opencast.store.membership import one_of

_DESCRIBED = ("title", "description", "published", "source_url")
_MADE = ("tags", "state", *PERMISSION_FIELDS)
# Where another process has made an item or found a place in the meantime, that one stands.
_ITEMS = BulkInsert(
    MediaItem,
    ("matterhorn_record_id", "created", "updated", *_DESCRIBED, *_MADE),
    key=("matterhorn_record_id",),
)
_PLACES = BulkInsert(PlaylistItem, ("playlist_id", "media_item_id", "position"), key=("playlist_id", "media_item_id"))
# Built once: they are part of every page's transaction.
_KNOWN = select(
    MediaItem.id,
    MediaItem.matterhorn_record_id,
    MediaItem.state,
    *(getattr(MediaItem, name) for name in _DESCRIBED),
).where(one_of(MediaItem.matterhorn_record_id, "owners"))
_LINK = (
    update(Track)
    .where(Track.matterhorn_record_id == bindparam("owner"), Track.identifier == bindparam("track"))
    .values(media_item_id=bindparam("item"))
)


class _Birth(NamedTuple):
    owner: int
    reading: Reading
    track: TrackData
    series: SeriesRow


class ItemWriter:
    """Writes the media items of one repository.

    A record's item is found by the record, not by its track: it stays the same item when its track is another one.
    """

    def __init__(self, rules: ItemRules) -> None:
        self._rules = rules

    def write(
        self, connection: Connection, owned: Sequence[Owned], series: Mapping[str, SeriesRow], now: datetime
    ) -> list[Change]:
        """Make the items that are missing, and bring those that are there up to their records.

        :param series: the records' series by identifier.
        """
        items = self._read(connection, [one.owner for one in owned])
        births: list[_Birth] = []
        changes: list[Change] = []
        for owner, reading in owned:
            item = items.get(owner)
            of = series.get(reading.data.series)
            if item is not None:
                change = self._update(connection, item, reading, reading.data.chosen, now)
                changes.extend([change] if change else [])
            elif of is not None and of.playlist_id is not None and (track := reading.data.chosen) is not None:
                # A series without playlist waits: a clean-up makes the items when it gets one.
                births.append(_Birth(owner, reading, track, of))
        return changes + (self._make(connection, births, now) if births else [])

    def mark_deleted(self, connection: Connection, owners: Mapping[int, str], now: datetime) -> list[Change]:
        """Mark the items of deleted records; they are removed only where the settings say so.

        :param owners: identifiers of the records by the row of their matterhorn record.
        """
        items = [item for item in self._read(connection, list(owners)).values() if item.state != State.DELETED]
        gone = [item.id for item in items]
        if gone and self._rules.remove_deleted:
            connection.execute(delete(MediaItem).where(MediaItem.id.in_(gone)))
        elif gone:
            values = {"state": State.DELETED, "updated": now}
            connection.execute(update(MediaItem).where(MediaItem.id.in_(gone)).values(values))
        return [Change(ITEM, DELETED, owners[item.matterhorn_record_id], item.id) for item in items]

    def _read(self, connection: Connection, owners: list[int]) -> dict[int, Row[Any]]:
        rows = connection.execute(_KNOWN, {"owners": owners})
        return {row.matterhorn_record_id: row for row in rows}

    def _update(
        self, connection: Connection, item: Row[Any], reading: Reading, track: TrackData | None, now: datetime
    ) -> Change | None:
        values: dict[str, Any] = {"state": State.UNAVAILABLE}
        if track is not None:
            values = {**described(reading.data, reading.datestamp, track, now), "state": State.AVAILABLE}
            _link(connection, item.matterhorn_record_id, track, item.id)
        if all(getattr(item, name) == value for name, value in values.items()):
            return None
        connection.execute(update(MediaItem).where(MediaItem.id == item.id).values(updated=now, **values))
        kind = NEW if item.state == State.DELETED and track is not None else CHANGED
        return Change(ITEM, kind, reading.identifier, item.id)

    def _make(self, connection: Connection, births: Sequence[_Birth], now: datetime) -> list[Change]:
        rows = []
        for birth in births:
            values = {
                **described(birth.reading.data, birth.reading.datestamp, birth.track, now),
                **made(birth.series, self._rules),
            }
            rows.append((birth.owner, now, now, *(values[name] for name in (*_DESCRIBED, *_MADE))))
        _ITEMS.execute(connection, rows)
        ids = {owner: row.id for owner, row in self._read(connection, [birth.owner for birth in births]).items()}
        links = [{"owner": birth.owner, "track": birth.track.identifier, "item": ids[birth.owner]} for birth in births]
        connection.execute(_LINK, links)
        append(connection, [(birth.series.playlist_id, ids[birth.owner]) for birth in births])
        return [Change(ITEM, NEW, birth.reading.identifier, ids[birth.owner]) for birth in births]


def append(connection: Connection, places: Sequence[tuple[int | None, int]]) -> None:
    """Put media items at the end of playlists, in the given order; one that is there already keeps its place.

    :param places: rows of playlist and item.
    """
    query = (
        select(PlaylistItem.playlist_id, func.max(PlaylistItem.position))
        .where(PlaylistItem.playlist_id.in_({playlist for playlist, _ in places}))
        .group_by(PlaylistItem.playlist_id)
    )
    last: dict[int | None, int] = {playlist: position for playlist, position in connection.execute(query)}
    rows = []
    for playlist, item in places:
        last[playlist] = last.get(playlist, 0) + 1
        rows.append((playlist, item, last[playlist]))
    _PLACES.execute(connection, rows)


def _link(connection: Connection, owner: int, track: TrackData, item_id: int) -> None:
    """Tell a track which item was made of it; another track of the same record loses the item."""
    chosen = Track.identifier == track.identifier
    connection.execute(
        update(Track)
        .where(Track.matterhorn_record_id == owner, chosen | (Track.media_item_id == item_id))
        .values(media_item_id=case((chosen, item_id), else_=None))
    )
