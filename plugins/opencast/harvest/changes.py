"""Note what became new, different or deleted, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from opencast.store.bulk import BulkInsert
from opencast.store.catalogue import CatalogueChange
from opencast.store.harvesting import Repository

RECORD = "record"
ITEM = "item"
NEW = "new"
CHANGED = "changed"
DELETED = "deleted"

_CHANGES = BulkInsert(CatalogueChange, ("repository_id", "at", "subject", "kind", "identifier", "media_item_id"))


class Change(NamedTuple):
    """Something to announce, see :class:`opencast.store.catalogue.CatalogueChange`.

    :param subject: ``record`` or ``item``.
    :param kind: ``new``, ``changed`` or ``deleted``.
    :param identifier: of the record.
    """

    subject: str
    kind: str
    identifier: str
    media_item_id: int | None = None


def note(connection: Connection, repository_id: int, changes: Iterable[Change], now: datetime) -> None:
    """Write changes down for asset events and sinks.

    :param now: time of the change, by our clock.
    """
    _CHANGES.execute(connection, [(repository_id, now, *change) for change in changes])


def order_writers(session: Session, repository_id: int) -> None:
    """Let those who note changes of one repository do it one after the other, until the end of the transaction.

    Readers remember the last id that they have seen: a smaller one must not appear after it. A harvest need not call
    this, because it proves its lease in the same row first.
    """
    session.execute(select(Repository.id).where(Repository.id == repository_id).with_for_update())
