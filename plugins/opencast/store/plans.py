"""Plans: what a run is going to do with each object, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, select

from opencast.store.database import Database
from opencast.store.ledger import Kind
from opencast.store.tables import Plan, PlanItem

_BATCH = 1000


class Action(StrEnum):
    """What a plan does with an object."""

    MIGRATE = "migrate"
    UPDATE = "update"
    SKIP = "skip"
    CANNOT = "cannot"


@dataclass(frozen=True)
class Item:
    """One object of a plan.

    :param source_version: archive version of an event, fingerprint of a series, as the plan saw it.
    """

    kind: Kind
    identifier: str
    title: str
    action: Action
    reason: str
    source_version: str | None = None

    @property
    def is_work(self) -> bool:
        """Whether a task has to do something about it."""
        return self.action in {Action.MIGRATE, Action.UPDATE}


@dataclass(frozen=True)
class PlanHead:
    """A plan without its items."""

    key: str
    created: datetime
    params: dict[str, Any]
    notes: dict[str, Any]
    inventory_taken: datetime | None


class Plans:
    """The plans of one source and one target."""

    def __init__(self, database: Database, pair_id: int) -> None:
        self._database = database
        self._pair_id = pair_id

    def write(
        self,
        key: str,
        params: dict[str, Any],
        items: Iterable[Item],
        *,
        inventory_taken: datetime | None = None,
        notes: dict[str, Any] | None = None,
    ) -> None:
        """Write a plan; one of the same key (a task that is tried again) is replaced.

        :param key: ``<dag id>/<run id>``.
        """
        with self._database.session() as session:
            session.execute(delete(PlanItem).where(PlanItem.plan_key == key))
            session.execute(delete(Plan).where(Plan.key == key))
            session.add(
                Plan(
                    key=key,
                    pair_id=self._pair_id,
                    params=params,
                    notes=notes or {},
                    inventory_taken=inventory_taken,
                )
            )
            session.flush()
            rows = enumerate(items)
            while chunk := list(islice(rows, _BATCH)):
                session.execute(insert(PlanItem), [_values(key, position, item) for position, item in chunk])

    def head(self, key: str) -> PlanHead | None:
        """Return a plan without its items, or None."""
        with self._database.reading() as session:
            plan = session.get(Plan, key)
            if plan is None:
                return None
            return PlanHead(plan.key, plan.created, plan.params, plan.notes, plan.inventory_taken)

    def items(self, key: str, kind: Kind | None = None, actions: tuple[Action, ...] = ()) -> Iterator[Item]:
        """Iterate a plan's items in their order."""
        query = select(PlanItem).where(PlanItem.plan_key == key).order_by(PlanItem.position)
        if kind is not None:
            query = query.where(PlanItem.kind == kind)
        if actions:
            query = query.where(PlanItem.action.in_(actions))
        with self._database.reading() as session:
            for row in session.scalars(query.execution_options(yield_per=_BATCH)):
                yield _item(row)

    def item(self, key: str, kind: Kind, identifier: str) -> Item | None:
        """Return one item, or None."""
        with self._database.reading() as session:
            row = session.get(PlanItem, (key, kind, identifier))
            return None if row is None else _item(row)

    def counts(self, key: str) -> dict[tuple[Kind, Action], int]:
        """Count a plan's items by kind and action."""
        query = (
            select(PlanItem.kind, PlanItem.action, func.count())
            .where(PlanItem.plan_key == key)
            .group_by(PlanItem.kind, PlanItem.action)
        )
        with self._database.reading() as session:
            return {(Kind(kind), Action(action)): count for kind, action, count in session.execute(query)}


def has_plan(database: Database, key: str) -> bool:
    """Tell whether a run has got a plan."""
    with database.reading() as session:
        return session.get(Plan, key) is not None


def _values(key: str, position: int, item: Item) -> dict[str, Any]:
    return {
        "plan_key": key,
        "kind": item.kind,
        "identifier": item.identifier,
        "position": position,
        "title": item.title,
        "action": item.action,
        "reason": item.reason,
        "source_version": item.source_version,
    }


def _item(row: PlanItem) -> Item:
    return Item(
        kind=Kind(row.kind),
        identifier=row.identifier,
        title=row.title,
        action=Action(row.action),
        reason=row.reason,
        source_version=row.source_version,
    )
