"""Locks between workers, also on several machines: one file, one byte of it for each object.

The kernel, or the NFS server, drops a lock when its holder dies, so there is no heartbeat, no guess whether an owner
still lives, and nothing to clear away after ``kill -9``. The file is made once and never removed: removing lock files
is what makes two workers hold "the same" lock on a network file system with cached names.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opencast.errors import ConfigurationError, StagingBusy
from opencast.staging.disk import Disk, storage_error, storage_errors

#: Bytes of the lock file that may be locked; below 2**31, which every NFS lock protocol can carry.
_RANGE = (1 << 31) - 1
_LONGEST_PAUSE = 1.0
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})


class LockFile:
    """Named locks in one file.

    :param path: on the shared file system.
    :param sleep: waits this many seconds.
    :param max_wait: seconds until :class:`StagingBusy`; None waits as long as the holder lives.
    """

    def __init__(
        self,
        path: Path,
        disk: Disk,
        *,
        sleep: Callable[[float], None] = time.sleep,
        max_wait: float | None = None,
    ) -> None:
        self._path = path
        self._disk = disk
        self._sleep = sleep
        self._max_wait = max_wait

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock of this name, waiting for it; not re-entrant, and one at a time.

        :raises StagingBusy: when another one holds it for longer than ``max_wait``.
        """
        fd = self._open()
        try:
            waited, pause = 0.0, 0.05
            while not self._try(fd, name):
                if self._max_wait is not None and waited >= self._max_wait:
                    raise StagingBusy(f"Another worker has held {name} for more than {self._max_wait:g} s.")
                self._sleep(pause)
                waited += pause
                pause = min(pause * 2, _LONGEST_PAUSE)
            yield
        finally:
            self._close(fd)

    @contextmanager
    def try_hold(self, name: str) -> Iterator[bool]:
        """Hold the lock if it is free; the value says whether it was."""
        fd = self._open()
        try:
            yield self._try(fd, name)
        finally:
            self._close(fd)

    def _open(self) -> int:
        with storage_errors(f"open the lock file {self._path}"):
            return self._disk.open_lock_file(self._path)

    def _close(self, fd: int) -> None:
        with storage_errors(f"close the lock file {self._path}"):
            self._disk.close(fd)

    def _try(self, fd: int, name: str) -> bool:
        offset = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % _RANGE
        try:
            return self._disk.try_lock(fd, offset)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise storage_error(error, f"lock {self._path}") from error
            raise ConfigurationError(
                f"The staging file system gives no locks on {self._path}: {error.strerror or error}.",
                advice="Mount it with locking (for NFS: without nolock and local_lock), or stage on another one.",
            ) from error
