"""Audits: what a comparison of two servers, or the check of one, found about each object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from opencast.store.base import Base, UtcDateTime, utc_now
from opencast.store.bulk import BulkInsert
from opencast.store.database import Database

_BATCH = 500


class Outcome(StrEnum):
    """What was found about an object. A comparison has the first five, a check of one server the last two."""

    SAME = "same"
    DIFFERENT = "different"
    ONLY_SOURCE = "only on source"
    ONLY_TARGET = "only on target"
    UNREADABLE = "unreadable"
    SOUND = "sound"
    BROKEN = "broken"


class Check(StrEnum):
    """What was looked at."""

    COMPARISON = "comparison"
    PUBLICATIONS_OF_SOURCE = "publications of source"
    PUBLICATIONS_OF_TARGET = "publications of target"


class Audit(Base):
    """One audit; ``key`` is ``<dag id>/<run id>``."""

    __tablename__ = "audit"

    key: Mapped[str] = mapped_column(String(512), primary_key=True)
    #: ``<url>#<organization>`` of both servers; no target when only one server is checked.
    source: Mapped[str] = mapped_column(Text)
    target: Mapped[str | None] = mapped_column(Text)
    #: The run's params; they hold no secrets.
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    begun: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditFinding(Base):
    """What one check of an audit found about one object."""

    __tablename__ = "audit_finding"
    __table_args__ = (Index("ix_audit_finding_audit_key_outcome", "audit_key", "outcome"),)

    audit_key: Mapped[str] = mapped_column(ForeignKey("audit.key", ondelete="CASCADE"), primary_key=True)
    check: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(32))
    #: The first difference or problem; the error of what is unreadable.
    detail: Mapped[str] = mapped_column(Text)
    #: How many differences or problems there are.
    count: Mapped[int] = mapped_column(Integer)
    #: Deviations that are no difference, each with its reason.
    notes: Mapped[list[str]] = mapped_column(JSON)


@dataclass(frozen=True)
class Finding:
    """What was found about one object.

    :param kind: such as ``series`` or ``event``.
    :param detail: the first difference or problem.
    :param count: how many there are.
    :param notes: deviations that are no difference.
    """

    check: Check
    kind: str
    identifier: str
    title: str
    outcome: Outcome
    detail: str = ""
    count: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditHead:
    """An audit without its findings."""

    key: str
    source: str
    target: str | None
    params: dict[str, Any]
    begun: datetime
    ended: datetime | None


_COLUMNS = ("audit_key", "check", "kind", "identifier", "title", "outcome", "detail", "count", "notes")
_KEY = ("audit_key", "check", "kind", "identifier")
_WRITE = BulkInsert(AuditFinding, _COLUMNS, key=_KEY, changed=_COLUMNS[len(_KEY) :])


class Audits:
    """All audits in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, source: str, target: str | None, params: dict[str, Any]) -> None:
        """Begin an audit; one of the same key (a task that is tried again) is replaced with all its findings."""
        with self._database.session() as session:
            session.execute(delete(AuditFinding).where(AuditFinding.audit_key == key))
            session.execute(delete(Audit).where(Audit.key == key))
            session.add(Audit(key=key, source=source, target=target, params=params))

    def write(self, key: str, findings: Iterable[Finding]) -> int:
        """Write findings; what an earlier try found about the same objects is replaced. Return how many."""
        written = 0
        rows = iter(findings)
        while chunk := list(islice(rows, _BATCH)):
            unique = {(found.check, found.kind, found.identifier): found for found in chunk}
            with self._database.session() as session:
                _WRITE.execute(session.connection(), [_values(key, found) for found in unique.values()])
            written += len(unique)
        return written

    def end(self, key: str) -> None:
        """Note that an audit is complete."""
        with self._database.session() as session:
            session.get_one(Audit, key).ended = utc_now()

    def head(self, key: str) -> AuditHead | None:
        """Return an audit without its findings, or None."""
        with self._database.reading() as session:
            row = session.get(Audit, key)
            if row is None:
                return None
            return AuditHead(row.key, row.source, row.target, row.params, row.begun, row.ended)

    def counts(self, key: str) -> dict[Check, dict[Outcome, int]]:
        """Count the findings of each check by outcome."""
        query = (
            select(AuditFinding.check, AuditFinding.outcome, func.count())
            .where(AuditFinding.audit_key == key)
            .group_by(AuditFinding.check, AuditFinding.outcome)
        )
        found: dict[Check, dict[Outcome, int]] = {}
        with self._database.reading() as session:
            for check, outcome, count in session.execute(query):
                found.setdefault(Check(check), {})[Outcome(outcome)] = count
        return found

    def findings(self, key: str, check: Check | None = None, outcome: Outcome | None = None) -> Iterator[Finding]:
        """Iterate findings by check, kind and id, without holding them in memory."""
        query = select(AuditFinding).where(AuditFinding.audit_key == key)
        if check is not None:
            query = query.where(AuditFinding.check == check)
        if outcome is not None:
            query = query.where(AuditFinding.outcome == outcome)
        query = query.order_by(AuditFinding.check, AuditFinding.kind, AuditFinding.identifier)
        with self._database.reading() as session:
            for row in session.scalars(query.execution_options(yield_per=_BATCH)):
                yield _finding(row)


def _values(key: str, found: Finding) -> tuple[Any, ...]:
    return (
        key,
        found.check.value,
        found.kind,
        found.identifier,
        found.title,
        found.outcome.value,
        found.detail,
        found.count,
        list(found.notes),
    )


def _finding(row: AuditFinding) -> Finding:
    return Finding(
        check=Check(row.check),
        kind=row.kind,
        identifier=row.identifier,
        title=row.title,
        outcome=Outcome(row.outcome),
        detail=row.detail,
        count=row.count,
        notes=tuple(row.notes),
    )
