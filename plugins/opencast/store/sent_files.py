"""The memory of large files that a target was sent, for ``opencast.staging.shared_upload``."""

from __future__ import annotations

import hashlib

from sqlalchemy import or_, select

from opencast.store.database import Database
from opencast.store.ledger import Ledger
from opencast.store.tables import SentFile, StagedReference


class SentFiles:
    """What one target was sent, from whichever source.

    A row is a key, the file's name in the target's collection, and whether that upload was answered.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._database: Database = ledger.database
        self._pair_id = ledger.pair_id
        self._target = ledger.target
        #: Name of the collection in the target's working file repository.
        self.collection = f"opencast-airflow-{hashlib.sha256(ledger.target.encode()).hexdigest()[:16]}"

    def find(self, key: str) -> tuple[str | None, bool] | None:
        """Return name and completeness of a file that was sent before, or None."""
        with self._database.reading() as session:
            row = session.get(SentFile, (self._target, key))
            return None if row is None else (row.name, row.is_complete)

    def note(self, key: str, name: str | None, *, is_complete: bool) -> None:
        """Note that a file was sent, or is going to be."""
        with self._database.session() as session:
            session.merge(SentFile(target=self._target, key=key, name=name, is_complete=is_complete))

    def collected(self) -> list[tuple[str, str]]:
        """Return key and name of all files that are, or may be, in the collection."""
        query = select(SentFile.key, SentFile.name).where(SentFile.target == self._target, SentFile.name.is_not(None))
        with self._database.reading() as session:
            return [(key, name) for key, name in session.execute(query) if name is not None]

    def is_wanted(self, identifier: str, md5: str, size: int) -> bool:
        """Tell whether another mediapackage than this one has a file on its way with the same bytes."""
        query = select(StagedReference.identifier).where(
            StagedReference.md5 == md5,
            StagedReference.size == size,
            or_(StagedReference.pair_id != self._pair_id, StagedReference.identifier != identifier),
        )
        with self._database.reading() as session:
            return session.execute(query.limit(1)).first() is not None
