"""Playlists, since version 16: their ids are kept, those of their entries are the server's."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tests.simulator import clock
from tests.simulator.policies import Entry
from tests.simulator.state import State

TYPES = ("EVENT", "INACCESSIBLE")


class NoSuchPlaylist(LookupError):
    """There is no such playlist."""


class BadPlaylist(ValueError):
    """An entry has an id that no entry has, or a type that does not exist."""


class TakenId(RuntimeError):
    """The id belonged to a playlist that was deleted."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry; 0 is the id of a new one."""

    content: str
    type: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Right:
    """A rule of the access list; 0 is the id of a new one."""

    entry: Entry
    id: int = 0


@dataclass(frozen=True, slots=True)
class Playlist:
    """A playlist; one that was deleted keeps its id."""

    id: str
    org: str
    title: str | None = None
    description: str | None = None
    creator: str | None = None
    updated: datetime | None = None
    items: tuple[Item, ...] = ()
    rights: tuple[Right, ...] = ()
    deleted: bool = False


class Playlists:
    """All playlists."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.RLock()
        self._held: dict[str, Playlist] = {}

    def load(self, playlist: Playlist) -> None:
        """Put a playlist in."""
        self._held[playlist.id] = playlist
        parts: tuple[Item | Right, ...] = (*playlist.items, *playlist.rights)
        self._state.skip_job_ids(max((part.id for part in parts), default=0))

    def all(self, org: str) -> list[Playlist]:
        """Give the playlists of an organization, the one changed longest ago first."""
        held = [p for p in self._held.values() if p.org == org and not p.deleted]
        return sorted(held, key=lambda playlist: (playlist.updated or clock.now(), playlist.id))

    def get(self, org: str, playlist_id: str) -> Playlist:
        """Find a playlist.

        :raises NoSuchPlaylist: when there is none.
        """
        found = self._held.get(playlist_id)
        if found is None or found.org != org or found.deleted:
            raise NoSuchPlaylist(playlist_id)
        return found

    def write(self, playlist: Playlist) -> Playlist:
        """Create or replace a playlist.

        :raises BadPlaylist: when an entry cannot be.
        :raises TakenId: when a playlist with this id was deleted.
        """
        with self._lock:
            old = self._held.get(playlist.id)
            if old is not None and old.deleted:
                raise TakenId(playlist.id)
            _check(playlist.items, old.items if old else ())
            _check(playlist.rights, old.rights if old else ())
            if any(item.type not in TYPES for item in playlist.items):
                raise BadPlaylist("no such type")
            written = replace(
                playlist, updated=clock.now(),
                items=tuple(replace(item, id=item.id or self._state.next_job_id()) for item in playlist.items),
                rights=tuple(replace(right, id=right.id or self._state.next_job_id()) for right in playlist.rights),
            )  # fmt: skip
            self._held[written.id] = written
            return written

    def delete(self, org: str, playlist_id: str) -> Playlist:
        """Mark a playlist as deleted.

        :raises NoSuchPlaylist: when there is none.
        """
        with self._lock:
            gone = replace(self.get(org, playlist_id), deleted=True, updated=clock.now())
            self._held[playlist_id] = gone
            return gone


def _check(new: Iterable[Item | Right], old: Iterable[Item | Right]) -> None:
    known = {part.id for part in old} | {0}
    if any(part.id not in known for part in new):
        raise BadPlaylist("no such entry")
