"""How much staging may hold: a budget in bytes, and bytes that must stay free on the file system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from opencast.errors import StagingError, StagingFull
from opencast.staging.disk import Disk, storage_errors
from opencast.staging.incoming import Promise

#: How long a count of the objects' bytes is used again: counting looks at every object.
_COUNT_VALID_SECONDS = 10.0


class Room:
    """Says whether what is on its way fits, before it is written.

    :param budget: bytes that staging alone may hold; None for no limit.
    :param reserve: bytes always left free on the file system of ``root``.
    :param object_bytes: counts the bytes of all objects that have no name outside of the store.
    :param promises: what all workers are writing at the moment.
    """

    def __init__(
        self,
        disk: Disk,
        root: Path,
        *,
        budget: int | None,
        reserve: int,
        object_bytes: Callable[[], int],
        promises: Callable[[], Iterable[Promise]],
    ) -> None:
        self._disk = disk
        self._root = root
        self._budget = budget
        self._reserve = reserve
        self._object_bytes = object_bytes
        self._promises = promises
        self._count = 0
        self._counted_at: float | None = None

    def check_size(self, size: int) -> None:
        """Refuse what would not fit into an empty store either.

        :raises StagingError: not retriable, since waiting does not help.
        """
        if self._budget is not None and size > self._budget:
            raise StagingError(
                f"A file of {size} bytes does not fit into the staging budget of {self._budget} bytes.",
                advice="Raise the staging budget.",
            )

    def check(self, extra: int = 0) -> None:
        """Check that everything promised to files on their way fits.

        :param extra: bytes that are needed beyond what was promised.
        :raises StagingFull: when free space less the reserve, or the budget, does not hold it.
        """
        promises = list(self._promises())
        outstanding = extra + sum(promise.outstanding for promise in promises)
        with storage_errors(f"ask for the free space of {self._root}"):
            free = self._disk.free_bytes(self._root)
        if free - outstanding < self._reserve:
            raise StagingFull(
                f"{self._root} has {free} bytes free, files on their way need {outstanding} of them, "
                f"and {self._reserve} must stay free."
            )
        if self._budget is None:
            return
        total = extra + self._objects() + sum(promise.total for promise in promises)
        if total > self._budget:
            raise StagingFull(f"{self._root} would hold {total} bytes; its budget is {self._budget}.")

    def add(self, size: int) -> None:
        """Add an object that this worker has just stored to the last count."""
        self._count += size

    def forget_count(self) -> None:
        """Count again next time."""
        self._counted_at = None

    def _objects(self) -> int:
        now = time.monotonic()
        if self._counted_at is None or now - self._counted_at > _COUNT_VALID_SECONDS:
            self._count = self._object_bytes()
            self._counted_at = now
        return self._count
