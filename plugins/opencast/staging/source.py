"""Bring a file of the source into the store, in the cheapest way that is safe.

Order: already in the store; hard link from mounted storage; reflink; copy; download.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Literal, Mapping, Protocol

if TYPE_CHECKING:
    from opencast.staging.mounts import Mount
    from opencast.staging.store import ObjectStore

StagedHow = Literal["present", "link", "reflink", "copy", "download"]


@dataclass(frozen=True)
class Digest:
    """What identifies an object: md5 as 32 lower-case hex digits, and size in bytes."""

    md5: str
    size: int


@dataclass(frozen=True)
class SourceFile:
    """A file of the source as its mediapackage describes it.

    :param url: where the source serves it.
    :param md5: the source's md5 (hex), or None when the source has none.
    :param size: bytes, or None when unknown (0 and -1 in a mediapackage mean unknown, too).
    :param name: for messages.
    """

    url: str
    md5: str | None
    size: int | None
    name: str


@dataclass(frozen=True)
class StagedObject:
    """A verified file in the store.

    :param path: for reading only: its inode may be shared with the source.
    :param how: how it came into the store.
    :param bytes_read: bytes read from the source (mounted storage or network) by this call, also for checking.
    :param bytes_written: bytes written to the staging file system by this call.
    :param checksum_from: ``source`` when the source's md5 was confirmed, ``tool`` when the source has none.
    :param notes: what the report should say, such as why a faster way was not possible.
    """

    md5: str
    size: int
    path: Path
    how: StagedHow
    bytes_read: int = 0
    bytes_written: int = 0
    checksum_from: Literal["source", "tool"] = "source"
    notes: tuple[str, ...] = ()


class Download(Protocol):
    """An answer whose body is read in chunks."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def length(self) -> int | None: ...
    def iter(self, chunk_size: int) -> Iterator[bytes]: ...


class Downloader(Protocol):
    """What the fetcher needs of the REST client."""

    def open_download(self, url: str, *, start: int = 0) -> AbstractContextManager[Download]: ...


class KnownDigests(Protocol):
    """The caller's memory of files without a checksum, so that none is read twice over restarts."""

    def get(self, url: str) -> Digest | None: ...
    def put(self, url: str, digest: Digest) -> None: ...


class Fetcher:
    """Fetch files of one source into one store."""

    def __init__(
        self,
        store: ObjectStore,
        downloader: Downloader,
        mounts: Sequence[Mount] = (),
        *,
        link: bool = False,
        rate_limit: float | None = None,
        known: KnownDigests | None = None,
    ) -> None:
        raise NotImplementedError

    def fetch(self, file: SourceFile) -> StagedObject:
        raise NotImplementedError
