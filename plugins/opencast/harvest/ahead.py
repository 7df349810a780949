"""Read ahead: while one page is written, the next one is on its way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

#: Seconds that a reader is waited for when nobody wants its pages any more. It may be in the middle of a request, whose
#: time-out ends it later; it writes nothing.
_FAREWELL = 5.0
_TICK = 0.1


class ReadAhead(Generic[T]):
    """Runs an iterator in a thread of its own and gives what it yields, in order; its error comes in its place.

    Used as a context manager, so that the thread ends whatever happens to the consumer.

    :param items: only this thread uses it from now on.
    :param depth: how many items wait at most for the consumer.
    """

    def __init__(self, items: Iterator[T], *, depth: int = 1) -> None:
        self._items = items
        self._queue: Queue[tuple[T | None, BaseException | None]] = Queue(maxsize=depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="harvest-read-ahead", daemon=True)

    def __enter__(self) -> Iterator[T]:
        self._thread.start()
        return self._results()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        while True:
            try:
                self._queue.get_nowait()
            except Empty:
                break
        self._thread.join(_FAREWELL)

    def _results(self) -> Iterator[T]:
        while True:
            item, error = self._queue.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item, None)):
                    return
            self._put((None, None))
        except BaseException as error:
            # The consumer raises it where it would have met it without the thread.
            self._put((None, error))

    def _put(self, result: tuple[T | None, BaseException | None]) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(result, timeout=_TICK)
            except Full:
                continue
            return True
        return False
