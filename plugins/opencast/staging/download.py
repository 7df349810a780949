"""Read a file over HTTP into the store: resumed where the server can, begun again where not, checked before visible."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol
from urllib.parse import urlsplit

from opencast.errors import (
    ChecksumMismatch,
    OpencastError,
    ServerError,
    SizeMismatch,
    SourceChanged,
    UnexpectedContent,
)
from opencast.staging.bandwidth import Meter
from opencast.staging.digest import CHUNK_BYTES, Digest
from opencast.staging.local import Taken, check
from opencast.staging.part import Part
from opencast.staging.store import ObjectStore

_PARTIAL = 206
_LONGEST_PAUSE = 30.0
_WEB_PAGES = (".html", ".htm", ".xhtml")


class Answer(Protocol):
    """A file on its way from a server."""

    @property
    def status(self) -> int:
        """200, or 206 for a part."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, found without regard to case."""

    @property
    def start(self) -> int:
        """First byte that comes."""

    @property
    def total(self) -> int | None:
        """Bytes of the whole file, None when the server does not say."""

    def iter(self, chunk: int, /) -> Iterator[bytes]:
        """Give the body piece by piece; raises when it ends before its announced length."""


class Downloader(Protocol):
    """What is needed of the REST client."""

    def open_download(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> AbstractContextManager[Answer]:
        """Ask for a file from a byte on; a server without ranges, or with another file by now, sends the whole one."""


class HttpFetch:
    """Download files into a store.

    :param tries: how often a broken transfer is begun or resumed; a resume that brought bytes does not count.
    :param sleep: waits this many seconds between two tries.
    """

    def __init__(
        self,
        store: ObjectStore,
        downloader: Downloader,
        bandwidth: Meter,
        *,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._downloader = downloader
        self._bandwidth = bandwidth
        self._tries = tries
        self._sleep = sleep

    def take(self, key: str, url: str, md5: str | None, size: int | None, name: str) -> Taken:
        """Bring a file into the store; the caller holds the lock of ``key``.

        What a killed worker left is gone on with when there is an md5 that proves the result. A transfer that broke
        off for good leaves its beginning for the next try under the same condition.

        :param name: for messages.
        :raises ChecksumMismatch: the server sends other bytes than its md5 says.
        :raises SizeMismatch: fewer or more bytes than announced, also after several tries.
        :raises UnexpectedContent: a web page, or nothing, instead of the file.
        :raises StagingFull: no room.
        """
        transfer = _Transfer(url, md5, size, name)
        try:
            part = self._store.reopen(key) if md5 is not None else None
            if part is not None:
                transfer.resume_from(part)
            try:
                return self._fetch(key, part, transfer)
            except ChecksumMismatch:
                if not transfer.resumed:
                    raise
                transfer.begin_anew("the resumed download was damaged and was begun again")
                return self._fetch(key, None, transfer)
        except BaseException as error:
            if not transfer.worth_keeping(error):
                self._store.discard(key)
            raise

    def _fetch(self, key: str, part: Part | None, transfer: _Transfer) -> Taken:
        with part or self._store.create(key, transfer.size) as part:
            self._store.check_room()
            if part.length == 0 or part.length != transfer.size:
                self._transfer(part, transfer)
            digest = part.finish()
            transfer.check(digest)
        return Taken(
            self._store.publish(part.path, digest),
            "download",
            transfer.received,
            part.bytes_written,
            tuple(transfer.notes),
        )

    def _transfer(self, part: Part, transfer: _Transfer) -> None:
        """Repeat broken transfers; the client has repeated what failed before the first byte already."""
        failures = 0
        while True:
            before = part.length
            try:
                return self._once(part, transfer)
            except _Broken as broken:
                failures = 1 if transfer.resumable and part.length > before else failures + 1
                if failures >= self._tries:
                    raise broken.error from broken
                self._sleep(min(2.0 ** (failures - 1), _LONGEST_PAUSE))

    def _once(self, part: Part, transfer: _Transfer) -> None:
        start = part.length if transfer.resumable else 0
        opened = False
        try:
            with self._downloader.open_download(transfer.url, start=start, validator=transfer.etag) as answer:
                opened = True
                transfer.begin(answer, part)
                for data in answer.iter(CHUNK_BYTES):
                    transfer.receive(data, part)
                    self._bandwidth.take(len(data))
            transfer.check_complete(part)
        except (ServerError, SizeMismatch, SourceChanged) as error:
            if start and not opened and _is_about_the_range(error):
                transfer.begin_anew("the server does not go on where the download broke off")
                raise _Broken(error) from error
            if opened and error.retriable:
                raise _Broken(error) from error
            raise


class _Broken(Exception):
    """A transfer that is worth another try."""

    def __init__(self, error: OpencastError) -> None:
        super().__init__(str(error))
        self.error = error


class _Transfer:
    """What is known of one download over all its tries."""

    def __init__(self, url: str, md5: str | None, size: int | None, name: str) -> None:
        self.url = url
        self.md5 = md5
        self.size = size
        self.name = name
        self.received = 0
        self.resumable = False
        self.resumed = False
        self.notes: list[str] = []
        #: ETag of what was received so far; for Opencast a sum of name, time and length, not of the bytes.
        self.etag: str | None = None
        self._total: int | None = None
        self._web_page = False

    def resume_from(self, part: Part) -> None:
        """Go on with what another worker left."""
        self.resumable = part.length > 0

    def begin_anew(self, note: str) -> None:
        """Do not ask for a range again."""
        self.resumable = False
        self.resumed = False
        self.etag = None
        self.notes.append(note)

    def begin(self, answer: Answer, part: Part) -> None:
        """Compare an answer with what came before it, and put the part to where the answer begins."""
        etag = answer.headers.get("ETag")
        if answer.start and answer.start == part.length:
            if (self.etag is not None and etag != self.etag) or (self._total not in {None, answer.total}):
                self.begin_anew("the file changed on the server between two parts of the download")
                part.restart()
                raise SourceChanged(f"{self.name} changed on the server while it was read.")
            self.resumed = True
            self.notes.append(f"resumed at byte {answer.start}")
        elif part.length or answer.start:
            part.restart()
        self.etag = etag
        self._total = answer.total
        part.expect(answer.total or 0)
        self.resumable = answer.status == _PARTIAL or answer.headers.get("Accept-Ranges", "").lower() == "bytes"

    def receive(self, data: bytes, part: Part) -> None:
        """Take the next bytes, never more than the server announced."""
        if part.length == 0:
            self._web_page = _looks_like_a_web_page(data) and not urlsplit(self.url).path.lower().endswith(_WEB_PAGES)
        self.received += len(data)
        if self._total is not None and part.length + len(data) > self._total:
            raise SizeMismatch(f"{self.name} has more than the {self._total} bytes that the server announced.")
        part.write(data)

    def check_complete(self, part: Part) -> None:
        """Compare with the length that the server announced."""
        if self._total is not None and part.length != self._total:
            raise SizeMismatch(f"{self.name} ended after {part.length} of {self._total} bytes.")

    def check(self, digest: Digest) -> None:
        """Compare the whole file with what the source says of it."""
        if self._web_page and digest.md5 != self.md5:
            raise UnexpectedContent(f"{self.name} is a web page instead of the file.")
        if self.md5 is None and digest.size == 0:
            raise UnexpectedContent(
                f"{self.name} came empty, and the source has no checksum to say that this is right."
            )
        check(digest, self.md5, self.size, self.name)

    def worth_keeping(self, error: BaseException) -> bool:
        """Whether what came so far helps the next try: only if the server has ranges and an md5 proves the result.

        An exception that is none of ours is a task that is being stopped.
        """
        broke_off = not isinstance(error, OpencastError) or (isinstance(error, ServerError | SizeMismatch))
        return self.md5 is not None and self.resumable and broke_off and getattr(error, "retriable", True)


def _is_about_the_range(error: OpencastError) -> bool:
    """Whether a refusal to go on in the middle of a file is meant: no such byte (416), or another range."""
    return isinstance(error, UnexpectedContent | SizeMismatch)


def _looks_like_a_web_page(data: bytes) -> bool:
    beginning = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html"))
