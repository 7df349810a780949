"""Take a file of the source's mounted storage into the store: by link, by reflink, or by copy; checked in each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opencast.errors import ChecksumMismatch, SizeMismatch
from opencast.staging.copying import OpenFile, copy_into, read_digest
from opencast.staging.digest import Digest
from opencast.staging.disk import NOT_THIS_WAY, storage_errors
from opencast.staging.store import ObjectStore, StoredObject


@dataclass(frozen=True)
class Taken:
    """What a fetch did.

    :param bytes_read: bytes read of the source.
    :param bytes_written: bytes written to the staging file system.
    """

    stored: StoredObject
    how: Literal["link", "reflink", "copy", "download"]
    bytes_read: int
    bytes_written: int
    notes: tuple[str, ...] = ()


def take(store: ObjectStore, key: str, source: OpenFile, md5: str | None, size: int | None, *, link: bool) -> Taken:
    """Bring a mounted file into the store; the caller holds the lock of ``key``, and discards it after an error.

    :param md5: of the source, None when it has none.
    :param size: of the source, None when unknown.
    :param link: whether a hard link may be tried.
    :raises SourceChanged: the file changed while it was read.
    :raises ChecksumMismatch: the file is another one than the md5 says.
    :raises SizeMismatch: the file has another size, and there is no md5 to say which is right.
    """
    notes: list[str] = []
    if link:
        taken = _take_link(store, key, source, md5, size, notes)
        if taken is not None:
            return taken
    with store.create(key, source.status.st_size) as part:
        cloned = copy_into(store.disk, source, part, store.check_room)
        digest = part.finish()
        source.check_unchanged(store.disk)
        check(digest, md5, size, str(source.path))
    stored = store.publish(part.path, digest)
    return Taken(stored, "reflink" if cloned else "copy", digest.size, part.bytes_written, tuple(notes))


def _take_link(
    store: ObjectStore, key: str, source: OpenFile, md5: str | None, size: int | None, notes: list[str]
) -> Taken | None:
    """Link first, then read through the link: what was checked is what becomes visible."""
    disk, temporary = store.disk, store.link_path(key)
    with storage_errors(f"link {source.path} into staging"):
        try:
            disk.link(source.name, temporary, at=source.folder)
        except OSError as error:
            if error.errno not in NOT_THIS_WAY:
                raise
            notes.append(f"not linked into staging: {error.strerror}")
            return None
    with storage_errors(f"read {source.path}"):
        fd = disk.open_read(temporary)
        try:
            digest = read_digest(disk, fd)
            source.check_unchanged(disk, fd)
        finally:
            disk.close(fd)
    check(digest, md5, size, str(source.path))
    return Taken(store.publish(temporary, digest), "link", digest.size, 0)


def check(digest: Digest, md5: str | None, size: int | None, what: str) -> None:
    """Compare what was read with what the source says.

    Where the source has an md5 it decides alone: a wrong size beside a right md5 is a fault of the metadata.

    :raises ChecksumMismatch: another md5.
    :raises SizeMismatch: no md5 to compare, and another size.
    """
    if md5 is not None:
        if digest.md5 != md5:
            raise ChecksumMismatch(f"{what} has md5 {digest.md5} and {digest.size} bytes instead of md5 {md5}.")
    elif size is not None and digest.size != size:
        raise SizeMismatch(f"{what} has {digest.size} bytes instead of {size}.")
