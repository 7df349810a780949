"""Write the tracks of records that were read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from opencast.harvest.matterhorn import TrackData
from opencast.harvest.readings import Owned
from opencast.store.bulk import BulkInsert
from opencast.store.catalogue import Track
from opencast.store.membership import one_of

_FIELDS = tuple(name for name in TrackData._fields if name != "identifier")
_TRACKS = BulkInsert(
    Track,
    ("matterhorn_record_id", "created", "updated", *TrackData._fields),
    key=("matterhorn_record_id", "identifier"),
    changed=("updated", *_FIELDS),
)
# Built once: they are part of every page's transaction.
_KNOWN = select(Track.id, Track.matterhorn_record_id, Track.identifier, Track.flavor, Track.xml, Track.rank).where(
    one_of(Track.matterhorn_record_id, "owners")
)
_DROP = delete(Track).where(one_of(Track.id, "gone"))


def write_tracks(connection: Connection, owned: Sequence[Owned], now: datetime) -> None:
    """Write the tracks that are new or different, and drop those that their record does not have any more.

    Opencast gives a published track a new id whenever the event is published again: a track that went hands its row
    over to one of the same type that came, so that it stays the same track.
    """
    known: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(_KNOWN, {"owners": [one.owner for one in owned]}):
        known[row.matterhorn_record_id][row.identifier] = row
    written: list[tuple[Any, ...]] = []
    gone: list[int] = []
    for owner, reading in owned:
        there = known.get(owner, {})
        written.extend(
            (owner, now, now, *track) for track in reading.data.tracks if _differs(track, there.get(track.identifier))
        )
        renames, left = _successors(there, reading.data.tracks)
        for row_id, identifier in renames.items():
            connection.execute(update(Track).where(Track.id == row_id).values(identifier=identifier))
        gone.extend(left)
    if gone:
        connection.execute(_DROP, {"gone": gone})
    _TRACKS.execute(connection, written)


def _differs(track: TrackData, row: Any) -> bool:
    return row is None or bool(row.xml != track.xml or row.rank != track.rank)


def _successors(there: dict[str, Any], tracks: Sequence[TrackData]) -> tuple[dict[int, str], list[int]]:
    """Find for each track that went one of the same type that came.

    :returns: new identifiers by row, and the rows of tracks that have no successor.
    """
    if not there:
        return {}, []
    present = {track.identifier for track in tracks}
    came = [track for track in tracks if track.identifier not in there]
    renames: dict[int, str] = {}
    gone: list[int] = []
    for identifier, row in there.items():
        if identifier in present:
            continue
        successor = next((track for track in came if track.flavor == row.flavor), None)
        if successor is None:
            gone.append(row.id)
        else:
            came.remove(successor)
            renames[row.id] = successor.identifier
    return renames, gone
