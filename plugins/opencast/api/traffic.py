"""Count requests and bytes, so that benchmarks can tell what a migration costs."""

from __future__ import annotations

import threading

from opencast.api.watch import Watch


class Traffic:
    """Counters that several threads may raise at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Told about every request, or None.
        self.watch: Watch | None = None
        #: Requests sent, repeated ones included.
        self.requests = 0
        #: Bytes of bodies received.
        self.bytes_read = 0
        #: Bytes of bodies handed to the network, repeated ones included.
        self.bytes_written = 0

    def sent(self, size: int) -> None:
        """Count one request with a body of ``size`` bytes."""
        with self._lock:
            self.requests += 1
            self.bytes_written += size

    def received(self, size: int) -> None:
        """Count ``size`` bytes of an answer's body."""
        with self._lock:
            self.bytes_read += size
