"""Open a staged object for sending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opencast.errors import ChecksumMismatch
from opencast.staging.copying import OpenFile
from opencast.staging.disk import Disk, storage_errors
from opencast.staging.source import StagedObject

CHANGED_ADVICE = (
    "Somebody writes into files that staging shares with the source or the target: run the audit of shared files. "
    "The next run fetches the object again."
)


@contextmanager
def open_staged(disk: Disk, staged: StagedObject) -> Iterator[OpenFile]:
    """Open a staged object.

    :raises ChecksumMismatch: it has another size than when it was staged.
    :raises StorageFailure: it is gone, or cannot be read.
    """
    with storage_errors(f"open {staged.path}"):
        fd = disk.open_read(staged.path)
    try:
        with storage_errors(f"read the status of {staged.path}"):
            status = disk.status_of(fd)
        if status.st_size != staged.size:
            raise ChecksumMismatch(
                f"The staged object {staged.digest} has {status.st_size} bytes by now.", advice=CHANGED_ADVICE
            )
        yield OpenFile(staged.path, None, str(staged.path), fd, status)
    finally:
        with storage_errors(f"close {staged.path}"):
            disk.close(fd)
