"""Read ahead: while pages are written, the next ones are on their way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

#: Seconds that a reader is waited for when nobody wants its pages any more. It may be in the middle of a request, whose
#: time-out ends it later; it writes nothing.
_FAREWELL = 5.0


class ReadAhead(Generic[T]):
    """Runs an iterator in a thread of its own and gives what it yields, in order; its error comes in its place.

    It gives lists: all that has come while the consumer was busy, so that a slow consumer does more at once.

    Used as a context manager, so that the thread ends whatever happens to the consumer.

    :param items: only this thread uses it from now on.
    :param weigh: how much memory an item takes, in bytes.
    :param limit: bytes; no more is read while the items that wait for the consumer weigh as much.
    """

    def __init__(self, items: Iterator[T], *, weigh: Callable[[T], int], limit: int) -> None:
        self._items = items
        self._weigh = weigh
        self._limit = limit
        self._ready: list[T] = []
        self._weight = 0
        self._ended = False
        self._stopped = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="harvest-read-ahead", daemon=True)

    def __enter__(self) -> Iterator[list[T]]:
        self._thread.start()
        return self._results()

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(_FAREWELL)

    def _results(self) -> Iterator[list[T]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._ended)
                ready, self._ready, self._weight = self._ready, [], 0
                self._changed.notify_all()
            if ready:
                yield ready
            elif self._error is not None:
                raise self._error
            else:
                return

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._offer(item):
                    return
        except BaseException as raised:
            # The consumer raises it where it would have met it without the thread.
            error = raised
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _offer(self, item: T) -> bool:
        """Hand an item over as soon as there is room; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._weight < self._limit)
            self._ready.append(item)
            self._weight += self._weigh(item)
            self._changed.notify_all()
            return not self._stopped
