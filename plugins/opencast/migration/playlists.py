"""Migrate playlists with their entries and rights, under their own ids.

They come after the events; an entry whose event is not there is kept all the same, as the source keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from opencast.api.playlists import Playlist, PlaylistsService
from opencast.errors import MigrationError, ObjectGone, ServerFailure, VerificationFailed
from opencast.migration.migrated import Migrated

#: What a playlist consists of, see ``_content``.
_NAMES = ("title", "description", "creator", "entries", "rights")
#: Entries that are named in a note, at most.
_NAMED = 10


def fingerprint(playlist: Playlist) -> str:
    """Return a digest that changes when anything of a playlist does but the date of its last change."""
    return hashlib.sha256(repr(_content(playlist)).encode()).hexdigest()


class PlaylistMigrator:
    """Bring playlists from one server to another.

    :param is_on_target: tells whether the target has an event.
    """

    def __init__(self, source: PlaylistsService, target: PlaylistsService, is_on_target: Callable[[str], bool]) -> None:
        self._source = source
        self._target = target
        self._is_on_target = is_on_target

    def migrate(self, identifier: str) -> Migrated:
        """Make the target's playlist equal to the source's, and prove it.

        :raises ObjectGone: the source does not have it any more.
        :raises VerificationFailed: the target answers something else after the writes.
        """
        playlist = self._source.find(identifier)
        if playlist is None:
            raise ObjectGone(f"The playlist {identifier} is not on the source any more.")
        there = self._target.find(identifier)
        written: tuple[str, ...] = ()
        if there is None:
            self._create(playlist)
            written = ("playlist",)
        elif _content(there) != _content(playlist):
            self._target.update(playlist)
            written = _different(playlist, there)
        if written:
            there = self._target.find(identifier)
        if there is None:
            raise VerificationFailed(f"The playlist {identifier} is not on the target after it was written.")
        different = _different(playlist, there)
        if different:
            raise VerificationFailed(f"The playlist {identifier} differs on the target: {', '.join(different)}.")
        return Migrated(playlist.title, fingerprint(playlist), written, self._notes(playlist))

    def _create(self, playlist: Playlist) -> None:
        try:
            self._target.create(playlist)
        except ServerFailure as error:
            problem = MigrationError(
                f"The target does not take the playlist {playlist.id}: {error.message}",
                advice="A playlist of this id that was deleted on the target keeps the id for ever: it has to be "
                "removed from the target's database.",
            )
            problem.retriable = True
            raise problem from error

    def _notes(self, playlist: Playlist) -> tuple[str, ...]:
        events = dict.fromkeys(entry.content_id for entry in playlist.entries)
        missing = [event for event in events if not event or not self._is_on_target(event)]
        if not missing:
            return ()
        named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        return (f"{len(missing)} of its events are not on the target; their entries are kept: {named}.",)


def _content(playlist: Playlist) -> tuple[object, ...]:
    acl = tuple(sorted(set(playlist.acl.entries)))
    return playlist.title, playlist.description, playlist.creator, playlist.entries, acl


def _different(expected: Playlist, actual: Playlist) -> tuple[str, ...]:
    pairs = zip(_NAMES, _content(expected), _content(actual), strict=True)
    return tuple(name for name, wanted, found in pairs if wanted != found)
