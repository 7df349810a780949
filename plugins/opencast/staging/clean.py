"""Remove staged objects that no open work needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opencast.staging.store import ObjectStore


@dataclass(frozen=True)
class CleanResult:
    """What was removed, or would be with ``dry_run``; bytes count only what becomes free."""

    removed: int
    bytes_freed: int
    kept_needed: int
    kept_young: int
    kept_busy: int
    leftovers: int
    dry_run: bool


def clean(
    store: ObjectStore, needed: Callable[[str, int], bool], *, min_age: float = 3600.0, dry_run: bool = False
) -> CleanResult:
    """:param needed: whether open work still needs the object (md5, size)."""
    raise NotImplementedError
