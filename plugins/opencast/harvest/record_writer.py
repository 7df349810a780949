"""Write the records of a page, exactly as they were delivered, and find out what is new about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from opencast.harvest.changes import CHANGED, DELETED, NEW
from opencast.harvest.page import OaiRecord
from opencast.store.bulk import BulkInsert
from opencast.store.harvesting import Record, RecordContent
from opencast.store.membership import one_of

#: Kind of a record that was kept as it came, because it cannot be used.
UNREADABLE = "unreadable"

_CHANGED = ("datestamp", "deleted", "digest", "error", "in_sets", "seen_pass", "changed")
_RECORDS = BulkInsert(
    Record,
    ("format_id", "identifier", "first_seen", *_CHANGED),
    key=("format_id", "identifier"),
    changed=_CHANGED,
    returning=("identifier", "id"),
)
_CONTENTS = BulkInsert(RecordContent, ("record_id", "xml"), key=("record_id",), changed=("xml",))
# Built once: they are part of every page's transaction.
_KNOWN = select(
    Record.id, Record.identifier, Record.digest, Record.datestamp, Record.deleted, Record.in_sets, Record.seen_pass
).where(Record.format_id == bindparam("format"), one_of(Record.identifier, "some"))
_TOUCH = update(Record).where(one_of(Record.id, "some")).values(seen_pass=bindparam("pass"))


class Stored(NamedTuple):
    """A record that differs from what was known of it.

    :param row: its row.
    :param kind: ``new`` (also when it comes back after a deletion), ``changed``, ``deleted`` or ``unreadable``.
    :param was_alive: whether it was there before, and not deleted.
    """

    row: int
    identifier: str
    record: OaiRecord
    digest: bytes
    kind: str
    was_alive: bool


@dataclass
class PageOutcome:
    """What a page brought.

    :param stored: what is different now, in the page's order.
    :param ignored: deleted records that are not wanted, and repetitions of a record that are older than another.
    """

    stored: list[Stored] = field(default_factory=list)
    unchanged: int = 0
    ignored: int = 0

    def count(self, kind: str) -> int:
        """Count the records of a kind."""
        return sum(1 for stored in self.stored if stored.kind == kind)


class _Known(NamedTuple):
    id: int
    identifier: str
    digest: bytes
    datestamp: datetime | None
    deleted: bool
    in_sets: list[str] | None
    seen_pass: int


class RecordWriter:
    """Writes the records of one list.

    :param format_id: the list's metadata format.
    :param set_spec: the list's set; empty for none.
    :param pass_id: the pass that reads the list; within it, an older datestamp never replaces a newer one.
    :param ignore_deleted: whether deleted records are passed over.
    """

    def __init__(self, format_id: int, set_spec: str, pass_id: int, *, ignore_deleted: bool) -> None:
        self._format_id = format_id
        self._set_spec = set_spec
        self._pass_id = pass_id
        self._ignore_deleted = ignore_deleted

    def write(self, connection: Connection, records: Iterable[OaiRecord], now: datetime) -> PageOutcome:
        """Write what is new or different; a record that is the same is only marked as seen.

        :param now: time of the change, by our clock.
        """
        outcome = PageOutcome()
        latest = self._latest(records, outcome)
        found = connection.execute(_KNOWN, {"format": self._format_id, "some": list(latest)})
        known = {row.identifier: row for row in map(_Known._make, found)}
        rows: list[tuple[Any, ...]] = []
        stored: list[tuple[str, OaiRecord, bytes, str, bool]] = []
        touched: list[int] = []
        memberships: list[dict[str, Any]] = []
        for identifier, record in latest.items():
            old = known.get(identifier)
            if old is not None and self._is_older(record, old):
                outcome.ignored += 1
                continue
            digest = record.digest
            in_sets = self._in_sets(record, old)
            if old is not None and record.deleted and in_sets:
                # Gone from this set only (Opencast calls that deleted): another harvested set still has it.
                memberships.append({"row": old.id, "sets": in_sets})
                outcome.unchanged += 1
            elif old is not None and old.digest == digest:
                if old.in_sets == in_sets:
                    touched.extend([old.id] if old.seen_pass != self._pass_id else [])
                else:
                    memberships.append({"row": old.id, "sets": in_sets})
                outcome.unchanged += 1
            else:
                rows.append(self._row(identifier, record, digest, in_sets, now))
                stored.append((identifier, record, digest, _kind(record, old), _was_alive(old)))
        ids = dict(map(tuple, _RECORDS.execute(connection, rows)))
        outcome.stored.extend(Stored(ids[one[0]], *one) for one in stored)
        _CONTENTS.execute(connection, [(one.row, one.record.xml) for one in outcome.stored])
        self._touch(connection, touched, memberships)
        return outcome

    def _latest(self, records: Iterable[OaiRecord], outcome: PageOutcome) -> dict[str, OaiRecord]:
        """Leave one record for each identifier: the one with the newest datestamp, the later one of equals."""
        latest: dict[str, OaiRecord] = {}
        for record in records:
            if record.deleted and self._ignore_deleted:
                outcome.ignored += 1
                continue
            identifier = record.identifier or _substitute(record)
            other = latest.get(identifier)
            if other is not None:
                outcome.ignored += 1
                if _is_before(record.datestamp, other.datestamp):
                    continue
            latest[identifier] = record
        return latest

    def _is_older(self, record: OaiRecord, old: _Known) -> bool:
        return old.seen_pass == self._pass_id and _is_before(record.datestamp, old.datestamp)

    def _in_sets(self, record: OaiRecord, old: _Known | None) -> list[str] | None:
        if not self._set_spec:
            return None
        before = set(old.in_sets or ()) if old is not None else set()
        after = before - {self._set_spec} if record.deleted else before | {self._set_spec}
        return sorted(after)

    def _row(
        self, identifier: str, record: OaiRecord, digest: bytes, in_sets: list[str] | None, now: datetime
    ) -> tuple[Any, ...]:
        return (
            self._format_id,
            identifier,
            now,
            record.datestamp,
            record.deleted,
            digest,
            record.error,
            in_sets,
            self._pass_id,
            now,
        )

    def _touch(self, connection: Connection, touched: list[int], memberships: list[dict[str, Any]]) -> None:
        """Mark records that are the same as seen by this pass, and those whose sets are different."""
        if touched:
            connection.execute(_TOUCH, {"some": touched, "pass": self._pass_id})
        for membership in memberships:
            changed = {"in_sets": membership["sets"], "seen_pass": self._pass_id}
            connection.execute(update(Record).where(Record.id == membership["row"]).values(changed))


def _kind(record: OaiRecord, old: _Known | None) -> str:
    if record.error:
        return UNREADABLE
    if record.deleted:
        return DELETED
    return NEW if old is None or old.deleted else CHANGED


def _was_alive(old: _Known | None) -> bool:
    return old is not None and not old.deleted


def _is_before(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _substitute(record: OaiRecord) -> str:
    """Name a record that has no usable identifier, so that it is kept all the same."""
    return f"unidentified:{record.digest.hex()}"
