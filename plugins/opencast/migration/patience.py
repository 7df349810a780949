"""Wait for what a server shows only after a while: its lists are read from an index that follows the writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from opencast.errors import NotFound

T = TypeVar("T")

#: Seconds between two looks.
_INTERVAL_S = 1.0


class Patience:
    """Look again until there is something to see.

    :param seconds: after which nothing is expected any more.
    :param sleep: waits; seconds.
    """

    def __init__(self, seconds: float = 60.0, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._looks = max(1, round(seconds / _INTERVAL_S))
        self._sleep = sleep

    def until(self, look: Callable[[], T | None]) -> T | None:
        """Return the first thing that ``look`` gives, or None when the time is over.

        :param look: gives None, or raises :class:`~opencast.errors.NotFound`, while there is nothing.
        """
        for number in range(self._looks):
            if number:
                self._sleep(_INTERVAL_S)
            try:
                found = look()
            except NotFound:
                continue
            if found is not None:
                return found
        return None
