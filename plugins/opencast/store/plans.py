"""Plans: what a run is going to do with each object, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

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


#: The actions with something to do.
WORK = (Action.MIGRATE, Action.UPDATE)


class PlanState(StrEnum):
    """Where a plan stands."""

    #: Its items are being written; nobody may use it yet.
    MAKING = "making"
    #: Runs work on its items, or will: no other campaign takes them.
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Item:
    """One object of a plan.

    :param source_version: archive version of an event, fingerprint of a series, as the plan saw it.
    :param series: id of the series that an event is part of.
    :param wave_key: key of the run that works on it; None while no run has taken it.
    """

    kind: Kind
    identifier: str
    title: str
    action: Action
    reason: str
    source_version: str | None = None
    series: str | None = None
    wave_key: str | None = None

    @property
    def is_work(self) -> bool:
        """Whether a task has to do something about it."""
        return self.action in WORK


@dataclass(frozen=True)
class PlanHead:
    """A plan without its items.

    :param root_key: key of the plan that holds the items: of the first run of a chain.
    :param wave: number of the run in its chain, from 1.
    """

    key: str
    created: datetime
    params: dict[str, Any]
    notes: dict[str, Any]
    inventory_taken: datetime | None
    state: PlanState
    root_key: str
    wave: int
    campaign_id: int | None


class Plans:
    """The plans of one source and one target."""

    def __init__(self, database: Database, pair_id: int) -> None:
        self._database = database
        self._pair_id = pair_id

    # --- writing ---------------------------------------------------------------------------------------------------

    def write(
        self,
        key: str,
        params: dict[str, Any],
        items: Iterable[Item],
        *,
        inventory_taken: datetime | None = None,
        notes: dict[str, Any] | None = None,
    ) -> None:
        """Write a whole plan at once; one of the same key (a task that is tried again) is replaced.

        :param key: ``<dag id>/<run id>``.
        """
        self.begin(key, params, inventory_taken=inventory_taken)
        self.add(key, items)
        self.finish(key, notes or {}, PlanState.CLOSED)

    def begin(
        self,
        key: str,
        params: dict[str, Any],
        *,
        inventory_taken: datetime | None = None,
        campaign_id: int | None = None,
    ) -> None:
        """Begin a plan, which is used by nobody before it is finished; one of the same key is replaced."""
        with self._database.session() as session:
            session.execute(delete(PlanItem).where(PlanItem.plan_key == key))
            session.execute(delete(Plan).where((Plan.key == key) | (Plan.root_key == key)))
            session.add(
                Plan(
                    key=key,
                    pair_id=self._pair_id,
                    params=params,
                    notes={},
                    inventory_taken=inventory_taken,
                    state=PlanState.MAKING,
                    root_key=key,
                    wave=1,
                    campaign_id=campaign_id,
                )
            )

    def add(self, key: str, items: Iterable[Item], *, first: int = 0) -> int:
        """Write items without holding them in memory, nor the store for long.

        :param first: position of the first one; items are worked on in the order of their positions.
        :return: how many.
        """
        rows = enumerate(items, first)
        count = 0
        while chunk := list(islice(rows, _BATCH)):
            with self._database.session() as session:
                session.execute(insert(PlanItem), [_values(key, position, item) for position, item in chunk])
            count += len(chunk)
        return count

    def discard(self, key: str) -> None:
        """Forget a plan that came to nothing."""
        with self._database.session() as session:
            session.execute(delete(PlanItem).where(PlanItem.plan_key == key))
            session.execute(delete(Plan).where(Plan.key == key))

    def finish(self, key: str, notes: dict[str, Any], state: PlanState = PlanState.OPEN) -> None:
        """Let a plan be used."""
        with self._database.session() as session:
            plan = session.get_one(Plan, key)
            plan.notes = notes
            plan.state = state

    def close(self, root_key: str) -> None:
        """Note that no run works on a plan's items any more."""
        with self._database.session() as session:
            for plan in session.scalars(select(Plan).where(Plan.root_key == root_key)):
                plan.state = PlanState.CLOSED

    # --- reading ---------------------------------------------------------------------------------------------------

    def head(self, key: str) -> PlanHead | None:
        """Return a plan without its items, or None."""
        with self._database.reading() as session:
            plan = session.get(Plan, key)
            return None if plan is None else _head(plan)

    def chain(self, root_key: str) -> list[PlanHead]:
        """Return the plans of all runs that work on the items of one plan, in their order."""
        query = select(Plan).where(Plan.root_key == root_key).order_by(Plan.wave, Plan.created)
        with self._database.reading() as session:
            return [_head(plan) for plan in session.scalars(query)]

    def items(self, key: str, kind: Kind | None = None, actions: tuple[Action, ...] = ()) -> Iterator[Item]:
        """Iterate a plan's items in their order; those of a run that goes on with a plan are the ones it has taken."""
        with self._database.reading() as session:
            query = select(PlanItem).where(_belongs(session, key)).order_by(PlanItem.position)
            if kind is not None:
                query = query.where(PlanItem.kind == kind)
            if actions:
                query = query.where(PlanItem.action.in_(actions))
            for row in session.scalars(query.execution_options(yield_per=_BATCH)):
                yield _item(row)

    def wave(self, key: str, kind: Kind) -> Iterator[Item]:
        """Iterate the objects of one kind that a run has taken, in their order."""
        with self._database.reading() as session:
            root_key = session.scalar(select(Plan.root_key).where(Plan.key == key))
            query = select(PlanItem).where(
                PlanItem.plan_key == root_key, PlanItem.wave_key == key, PlanItem.kind == kind
            )
            for row in session.scalars(query.order_by(PlanItem.position).execution_options(yield_per=_BATCH)):
                yield _item(row)

    def item(self, key: str, kind: Kind, identifier: str) -> Item | None:
        """Return one item, or None."""
        with self._database.reading() as session:
            query = select(PlanItem).where(
                _belongs(session, key), PlanItem.kind == kind, PlanItem.identifier == identifier
            )
            row = session.scalars(query).one_or_none()
            return None if row is None else _item(row)

    def counts(self, key: str) -> dict[tuple[Kind, Action], int]:
        """Count a plan's items by kind and action."""
        with self._database.reading() as session:
            query = (
                select(PlanItem.kind, PlanItem.action, func.count())
                .where(_belongs(session, key))
                .group_by(PlanItem.kind, PlanItem.action)
            )
            return {(Kind(kind), Action(action)): count for kind, action, count in session.execute(query)}


