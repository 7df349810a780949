"""Remove staged objects that no open work needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opencast.staging.digest import Digest
from opencast.staging.store import ObjectStore, StoredObject


@dataclass(frozen=True)
class CleanResult:
    """What was removed; with ``dry_run`` what would be.

    :param removed: number of objects.
    :param bytes_freed: only of objects whose inode has no other name: the others free nothing.
    :param kept_needed: objects that open work needs.
    :param kept_young: objects too young to tell.
    :param kept_busy: objects that a worker was just fetching.
    :param leftovers: temporary files of killed workers that were removed; 0 with ``dry_run``.
    """

    removed: int
    bytes_freed: int
    kept_needed: int
    kept_young: int
    kept_busy: int
    leftovers: int
    dry_run: bool


def clean(
    store: ObjectStore, needed: Callable[[Digest], bool], *, min_age: float = 3600.0, dry_run: bool = False
) -> CleanResult:
    """Remove what no open work needs.

    :param needed: whether open work needs an object; asked once for each object.
    :param min_age: seconds; a younger object may have been staged by work that is not in the ledger yet.
    :param dry_run: count only.
    """
    removed: list[StoredObject] = []
    kept_needed = kept_young = kept_busy = 0
    for found in store.objects():
        if found.age < min_age:
            kept_young += 1
        elif needed(found.digest):
            kept_needed += 1
        elif dry_run:
            removed.append(found)
        else:
            gone = store.remove(found.digest)
            kept_busy += gone is None
            if gone:
                removed.append(found)
    return CleanResult(
        removed=len(removed),
        bytes_freed=sum(found.own_bytes for found in removed),
        kept_needed=kept_needed,
        kept_young=kept_young,
        kept_busy=kept_busy,
        leftovers=0 if dry_run else store.sweep(min_age=min_age),
        dry_run=dry_run,
    )
