"""Playlists of events (``/api/playlists``), since version 16. Ids are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client, Fields
from opencast.errors import NotFound
from opencast.model.acl import Acl

_PLAYLISTS = "/api/playlists"
_PAGE = 100
_MOST_PAGES = 100_000


@dataclass(frozen=True)
class PlaylistEntry:
    """An entry of a playlist.

    :param content_id: id of the event; kept even when there is no such event.
    :param type: ``EVENT``, or ``INACCESSIBLE`` for an event that the asking user may not read.
    """

    content_id: str
    type: str = "EVENT"


@dataclass(frozen=True)
class Playlist:
    """A playlist.

    :param updated: set by the server at each write.
    """

    id: str
    title: str
    description: str = ""
    creator: str = ""
    updated: datetime | None = None
    entries: tuple[PlaylistEntry, ...] = ()
    acl: Acl = field(default_factory=Acl)

    @classmethod
    def parse(cls, value: object) -> Playlist:
        """Read a playlist as ``GET /api/playlists/{id}`` shows it.

        :raises InvalidAnswer: another form, or no id.
        :raises InvalidAcl: the access list cannot be read.
        """
        source = fields.an_object(value, what="a playlist")
        identifier = fields.required(source, "id", what="A playlist")
        what = f"playlist {identifier}"
        entries = fields.objects(source.get("entries") or [], what=what)
        return cls(
            id=identifier,
            title=fields.text(source, "title"),
            description=fields.text(source, "description"),
            creator=fields.text(source, "creator"),
            updated=fields.moment(source, "updated"),
            entries=tuple(PlaylistEntry(fields.text(e, "contentId"), fields.text(e, "type")) for e in entries),
            acl=Acl.from_json(source.get("accessControlEntries") or [], what=f"the access list of {what}"),
        )

    def document(self) -> dict[str, Any]:
        """Give the JSON object that is posted. Entries have no ids of their own in it: servers refuse those."""
        return {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "creator": self.creator,
            "entries": [{"contentId": entry.content_id, "type": entry.type} for entry in self.entries],
            "accessControlEntries": self.acl.to_json(),
        }


class PlaylistsService:
    """``/api/playlists``: who is no admin sees those that their roles may read."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, *, page_size: int = _PAGE) -> Iterator[Playlist]:
        """List all playlists, each once.

        Rows that the user may not read are taken out after paging, so that a short page is not the end.

        :param page_size: rows of one request.
        :raises ServiceMissing: the server has no playlists, being older than 16, or is starting.
        """
        seen: set[str] = set()
        for page in range(_MOST_PAGES):
            query: Fields = {"limit": page_size, "offset": page * page_size, "sort": "updated:ASC"}
            rows = fields.a_list(self._client.get_json(_PLAYLISTS, params=query), what=_PLAYLISTS)
            for playlist in map(Playlist.parse, rows):
                if playlist.id not in seen:
                    seen.add(playlist.id)
                    yield playlist
            if not rows:
                return

    def get(self, playlist_id: str) -> Playlist:
        """Get one playlist.

        :raises NotFound: there is none.
        """
        return Playlist.parse(self._client.get_json(path(_PLAYLISTS, playlist_id)))

    def find(self, playlist_id: str) -> Playlist | None:
        """Get one playlist, or None when there is none."""
        try:
            return self.get(playlist_id)
        except NotFound:
            return None

    def create(self, playlist: Playlist) -> Playlist:
        """Create a playlist under its id. Not repeated when it may have arrived: look with :meth:`find` then.

        :raises BadRequest: the server cannot read it.
        """
        form = {"playlist": json.dumps(playlist.document(), ensure_ascii=False)}
        return Playlist.parse(self._client.read.json(self._client.post_form(_PLAYLISTS, form, ok=(201, 200))))

    def update(self, playlist: Playlist) -> Playlist:
        """Replace title, description, creator, entries and access list of a playlist.

        :raises NotFound: there is no such playlist.
        """
        document = playlist.document()
        del document["id"]
        form = {"playlist": json.dumps(document, ensure_ascii=False)}
        return Playlist.parse(
            self._client.read.json(self._client.put_form(path(_PLAYLISTS, playlist.id), form, ok=(200,)))
        )

    def delete(self, playlist_id: str) -> bool:
        """Delete a playlist. The server keeps its id as taken.

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(_PLAYLISTS, playlist_id))
        except NotFound:
            return False
        return True
