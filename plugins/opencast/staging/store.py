"""The content-addressed store: an object is there once, whatever uses it.

Layout below the root, all on one file system::

    objects/ab/<md5>-<size>     one file, one inode an object; visible only when complete and checked
    incoming/                   temporary names, see :mod:`opencast.staging.incoming`
    lock                        see :mod:`opencast.staging.locks`

An object becomes visible by one rename of a file that was checked and forced to the disk.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from opencast.errors import ChecksumMismatch, SizeMismatch, StorageFailure
from opencast.staging.copying import read_digest
from opencast.staging.digest import Digest, check_md5
from opencast.staging.disk import Disk, make_folders, storage_errors
from opencast.staging.incoming import Incoming
from opencast.staging.locks import LockFile
from opencast.staging.part import Part
from opencast.staging.room import Room

log = logging.getLogger(__name__)

_GIB = 1 << 30
#: Workers under several users may share the store: the umask decides.
_FOLDER_MODE = 0o777
#: The very same inode is later read by the target's Opencast and its web server.
_FILE_MODE = 0o644


@dataclass(frozen=True)
class StoredObject:
    """An object as it lies in the store.

    :param digest: its key.
    :param path: for reading only, since its inode may be shared with source and target.
    :param age: seconds since its inode was last linked, unlinked or made. Not its modification time: a linked
        inode keeps the source's.
    :param links: how many names its inode has, including the store's own.
    """

    digest: Digest
    path: Path
    age: float
    links: int

    @property
    def own_bytes(self) -> int:
        """Bytes that exist because of the store alone, so that removing the object frees them."""
        return self.digest.size if self.links == 1 else 0


class ObjectStore:
    """Objects under their digest, shared by all workers.

    :param root: folder on the staging file system, made when missing.
    :param budget_bytes: most bytes that staging alone may hold. Objects whose inode has another name (linked from
        the source, or linked into the target already) cost nothing and are not counted. None: no limit.
    :param reserve_bytes: bytes always left free on the file system.
    :param max_wait: seconds to wait for another worker that fetches the same object; None: as long as it lives.
    :param file_mode: mode of files written here, whatever the umask; linked inodes keep theirs.
    :param clock: seconds since the epoch, for ages.
    """

    def __init__(
        self,
        root: Path,
        *,
        budget_bytes: int | None = None,
        reserve_bytes: int = _GIB,
        max_wait: float | None = None,
        file_mode: int = _FILE_MODE,
        disk: Disk | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.root = root
        self.disk = disk or Disk()
        self._clock = clock
        self._objects = root / "objects"
        self._incoming = Incoming(root / "incoming", self.disk, file_mode, self.check_room)
        for folder in (root, self._objects, self._incoming.folder):
            make_folders(self.disk, folder, _FOLDER_MODE)
        self._locks = LockFile(root / "lock", self.disk, sleep=sleep, max_wait=max_wait)
        self._room = Room(
            self.disk,
            root,
            budget=budget_bytes,
            reserve=reserve_bytes,
            object_bytes=lambda: sum(found.own_bytes for found in self.objects()),
            promises=self._incoming.promises,
        )

    # --- what is there -----------------------------------------------------------------------------------------

    def path(self, digest: Digest) -> Path:
        """Answer where the object lies, or would lie."""
        return self._objects / digest.md5[:2] / str(digest)

    def find(self, md5: str, size: int | None = None) -> StoredObject | None:
        """Answer the object with this md5, or None.

        An object of another size than its name says was changed in place through another of its names; it counts as
        missing, and the next fetch puts a sound one in its place.

        :param size: bytes, when known; without it the only object with this md5 is taken.
        """
        md5 = check_md5(md5)
        if size is None:
            digests = [digest for digest in self._digests(md5[:2]) if digest.md5 == md5]
        else:
            digests = [Digest(md5, size)]
        return self._look(digests[0]) if len(digests) == 1 else None

    def objects(self) -> Iterator[StoredObject]:
        """Go through all objects; what appears or vanishes meanwhile may be missed."""
        for folder in self._names(self._objects):
            for digest in self._digests(folder):
                found = self._look(digest, sound_only=False)
                if found is not None:
                    yield found

    def own_bytes(self) -> int:
        """Count the bytes that exist only because of staging: objects without another name, and files on their way."""
        on_their_way = sum(promise.written for promise in self._incoming.promises())
        return on_their_way + sum(found.own_bytes for found in self.objects())

    def verify(self, digest: Digest) -> bool:
        """Read an object again and compare its digest; False also when it is not there."""
        path = self.path(digest)
        with storage_errors(f"read {path}"):
            try:
                fd = self.disk.open_read(path)
            except FileNotFoundError:
                return False
            try:
                return read_digest(self.disk, fd) == digest
            finally:
                self.disk.close(fd)

    # --- bringing in -------------------------------------------------------------------------------------------

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Hold the lock of an object's md5, or of another key; hold one at a time only."""
        return self._locks.hold(key)

    def create(self, key: str, announced: int | None) -> Part:
        """Open a new temporary file; the caller holds the lock of ``key``.

        Call :meth:`check_room` before writing; the announced bytes count for all workers from now on.

        :param announced: expected bytes, None when unknown.
        """
        self._room.check_size(announced or 0)
        return self._incoming.create(key, announced or 0)

    def reopen(self, key: str) -> Part | None:
        """Open what an interrupted download left under this key; the caller holds its lock."""
        return self._incoming.reopen(key)

    def link_path(self, key: str) -> Path:
        """Answer a free temporary name for a hard link; the caller holds the lock of ``key``."""
        return self._incoming.link_path(key)

    def discard(self, key: str) -> None:
        """Remove all temporary names of a key; the caller holds its lock."""
        self._incoming.discard(key)

    def check_room(self, extra: int = 0) -> None:
        """Check that everything on its way fits.

        :param extra: bytes that are needed beyond what was announced.
        :raises StagingFull: when it does not.
        """
        self._room.check(extra)

    def publish(self, temporary: Path, digest: Digest) -> StoredObject:
        """Make a complete, checked and synced temporary file visible under its digest.

        When the object is there already, that one stays and the temporary name goes.
        """
        found = self._look(digest)
        if found is None:
            target = self.path(digest)
            make_folders(self.disk, target.parent, _FOLDER_MODE)
            with storage_errors(f"move {temporary} to {target}"):
                self.disk.rename(temporary, target)
                self.disk.sync_folder(target.parent)
            found = self._look(digest)
            if found is None:
                raise StorageFailure(f"The object {digest} vanished while it was stored.")
            self._room.add(found.own_bytes)
        # Renaming one name of an inode to another name of the same inode does nothing and leaves both (POSIX).
        self._incoming.unlink(temporary)
        return found

    def put(self, chunks: Iterable[bytes], *, md5: str | None = None, size: int | None = None) -> StoredObject:
        """Store bytes made here, such as a catalog that was rewritten.

        :param md5: what they must have, if known.
        :param size: what they must have, if known.
        :raises ChecksumMismatch: when the md5 differs.
        :raises SizeMismatch: when the size differs.
        """
        key = check_md5(md5) if md5 is not None else f"put-{uuid.uuid4().hex}"
        with self.lock(key):
            if md5 is not None and size is not None and (found := self.find(md5, size)) is not None:
                return found
            try:
                with self.create(key, size) as part:
                    self.check_room()
                    for chunk in chunks:
                        part.write(chunk)
                    digest = part.finish()
                if size is not None and digest.size != size:
                    raise SizeMismatch(f"{digest.size} bytes came instead of {size}.")
                if md5 is not None and digest.md5 != key:
                    raise ChecksumMismatch(f"The bytes have md5 {digest.md5} instead of {key}.")
                return self.publish(part.path, digest)
            finally:
                self.discard(key)

    # --- taking out --------------------------------------------------------------------------------------------

    def remove(self, digest: Digest) -> bool | None:
        """Remove an object. Links to its inode elsewhere stay valid.

        :returns: False when it was not there, None when a worker is busy with it.
        """
        path = self.path(digest)
        with self._locks.try_hold(digest.md5) as free:
            if not free:
                return None
            self._room.forget_count()
            with storage_errors(f"remove {path}"):
                try:
                    self.disk.unlink(path)
                except FileNotFoundError:
                    return False
                self.disk.sync_folder(path.parent)
            return True

    def drop_damaged(self, digest: Digest) -> bool:
        """Read an object again, and remove it when it holds other bytes by now; answer whether it does.

        The next fetch then puts a sound one in its place.
        """
        if self.verify(digest):
            return False
        log.error("The object %s was written to in place through another of its names: removed.", digest)
        self.remove(digest)
        return True

    def sweep(self, *, min_age: float = 0.0) -> int:
        """Remove temporary files whose worker is gone; answer how many.

        :param min_age: seconds; younger ones stay, so that an interrupted download can go on.
        """
        return self._incoming.sweep(self._locks, self._clock() - min_age if min_age > 0 else float("inf"))

    # --- inside ------------------------------------------------------------------------------------------------

    def _look(self, digest: Digest, *, sound_only: bool = True) -> StoredObject | None:
        path = self.path(digest)
        with storage_errors(f"read the status of {path}"):
            try:
                status = self.disk.status(path)
            except FileNotFoundError:
                return None
        if sound_only and status.st_size != digest.size:
            log.error(
                "The object %s in the store has %d bytes: a file shared with source or target was written to in place.",
                digest,
                status.st_size,
            )
            return None
        return StoredObject(digest, path, max(0.0, self._clock() - status.st_ctime), status.st_nlink)

    def _digests(self, folder: str) -> Iterator[Digest]:
        for name in self._names(self._objects / folder):
            digest = Digest.of_name(name)
            if digest is not None:
                yield digest

    def _names(self, folder: Path) -> list[str]:
        with storage_errors(f"list {folder}"):
            try:
                return self.disk.names(folder)
            except FileNotFoundError:
                return []
