"""Uploads that several mediapackages share: large equal files are sent once, and linked on the target from then on.

The target's working file repository has collections beside the folders of its mediapackages. A file that is needed
again is put into one, and each element gets a hard link of it (``POST /files/copy/...``), whose checksum the target
computes anew. A collected file is overwritten *in place* by a second one of its name, and with it every link, also
those in the archive: so each upload gets a name that was never used before, and is linked only after it was answered.
"""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from opencast.errors import OpencastError, ServerError, Unreachable
from opencast.model.identifiers import check_element_id, check_mediapackage_id, safe_file_name
from opencast.staging.digest import Digest
from opencast.staging.routes import FileRepository, RouteProbe, SentFile, file_url
from opencast.staging.source import StagedObject
from opencast.staging.staged_file import open_staged
from opencast.staging.store import ObjectStore
from opencast.staging.upload import UploadRoute

log = logging.getLogger(__name__)

#: Smaller files are sent each time: asking costs as much.
SHARED_FROM_BYTES = 1 << 20


@dataclass(frozen=True)
class SharedFile:
    """What is known of a file that was sent before.

    :param name: its name in the collection; None when it is in none.
    :param is_complete: whether the upload into the collection was answered.
    """

    name: str | None
    is_complete: bool


class SharedFiles(Protocol):
    """The caller's memory of what was sent to one target, kept over restarts and seen by all workers."""

    @property
    def collection(self) -> str:
        """Name of the target's collection."""

    def find(self, key: str) -> SharedFile | None:
        """Answer what is known of a file, None when it was never sent."""

    def note(self, key: str, file: SharedFile) -> None:
        """Keep what became of a file."""

    def collected(self) -> list[tuple[str, str]]:
        """Answer key and name of each file in the collection, also of those whose upload was not answered."""

    def is_wanted(self, mp_id: str, digest: Digest) -> bool:
        """Whether another mediapackage on its way needs the same bytes."""


class CollectingRepository(FileRepository, Protocol):
    """What is needed of the target's working file repository in addition."""

    def collect(self, collection: str, name: str, stream: BinaryIO, size: int, /) -> None:
        """Store a file in a collection, under a name that was never used."""

    def link_collected(
        self, collection: str, name: str, mp_id: str, element_id: str, file_name: str, size: int, /
    ) -> None:
        """Link a collected file to an element's, whose folder must not be there; may fail without a word."""

    def discard_collected(self, collection: str, name: str, /) -> bool:
        """Remove a file from a collection; False when there was none."""


class SharedUploadRoute:
    """The route ``upload`` with one upload for equal large files.

    Which files are equal is only known when they are staged. A file is put into the collection when another
    mediapackage on its way needs it, too, or when it was sent before: it is sent twice at most, however many need it.

    :param store: of the staged files.
    :param repository: of the target.
    :param files: see :class:`SharedFiles`.
    """

    def __init__(self, store: ObjectStore, repository: CollectingRepository, files: SharedFiles) -> None:
        self._upload = UploadRoute(store, repository)
        self._store = store
        self._repository = repository
        self._files = files
        self._base_uri: str | None = None

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Upload one staged file, or let the target link one that it was sent before.

        :raises InvalidIdentifier: an id or name that would leave its folder.
        :raises ChecksumMismatch: the target received other bytes, twice; or the staged object was changed.
        :raises ServerError: what the target answers.
        """
        name = safe_file_name(file_name)
        if staged.size < SHARED_FROM_BYTES:
            return self._upload.send(mp_id, element_id, name, staged, is_new=is_new)
        check_mediapackage_id(mp_id)
        check_element_id(element_id)
        if not is_new and self._repository.matches(mp_id, element_id, name, staged.md5):
            return SentFile(self._url(mp_id, element_id, name), "present", 0)
        key = _key(staged)
        # Whoever needs the same file waits until it is there, instead of sending it at the same time.
        with self._store.lock(f"send-{key}"):
            return self._linked(key, mp_id, element_id, name, staged) or self._sent(
                key, mp_id, element_id, name, staged
            )

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Delete these elements from the repository; collected files stay until :meth:`clear`."""
        return self._upload.remove_sent(mp_id, element_ids)

    def probe(self) -> RouteProbe:
        """Upload a probe object, compare its md5, delete it."""
        return self._upload.probe()

    def clear(self) -> int:
        """Empty the collection; answer how many files were in it. What was linked keeps its bytes."""
        removed = 0
        for key, name in self._files.collected():
            with self._store.lock(f"send-{key}"):
                removed += self._discard(key, name)
        return removed

    # --- inside ------------------------------------------------------------------------------------------------

    def _linked(self, key: str, mp_id: str, element_id: str, name: str, staged: StagedObject) -> SentFile | None:
        """Use what is collected, or collect what is going to be needed again; None when it has to be sent for one."""
        known = self._files.find(key)
        if known is not None and known.is_complete and known.name is not None:
            if self._link(known.name, mp_id, element_id, name, staged):
                return SentFile(self._url(mp_id, element_id, name), "shared", 0)
            self._discard(key, known.name)
        elif known is not None and known.name is not None:
            self._discard(key, known.name)  # of an upload that was not answered
        elif known is None and not self._files.is_wanted(mp_id, staged.digest):
            return None
        collected = self._collect(key, staged)
        if collected is None:
            return None
        if self._link(collected, mp_id, element_id, name, staged):
            return SentFile(self._url(mp_id, element_id, name), "upload", staged.size)
        self._discard(key, collected)
        return None

    def _sent(self, key: str, mp_id: str, element_id: str, name: str, staged: StagedObject) -> SentFile:
        sent = self._upload.send(mp_id, element_id, name, staged, is_new=True)
        self._files.note(key, SharedFile(None, False))
        return sent

    def _collect(self, key: str, staged: StagedObject) -> str | None:
        """Put a file into the collection; None when the target does not take it."""
        name = f"{key}-{uuid.uuid4().hex[:12]}"
        self._files.note(key, SharedFile(name, False))
        try:
            with (
                open_staged(self._store.disk, staged) as source,
                os.fdopen(source.fd, "rb", buffering=0, closefd=False) as stream,
            ):
                self._repository.collect(self._files.collection, name, stream, staged.size)
        except ServerError as error:
            if isinstance(error, Unreachable):
                raise
            log.warning("The target takes no shared files: %s", error.message)
            self._discard(key, name)
            return None
        self._files.note(key, SharedFile(name, True))
        return name

    def _link(self, collected: str, mp_id: str, element_id: str, name: str, staged: StagedObject) -> bool:
        """Give an element a link of a collected file; believed only when the target's own checksum says so."""
        try:
            self._repository.link_collected(self._files.collection, collected, mp_id, element_id, name, staged.size)
        except ServerError as error:
            if isinstance(error, Unreachable):
                raise
            log.info("The shared file %s cannot be linked: %s", collected, error.message)
            return False
        if self._repository.matches(mp_id, element_id, name, staged.md5):
            return True
        self._repository.delete(mp_id, element_id)
        return False

    def _discard(self, key: str, name: str) -> bool:
        removed = False
        with suppress(OpencastError):  # the next clearing finds it again
            removed = self._repository.discard_collected(self._files.collection, name)
            self._files.note(key, SharedFile(None, False))
        return removed

    def _url(self, mp_id: str, element_id: str, name: str) -> str:
        if self._base_uri is None:
            self._base_uri = self._repository.base_uri()
        return file_url(self._base_uri, mp_id, element_id, name)


def _key(staged: StagedObject) -> str:
    return hashlib.sha256(str(staged.digest).encode()).hexdigest()[:32]
