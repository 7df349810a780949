"""The ledger: what happened to each object between one source and one target, over all runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.tables import LedgerEntry, LedgerStep, Pair

#: The only step of an object that is migrated in one go: all but mediapackages and scheduled events.
MIGRATE = "migrate"
#: Ids that one statement compares at most.
_CHUNK = 500


class Kind(StrEnum):
    """The kinds of objects that are migrated."""

    AGENT = "agent"
    THEME = "theme"
    SERIES = "series"
    MEDIAPACKAGE = "mediapackage"
    SCHEDULED = "scheduled"
    PLAYLIST = "playlist"


class State(StrEnum):
    """Where an object stands. Only what was verified is done."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """How one step ended."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Traffic:
    """Bytes of one object.

    :param total: bytes of its unique files.
    :param read: bytes read from the source.
    :param written: bytes written to the target.
    """

    total: int = 0
    read: int = 0
    written: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.total + other.total, self.read + other.read, self.written + other.written)


@dataclass(frozen=True)
class Entry:
    """The ledger's row of one object."""

    kind: Kind
    identifier: str
    title: str
    state: State
    reason: str
    source_version: str | None
    started: datetime
    ended: datetime | None
    traffic: Traffic
    notes: tuple[str, ...]
    plan_key: str | None


@dataclass(frozen=True)
class Step:
    """One step of one object."""

    kind: Kind
    identifier: str
    step: str
    outcome: Outcome
    at: datetime
    bytes: int
    reason: str
    workflow_id: int | None


@dataclass(frozen=True)
class ObjectKey:
    """Names one object in one run.

    :param plan_key: ``<dag id>/<run id>`` of the run that works on it.
    """

    kind: Kind
    identifier: str
    plan_key: str
    title: str = field(default="", compare=False)


