"""What an administrator does with the harvest, for the pages and for scripts alike."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from opencast.errors import ConfigurationError
from opencast.harvest.item_writer import append
from opencast.harvest.limits import fits_index
from opencast.harvest.repository_settings import FROM_FILE, RepositorySettings, write
from opencast.store.catalogue import PERMISSION_FIELDS, MatterhornRecord, MediaItem, Playlist, Series
from opencast.store.database import Database
from opencast.store.harvesting import Repository

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_TOKEN_BYTES = 24


@dataclass(frozen=True)
class SeriesView:
    """A series with what belongs to it, to show."""

    repository: str
    identifier: str
    title: str
    playlist: str | None
    recordings: int
    items: int
    permissions: dict[str, Any]
    tags: list[str] | None


# --- repositories ----------------------------------------------------------------------------------------------------


def repository_named(session: Session, name: str) -> Repository:
    """Give a repository.

    :raises ConfigurationError: there is none of this name.
    """
    row = session.scalars(select(Repository).where(Repository.name == name)).one_or_none()
    if row is None:
        raise ConfigurationError(f"There is no repository {name!r}.")
    return row


def add_repository(database: Database, settings: RepositorySettings) -> None:
    """Add a repository.

    :raises ConfigurationError: there is one of this name already.
    """
    with database.session() as session:
        if session.scalars(select(Repository).where(Repository.name == settings.name)).one_or_none() is not None:
            raise ConfigurationError(f"There is a repository {settings.name!r} already.")
        session.add(Repository(name=settings.name, **settings.columns()))


def edit_repository(database: Database, settings: RepositorySettings) -> None:
    """Change the settings of a repository.

    :raises ConfigurationError: there is none of this name, or its settings are in the file.
    """
    with database.session() as session:
        row = repository_named(session, settings.name)
        if row.origin == FROM_FILE:
            raise ConfigurationError(
                f"The settings of {settings.name} are in repositories.yaml.", advice="Change them there."
            )
        write(row, settings, origin=row.origin)


def due_repositories(database: Database, now: datetime) -> list[str]:
    """Give the names of the repositories that are to be harvested now, those waiting longest first."""
    with database.reading() as session:
        query = (
            select(Repository.name)
            .where(
                Repository.active,
                or_(Repository.next_due.is_(None), Repository.next_due <= now),
                or_(Repository.lease_until.is_(None), Repository.lease_until < now),
            )
            .order_by(Repository.next_due.is_not(None), Repository.next_due, Repository.id)
        )
        return list(session.scalars(query))


def active_repositories(database: Database) -> list[str]:
    """Give the names of all repositories that are harvested by the schedule."""
    with database.reading() as session:
        return list(session.scalars(select(Repository.name).where(Repository.active).order_by(Repository.id)))


def make_due(database: Database, name: str) -> None:
    """Have a repository harvested by the next run of the schedule, whatever happened before."""
    with database.session() as session:
        row = repository_named(session, name)
        row.next_due = None
        row.failures = 0


# --- playlists -------------------------------------------------------------------------------------------------------


def add_playlist(
    database: Database, name: str, *, title: str = "", description: str = "", public: bool = False
) -> Playlist:
    """Add a playlist; its feed token is made here.

    :param name: part of its address: lower-case letters, digits, hyphens.
    :raises ConfigurationError: a name that cannot be used or is in use.
    """
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(f"{name!r} is no name for a playlist.", advice="Use a-z, 0-9 and hyphens.")
    with database.session() as session:
        if session.scalars(select(Playlist).where(Playlist.name == name)).one_or_none() is not None:
            raise ConfigurationError(f"There is a playlist {name!r} already.")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        playlist = Playlist(name=name, title=title or name, description=description, public=public, feed_token=token)
        session.add(playlist)
    return playlist


def renew_feed_token(database: Database, name: str) -> str:
    """Give a playlist another feed token; addresses with the old one do not work any more."""
    with database.session() as session:
        playlist = playlist_named(session, name)
        playlist.feed_token = secrets.token_urlsafe(_TOKEN_BYTES)
        return playlist.feed_token


def playlist_named(session: Session, name: str) -> Playlist:
    """Give a playlist.

    :raises ConfigurationError: there is none of this name.
    """
    playlist = session.scalars(select(Playlist).where(Playlist.name == name)).one_or_none()
    if playlist is None:
        raise ConfigurationError(f"There is no playlist {name!r}.")
    return playlist


# --- series ----------------------------------------------------------------------------------------------------------


def list_series(database: Database, repository: str | None = None) -> list[SeriesView]:
    """Give all series, with the numbers of their recordings and media items."""
    recordings = func.count(MatterhornRecord.id).filter(MatterhornRecord.deleted.is_(False))
    query = (
        select(Series, Repository.name, Playlist.name, recordings, func.count(MediaItem.id))
        .join(Repository, Repository.id == Series.repository_id)
        .outerjoin(Playlist, Playlist.id == Series.playlist_id)
        .outerjoin(MatterhornRecord, MatterhornRecord.series_id == Series.id)
        .outerjoin(MediaItem, MediaItem.matterhorn_record_id == MatterhornRecord.id)
        .group_by(Series.id, Repository.name, Playlist.name)
        .order_by(Repository.name, Series.title, Series.identifier)
    )
    if repository is not None:
        query = query.where(Repository.name == repository)
    with database.reading() as session:
        return [
            SeriesView(
                of,
                series.identifier,
                series.title,
                playlist,
                count,
                items,
                {name: getattr(series, name) for name in PERMISSION_FIELDS},
                series.tags,
            )
            for series, of, playlist, count, items in session.execute(query)
        ]


def _series(session: Session, repository: str, identifier: str) -> Series:
    """Give a series, making it when its first record has not arrived yet."""
    if not identifier or not fits_index(identifier):
        raise ConfigurationError(f"{identifier[:80]!r} cannot be the identifier of a series.")
    owner = repository_named(session, repository)
    query = select(Series).where(Series.repository_id == owner.id, Series.identifier == identifier)
    series = session.scalars(query).one_or_none()
    if series is None:
        series = Series(repository_id=owner.id, identifier=identifier)
        session.add(series)
        session.flush()
    return series


def set_playlist(
    database: Database, repository: str, identifier: str, playlist: str | None, *, with_existing: bool = False
) -> None:
    """Say in which playlist the new media items of a series go; the clean-up makes those that wait for it.

    The series need not have been harvested yet.

    :param playlist: its name; None: none, so that new recordings wait.
    :param with_existing: whether the items that are there already are put into it as well.
    """
    with database.session() as session:
        series = _series(session, repository, identifier)
        target = playlist_named(session, playlist) if playlist is not None else None
        series.playlist_id = target.id if target is not None else None
        session.flush()
        if with_existing and target is not None:
            query = (
                select(MediaItem.id)
                .join(MatterhornRecord)
                .where(MatterhornRecord.series_id == series.id)
                .order_by(MediaItem.published, MediaItem.id)
            )
            append(session.connection(), [(target.id, item) for item in session.scalars(query)])


def set_series(
    database: Database,
    repository: str,
    identifier: str,
    *,
    permissions: dict[str, Any] | None = None,
    tags: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Set what the new media items of a series get; items that are there keep what they have.

    :param permissions: some of ``users``, ``groups``, ``institutions``, ``signed_in``, ``public``.
    :raises ConfigurationError: another permission.
    """
    wrong = sorted(set(permissions or {}) - set(PERMISSION_FIELDS))
    if wrong:
        raise ConfigurationError(f"{wrong[0]!r} is none of {', '.join(PERMISSION_FIELDS)}.")
    with database.session() as session:
        series = _series(session, repository, identifier)
        for name, value in (permissions or {}).items():
            setattr(series, name, value)
        if tags is not None:
            series.tags = list(tags)
        if title is not None:
            series.title = title
