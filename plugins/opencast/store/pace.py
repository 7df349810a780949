"""How fast servers may be used, over all processes: rates of a source, and imports that a target bears."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opencast.store.base import utc_now
from opencast.store.campaigning import Allowance, TargetPace
from opencast.store.database import Database
from opencast.store.rows import locked_row

#: A target that had trouble gets one more import at the same time after each of these spans without trouble.
RECOVERY = timedelta(seconds=60)
#: Troubles within this span are one: all imports in flight meet the same one.
SAME_TROUBLE = timedelta(seconds=30)


class Allowances:
    """Rates that several processes use up together.

    :param clock: seconds since 1970; the clocks of all workers should agree within a second or so.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def take(self, name: str, amount: float, rate: float) -> float:
        """Take a part of a rate.

        :param name: such as ``requests https://source.example.org#mh_default_org``.
        :param amount: requests or bytes.
        :param rate: of them in a second, more than 0.
        :return: seconds to wait before the part may be used.
        """
        now = self._clock()
        with self._database.session() as session:
            row = locked_row(session, Allowance, name, used_until=now)
            begin = max(row.used_until, now)
            row.used_until = begin + amount / rate
            return begin - now


@dataclass(frozen=True)
class Trouble:
    """The last trouble of a target.

    :param allowed: imports at the same time right after it.
    """

    allowed: int
    at: datetime
    reason: str


class TargetPaces:
    """How many imports at the same time a target bears: half as many after a trouble, then slowly more again."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._now = now

    def allowed(self, target: str, limit: int) -> int:
        """Return how many imports may be in flight at the same time right now, at most ``limit``."""
        trouble = self.trouble(target)
        return limit if trouble is None else _recovered(trouble, limit, self._now())

    def trouble(self, target: str) -> Trouble | None:
        """Return the last trouble, or None."""
        with self._database.reading() as session:
            row = session.get(TargetPace, target)
            return None if row is None else Trouble(row.allowed, row.at, row.reason)

    def slow_down(self, target: str, limit: int, reason: str) -> bool:
        """Note a trouble.

        :param limit: imports at the same time that are wanted.
        :param reason: what was seen, such as ``503 Service Unavailable``.
        :return: False when it is the one that was noted just before.
        """
        now = self._now()
        with self._database.session() as session:
            row = locked_row(session, TargetPace, target, allowed=limit, at=now - SAME_TROUBLE, reason="")
            if now - row.at < SAME_TROUBLE:
                return False
            before = _recovered(Trouble(row.allowed, row.at, row.reason), limit, now)
            row.allowed, row.at, row.reason = max(1, before // 2), now, reason[:500]
            return True


def _recovered(trouble: Trouble, limit: int, now: datetime) -> int:
    steps = max(0, int((now - trouble.at) / RECOVERY))
    return max(1, min(limit, trouble.allowed + steps))
