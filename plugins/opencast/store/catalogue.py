"""Tables of the catalogue that is made of harvested records: series, tracks, media items, playlists, changes.

Texts that come from a server are ``Text``: a database that cuts or refuses a long value would lose a whole page for it.
What is part of an index is limited in length before it gets here (``opencast.harvest.limits``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opencast.store.base import Base, UtcDateTime, utc_now
from opencast.store.tables import RowId


class Permissions:
    """Who may see something; all empty means nobody but administrators."""

    users: Mapped[list[str]] = mapped_column(JSON, default=list)
    groups: Mapped[list[str]] = mapped_column(JSON, default=list)
    institutions: Mapped[list[str]] = mapped_column(JSON, default=list)
    signed_in: Mapped[bool] = mapped_column(default=False)
    public: Mapped[bool] = mapped_column(default=False)


class Playlist(Base):
    """An ordered list of media items that leaves the catalogue as a feed."""

    __tablename__ = "playlist"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("feed_token"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: Part of the feed's address: lower-case letters, digits, hyphens.
    name: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    #: Whether the feed of its public items is open to everybody.
    public: Mapped[bool] = mapped_column(default=False)
    #: Opens the feed of all its items.
    feed_token: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Series(Permissions, Base):
    """A series of a repository, and the playlist and permissions that its new media items get."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("repository_id", "identifier"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    identifier: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")
    playlist_id: Mapped[int | None] = mapped_column(ForeignKey("playlist.id", ondelete="SET NULL"), index=True)
    #: Tags of its new media items; None: those of the repository.
    tags: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))


class MatterhornRecord(Base):
    """What a record says about a mediapackage of Opencast; one for each identifier, whatever formats are harvested."""

    __tablename__ = "matterhorn_record"
    __table_args__ = (UniqueConstraint("repository_id", "identifier"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    #: The record's identifier.
    identifier: Mapped[str] = mapped_column(Text)
    record_id: Mapped[int] = mapped_column(ForeignKey("record.id", ondelete="CASCADE"), index=True)
    #: The record's digest that it was made of; another one means that it is out of date.
    record_digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    mediapackage_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id", ondelete="SET NULL"), index=True)
    creators: Mapped[list[str]] = mapped_column(JSON, default=list)
    created: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Milliseconds.
    duration: Mapped[int | None] = mapped_column(BigInteger)
    deleted: Mapped[bool] = mapped_column(default=False)


class MediaItem(Permissions, Base):
    """A recording in the catalogue; its permissions are set once, when it is made, and not changed by a harvest."""

    __tablename__ = "media_item"
    __table_args__ = (UniqueConstraint("matterhorn_record_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    matterhorn_record_id: Mapped[int] = mapped_column(ForeignKey("matterhorn_record.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[datetime] = mapped_column(UtcDateTime)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: Where the media file is fetched from.
    source_url: Mapped[str] = mapped_column(Text)
    #: ``available``, ``deleted`` (its record is) or ``unavailable`` (its record has no fitting track any more).
    state: Mapped[str] = mapped_column(String(12), default="available")
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Track(Base):
    """A track of a mediapackage whose type is one of the repository's ``track_types``."""

    __tablename__ = "track"
    __table_args__ = (UniqueConstraint("matterhorn_record_id", "identifier"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    matterhorn_record_id: Mapped[int] = mapped_column(ForeignKey("matterhorn_record.id", ondelete="CASCADE"))
    identifier: Mapped[str] = mapped_column(Text)
    flavor: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    mimetype: Mapped[str] = mapped_column(Text, default="")
    #: ``<width>x<height>`` in pixels; empty without video.
    resolution: Mapped[str] = mapped_column(Text, default="")
    #: Milliseconds.
    duration: Mapped[int | None] = mapped_column(BigInteger)
    #: Bytes.
    size: Mapped[int | None] = mapped_column(BigInteger)
    #: ``<type>:<hex>``.
    checksum: Mapped[str] = mapped_column(Text, default="")
    xml: Mapped[bytes] = mapped_column(LargeBinary)
    #: Place in the choice: the track with the lowest one becomes the media item.
    rank: Mapped[int] = mapped_column(Integer, default=0)
    #: Found by way of the matterhorn record that both belong to.
    media_item_id: Mapped[int | None] = mapped_column(ForeignKey("media_item.id", ondelete="SET NULL"))
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class PlaylistItem(Base):
    """The place of a media item in a playlist."""

    __tablename__ = "playlist_item"
    __table_args__ = (Index("ix_playlist_item_playlist_id_position", "playlist_id", "position"),)

    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlist.id", ondelete="CASCADE"), primary_key=True)
    media_item_id: Mapped[int] = mapped_column(
        ForeignKey("media_item.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(Integer)


class CatalogueChange(Base):
    """Something that became new, different or deleted: what asset events and sinks announce, in order.

    Written in the transaction of the change itself, so that nothing is announced that did not happen, and nothing that
    happened is forgotten when the process ends before the announcement.
    """

    __tablename__ = "catalogue_change"
    # Ids of pruned rows must never come again: readers remember the last one that they have seen. Readers go on from
    # there by the primary key; any other index would only cost time on every change.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    #: ``record`` or ``item``.
    subject: Mapped[str] = mapped_column(String(8))
    #: ``new``, ``changed`` or ``deleted``.
    kind: Mapped[str] = mapped_column(String(8))
    #: The record's identifier.
    identifier: Mapped[str] = mapped_column(Text)
    #: The media item; None when the subject is a record. No foreign key: the change outlives the item.
    media_item_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class SinkCursor(Base):
    """How far a sink has received the changes of a repository, and why it did not get further."""

    __tablename__ = "sink_cursor"

    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"), primary_key=True)
    sink: Mapped[str] = mapped_column(String(100), primary_key=True)
    change_id: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)


#: Settings of a series or an item in the form in which scripts and pages give them.
PERMISSION_FIELDS = ("users", "groups", "institutions", "signed_in", "public")


def permissions_of(holder: Permissions) -> dict[str, Any]:
    """Give the permissions of a series or media item as plain values, to show or to copy."""
    return {name: getattr(holder, name) for name in PERMISSION_FIELDS}
