"""A limit in bytes per second, shared by all downloads of a process."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

#: A pause shorter than this costs more than it slows.
_SHORTEST_PAUSE = 0.01
#: What may be read at once after a pause, as a part of a second's allowance.
_BURST_SECONDS = 0.25


class Meter(Protocol):
    """Somebody who is told about every byte of a download, and may slow it down."""

    def take(self, count: int) -> None:
        """Pay for bytes that were just read, by waiting until the next ones may be."""


class Bandwidth:
    """A token bucket: each byte read is paid for, late if need be.

    :param rate: bytes per second, more than 0; None for no limit.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._paid_until = clock()

    def take(self, count: int) -> None:
        """Pay for bytes that were just read, by waiting until the limit allows the next ones."""
        if self.rate is None:
            return
        with self._lock:
            now = self._clock()
            self._paid_until = max(self._paid_until, now - _BURST_SECONDS) + count / self.rate
            pause = self._paid_until - now
        if pause > _SHORTEST_PAUSE:
            self._sleep(pause)
