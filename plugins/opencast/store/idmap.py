"""Ids that the target chose itself, by the ids that the objects have on the source."""

from __future__ import annotations

from sqlalchemy import select

from opencast.store.database import Database
from opencast.store.ledger import Kind, Ledger
from opencast.store.tables import IdMap


class IdMaps:
    """The ids of one source and one target."""

    def __init__(self, ledger: Ledger) -> None:
        self._database: Database = ledger.database
        self._pair_id = ledger.pair_id

    def target(self, kind: Kind, source_id: str) -> str | None:
        """Return the id that an object of the source has on the target, or None when it was not brought there."""
        with self._database.reading() as session:
            row = session.get(IdMap, (self._pair_id, kind, source_id))
            return None if row is None else row.target_id

    def all(self, kind: Kind) -> dict[str, str]:
        """Return all ids of one kind, those of the target by those of the source."""
        query = select(IdMap.source_id, IdMap.target_id).where(IdMap.pair_id == self._pair_id, IdMap.kind == kind)
        with self._database.reading() as session:
            return {source_id: target_id for source_id, target_id in session.execute(query)}

    def put(self, kind: Kind, source_id: str, target_id: str) -> None:
        """Remember an id; an older one of the same object is replaced."""
        with self._database.session() as session:
            session.merge(IdMap(pair_id=self._pair_id, kind=kind, source_id=source_id, target_id=target_id))
