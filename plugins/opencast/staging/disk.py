"""The one door to the file system: every call that can fail, each under a name of its own.

All of staging goes through :class:`Disk`, so that a test can make the n-th call fail with any error and prove that
nothing wrong, torn or left over results. Paths may be relative to a folder descriptor (``at``); the last component
of a path is never followed when it is a symbolic link. Linux only: locks, clones and copies are its system calls.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from opencast.errors import StagingError, StagingFull, StorageFailure, StorageRefused

#: ``ioctl`` number of Linux for sharing all blocks of a file (``linux/fs.h``); btrfs, XFS, NFS 4.2 and others know it.
_FICLONE = 0x40049409

#: No room: the work waits.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
#: No permission, or never possible here: trying again does not help.
REFUSED = frozenset({
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EFBIG,
    errno.EMLINK,
    errno.EXDEV,
})
#: A link, a clone or an in-kernel copy is not possible between these two places, but a slower way may be.
NOT_THIS_WAY = frozenset({
    errno.EXDEV,
    errno.EMLINK,
    errno.EPERM,
    errno.EACCES,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EINVAL,
    errno.ENOTTY,
    errno.ETXTBSY,
    errno.EBADF,
})

#: Owner and mode cannot be set: only root may give files away, and some network file systems know neither.
_DECIDED_BY_THE_MOUNT = frozenset({errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS})


def storage_error(error: OSError, what: str) -> StagingError:
    """Give an operating system's error its place among the named errors.

    :param what: what was done to which file, such as ``write /staging/tmp/x``.
    """
    reason = error.strerror or str(error)
    message = f"Cannot {what}: {reason}."
    if error.errno in FULL:
        return StagingFull(message)
    if error.errno in REFUSED:
        return StorageRefused(message)
    return StorageFailure(message)


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Raise :class:`StagingFull`, :class:`StorageRefused` or :class:`StorageFailure` for an ``OSError`` within."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, what) from error


class Disk:
    """The calls themselves; each raises ``OSError`` as the operating system gives it."""

    def open_read(self, path: str | Path, *, at: int | None = None) -> int:
        """Open a file for reading; ELOOP for a symbolic link, never blocking on a pipe."""
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)

    def open_folder(self, path: str | Path, *, at: int | None = None, follow: bool = False) -> int:
        """Open a folder as a base for ``at``; ELOOP or ENOTDIR for a symbolic link unless ``follow``."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        return os.open(path, flags, dir_fd=at)

    def create(self, path: str | Path, mode: int, *, at: int | None = None) -> int:
        """Create a file that must not exist, for reading and writing, with exactly this mode whatever the umask."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=at)
        try:
            self.set_mode(fd, mode)
        except OSError:
            os.close(fd)
            raise
        return fd

    def open_existing(self, path: str | Path) -> int:
        """Open an existing file for reading and writing."""
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def open_lock_file(self, path: Path) -> int:
        """Open the file that carries the locks, made when missing."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)

    def close(self, fd: int) -> None:
        """Close a descriptor; on NFS this is where a delayed write error shows."""
        os.close(fd)

    def read(self, fd: int, count: int) -> bytes:
        """Read at the descriptor's position; empty at the end."""
        return os.read(fd, count)

    def read_at(self, fd: int, count: int, offset: int) -> bytes:
        """Read at an offset without moving the descriptor's position."""
        return os.pread(fd, count, offset)

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """Write at the descriptor's position; may write less than all."""
        return os.write(fd, data)

    def seek(self, fd: int, offset: int) -> None:
        """Set the descriptor's position."""
        os.lseek(fd, offset, os.SEEK_SET)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file to a size."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Force a file's bytes to the disk."""
        os.fsync(fd)

    def sync_folder(self, path: Path) -> None:
        """Force a folder's entries to the disk; file systems that cannot do so for folders answer EINVAL."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(fd)

    def status(self, path: str | Path, *, at: int | None = None) -> os.stat_result:
        """Answer the status of a name itself, not of what a symbolic link points to."""
        return os.stat(path, dir_fd=at, follow_symlinks=False)

    def status_of(self, fd: int) -> os.stat_result:
        """Answer the status of an open file."""
        return os.fstat(fd)

    def names(self, folder: int | Path) -> list[str]:
        """List a folder, without the names that NFS clients give to removed files still open."""
        return sorted(name for name in os.listdir(folder) if not name.startswith(".nfs"))  # noqa: PTH208

    def link(self, source: str | Path, target: str | Path, *, at: int | None = None, to: int | None = None) -> None:
        """Give the inode of ``source`` (below folder ``at``) another name (below folder ``to``)."""
        os.link(source, target, src_dir_fd=at, dst_dir_fd=to, follow_symlinks=False)

    def rename(self, source: str | Path, target: str | Path, *, at: int | None = None) -> None:
        """Rename atomically, both names below folder ``at``; a file with the target name is replaced."""
        os.rename(source, target, src_dir_fd=at, dst_dir_fd=at)

    def unlink(self, path: str | Path, *, at: int | None = None) -> None:
        """Remove a name of a file."""
        os.unlink(path, dir_fd=at)

    def make_folder(self, path: str | Path, mode: int, *, at: int | None = None) -> None:
        """Make one folder; the umask applies."""
        os.mkdir(path, mode, dir_fd=at)

    def remove_folder(self, path: str | Path, *, at: int | None = None) -> None:
        """Remove an empty folder."""
        os.rmdir(path, dir_fd=at)

    def set_mode(self, fd: int, mode: int) -> None:
        """Set the mode of an open file or folder; without effect where the mount's options decide it."""
        try:
            os.fchmod(fd, mode)
        except OSError as error:
            if error.errno not in _DECIDED_BY_THE_MOUNT:
                raise

    def set_owner(self, fd: int, uid: int, gid: int) -> None:
        """Give away an open file or folder; -1 leaves one as it is. Without effect for those who may not do that."""
        try:
            os.fchown(fd, uid, gid)
        except OSError as error:
            if error.errno not in _DECIDED_BY_THE_MOUNT:
                raise

    def clone(self, source: int, target: int) -> None:
        """Let an empty file share all blocks of another one (reflink)."""
        fcntl.ioctl(target, _FICLONE, source)

    def copy_range(self, source: int, target: int, count: int) -> int:
        """Copy inside the kernel, or inside the file server, from one position to the other; 0 at the end."""
        return os.copy_file_range(source, target, count)

    def try_lock(self, fd: int, offset: int) -> bool:
        """Take an exclusive lock on one byte, without waiting; the kernel drops it when the holder dies.

        The lock belongs to the open file description: threads exclude each other as processes do, and NFS carries it
        to other machines. Closing the descriptor gives it back.
        """
        request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, request)
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                return False
            raise
        return True

    def free_bytes(self, path: Path) -> int:
        """Answer the bytes that an ordinary user may still write to the file system."""
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def writable(self, path: Path) -> bool:
        """Whether this process could write into the folder: neither mounted read-only nor refused by its mode."""
        return not os.statvfs(path).f_flag & os.ST_RDONLY and os.access(path, os.W_OK)


def make_folders(disk: Disk, folder: Path, mode: int) -> None:
    """Make a folder and what is missing above it, each entry forced to the disk.

    :param mode: the umask applies.
    """
    missing: list[Path] = []
    with storage_errors(f"make the folder {folder}"):
        while not _is_there(disk, folder):
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            with suppress(FileExistsError):  # another worker was faster
                disk.make_folder(path, mode)
            disk.sync_folder(path.parent)


def _is_there(disk: Disk, path: Path) -> bool:
    try:
        disk.status(path)
    except FileNotFoundError:
        return False
    return True
