"""Move the files of one mediapackage: each unique one is staged once and sent once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from opencast.errors import ChecksumMismatch, Forbidden, NotFound, UnexpectedContent
from opencast.migration.hls import Playlists, is_playlist, plain
from opencast.migration.runs import ARCHIVE, SERIES_POLICY, Location, RunElement
from opencast.model.mediapackage import ElementKind
from opencast.model.xml import parse_xml
from opencast.staging.digest import check_md5
from opencast.staging.routes import Route, SentFile
from opencast.staging.shared_upload import SharedFile
from opencast.staging.source import Digest, Fetcher, SourceFile, StagedObject
from opencast.store.imports import Imports
from opencast.store.ledger import Traffic
from opencast.store.sent_files import SentFiles

log = logging.getLogger(__name__)


class RememberedDigests:
    """What files without a checksum turned out to hold, kept in the store over restarts."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports

    def get(self, url: str) -> Digest | None:
        """Return what the file behind this URL held when it was fetched, or None."""
        known = self._imports.known_digest(_url_key(url))
        return None if known is None else Digest(*known)

    def put(self, url: str, digest: Digest) -> None:
        """Remember what the file behind this URL holds."""
        self._imports.remember_digest(_url_key(url), digest.md5, digest.size)


class RememberedFiles:
    """What the target was sent before, kept in the store; see ``opencast.staging.shared_upload``."""

    def __init__(self, files: SentFiles) -> None:
        self._files = files

    @property
    def collection(self) -> str:
        """Name of the target's collection."""
        return self._files.collection

    def find(self, key: str) -> SharedFile | None:
        """Return what is known of a file, None when it was never sent."""
        known = self._files.find(key)
        return None if known is None else SharedFile(*known)

    def note(self, key: str, file: SharedFile) -> None:
        """Keep what became of a file."""
        self._files.note(key, file.name, is_complete=file.is_complete)

    def collected(self) -> list[tuple[str, str]]:
        """Return key and name of each file in the collection."""
        return self._files.collected()

    def is_wanted(self, mp_id: str, digest: Digest) -> bool:
        """Tell whether another mediapackage on its way needs the same bytes."""
        return self._files.is_wanted(mp_id, digest.md5, digest.size)


@dataclass(frozen=True)
class Staged:
    """The files of one mediapackage in the staging store.

    :param objects: by ``RunElement.key``.
    """

    objects: dict[str, StagedObject]
    traffic: Traffic
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """The files of one mediapackage on the target's side.

    :param urls: by folder, see ``opencast.migration.runs.location``.
    """

    urls: dict[str, str]
    traffic: Traffic
    notes: tuple[str, ...]


