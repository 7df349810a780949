"""Waves: which of a plan's objects a run works on, and which belong to another campaign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.orm import Session, aliased

from opencast.store.campaigning import Campaign
from opencast.store.database import Database
from opencast.store.ledger import Kind
from opencast.store.plans import WORK, PlanState
from opencast.store.tables import ImportJob, Pair, Plan, PlanItem

#: What waits until no mediapackage is left, because it refers to them.
_LAST_KINDS = (Kind.PLAYLIST,)
#: What has a task for each object, so that a run takes a limited number; the others are migrated by one task.
_MAPPED_KINDS = (Kind.SERIES, Kind.MEDIAPACKAGE, Kind.SCHEDULED)
#: What no two campaigns work on; the others are written twice at worst, and the second time nothing differs.
_EXCLUSIVE_KINDS = (Kind.MEDIAPACKAGE, Kind.SCHEDULED)
_CHUNK = 500


@dataclass(frozen=True)
class Rival:
    """A plan of another run on the same two servers that is not done yet.

    :param keys: of all runs that work on it.
    """

    root_key: str
    campaign: str
    keys: tuple[str, ...]


class Waves:
    """The division of plans between one source and one target into runs."""

    def __init__(self, database: Database, pair_id: int) -> None:
        self._database = database
        self._pair_id = pair_id

    # --- other campaigns -------------------------------------------------------------------------------------------

    def rivals(self, key: str) -> list[Rival]:
        """Return the other plans that are open."""
        query = (
            select(Plan.root_key, Plan.key, Campaign.name)
            .join(Campaign, Campaign.id == Plan.campaign_id, isouter=True)
            .where(Plan.pair_id == self._pair_id, Plan.state == PlanState.OPEN, Plan.root_key != key)
            .order_by(Plan.root_key, Plan.wave)
        )
        found: dict[str, tuple[str, list[str]]] = {}
        with self._database.reading() as session:
            for root_key, run_key, campaign in session.execute(query):
                found.setdefault(root_key, (campaign or root_key, []))[1].append(run_key)
        return [Rival(root_key, campaign, tuple(keys)) for root_key, (campaign, keys) in found.items()]

    def open(self, key: str) -> dict[str, int]:
        """Let a plan be worked on, without what other open plans are working on.

        This is one transaction: of two runs that plan at the same time one is first, and the other one sees it.

        :return: how many events are left to each other campaign, by its name.
        """
        left: dict[str, int] = {}
        with self._database.session() as session:
            # On PostgreSQL this row serialises the plans; on SQLite the write lock already does.
            session.execute(select(Pair.id).where(Pair.id == self._pair_id).with_for_update())
            query = (
                select(Plan.key, Campaign.name)
                .join(Campaign, Campaign.id == Plan.campaign_id, isouter=True)
                .where(
                    Plan.pair_id == self._pair_id,
                    Plan.state == PlanState.OPEN,
                    Plan.key == Plan.root_key,
                    Plan.key != key,
                )
            )
            for other, campaign in session.execute(query).all():
                count = self._leave_to(session, key, other, campaign or other)
                if count:
                    left[campaign or other] = left.get(campaign or other, 0) + count
            session.execute(update(Plan).where(Plan.key == key).values(state=PlanState.OPEN))
        return left

    def _leave_to(self, session: Session, key: str, other: str, campaign: str) -> int:
        theirs = aliased(PlanItem)
        is_theirs = (
            select(theirs.identifier)
            .where(
                theirs.plan_key == other,
                theirs.kind == PlanItem.kind,
                theirs.identifier == PlanItem.identifier,
                theirs.action.in_(WORK),
            )
            .exists()
        )
        result = session.execute(
            update(PlanItem)
            .where(PlanItem.plan_key == key, PlanItem.kind.in_(_EXCLUSIVE_KINDS), PlanItem.action.in_(WORK), is_theirs)
            .values(action="skip", reason=f"the campaign {campaign} is working on it; run again when it has ended")
            .execution_options(synchronize_session=False)
        )
        return _count(result)

    # --- waves -----------------------------------------------------------------------------------------------------

    def take(self, key: str, root_key: str, size: int) -> int:
        """Give a run the next objects that no run has taken; one that has some keeps them, as when it is tried again.

        Mediapackages come in the order of the plan, each run with the series that they are part of. Imports that a
        run before this one left in the middle become this run's.

        :param size: objects of each kind at most.
        :return: how many objects the run has.
        """
        with self._database.session() as session:
            session.execute(select(Pair.id).where(Pair.id == self._pair_id).with_for_update())
            if not self._taken(session, key, root_key):
                self._take_mediapackages(session, key, root_key, size)
                is_last = not self._left(session, root_key, (Kind.MEDIAPACKAGE,))
                self._take_others(session, key, root_key, size, is_last=is_last)
            self._adopt_imports(session, key, root_key)
            return self._taken(session, key, root_key)

    def left(self, root_key: str) -> int:
        """Return how many objects no run has taken so far."""
        with self._database.reading() as session:
            return self._left(session, root_key)

    def unfinished(self, key: str) -> int:
        """Return how many imports of a run are still in flight."""
        query = (
            select(func.count())
            .select_from(ImportJob)
            .where(ImportJob.pair_id == self._pair_id, ImportJob.plan_key == key)
        )
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def follow(self, key: str, root_key: str, wave: int) -> None:
        """Note the run that goes on with a plan, before it is started: it counts as one that works on the plan."""
        with self._database.session() as session:
            root = session.get_one(Plan, root_key)
            if session.get(Plan, key) is None:
                session.add(
                    Plan(
                        key=key,
                        pair_id=self._pair_id,
                        params=root.params,
                        notes=root.notes,
                        inventory_taken=root.inventory_taken,
                        state=PlanState.OPEN,
                        root_key=root_key,
                        wave=wave,
                        campaign_id=root.campaign_id,
                    )
                )

    def _take_mediapackages(self, session: Session, key: str, root_key: str, size: int) -> None:
        query = (
            select(PlanItem.identifier, PlanItem.series)
            .where(_free(root_key), PlanItem.kind == Kind.MEDIAPACKAGE)
            .order_by(PlanItem.position)
            .limit(size)
        )
        rows = session.execute(query).all()
        _mark(session, key, root_key, Kind.MEDIAPACKAGE, [row.identifier for row in rows])
        _mark(session, key, root_key, Kind.SERIES, sorted({row.series for row in rows if row.series}))

    def _take_others(self, session: Session, key: str, root_key: str, size: int, *, is_last: bool) -> None:
        """Take what belongs to no mediapackage: at once, except what must wait for all of them."""
        late = () if is_last else (*_LAST_KINDS, Kind.SERIES)
        kinds = session.scalars(select(PlanItem.kind).where(_free(root_key)).distinct()).all()
        for kind in kinds:
            if kind == Kind.MEDIAPACKAGE or kind in late:
                continue
            taken = session.scalar(
                select(func.count()).where(
                    PlanItem.plan_key == root_key, PlanItem.wave_key == key, PlanItem.kind == kind
                )
            )
            query = select(PlanItem.identifier).where(_free(root_key), PlanItem.kind == kind)
            if kind in _MAPPED_KINDS:
                query = query.order_by(PlanItem.position).limit(max(0, size - (taken or 0)))
            _mark(session, key, root_key, kind, session.scalars(query).all())

    def _adopt_imports(self, session: Session, key: str, root_key: str) -> None:
        mine = select(PlanItem.identifier).where(
            PlanItem.plan_key == root_key, PlanItem.wave_key == key, PlanItem.kind == Kind.MEDIAPACKAGE
        )
        session.execute(
            update(ImportJob)
            .where(ImportJob.pair_id == self._pair_id, ImportJob.identifier.in_(mine))
            .values(plan_key=key)
            .execution_options(synchronize_session=False)
        )

    def _taken(self, session: Session, key: str, root_key: str) -> int:
        query = select(func.count()).where(PlanItem.plan_key == root_key, PlanItem.wave_key == key)
        return session.scalar(query) or 0

    def _left(self, session: Session, root_key: str, kinds: tuple[Kind, ...] = ()) -> int:
        query = select(func.count()).where(_free(root_key))
        if kinds:
            query = query.where(PlanItem.kind.in_(kinds))
        return session.scalar(query) or 0


def _free(root_key: str) -> ColumnElement[bool]:
    """Return the condition for work of a plan that no run has taken."""
    return (PlanItem.plan_key == root_key) & PlanItem.wave_key.is_(None) & PlanItem.action.in_(WORK)


def _mark(session: Session, key: str, root_key: str, kind: str, identifiers: Iterable[str]) -> None:
    wanted = list(identifiers)
    for begin in range(0, len(wanted), _CHUNK):
        session.execute(
            update(PlanItem)
            .where(_free(root_key), PlanItem.kind == kind, PlanItem.identifier.in_(wanted[begin : begin + _CHUNK]))
            .values(wave_key=key)
            .execution_options(synchronize_session=False)
        )


def _count(result: object) -> int:
    return max(0, int(result.rowcount)) if isinstance(result, CursorResult) else 0
