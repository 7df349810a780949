"""The search index behind ``/api``: writes show after a lag, and an updated document moves to the end."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LaggingIndex(Generic[T]):
    """Documents by id.

    :param lag: seconds between a write and the moment when readers see it; may be changed while running.
    """

    def __init__(self, lag: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.lag = lag
        self._clock = clock
        self._lock = threading.RLock()
        self._written: dict[str, T] = {}
        self._visible: dict[str, T] = {}
        self._pending: deque[tuple[float, str, T | None]] = deque()

    def load(self, key: str, document: T) -> None:
        """Put a document in at once, for filling a server."""
        with self._lock:
            self._written[key] = self._visible[key] = document

    def put_in_order(self, keys: list[str]) -> None:
        """Order the documents, for filling a server; unknown ones are left out, others come first."""
        with self._lock:
            for documents in (self._written, self._visible):
                for key in keys:
                    if key in documents:
                        documents[key] = documents.pop(key)

    def update(self, key: str, change: Callable[[T | None], T | None]) -> None:
        """Write what ``change`` makes of the newest document; None deletes."""
        with self._lock:
            document = change(self._written.get(key))
            _set(self._written, key, document)
            self._pending.append((self._clock() + self.lag, key, document))
            self._settle()

    def catch_up(self) -> None:
        """Show all writes at once."""
        with self._lock:
            self._pending = deque((0.0, key, document) for _, key, document in self._pending)
            self._settle()

    def get(self, key: str) -> T | None:
        """Find a document as readers see it."""
        with self._lock:
            self._settle()
            return self._visible.get(key)

    def all(self) -> list[T]:
        """Give all documents as readers see them, in the index' own order."""
        with self._lock:
            self._settle()
            return list(self._visible.values())

    def _settle(self) -> None:
        while self._pending and self._pending[0][0] <= self._clock():
            _, key, document = self._pending.popleft()
            _set(self._visible, key, document)


def _set(documents: dict[str, T], key: str, document: T | None) -> None:
    documents.pop(key, None)
    if document is not None:
        documents[key] = document