class Transfer:
    """Stage and send the files of one mediapackage.

    :param refer: called with each object that is going to be staged, or was just staged where its digest was not known
        before, so that it is not cleaned away.
    :param playlists: reads those of the source.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        route: Route,
        identifier: str,
        refer: Callable[[Digest], None],
        playlists: Playlists,
    ) -> None:
        self._fetcher = fetcher
        self._playlists = playlists
        self._route = route
        self._identifier = identifier
        self._refer = refer

    def stage(self, elements: Iterable[RunElement]) -> Staged:
        """Bring every file into the staging store; one that several elements name by the same URL is read once.

        Where one copy on the source is missing, forbidden or damaged, another one with the same checksum is taken.

        :raises StagingError: a file of the source is missing, damaged or cannot be stored.
        :raises ServerError: a file of the source cannot be had.
        """
        wanted = tuple(elements)
        objects: dict[str, StagedObject] = {}
        by_url: dict[str, StagedObject] = {}
        for element in wanted:
            staged = by_url.get(element.url)
            if staged is None:
                staged = by_url[element.url] = self._stage_any(element, wanted)
            objects[element.key] = staged
        unique = {(staged.md5, staged.size) for staged in by_url.values()}
        traffic = Traffic(
            total=sum(size for _, size in unique), read=sum(staged.bytes_read for staged in by_url.values())
        )
        notes = dict.fromkeys(note for staged in by_url.values() for note in staged.notes)
        return Staged(objects, traffic, tuple(notes))

    def has(self, element: RunElement) -> bool:
        """Tell whether a medium is staged; what is small is not asked for."""
        is_small = element.source.kind is not ElementKind.TRACK or self._is_plain(element)
        return is_small or self._fetcher.has(self._file(element))

    def send(self, files: Mapping[str, StagedObject], places: Mapping[str, Location], *, is_new: bool = False) -> Sent:
        """Bring every file to the target; what lies in the same place is sent once.

        :param files: by ``RunElement.key``.
        :param places: by ``RunElement.key``.
        :param is_new: nothing was sent there before.
        """
        sent: dict[str, SentFile] = {}
        for key, staged in files.items():
            place = places[key]
            if place.folder not in sent:
                sent[place.folder] = self._route.send(
                    self._identifier, place.folder, place.file_name, staged, is_new=is_new
                )
        traffic = Traffic(written=sum(file.bytes_written for file in sent.values()))
        notes = dict.fromkeys(file.note for file in sent.values() if file.note)
        return Sent({folder: file.url for folder, file in sent.items()}, traffic, tuple(notes))

    def _stage_any(self, element: RunElement, wanted: tuple[RunElement, ...]) -> StagedObject:
        if self._is_plain(element):
            return self._stage_plain(element)
        try:
            return self._stage(element)
        except (ChecksumMismatch, Forbidden, NotFound, UnexpectedContent) as error:
            if isinstance(error, ChecksumMismatch) and element.source.flavor == SERIES_POLICY:
                return self._stage_document(element)  # a copy with the old checksum would be the old policy
            for other in _copies(element, wanted):
                log.warning("%s; trying the copy %s.", error.message, other.key)
                try:
                    return self._stage(other)
                except (ChecksumMismatch, Forbidden, NotFound, UnexpectedContent) as again:
                    log.warning("%s", again.message)
            if isinstance(error, ChecksumMismatch) and element.source.kind is ElementKind.CATALOG:
                return self._stage_document(element)
            raise

    def _is_plain(self, element: RunElement) -> bool:
        return element.where != ARCHIVE and is_playlist(element.source)

    def _stage_plain(self, element: RunElement) -> StagedObject:
        """Stage a published playlist with plain names, since publishing it on the target rewrites them.

        Its checksum and size on the source are those of the file before it was published, and prove nothing.
        """
        data = self._playlists.read(element.source)
        stored = self._fetcher.store.put([plain(data)])
        self._refer(stored.digest)
        return StagedObject(
            stored.digest.md5,
            stored.digest.size,
            stored.path,
            "download",
            bytes_read=len(data),
            bytes_written=stored.digest.size,
            checksum_from="tool",
        )

    def _stage_document(self, element: RunElement) -> StagedObject:
        """Stage a document whose checksum is wrong, since Opencast has written it anew and kept the old checksum.

        It does so with catalogs of events that were scheduled, and with the published policy of a series whose access
        list is changed: ``SeriesUpdatedEventHandler`` distributes the new one, and the archive's publication stays.

        :raises InvalidXml: the file is no whole document either.
        """
        staged = self._stage(replace(element, source=replace(element.source, checksum=None, size=None)))
        name = f"{element.source.kind.value} {element.source.id} of {self._identifier}"
        parse_xml(staged.path.read_bytes(), what=name)
        note = f"The checksum that the source names for {name} is wrong; its file is whole, and migrated as it is."
        return replace(staged, notes=(*staged.notes, note))

    def _file(self, element: RunElement) -> SourceFile:
        checksum = element.source.checksum
        return SourceFile(
            url=element.url,
            md5=None if checksum is None else checksum.md5,
            size=element.source.size or None,
            name=f"{element.source.kind.value} {element.source.id} of {self._identifier}",
        )

    def _stage(self, element: RunElement) -> StagedObject:
        file = self._file(element)
        announced = Digest(check_md5(file.md5), file.size) if file.md5 and file.size and file.size > 0 else None
        if announced is not None:
            self._refer(announced)
        staged = self._fetcher.fetch(file)
        log.info("Staged %s: %d bytes, %s", element.key, staged.size, staged.how)
        if staged.digest != announced:
            self._refer(staged.digest)
        return staged


def _url_key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _copies(element: RunElement, wanted: tuple[RunElement, ...]) -> list[RunElement]:
    """Return the other elements that hold the same bytes at another URL, as far as checksums tell."""
    checksum = element.source.checksum
    if checksum is None or checksum.md5 is None:
        return []
    return [
        other
        for other in wanted
        if other.url != element.url and other.source.checksum is not None and other.source.checksum.md5 == checksum.md5
    ]
