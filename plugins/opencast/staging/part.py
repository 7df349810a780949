"""A file that is being written under a temporary name, with its running digest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from opencast.errors import StorageFailure
from opencast.staging.digest import CHUNK_BYTES, Digest, RunningDigest
from opencast.staging.disk import Disk, storage_errors

#: How often a file that grows beyond its announced size asks again whether there is room.
_ASK_EVERY_BYTES = 16 << 20


class Part:
    """The bytes of one file while they are written.

    A context manager: leaving it closes the file and keeps the name.

    :param path: of the temporary file; below the folder ``at`` when that is given.
    :param fd: its descriptor, open for reading and writing; from now on this object closes it.
    :param announced: bytes that are expected, 0 when unknown.
    :param admit: asked before more than that is written, for so many bytes more; raises when there is no room.
    """

    def __init__(
        self,
        disk: Disk,
        path: Path,
        fd: int,
        announced: int,
        admit: Callable[[int], None],
        *,
        at: int | None = None,
    ) -> None:
        self.path = path
        self.fd = fd
        #: Bytes written to the disk by this object, also those that were thrown away again.
        self.bytes_written = 0
        self._disk = disk
        self._at = at
        self._admit = admit
        self._room_until = announced
        self._digest = RunningDigest()

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._digest.close()
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            with storage_errors(f"close {self.path}"):
                self._disk.close(fd)

    @property
    def length(self) -> int:
        """Bytes in the file, all of which the digest knows."""
        return self._digest.size

    def expect(self, total: int) -> None:
        """Ask for room when the file turns out to be larger than announced.

        :raises StagingFull: when there is none.
        """
        if total > self._room_until:
            self._admit(total - self._room_until)
            self._room_until = total

    def write(self, data: bytes) -> None:
        """Append bytes.

        :raises StagingFull: when the disk or the budget is full.
        """
        end = self.length + len(data)
        if end > self._room_until:
            self._admit(end - self._room_until)
            self._room_until = end + _ASK_EVERY_BYTES
        self._digest.update(data)
        rest = memoryview(data)
        with storage_errors(f"write {self.path}"):
            while rest:
                count = self._disk.write(self.fd, rest)
                self.bytes_written += count
                rest = rest[count:]

    def take_written(self, count: int) -> None:
        """Take bytes into the digest that another call has just written at the end of the file."""
        self.bytes_written += count
        self.read_back(self.length + count)

    def read_back(self, until: int | None = None) -> None:
        """Take bytes into the digest that are in the file, up to ``until`` or its end; writing goes on behind them."""
        with storage_errors(f"read {self.path}"):
            while until is None or self.length < until:
                count = CHUNK_BYTES if until is None else min(CHUNK_BYTES, until - self.length)
                data = self._disk.read_at(self.fd, count, self.length)
                if not data:
                    break
                self._digest.update(data)
            self._disk.seek(self.fd, self.length)

    def restart(self) -> None:
        """Throw away what was written and begin again."""
        self._digest.close()
        self._digest = RunningDigest()
        with storage_errors(f"cut {self.path}"):
            self._disk.truncate(self.fd, 0)
            self._disk.seek(self.fd, 0)

    def finish(self) -> Digest:
        """Force everything to the disk and answer the digest.

        :raises StorageFailure: when the file does not hold what was written, for instance because another worker
            wrote to it after a network file system lost its locks.
        """
        digest = self._digest.result()
        with storage_errors(f"sync {self.path}"):
            self._disk.sync(self.fd)
            mine, named = self._disk.status_of(self.fd), self._disk.status(self.path, at=self._at)
        if mine.st_size != digest.size or mine.st_nlink != 1 or mine.st_ino != named.st_ino:
            raise StorageFailure(f"{self.path} was changed by somebody else while it was written.")
        return digest
