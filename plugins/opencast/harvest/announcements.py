"""Read what became new, different or deleted in a repository, in order and in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from opencast.harvest import changes, datestamps
from opencast.store.catalogue import CatalogueChange, MediaItem
from opencast.store.database import Database
from opencast.store.harvesting import Repository

#: Ids that one asset event carries at most: events are kept in Airflow's own database.
MAX_EVENT_IDS = 1000
#: Changes that a sink gets at once.
BATCH = 500


@dataclass(frozen=True)
class ItemView:
    """A media item as a sink sees it.

    :param published: UTC.
    """

    id: int
    title: str
    description: str
    source_url: str
    state: str
    published: datetime
    tags: list[str]

    def values(self) -> dict[str, Any]:
        """Give plain values, for JSON."""
        return {**self.__dict__, "published": datestamps.as_utcdatetime(self.published)}


@dataclass(frozen=True)
class NotedChange:
    """A change as it was noted.

    :param id: grows with time.
    :param item: for changes of media items: as it is now; None when it was removed.
    """

    id: int
    subject: str
    kind: str
    identifier: str
    media_item_id: int | None
    at: datetime
    item: ItemView | None = None

    def values(self) -> dict[str, Any]:
        """Give plain values, for JSON."""
        return {
            "id": self.id,
            "subject": self.subject,
            "kind": self.kind,
            "identifier": self.identifier,
            "media_item_id": self.media_item_id,
            "at": datestamps.as_utcdatetime(self.at),
            "item": self.item.values() if self.item is not None else None,
        }


@dataclass(frozen=True)
class ChangeBatch:
    """Some changes of a repository, one after the other."""

    repository: str
    changes: tuple[NotedChange, ...]

    @property
    def first(self) -> int:
        """The first change's id."""
        return self.changes[0].id

    @property
    def last(self) -> int:
        """The last change's id, after which the next batch begins."""
        return self.changes[-1].id

    def identifiers(self, subject: str, kind: str) -> list[str]:
        """Give the identifiers of the records that ended up as ``kind``, each once and in order."""
        return [change.identifier for change in self._outcome(subject) if change.kind == kind]

    def item_ids(self, kind: str) -> list[int]:
        """Give the ids of the media items that ended up as ``kind``, each once and in order."""
        found = (change.media_item_id for change in self._outcome(changes.ITEM) if change.kind == kind)
        return [item for item in found if item is not None]

    def _outcome(self, subject: str) -> list[NotedChange]:
        """Fold several changes of one thing into one: what was new stays new until it is deleted."""
        folded: dict[str, NotedChange] = {}
        for change in self.changes:
            if change.subject != subject:
                continue
            before = folded.pop(change.identifier, None)
            stays_new = before is not None and before.kind == changes.NEW and change.kind == changes.CHANGED
            folded[change.identifier] = before if before is not None and stays_new else change
        return list(folded.values())

    def values(self) -> dict[str, Any]:
        """Give plain values, for JSON."""
        return {
            "repository": self.repository,
            "first": self.first,
            "last": self.last,
            "changes": [change.values() for change in self.changes],
        }


def read_changes(database: Database, repository: Repository, *, after: int, limit: int = BATCH) -> ChangeBatch | None:
    """Give the changes that come after an id; None when there are none."""
    query = (
        select(CatalogueChange, MediaItem)
        .outerjoin(MediaItem, MediaItem.id == CatalogueChange.media_item_id)
        .where(CatalogueChange.repository_id == repository.id, CatalogueChange.id > after)
        .order_by(CatalogueChange.id)
        .limit(limit)
    )
    with database.reading() as session:
        found = tuple(_noted(change, item) for change, item in session.execute(query))
    return ChangeBatch(repository.name, found) if found else None


def _noted(change: CatalogueChange, item: MediaItem | None) -> NotedChange:
    view = None
    if item is not None:
        view = ItemView(
            item.id, item.title, item.description, item.source_url, item.state, item.published, list(item.tags)
        )
    return NotedChange(change.id, change.subject, change.kind, change.identifier, change.media_item_id, change.at, view)


def event_of(database: Database, repository: Repository) -> dict[str, Any] | None:
    """Give what the repository's next asset event says; None when nothing was changed since the last one.

    ``records`` and ``items`` hold the ids of what is new, changed and deleted. There may be more changes than one event
    carries: then ``is_complete`` is false, and the next event carries the others.
    """
    batch = read_changes(database, repository, after=repository.announced_change, limit=MAX_EVENT_IDS)
    if batch is None:
        return None
    kinds = (changes.NEW, changes.CHANGED, changes.DELETED)
    with database.reading() as session:
        last = session.scalar(
            select(func.max(CatalogueChange.id)).where(CatalogueChange.repository_id == repository.id)
        )
    return {
        "repository": repository.name,
        "records": {kind: batch.identifiers(changes.RECORD, kind) for kind in kinds},
        "items": {kind: batch.item_ids(kind) for kind in kinds},
        "changes": [batch.first, batch.last],
        "is_complete": batch.last == last,
    }


def mark_announced(database: Database, repository: Repository, last: int) -> None:
    """Remember up to which change asset events were given."""
    with database.session() as session:
        session.execute(update(Repository).where(Repository.id == repository.id).values(announced_change=last))
