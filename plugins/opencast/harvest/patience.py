"""How long one page is worth waiting for."""

from __future__ import annotations

import random
from collections.abc import Callable

from opencast.api.retries import FIRST_WAIT, LONGEST_WAIT
from opencast.errors import OpencastError, Throttled


class Patience:
    """Decides whether a page is asked for again, and waits before that.

    A server that is busy (429, 503) may say so as often as it likes while the waiting stays within bounds; every other
    failure is tried a few times.

    :param max_tries: how often the page is asked for at most, busy answers not counted.
    :param seconds: how long is waited in all.
    :param sleep: waits for seconds.
    :param jitter: gives a number from 0 up to 1.
    """

    def __init__(
        self,
        max_tries: int,
        seconds: float,
        *,
        sleep: Callable[[float], None],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._tries_left = max_tries - 1
        self._seconds_left = seconds
        self._sleep = sleep
        self._jitter = jitter
        self._failures = 0

    def wait(self, error: OpencastError) -> bool:
        """Wait for the next try; False, without waiting, when the page is given up."""
        if not error.retriable:
            return False
        self._failures += 1
        ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._failures - 1))
        pause = ceiling * (0.5 + self._jitter() / 2)
        if isinstance(error, Throttled):
            pause = max(pause, error.retry_after or 0.0)
        elif self._tries_left > 0:
            self._tries_left -= 1
        else:
            return False
        if pause > self._seconds_left:
            return False
        self._seconds_left -= pause
        self._sleep(pause)
        return True
