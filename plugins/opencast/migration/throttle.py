"""Keep the rates of a source, and notice when a target slows down; the limits are read anew every few seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from opencast.migration.limits import Limits
from opencast.store.pace import Allowances, TargetPaces

#: Seconds after which a changed limit takes effect at the latest.
LIMITS_LIFETIME_S = 5.0
#: A part of a rate that a process takes at once: the store is asked at most twice a second then.
_PART_S = 0.5
_SMALLEST_PART_BYTES = 256 * 1024
#: Answers that say that a server has too much to do, or is being restarted.
_TROUBLED = frozenset({429, 502, 503, 504})


class CurrentLimits:
    """The limits as they are now.

    :param read: reads them from the store.
    """

    def __init__(self, read: Callable[[], Limits], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._limits = Limits()

    def get(self) -> Limits:
        """Return the limits, read anew when they are some seconds old."""
        with self._lock:
            if self._clock() - self._at >= LIMITS_LIFETIME_S:
                self._limits = self._read()
                self._at = self._clock()
            return self._limits


class SourceThrottle:
    """Waits before requests to a source, and after bytes that were downloaded from it.

    It is a ``opencast.api.watch.Watch`` for the client and a ``opencast.staging.bandwidth.Meter`` for downloads.

    :param source: name of the source in the store.
    """

    def __init__(
        self,
        allowances: Allowances,
        limits: CurrentLimits,
        source: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._requests = _Taker(allowances, f"requests {source}", sleep)
        self._bytes = _Taker(allowances, f"bytes {source}", sleep)

    def before(self) -> None:
        """Wait until the next request may be sent."""
        rate = self._limits.get().requests_per_second
        if rate is not None:
            self._requests.use(1, rate, max(1, int(rate * _PART_S)))

    def after(self, method: str, status: int | None, seconds: float) -> None:
        """Note nothing: the client repeats what a source turns away."""

    def take(self, count: int) -> None:
        """Wait until bytes that were just read are within the limit."""
        rate = self._limits.get().megabytes_per_second
        if rate is not None:
            self._bytes.use(count, rate * 1e6, max(_SMALLEST_PART_BYTES, int(rate * 1e6 * _PART_S)))


class TargetWatch:
    """Notes in the store when a target slows down or turns requests away.

    :param target: name of the target in the store.
    :param slow_s: seconds for the answer to a reading request that are taken for trouble.
    """

    def __init__(self, paces: TargetPaces, limits: CurrentLimits, target: str, slow_s: float) -> None:
        self._paces = paces
        self._limits = limits
        self._target = target
        self._slow_s = slow_s

    def before(self) -> None:
        """Never wait: what has begun is brought to its end."""

    def after(self, method: str, status: int | None, seconds: float) -> None:
        """Judge an answer."""
        if status is None:
            self._note("no answer")
        elif status in _TROUBLED:
            self._note(f"HTTP {status}")
        elif method == "GET" and seconds > self._slow_s:
            self._note(f"an answer took {seconds:.0f} s")

    def _note(self, reason: str) -> None:
        self._paces.slow_down(self._target, self._limits.get().imports_in_flight, reason)


class _Taker:
    """Uses up parts of a rate that all processes share."""

    def __init__(self, allowances: Allowances, name: str, sleep: Callable[[float], None]) -> None:
        self._allowances = allowances
        self._name = name
        self._sleep = sleep
        self._lock = threading.Lock()
        self._left = 0.0

    def use(self, amount: float, rate: float, part: float) -> None:
        """Use an amount, and wait for a part of the rate when none is left."""
        with self._lock:
            self._left -= amount
            while self._left < 0:
                taken = max(part, -self._left)
                wait = self._allowances.take(self._name, taken, rate)
                self._left += taken
                if wait > 0:
                    self._sleep(wait)
