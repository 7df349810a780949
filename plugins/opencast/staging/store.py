"""The content-addressed store: an object is there once, whatever uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoredObject:
    """An object as it lies in the store; ``age`` in seconds since its last link, removal of a link or creation."""

    md5: str
    size: int
    path: Path
    age: float
    links: int


class ObjectStore:
    """:param root: on the staging file system; made when missing.

    :param budget_bytes: most bytes that staging alone may hold (objects with another name elsewhere cost nothing).
    :param reserve_bytes: free bytes always left on the file system.
    """

    def __init__(self, root: Path, *, budget_bytes: int | None = None, reserve_bytes: int = 1 << 30) -> None:
        raise NotImplementedError

    def path(self, md5: str, size: int) -> Path:
        raise NotImplementedError

    def find(self, md5: str, size: int | None = None) -> StoredObject | None:
        raise NotImplementedError

    def objects(self) -> Iterator[StoredObject]:
        raise NotImplementedError

    def remove(self, md5: str, size: int) -> bool:
        raise NotImplementedError

    def sweep(self, *, min_age: float = 0.0) -> int:
        """Remove what killed runs left; answer how many names."""
        raise NotImplementedError
