"""Bring a file of the source into the store, in the cheapest way that is safe.

In this order: it is in the store already; hard link from mounted storage; reflink; copy; download.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from opencast.errors import ChecksumMismatch, SizeMismatch, StagingFull
from opencast.staging.bandwidth import Bandwidth, Meter
from opencast.staging.digest import Digest, check_md5
from opencast.staging.download import Downloader, HttpFetch
from opencast.staging.local import Taken, take
from opencast.staging.mounts import Mount, NotMapped, open_mounted
from opencast.staging.store import ObjectStore, StoredObject

__all__ = ["Digest", "Fetcher", "KnownDigests", "SourceFile", "StagedHow", "StagedObject"]

StagedHow = Literal["present", "link", "reflink", "copy", "download"]

#: One limit for all fetchers of the process that were given the same one.
_bandwidths: dict[float | None, Bandwidth] = {}


@dataclass(frozen=True)
class SourceFile:
    """A file of the source as its mediapackage describes it.

    :param url: where the source serves it; a query is used for the download only.
    :param md5: the source's md5 in hex, None when the source has none or one of another kind.
    :param size: bytes; None, 0 and -1 mean unknown, as they do in mediapackages.
    :param name: for messages.
    """

    url: str
    md5: str | None
    size: int | None
    name: str


@dataclass(frozen=True)
class StagedObject:
    """A checked file in the store.

    :param path: for reading only, since its inode may be shared with source and target.
    :param how: how it came into the store by this call.
    :param bytes_read: bytes read of the source by this call: for ``link`` and ``reflink`` to check the md5.
    :param bytes_written: bytes written to the staging file system by this call.
    :param checksum_from: ``source`` when the source's md5 was confirmed, ``tool`` when the source has none.
    :param notes: for the report, such as why a faster way was not possible.
    """

    md5: str
    size: int
    path: Path
    how: StagedHow
    bytes_read: int = 0
    bytes_written: int = 0
    checksum_from: Literal["source", "tool"] = "source"
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        """The key in the store."""
        return Digest(self.md5, self.size)


class KnownDigests(Protocol):
    """The caller's memory of what a url held, so that a file without checksum is not read twice over restarts."""

    def get(self, url: str) -> Digest | None:
        """Answer what was found behind a url before, None when it was never read."""

    def put(self, url: str, digest: Digest) -> None:
        """Keep what was found behind a url."""


class Fetcher:
    """Fetch files of one source into one store; several workers may do so at the same time.

    :param downloader: the REST client of the source.
    :param mounts: the source's storage as far as it is mounted here; tried in this order.
    :param link: whether hard links are allowed; see :mod:`opencast.staging.safety` for what that means.
    :param rate_limit: bytes per second over HTTP, for all fetchers of this process together; None for no limit.
    :param meter: slows downloads down instead, such as for all processes together.
    :param make_room: asked when a file does not fit; answers whether it has freed anything, so that the file is tried
        once more.
    :param known: see :class:`KnownDigests`; used for files without checksum, and where a size was wrong.
    :param tries: how often a broken download is begun or resumed.
    """

    def __init__(
        self,
        store: ObjectStore,
        downloader: Downloader,
        mounts: Sequence[Mount] = (),
        *,
        link: bool = False,
        rate_limit: float | None = None,
        meter: Meter | None = None,
        make_room: Callable[[], bool] | None = None,
        known: KnownDigests | None = None,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._mounts = tuple(mounts)
        self._link = link
        self._known = known
        self._make_room = make_room
        meter = meter or _bandwidths.setdefault(rate_limit, Bandwidth(rate_limit))
        self._http = HttpFetch(store, downloader, meter, tries=tries, sleep=sleep)

    @property
    def store(self) -> ObjectStore:
        """The store that the files are brought into."""
        return self._store

    def fetch(self, file: SourceFile) -> StagedObject:
        """Bring one file into the store, unless it is there.

        :raises ChecksumMismatch: the source's file is not what its md5 says.
        :raises SizeMismatch: another size, where there is no md5.
        :raises SourceChanged: a mounted file changed while it was read.
        :raises UnexpectedContent: a web page, or nothing, instead of a file.
        :raises StagingFull: no room; the same call succeeds when there is.
        :raises UnsafePath: a url or md5 that would leave its folder.
        """
        try:
            return self._fetch(file)
        except StagingFull:
            if self._make_room is None or not self._make_room():
                raise
            return self._fetch(file)

    def has(self, file: SourceFile) -> bool:
        """Whether a file is in the store, as far as its md5 or what is remembered of its url tells."""
        md5 = check_md5(file.md5) if file.md5 is not None else None
        size = file.size if file.size is not None and file.size > 0 else None
        return self._find(file.url.partition("?")[0], md5, size) is not None

    def _fetch(self, file: SourceFile) -> StagedObject:
        md5 = check_md5(file.md5) if file.md5 is not None else None
        size = file.size if file.size is not None and file.size > 0 else None
        address = file.url.partition("?")[0]  # without a signature, which changes and is secret
        present = self._find(address, md5, size)
        if present is not None:
            return _staged(present, md5)
        key = md5 or "url-" + hashlib.sha256(address.encode()).hexdigest()[:40]
        with self._store.lock(key):
            present = self._find(address, md5, size)
            if present is not None:
                return _staged(present, md5)
            taken = self._take(key, file, md5, size)
        digest, notes = taken.stored.digest, taken.notes
        if self._known is not None and (md5 is None or digest.size != size):
            self._known.put(address, digest)
        if size is not None and digest.size != size:
            notes = (*notes, f"the source gives its size as {size} bytes instead of {digest.size}")
        return StagedObject(
            digest.md5,
            digest.size,
            taken.stored.path,
            taken.how,
            taken.bytes_read,
            taken.bytes_written,
            "source" if md5 is not None else "tool",
            notes,
        )

    def _take(self, key: str, file: SourceFile, md5: str | None, size: int | None) -> Taken:
        """Take the file from mounted storage, or else from the server; a note says why not the first."""
        notes: tuple[str, ...] = ()
        try:
            taken = self._take_mounted(key, file.url, md5, size)
            if taken is not None:
                return taken
        except (NotMapped, ChecksumMismatch, SizeMismatch) as error:
            notes = (f"not taken from mounted storage: {error.message}",)
        taken = self._http.take(key, file.url, md5, size, file.name)
        return replace(taken, notes=(*notes, *taken.notes))

    def _take_mounted(self, key: str, url: str, md5: str | None, size: int | None) -> Taken | None:
        with open_mounted(self._store.disk, self._mounts, url) as source:
            if source is None:
                return None
            try:
                return take(self._store, key, source, md5, size, link=self._link)
            except BaseException:
                self._store.discard(key)
                raise

    def _find(self, url: str, md5: str | None, size: int | None) -> StoredObject | None:
        if md5 is not None:
            found = self._store.find(md5, size)
            if found is not None:
                return found
        known = self._known.get(url) if self._known is not None else None
        if known is None or (md5 is not None and known.md5 != md5):
            return None
        return self._store.find(known.md5, known.size)


def _staged(found: StoredObject, md5: str | None) -> StagedObject:
    checksum_from: Literal["source", "tool"] = "source" if md5 is not None else "tool"
    return StagedObject(found.digest.md5, found.digest.size, found.path, "present", checksum_from=checksum_from)
