"""Temporary names: bytes on their way into the store, and hard links whose bytes are still being checked.

A name is ``<key>.<announced bytes>.part`` or ``<key>.0.link``. Whoever makes, opens or removes one holds the lock of
``<key>``, so a name whose lock is free was left by a killed worker. The announced size stands in the name so that
all workers see how much room is promised already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from opencast.staging.disk import Disk, storage_errors
from opencast.staging.locks import LockFile
from opencast.staging.part import Part


@dataclass(frozen=True)
class Promise:
    """Room that a file on its way takes: what was announced, and what is written already; bytes."""

    announced: int
    written: int

    @property
    def outstanding(self) -> int:
        """Bytes that are still to be written."""
        return max(0, self.announced - self.written)

    @property
    def total(self) -> int:
        """Bytes that it takes in the end."""
        return max(self.announced, self.written)


@dataclass(frozen=True)
class _Entry:
    name: str
    key: str
    announced: int
    is_link: bool

    @classmethod
    def parse(cls, name: str) -> _Entry:
        key, _, rest = name.partition(".")
        announced, _, kind = rest.partition(".")
        return cls(name, key, int(announced) if announced.isdecimal() else 0, kind == "link")


class Incoming:
    """The folder of temporary names.

    :param file_mode: mode of the files made here, whatever the umask.
    :param admit: asked for room, in bytes, when a file becomes larger than announced.
    """

    def __init__(self, folder: Path, disk: Disk, file_mode: int, admit: Callable[[int], None]) -> None:
        self.folder = folder
        self._disk = disk
        self._file_mode = file_mode
        self._admit = admit

    def create(self, key: str, announced: int) -> Part:
        """Open a new temporary file, in place of whatever a killed worker left under this key."""
        self.discard(key)
        path = self.folder / f"{key}.{announced}.part"
        with storage_errors(f"create {path}"):
            fd = self._disk.create(path, self._file_mode)
        return Part(self._disk, path, fd, announced, self._admit)

    def reopen(self, key: str) -> Part | None:
        """Open what an interrupted download left, with its bytes read back into the digest; None when nothing is left.

        An inode with a second name is never opened for writing: it might be the source's.
        """
        for entry in self._entries():
            if entry.key != key or entry.is_link:
                continue
            path = self.folder / entry.name
            with storage_errors(f"open {path}"):
                if self._disk.status(path).st_nlink != 1:
                    continue
                fd = self._disk.open_existing(path)
            part = Part(self._disk, path, fd, entry.announced, self._admit)
            try:
                part.read_back()
            except BaseException:
                part.close()
                raise
            return part
        return None

    def link_path(self, key: str) -> Path:
        """Answer the temporary name for a hard link; whatever a killed worker left under this key is gone."""
        self.discard(key)
        return self.folder / f"{key}.0.link"

    def discard(self, key: str) -> None:
        """Remove all temporary names of a key."""
        for entry in self._entries():
            if entry.key == key:
                self.unlink(self.folder / entry.name)

    def unlink(self, path: Path) -> bool:
        """Remove a temporary name; False when it was gone already."""
        with storage_errors(f"remove {path}"):
            try:
                self._disk.unlink(path)
            except FileNotFoundError:
                return False
        return True

    def promises(self) -> Iterator[Promise]:
        """Go through the files on their way; links take no room."""
        for entry in self._entries():
            if entry.is_link:
                continue
            with storage_errors(f"read the status of {self.folder / entry.name}"):
                try:
                    status = self._disk.status(self.folder / entry.name)
                except FileNotFoundError:
                    continue
            yield Promise(entry.announced, status.st_size)

    def sweep(self, locks: LockFile, oldest_change: float) -> int:
        """Remove what killed workers left; answer how many names.

        :param oldest_change: seconds since the epoch; names changed later stay.
        """
        removed = 0
        for entry in self._entries():
            path = self.folder / entry.name
            with locks.try_hold(entry.key) as free:
                if free and self._changed(path) <= oldest_change:
                    removed += self.unlink(path)
        return removed

    def _changed(self, path: Path) -> float:
        with storage_errors(f"read the status of {path}"):
            try:
                return self._disk.status(path).st_ctime
            except FileNotFoundError:
                return float("inf")

    def _entries(self) -> list[_Entry]:
        with storage_errors(f"list {self.folder}"):
            return [_Entry.parse(name) for name in self._disk.names(self.folder)]