def has_plan(database: Database, key: str) -> bool:
    """Tell whether a run has got a plan."""
    with database.reading() as session:
        plan = session.get(Plan, key)
        return plan is not None and plan.state != PlanState.MAKING


def _belongs(session: Session, key: str) -> ColumnElement[bool]:
    """Return the condition for the items of a plan: its own, or those that the run took from an earlier one's."""
    root_key = session.scalar(select(Plan.root_key).where(Plan.key == key))
    if root_key is None or root_key == key:
        return PlanItem.plan_key == key
    return (PlanItem.plan_key == root_key) & (PlanItem.wave_key == key)


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
        "series": item.series,
        "wave_key": item.wave_key,
    }


def _item(row: PlanItem) -> Item:
    return Item(
        kind=Kind(row.kind),
        identifier=row.identifier,
        title=row.title,
        action=Action(row.action),
        reason=row.reason,
        source_version=row.source_version,
        series=row.series,
        wave_key=row.wave_key,
    )


def _head(plan: Plan) -> PlanHead:
    return PlanHead(
        key=plan.key,
        created=plan.created,
        params=plan.params,
        notes=plan.notes,
        inventory_taken=plan.inventory_taken,
        state=PlanState(plan.state),
        root_key=plan.root_key,
        wave=plan.wave,
        campaign_id=plan.campaign_id,
    )
