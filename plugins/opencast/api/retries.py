"""Decide whether a failed request is sent again, and how long to wait before that."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from requests import Response
from requests.exceptions import ConnectTimeout, ContentDecodingError, RequestException, SSLError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError

#: First wait and longest wait in seconds; each wait is twice the one before.
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
#: A server that asks for more than this many seconds is not waited for: the task gives its slot back instead.
LONGEST_RETRY_AFTER = 60.0

#: The request was turned away before anything was done: worth another try whatever the method was.
_TURNED_AWAY = frozenset({429, 503})
#: Something may have been done before it failed: repeated only when doing it twice is the same as once.
_FAILED_ON_THE_WAY = frozenset({500, 502, 504})


@dataclass(frozen=True)
class RetryPolicy:
    """When and how often to try again.

    :param max_tries: how often a request is sent at most.
    :param sleep: waits for seconds.
    :param jitter: gives a number from 0 up to 1; spreads the clients that failed at the same moment.
    """

    max_tries: int
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait(self, tries: int, retry_after: float | None = None) -> bool:
        """Wait before the next try.

        :param tries: how often the request was sent up to now.
        :param retry_after: seconds that the server asked for.
        :returns: False, without waiting, when no further try is due: all tries are used up, or the server asks for
            more patience than a worker's slot is worth.
        """
        if tries >= self.max_tries or (retry_after is not None and retry_after > LONGEST_RETRY_AFTER):
            return False
        ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1))
        pause = ceiling * (0.5 + self.jitter() / 2)
        self.sleep(max(pause, retry_after or 0.0))
        return True


def worth_repeating(status: int, *, idempotent: bool) -> bool:
    """Tell whether an answer of this status may be followed by a better one."""
    return status in _TURNED_AWAY or (idempotent and status in _FAILED_ON_THE_WAY)


def failure_worth_repeating(error: RequestException, *, idempotent: bool) -> bool:
    """Tell whether a request without an answer may be sent again.

    A certificate that is not accepted stays so, and so does a body that cannot be unpacked. When no connection came
    about, nothing was sent and nothing was done.
    """
    if isinstance(error, SSLError | ContentDecodingError | ValueError):
        return False
    return idempotent or nothing_was_sent(error)


def nothing_was_sent(error: RequestException) -> bool:
    """Tell whether an error happened before the first byte of the request left."""
    if isinstance(error, ConnectTimeout):
        return True
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | NameResolutionError | ConnectTimeoutError)


def retry_after(response: Response, *, now: Callable[[], float] = time.time) -> float | None:
    """Read ``Retry-After`` (RFC 9110, section 10.2.3): seconds, or a date.

    A date is held against the answer's own ``Date``, because the two clocks may differ.

    :returns: seconds from now on, 0 or more; None when there is no such header or it makes no sense.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    sent = http_date(response.headers.get("Date", ""))
    return max(0.0, until - (now() if sent is None else sent))


def http_date(text: str) -> float | None:
    """Read a date as HTTP writes it; None when it is none.

    :returns: seconds since 1970-01-01T00:00:00Z.
    """
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
