"""The OAI-PMH repositories: their records, the order harvesters see them in, and resumption tokens."""

from __future__ import annotations

import bisect
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulator import clock


@dataclass(frozen=True, slots=True)
class InlinedElement:
    """A catalog or attachment that was stored along with a package; ``xml`` has no prolog."""

    kind: str
    flavor: str
    xml: str


@dataclass(frozen=True, slots=True)
class OaiContents:
    """What a record shows: the XML of its package, without prolog, and the XML files among its elements."""

    package: str
    elements: tuple[InlinedElement, ...] = ()


@dataclass(frozen=True, slots=True)
class OaiRecord:
    """An entry of a repository; its contents are loaded when asked for, so that a large repository costs little."""

    repository: str
    package_id: str
    org: str
    modified: datetime
    load: Callable[[], OaiContents] = field(repr=False)
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """What a resumption token stands for: all records of the query modified later than the last one delivered."""

    prefix: str
    last: datetime
    until: datetime


class OaiRepositories:
    """The records of all repositories, and the tokens of one server.

    :param names: of the registered repositories.
    :param whole_seconds: dates are kept in seconds, as some databases do: then a page that ends among several records
        of one second loses the rest of them.
    :param tokens: how many tokens are remembered; the one that was not used for longest is forgotten first.
    """

    def __init__(
        self, names: tuple[str, ...] = ("default",), whole_seconds: bool = False, tokens: int = 100
    ) -> None:  # fmt: skip
        self.names, self.whole_seconds, self._limit = names, whole_seconds, tokens
        self._lock = threading.RLock()
        self._records: dict[tuple[str, str, str], OaiRecord] = {}
        self._sorted: list[OaiRecord] | None = None
        self._tokens: OrderedDict[str, SavedQuery] = OrderedDict()

    def put(self, record: OaiRecord) -> None:
        """Store a record, in place of an earlier one of the same package."""
        if self.whole_seconds:
            record = replace(record, modified=record.modified.replace(microsecond=0))
        with self._lock:
            key = (record.org, record.repository, record.package_id)
            self._records.pop(key, None)
            self._records[key] = record
            self._sorted = None

    def get(self, org: str, repository: str, package_id: str) -> OaiRecord | None:
        """Find a record, also a deleted one."""
        with self._lock:
            return self._records.get((org, repository, package_id))

    def delete(self, org: str, repository: str, package_id: str) -> None:
        """Leave a tombstone in the place of a record, with the date of now."""
        record = self.get(org, repository, package_id)
        if record is not None:
            self.put(replace(record, deleted=True, modified=clock.now()))

    def now(self) -> datetime:
        """Give the end of a list that names none: now, or the newest record where that comes from a faster clock."""
        with self._lock:
            return max([clock.now(), *(record.modified for record in self._in_order()[-1:])])

    def _in_order(self) -> list[OaiRecord]:
        if self._sorted is None:
            self._sorted = sorted(self._records.values(), key=_modified)
        return self._sorted

    def search(
        self, org: str, repository: str, after: datetime | None, until: datetime, limit: int, *, resumed: bool
    ) -> list[OaiRecord]:
        """Give the records modified between two moments, oldest first.

        :param resumed: those modified exactly at ``after`` were delivered already.
        """
        with self._lock:
            held = self._in_order()
        side = bisect.bisect_right if resumed else bisect.bisect_left
        first = 0 if after is None else side(held, after, key=_modified)
        found: list[OaiRecord] = []
        for record in held[first:]:
            if record.modified > until or len(found) >= limit:
                break
            if record.org == org and record.repository == repository:
                found.append(record)
        return found

    def save(self, query: SavedQuery) -> str:
        """Remember a query; gives its token."""
        token = secrets.token_hex(16)
        with self._lock:
            self._tokens[token] = query
            while len(self._tokens) > self._limit:
                self._tokens.popitem(last=False)
        return token

    def saved(self, token: str) -> SavedQuery | None:
        """Find the query of a token; it can be used again."""
        with self._lock:
            if token in self._tokens:
                self._tokens.move_to_end(token)
            return self._tokens.get(token)

    def forget_tokens(self) -> None:
        """Do what a restart of the server does."""
        with self._lock:
            self._tokens.clear()


def _modified(record: OaiRecord) -> datetime:
    return record.modified
