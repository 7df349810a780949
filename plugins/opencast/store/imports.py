"""Imports in flight: the journal of each, and the slots that they take on the target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.ledger import Ledger
from opencast.store.tables import ImportJob, KnownDigest, Pair, StagedReference

#: A slot without a sign of life for so long belongs to a task that nobody will try again.
SLOT_LIFETIME = timedelta(hours=6)
#: Stands in the place of the target while a mediapackage is only staged.
_NO_TARGET = ""


@dataclass(frozen=True)
class Import:
    """One mediapackage on its way.

    :param package: the source's package as XML, or None before it was read.
    :param journal: its state as JSON, see ``opencast.migration.journal``.
    """

    identifier: str
    plan_key: str
    claimed: datetime
    package: str | None
    journal: dict[str, Any]


class StagedNeeds:
    """Which staged objects open work needs, whichever source and target it has.

    :param patience: an import without a sign of life for so long is not gone on with any more; None: for ever.
    """

    def __init__(self, database: Database, *, patience: timedelta | None = None) -> None:
        self._database = database
        query = select(StagedReference.md5, StagedReference.size).distinct()
        if patience is not None:
            dead = select(ImportJob.identifier).where(
                ImportJob.pair_id == StagedReference.pair_id,
                ImportJob.identifier == StagedReference.identifier,
                ImportJob.touched < utc_now() - patience,
            )
            query = query.where(~dead.exists())
        self._query = query

    def all(self) -> set[tuple[str, int]]:
        """Return md5 and bytes of each."""
        with self._database.reading() as session:
            return {(md5, size) for md5, size in session.execute(self._query)}

    def has(self, md5: str, size: int) -> bool:
        """Tell whether an object is needed, as things stand now."""
        query = self._query.where(StagedReference.md5 == md5, StagedReference.size == size)
        with self._database.reading() as session:
            return session.execute(query.limit(1)).first() is not None


class Imports:
    """The imports of one source and one target."""

    def __init__(self, ledger: Ledger) -> None:
        self._database: Database = ledger.database
        self._pair_id = ledger.pair_id
        self._source = ledger.source
        self._target = ledger.target

    def claim(self, identifier: str, plan_key: str, limit: int) -> bool:
        """Take a slot on the target for a mediapackage; one that has a slot keeps it.

        :param limit: how many imports may be in flight on this target, from all sources and runs together.
        :return: False when all slots are taken.
        """
        now = utc_now()
        if not self._may_claim(identifier, limit, now):
            return False  # hundreds may wait for a slot: asking must not take the write lock
        with self._database.session() as session:
            # On PostgreSQL this row serialises the claims; on SQLite the write lock already does.
            session.execute(select(Pair.id).where(Pair.id == self._pair_id).with_for_update())
            job = session.get(ImportJob, (self._pair_id, identifier))
            if job is None or job.target != self._target:
                if self._taken(session, now) >= limit:
                    return False
                job = session.merge(self._new_job(identifier, self._target))
            job.plan_key = plan_key
            job.touched = now
            return True

    def hold(self, identifier: str, plan_key: str) -> None:
        """Keep what is staged for a mediapackage that is going to be imported later; that takes no slot."""
        with self._database.session() as session:
            job = session.get(ImportJob, (self._pair_id, identifier))
            if job is None:
                job = session.merge(self._new_job(identifier, _NO_TARGET))
                job.plan_key = plan_key
            job.touched = utc_now()

    def _new_job(self, identifier: str, target: str) -> ImportJob:
        return ImportJob(pair_id=self._pair_id, identifier=identifier, target=target, plan_key="", journal={})

    def _may_claim(self, identifier: str, limit: int, now: datetime) -> bool:
        with self._database.reading() as session:
            job = session.get(ImportJob, (self._pair_id, identifier))
            has_slot = job is not None and job.target == self._target
            return has_slot or self._taken(session, now) < limit

    def _taken(self, session: Session, now: datetime) -> int:
        query = select(func.count()).select_from(ImportJob)
        alive = ImportJob.touched > now - SLOT_LIFETIME
        return session.scalar(query.where(ImportJob.target == self._target, alive)) or 0

    def owner(self, identifier: str) -> str | None:
        """Return the key of the run that an import in flight belongs to, or None."""
        with self._database.reading() as session:
            job = session.get(ImportJob, (self._pair_id, identifier))
            return None if job is None or job.target != self._target else job.plan_key

    def load(self, identifier: str) -> Import | None:
        """Return the import of a mediapackage, or None when there is none in flight."""
        with self._database.reading() as session:
            job = session.get(ImportJob, (self._pair_id, identifier))
            if job is None:
                return None
            return Import(job.identifier, job.plan_key, job.claimed, job.package, dict(job.journal))

    def save(self, identifier: str, journal: dict[str, Any], package: str | None = None) -> None:
        """Write the journal (and the source's package) of an import that has a slot."""
        with self._database.session() as session:
            job = session.get_one(ImportJob, (self._pair_id, identifier))
            job.journal = dict(journal)
            job.touched = utc_now()
            if package is not None:
                job.package = package

    def touch(self, identifier: str) -> None:
        """Give a sign of life."""
        with self._database.session() as session:
            job = session.get(ImportJob, (self._pair_id, identifier))
            if job is not None:
                job.touched = utc_now()

    def release(self, identifier: str) -> None:
        """Give the slot back and forget the journal and the staged files that the import needed."""
        with self._database.session() as session:
            session.execute(
                delete(ImportJob).where(ImportJob.pair_id == self._pair_id, ImportJob.identifier == identifier)
            )
            session.execute(
                delete(StagedReference).where(
                    StagedReference.pair_id == self._pair_id, StagedReference.identifier == identifier
                )
            )

    def refer(self, identifier: str, objects: list[tuple[str, int]]) -> None:
        """Note which staged objects (md5, bytes) a mediapackage needs, so that they are not cleaned away."""
        with self._database.session() as session:
            for md5, size in objects:
                session.merge(StagedReference(pair_id=self._pair_id, identifier=identifier, md5=md5, size=size))

    def forget_staged(self, identifier: str) -> None:
        """Let the staged objects of a mediapackage be cleaned away, which has arrived on the target's side."""
        with self._database.session() as session:
            session.execute(
                delete(StagedReference).where(
                    StagedReference.pair_id == self._pair_id, StagedReference.identifier == identifier
                )
            )

    def others(self, identifier: str) -> int:
        """Count the other imports in flight on this target."""
        query = (
            select(func.count())
            .select_from(ImportJob)
            .where(
                ImportJob.target == self._target,
                ImportJob.touched > utc_now() - SLOT_LIFETIME,
                or_(ImportJob.pair_id != self._pair_id, ImportJob.identifier != identifier),
            )
        )
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def needed(self) -> set[tuple[str, int]]:
        """Return the staged objects (md5, bytes) that open work of any pair needs."""
        return StagedNeeds(self._database).all()

    def known_digest(self, url_key: str) -> tuple[str, int] | None:
        """Return md5 and size of a source file that was fetched before, or None."""
        with self._database.reading() as session:
            row = session.get(KnownDigest, (self._source, url_key))
            return None if row is None else (row.md5, row.size)

    def remember_digest(self, url_key: str, md5: str, size: int) -> None:
        """Note what a source file turned out to hold."""
        with self._database.session() as session:
            session.merge(KnownDigest(source=self._source, url_key=url_key, md5=md5, size=size))
