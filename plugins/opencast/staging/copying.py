"""Copy an open file into a new one with the cheapest means of the file system, computing the digest on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opencast.errors import SourceChanged
from opencast.staging.digest import CHUNK_BYTES, Digest, RunningDigest
from opencast.staging.disk import NOT_THIS_WAY, Disk, storage_errors
from opencast.staging.part import Part

#: Bytes asked for in one call of an in-kernel copy; the digest reads them back while they are still in memory.
_RANGE_BYTES = 8 << 20


@dataclass(frozen=True)
class OpenFile:
    """A file opened for reading.

    :param path: for messages.
    :param folder: descriptor of its folder, for linking by name; None when ``name`` is a path.
    :param name: its name below ``folder``.
    :param fd: its descriptor.
    :param status: as it was when the file was opened.
    """

    path: Path
    folder: int | None
    name: str
    fd: int
    status: os.stat_result

    def check_unchanged(self, disk: Disk, fd: int | None = None) -> None:
        """Compare the status from before reading with the present one.

        The change time is left out: linking the inode, here or by Opencast itself, changes it.

        :param fd: another descriptor of the same inode.
        :raises SourceChanged: when size or modification time differ, or the inode is another one.
        """
        with storage_errors(f"read the status of {self.path}"):
            now = disk.status_of(self.fd if fd is None else fd)
        if _identity(self.status) != _identity(now):
            raise SourceChanged(f"{self.path} changed while it was read.")


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def read_digest(disk: Disk, fd: int) -> Digest:
    """Read an open file to its end; raises ``OSError``."""
    running = RunningDigest()
    try:
        while data := disk.read(fd, CHUNK_BYTES):
            running.update(data)
        return running.result()
    finally:
        running.close()


def copy_into(disk: Disk, source: OpenFile, part: Part, before_writing: Callable[[], None]) -> bool:
    """Fill an empty part with a file: share its blocks, or else copy it in the kernel, or else read and write.

    :param before_writing: called before the first byte takes room.
    :returns: whether blocks are shared, so that nothing was written.
    """
    if _clone(disk, source, part):
        return True
    before_writing()
    if not _copy_in_kernel(disk, source, part):
        _copy(disk, source, part)
    return False


def _clone(disk: Disk, source: OpenFile, part: Part) -> bool:
    with storage_errors(f"reflink {source.path}"):
        try:
            disk.clone(source.fd, part.fd)
        except OSError as error:
            if error.errno in NOT_THIS_WAY:
                return False
            raise
    part.read_back()
    return True


def _copy_in_kernel(disk: Disk, source: OpenFile, part: Part) -> bool:
    """Copy without bringing the bytes here; False when that is not possible between these two files."""
    size, copied = source.status.st_size, 0
    while copied < size:
        with storage_errors(f"copy {source.path}"):
            try:
                count = disk.copy_range(source.fd, part.fd, min(_RANGE_BYTES, size - copied))
            except OSError as error:
                if copied == 0 and error.errno in NOT_THIS_WAY:
                    return False
                raise
        if count == 0:
            # At the start: a file system whose files cannot be copied like this. Later: the file became shorter,
            # which the comparison of its status will tell.
            return copied > 0
        copied += count
        part.take_written(count)
    return True


def _copy(disk: Disk, source: OpenFile, part: Part) -> None:
    while True:
        with storage_errors(f"read {source.path}"):
            data = disk.read(source.fd, CHUNK_BYTES)
        if not data:
            return
        part.write(data)
