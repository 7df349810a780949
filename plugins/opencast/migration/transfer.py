"""Move the files of one mediapackage: each unique one is staged once and sent once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opencast.migration.journal import SentRecord
from opencast.migration.runs import RunElement, location
from opencast.staging.routes import Route, SentFile
from opencast.staging.source import Digest, Fetcher, SourceFile, StagedObject
from opencast.store.imports import Imports
from opencast.store.ledger import Traffic

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


@dataclass(frozen=True)
class Moved:
    """The result of moving one mediapackage's files.

    :param sent: by ``RunElement.key``.
    """

    sent: dict[str, SentRecord]
    traffic: Traffic
    notes: tuple[str, ...]


class Transfer:
    """Stage and send the files of one mediapackage.

    :param on_staged: called with each staged object before it is used, so that it is not cleaned away.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        route: Route,
        identifier: str,
        on_staged: Callable[[StagedObject], None],
    ) -> None:
        self._fetcher = fetcher
        self._route = route
        self._identifier = identifier
        self._on_staged = on_staged

    def move(self, elements: Iterable[RunElement]) -> Moved:
        """Stage and send; a file that several elements share is moved once.

        :raises StagingError: a file of the source is missing, damaged or cannot be stored.
        """
        sent: dict[str, SentRecord] = {}
        by_url: dict[str, StagedObject] = {}
        by_folder: dict[str, SentFile] = {}
        notes: list[str] = []
        traffic = Traffic()
        for element in elements:
            staged = by_url.get(element.url)
            if staged is None:
                staged = self._stage(element)
                by_url[element.url] = staged
                notes.extend(staged.notes)
                traffic += Traffic(read=staged.bytes_read)
            place = location(staged.md5, staged.size, element.file_name)
            file = by_folder.get(place.folder)
            if file is None:
                file = self._route.send(self._identifier, place.folder, place.file_name, staged)
                by_folder[place.folder] = file
                traffic += Traffic(written=file.bytes_written)
                if file.note:
                    notes.append(file.note)
            sent[element.key] = SentRecord(place.folder, file.url, staged.md5, staged.size)
        total = sum(size for _, size in {(record.md5, record.size) for record in sent.values()})
        return Moved(sent, traffic + Traffic(total=total), tuple(dict.fromkeys(notes)))

    def _stage(self, element: RunElement) -> StagedObject:
        checksum = element.source.checksum
        staged = self._fetcher.fetch(
            SourceFile(
                url=element.url,
                md5=None if checksum is None else checksum.md5,
                size=element.source.size or None,
                name=f"{element.source.kind.value} {element.source.id} of {self._identifier}",
            )
        )
        log.info("Staged %s: %d bytes, %s", element.key, staged.size, staged.how)
        self._on_staged(staged)
        return staged


def _url_key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