class Ledger:
    """The ledger of one source and one target.

    :param source: ``<url>#<organization>``.
    :param target: ``<url>#<organization>``.
    """

    def __init__(self, database: Database, source: str, target: str) -> None:
        self.database = database
        self.source = source
        self.target = target
        self.pair_id = _pair_id(database, source, target)

    def begin(self, key: ObjectKey, source_version: str | None) -> None:
        """Note that work on an object begins; what an earlier run wrote about it is replaced."""
        with self.database.session() as session:
            self._begin(session, key, source_version)

    def begin_alone(self, key: ObjectKey, *, patience: timedelta = timedelta(minutes=10)) -> bool:
        """Note that work on an object begins, unless another run is at it.

        :param patience: a run that began so long ago is not at it any more.
        :return: False when another run is.
        """
        with self.database.session() as session:
            # On PostgreSQL this row serialises those who ask; on SQLite the write lock already does.
            session.execute(select(Pair.id).where(Pair.id == self.pair_id).with_for_update())
            entry = session.get(LedgerEntry, (self.pair_id, key.kind, key.identifier))
            others = entry is not None and entry.state == State.RUNNING and entry.plan_key != key.plan_key
            if others and entry is not None and entry.started > utc_now() - patience:
                return False
            self._begin(session, key, None)
            return True

    def step(
        self,
        key: ObjectKey,
        step: str,
        outcome: Outcome,
        *,
        traffic: Traffic | None = None,
        reason: str = "",
        workflow_id: int | None = None,
    ) -> None:
        """Append one step, and add its bytes to the object's."""
        moved = traffic or Traffic()
        with self.database.session() as session:
            session.add(
                LedgerStep(
                    pair_id=self.pair_id,
                    kind=key.kind,
                    identifier=key.identifier,
                    plan_key=key.plan_key,
                    step=step,
                    outcome=outcome,
                    bytes=moved.read + moved.written,
                    reason=reason,
                    workflow_id=workflow_id,
                )
            )
            entry = self._entry(session, key)
            entry.bytes_total += moved.total
            entry.bytes_read += moved.read
            entry.bytes_written += moved.written

    def finish(
        self,
        key: ObjectKey,
        state: State,
        *,
        reason: str = "",
        notes: tuple[str, ...] = (),
        source_version: str | None = None,
    ) -> None:
        """Note how the work on an object ended."""
        with self.database.session() as session:
            entry = self._entry(session, key)
            entry.state = state
            entry.reason = reason
            entry.notes = list(notes)
            entry.plan_key = key.plan_key
            entry.ended = utc_now()
            if key.title:
                entry.title = key.title
            if source_version is not None:
                entry.source_version = source_version

    def entry(self, kind: Kind, identifier: str) -> Entry | None:
        """Return one object's row, or None when nothing ever happened to it."""
        with self.database.reading() as session:
            row = session.get(LedgerEntry, (self.pair_id, kind, identifier))
            return None if row is None else _entry(row)

    def lookup(self, kind: Kind, identifiers: Sequence[str]) -> dict[str, Entry]:
        """Return the rows of many objects at once, by id; what nothing ever happened to is left out."""
        found: dict[str, Entry] = {}
        with self.database.reading() as session:
            for begin in range(0, len(identifiers), _CHUNK):
                query = select(LedgerEntry).where(
                    LedgerEntry.pair_id == self.pair_id,
                    LedgerEntry.kind == kind,
                    LedgerEntry.identifier.in_(identifiers[begin : begin + _CHUNK]),
                )
                found.update((row.identifier, _entry(row)) for row in session.scalars(query))
        return found

    def was_migrated(self, kind: Kind, identifier: str) -> bool:
        """Tell whether an import of the object was ever started from here."""
        query = select(LedgerStep.id).where(
            LedgerStep.pair_id == self.pair_id,
            LedgerStep.kind == kind,
            LedgerStep.identifier == identifier,
            LedgerStep.workflow_id.is_not(None),
        )
        with self.database.reading() as session:
            return session.scalar(query.limit(1)) is not None

    def entries(self, kind: Kind | None = None, plan_key: str | None = None) -> Iterator[Entry]:
        """Iterate rows by kind and title, without holding them in memory.

        :param plan_key: only objects whose last work was done by this run.
        """
        query = select(LedgerEntry).where(LedgerEntry.pair_id == self.pair_id)
        if kind is not None:
            query = query.where(LedgerEntry.kind == kind)
        if plan_key is not None:
            query = query.where(LedgerEntry.plan_key == plan_key)
        query = query.order_by(LedgerEntry.kind.desc(), LedgerEntry.title, LedgerEntry.identifier)
        with self.database.reading() as session:
            for row in session.scalars(query.execution_options(yield_per=500)):
                yield _entry(row)

    def steps(self, kind: Kind, identifier: str, plan_key: str | None = None) -> list[Step]:
        """Return the steps of one object, oldest first."""
        query = select(LedgerStep).where(
            LedgerStep.pair_id == self.pair_id, LedgerStep.kind == kind, LedgerStep.identifier == identifier
        )
        if plan_key is not None:
            query = query.where(LedgerStep.plan_key == plan_key)
        with self.database.reading() as session:
            return [_step(row) for row in session.scalars(query.order_by(LedgerStep.id))]

    def done_at(self, kind: Kind, identifier: str, plan_key: str) -> datetime | None:
        """Return when a run has migrated an object in one step, also where another run has worked on it since.

        Runs side by side need the same series, and an object has one row: that of the run that came last.
        """
        steps = self.steps(kind, identifier, plan_key)
        return next(
            (step.at for step in reversed(steps) if step.step == MIGRATE and step.outcome is Outcome.DONE), None
        )

    def counts(self, plan_key: str) -> dict[State, int]:
        """Count the objects of one run by state."""
        query = (
            select(LedgerEntry.state, func.count())
            .where(LedgerEntry.pair_id == self.pair_id, LedgerEntry.plan_key == plan_key)
            .group_by(LedgerEntry.state)
        )
        with self.database.reading() as session:
            return {State(state): count for state, count in session.execute(query)}

    def _begin(self, session: Session, key: ObjectKey, source_version: str | None) -> None:
        entry = self._entry(session, key)
        entry.title = key.title or entry.title
        entry.state = State.RUNNING
        entry.reason = ""
        entry.source_version = source_version
        entry.plan_key = key.plan_key
        entry.started = utc_now()
        entry.ended = None
        entry.bytes_total = entry.bytes_read = entry.bytes_written = 0
        entry.notes = []

    def _entry(self, session: Session, key: ObjectKey) -> LedgerEntry:
        entry = session.get(LedgerEntry, (self.pair_id, key.kind, key.identifier))
        if entry is None:
            entry = LedgerEntry(
                pair_id=self.pair_id,
                kind=key.kind,
                identifier=key.identifier,
                title=key.title,
                state=State.RUNNING,
                plan_key=key.plan_key,
                started=utc_now(),
                bytes_total=0,
                bytes_read=0,
                bytes_written=0,
            )
            session.add(entry)
        return entry


def _pair_id(database: Database, source: str, target: str) -> int:
    query = select(Pair.id).where(Pair.source == source, Pair.target == target)
    with database.reading() as session:
        known = session.scalar(query)
    if known is not None:
        return known
    try:
        with database.session() as session:
            pair = Pair(source=source, target=target)
            session.add(pair)
            session.flush()
            return pair.id
    except IntegrityError:  # another task was first
        with database.reading() as session:
            return session.scalars(query).one()


def _entry(row: LedgerEntry) -> Entry:
    return Entry(
        kind=Kind(row.kind),
        identifier=row.identifier,
        title=row.title,
        state=State(row.state),
        reason=row.reason,
        source_version=row.source_version,
        started=row.started,
        ended=row.ended,
        traffic=Traffic(row.bytes_total, row.bytes_read, row.bytes_written),
        notes=tuple(row.notes or ()),
        plan_key=row.plan_key,
    )


def _step(row: LedgerStep) -> Step:
    return Step(
        kind=Kind(row.kind),
        identifier=row.identifier,
        step=row.step,
        outcome=Outcome(row.outcome),
        at=row.at,
        bytes=row.bytes,
        reason=row.reason,
        workflow_id=row.workflow_id,
    )
