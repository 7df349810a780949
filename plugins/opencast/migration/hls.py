"""HLS that was encoded as files: a master playlist, playlists of its variants, and media; all of it or nothing.

The distribution service rewrites the names in published playlists to relative paths, and finds them by the logical
names of the tracks. Playlists that it has rewritten already make it fail, so they are sent with plain names again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from opencast.api.client import Client
from opencast.errors import UnexpectedContent
from opencast.migration.runs import ARCHIVE
from opencast.model.flavor import Flavor
from opencast.model.identifiers import safe_file_name
from opencast.model.mediapackage import Element, ElementKind, MediaPackage

#: A playlist larger than this (bytes) is none.
LARGEST_PLAYLIST = 4 * 1024 * 1024
_LINES = re.compile(rb"\r\n|\r|\n")
_URI = re.compile(rb'(?<=URI=")([^"]+)')
#: Tags whose references the distribution service rewrites; it leaves those of all others alone.
_REWRITTEN = (b"#EXT-X-MAP:", b"#EXT-X-MEDIA:")

_PIECE = 64 * 1024
#: Bytes of playlists in memory.
_REMEMBERED = 4 * LARGEST_PLAYLIST

Read = Callable[[Element], bytes]


class Playlists:
    """The playlists of one server as it serves them; those that were read last are remembered.

    :param client: of that server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, bytes] = {}
        self._held = 0

    def read(self, element: Element) -> bytes:
        """Return the bytes of a playlist.

        :raises UnexpectedContent: it is too large to be one.
        :raises ServerError: it cannot be had.
        """
        url = element.url or ""
        known = self._known.get(url)
        if known is None:
            known = self._read(url, element.file_name)
            self._remember(url, known)
        return known

    def _remember(self, url: str, data: bytes) -> None:
        if self._held + len(data) > _REMEMBERED:
            self._known.clear()
            self._held = 0
        self._known[url] = data
        self._held += len(data)

    def _read(self, url: str, name: str) -> bytes:
        data = bytearray()
        with self._client.open_download(url) as download:
            for piece in download.iter(_PIECE):
                data += piece
                if len(data) > LARGEST_PLAYLIST:
                    raise UnexpectedContent(f"{name} is too large for a playlist.")
        return bytes(data)


def is_playlist(element: Element) -> bool:
    """Tell whether an element is a playlist that was encoded as a file."""
    return (
        element.kind is ElementKind.TRACK
        and not element.is_streaming
        and not element.is_live
        and bool(element.url)
        and element.file_name.lower().endswith(".m3u8")
    )


def references(playlist: bytes) -> tuple[str, ...]:
    """Return what a playlist refers to, in its order."""
    return tuple(reference.decode("utf-8", "replace") for reference in _references(playlist))


def plain(playlist: bytes) -> bytes:
    """Return a playlist with the bare names of the files that it refers to, as it was before it was published.

    Line ends and blanks become those that the distribution service writes, so that equal playlists give equal bytes.
    """
    lines = _LINES.split(playlist)
    if lines and not lines[-1]:
        lines.pop()
    return b"".join(_plain_line(line) + b"\n" for line in lines)


def without_incomplete_sets(package: MediaPackage, read: Read) -> tuple[MediaPackage, list[str]]:
    """Remove every set that is not complete, and say why; of an archived one its playlists only, no footage.

    :param read: gives the bytes of a playlist.
    """
    notes: list[str] = []
    elements = _complete(package.elements, ARCHIVE, read, notes)
    publications = tuple(
        publication
        if publication.is_live
        else replace(publication, elements=_complete(publication.elements, publication.channel, read, notes))
        for publication in package.publications
    )
    return replace(package, elements=elements, publications=publications), notes


def _complete(elements: tuple[Element, ...], where: str, read: Read, notes: list[str]) -> tuple[Element, ...]:
    dropped: set[int] = set()
    for flavor in {element.flavor for element in elements if is_playlist(element)}:
        tracks = [
            element
            for element in elements
            if element.kind is ElementKind.TRACK
            and element.flavor == flavor
            and element.url
            and not element.is_streaming
        ]
        problem, members = _examine(tracks, read)
        if problem:
            dropped |= {
                id(element)
                for element in tracks
                if is_playlist(element) or (where != ARCHIVE and element.file_name in members)
            }
            notes.append(f"The HLS set {_named(flavor)} of {where} is not migrated as one: {problem}.")
    return tuple(element for element in elements if id(element) not in dropped)


def _examine(tracks: Sequence[Element], read: Read) -> tuple[str, set[str]]:
    """Return what is wrong with a set, if anything, and the names of the files that belong to it."""
    names = {element.file_name for element in tracks}
    members = {element.file_name for element in tracks if is_playlist(element) or element.logical_name is not None}
    problem = ""
    if all(is_playlist(element) for element in tracks):
        problem = "it has playlists and no media"
    for element in tracks:
        if not is_playlist(element):
            continue
        for reference in references(read(element)):
            name = _bare(reference)
            if "://" in reference:
                problem = problem or f"{element.file_name} refers to another server"
            elif name not in names:
                problem = problem or f"{element.file_name} refers to {name}, which is not there"
            elif safe_file_name(name) != name:
                problem = problem or f"the name {name!r} cannot be kept"
            members.add(name)
    return problem, members


def _references(playlist: bytes) -> Iterator[bytes]:
    for line in _LINES.split(playlist):
        stripped = line.strip()
        if stripped.startswith(_REWRITTEN):
            found = _URI.search(stripped)
            if found:
                yield found[1]
        elif stripped and not stripped.startswith(b"#"):
            yield stripped


def _plain_line(line: bytes) -> bytes:
    stripped = line.strip()
    if stripped.startswith(_REWRITTEN):
        return _URI.sub(lambda found: found[1].rpartition(b"/")[2], line, count=1)
    return line if stripped.startswith(b"#") else stripped.rpartition(b"/")[2]


def _bare(reference: str) -> str:
    return reference.partition("?")[0].rpartition("/")[2]


def _named(flavor: Flavor | None) -> str:
    return "without flavor" if flavor is None else str(flavor)
