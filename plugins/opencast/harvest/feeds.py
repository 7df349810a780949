"""What leaves the catalogue as a feed: the media items of a playlist that the reader may see."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from opencast.errors import FeedUnavailable
from opencast.harvest.items import State
from opencast.store.catalogue import MatterhornRecord, MediaItem, Playlist, PlaylistItem, Series, Track
from opencast.store.database import Database

#: Items that a feed holds at most: the last ones of the playlist.
MAX_ITEMS = 1000


@dataclass(frozen=True)
class FeedItem:
    """One recording of a feed.

    :param identifier: never changes, and is unique among all feeds of this installation.
    :param size: bytes; None when it is not known.
    :param duration: milliseconds; None when it is not known.
    :param resolution: ``<width>x<height>``, or empty.
    """

    identifier: str
    title: str
    description: str
    published: datetime
    updated: datetime
    url: str
    mimetype: str
    size: int | None
    duration: int | None
    resolution: str
    tags: tuple[str, ...]
    creators: tuple[str, ...]
    series: str


@dataclass(frozen=True)
class Feed:
    """A playlist as a feed; its items are in the playlist's order."""

    name: str
    title: str
    description: str
    items: tuple[FeedItem, ...]

    @property
    def updated(self) -> datetime | None:
        """When an item of the feed was changed last."""
        return max((item.updated for item in self.items), default=None)


def read_feed(database: Database, name: str, token: str | None = None) -> Feed:
    """Read a playlist as a reader may see it.

    Whoever has the playlist's token sees all available items. Without it, only the items that are public are seen, and
    only if the playlist is.

    :raises FeedUnavailable: there is nothing to see.
    """
    with database.reading() as session:
        playlist = session.scalars(select(Playlist).where(Playlist.name == name)).one_or_none()
        if playlist is None:
            raise FeedUnavailable("There is no such feed.")
        sees_all = token is not None and hmac.compare_digest(token.encode(), playlist.feed_token.encode())
        if not sees_all and (token is not None or not playlist.public):
            raise FeedUnavailable("There is no such feed.")
        query = (
            select(MediaItem, Track, MatterhornRecord, Series.title)
            .join(PlaylistItem, PlaylistItem.media_item_id == MediaItem.id)
            .join(MatterhornRecord, MatterhornRecord.id == MediaItem.matterhorn_record_id)
            .outerjoin(
                Track,
                and_(Track.matterhorn_record_id == MediaItem.matterhorn_record_id, Track.media_item_id == MediaItem.id),
            )
            .outerjoin(Series, Series.id == MatterhornRecord.series_id)
            .where(PlaylistItem.playlist_id == playlist.id, MediaItem.state == State.AVAILABLE)
            .order_by(PlaylistItem.position.desc(), MediaItem.id.desc())
            .limit(MAX_ITEMS)
        )
        if not sees_all:
            query = query.where(MediaItem.public)
        found = [_item(*row) for row in session.execute(query)]
    return Feed(playlist.name, playlist.title, playlist.description, tuple(reversed(found)))


def _item(item: MediaItem, track: Track | None, record: MatterhornRecord, series: str | None) -> FeedItem:
    return FeedItem(
        identifier=f"opencast-media-item-{item.id}",
        title=item.title,
        description=item.description,
        published=item.published,
        updated=item.updated,
        url=item.source_url,
        mimetype=(track.mimetype if track is not None else "") or "application/octet-stream",
        size=track.size if track is not None else None,
        duration=track.duration if track is not None else None,
        resolution=track.resolution if track is not None else "",
        tags=tuple(item.tags),
        creators=tuple(record.creators),
        series=series or "",
    )
