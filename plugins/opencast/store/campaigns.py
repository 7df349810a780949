"""Campaigns: all runs that work towards one end, what they have reached, and what holds them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.exc import IntegrityError

from opencast.store.base import utc_now
from opencast.store.campaigning import Campaign
from opencast.store.database import Database
from opencast.store.plans import WORK, PlanState
from opencast.store.tables import LedgerEntry, Pair, Plan, PlanItem


class CampaignState(StrEnum):
    """Where a campaign stands."""

    RUNNING = "running"
    #: Nothing new begins until somebody resumes it; what has begun goes on to its end.
    PAUSED = "paused"
    #: By itself, because too much failed.
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    ENDED = "ended"

    @property
    def is_closed(self) -> bool:
        """Whether nothing begins any more, unless somebody resumes it."""
        return self in {CampaignState.STOPPED, CampaignState.CANCELLED}


@dataclass(frozen=True)
class CampaignHead:
    """A campaign without what it has reached."""

    id: int
    pair_id: int
    name: str
    state: CampaignState
    reason: str
    limits: dict[str, Any]
    created: datetime
    changed: datetime


@dataclass(frozen=True)
class Tally:
    """What has become of a campaign's objects of one kind.

    :param outcome: ``done``, ``failed``, ``skipped``, ``running``, ``waiting`` or ``cannot``.
    """

    kind: str
    outcome: str
    objects: int
    bytes_total: int
    bytes_read: int
    bytes_written: int


class Campaigns:
    """The campaigns of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, pair_id: int, name: str) -> CampaignHead:
        """Return the campaign of this name, made when there is none; one that has ended goes on."""
        try:
            with self._database.session() as session:
                campaign = session.scalars(_named(pair_id, name)).one_or_none()
                if campaign is None:
                    campaign = Campaign(pair_id=pair_id, name=name, state=CampaignState.RUNNING, reason="", limits={})
                    session.add(campaign)
                    session.flush()
                elif campaign.state == CampaignState.ENDED:
                    campaign.state, campaign.reason, campaign.changed = CampaignState.RUNNING, "", utc_now()
                return _head(campaign)
        except IntegrityError:  # another run was first
            return self.begin(pair_id, name)

    def get(self, campaign_id: int) -> CampaignHead | None:
        """Return a campaign, or None."""
        with self._database.reading() as session:
            campaign = session.get(Campaign, campaign_id)
            return None if campaign is None else _head(campaign)

    def of_run(self, plan_key: str) -> CampaignHead | None:
        """Return the campaign that a run belongs to, or None."""
        query = select(Campaign).join(Plan, Plan.campaign_id == Campaign.id).where(Plan.key == plan_key)
        with self._database.reading() as session:
            campaign = session.scalars(query).one_or_none()
            return None if campaign is None else _head(campaign)

    def named(self, name: str) -> list[CampaignHead]:
        """Return the campaigns of this name, one for each pair of servers."""
        query = select(Campaign).where(Campaign.name == name).order_by(Campaign.id)
        with self._database.reading() as session:
            return [_head(campaign) for campaign in session.scalars(query)]

    def all(self) -> list[CampaignHead]:
        """Return all campaigns, the newest first."""
        with self._database.reading() as session:
            return [_head(row) for row in session.scalars(select(Campaign).order_by(Campaign.id.desc()))]

    def servers(self, campaign_id: int) -> tuple[str, str]:
        """Return source and target of a campaign, each as ``<url>#<organization>``."""
        query = select(Pair.source, Pair.target).join(Campaign, Campaign.pair_id == Pair.id)
        with self._database.reading() as session:
            row = session.execute(query.where(Campaign.id == campaign_id)).one()
            return row.source, row.target

    def set_state(self, campaign_id: int, state: CampaignState, reason: str = "") -> None:
        """Note where a campaign stands, and why."""
        with self._database.session() as session:
            campaign = session.get_one(Campaign, campaign_id)
            campaign.state, campaign.reason, campaign.changed = state, reason, utc_now()

    def set_limits(self, campaign_id: int, limits: dict[str, Any]) -> None:
        """Replace the limits that were changed while the campaign runs."""
        with self._database.session() as session:
            campaign = session.get_one(Campaign, campaign_id)
            campaign.limits, campaign.changed = dict(limits), utc_now()

    def end_if_done(self, campaign_id: int) -> bool:
        """Note that a campaign has ended, unless a plan of it is still open."""
        with self._database.session() as session:
            query = select(func.count()).select_from(Plan)
            if session.scalar(query.where(Plan.campaign_id == campaign_id, Plan.state != PlanState.CLOSED)):
                return False
            campaign = session.get_one(Campaign, campaign_id)
            if campaign.state == CampaignState.RUNNING:
                campaign.state, campaign.changed = CampaignState.ENDED, utc_now()
            return True

    def runs(self, campaign_id: int) -> list[str]:
        """Return the keys of a campaign's runs, oldest first."""
        query = select(Plan.key).where(Plan.campaign_id == campaign_id).order_by(Plan.created, Plan.wave)
        with self._database.reading() as session:
            return list(session.scalars(query))

    def tally(self, campaign_id: int) -> list[Tally]:
        """Count a campaign's objects over all its runs by what has become of them.

        An object that several plans of the campaign name is counted once, as the ledger has it.
        """
        rows: dict[tuple[str, str], Tally] = {}
        with self._database.reading() as session:
            for kind, outcome, *numbers in session.execute(_tally_query(campaign_id)):
                rows[kind, outcome] = Tally(kind, outcome, *(int(number or 0) for number in numbers))
        return [rows[key] for key in sorted(rows)]


def _tally_query(campaign_id: int) -> Select[Any]:
    item = (
        select(
            PlanItem.kind,
            PlanItem.identifier,
            Plan.pair_id,
            # Work of any plan wins over "done" and "cannot" of another.
            func.max(case((PlanItem.action.in_(WORK), 2), (PlanItem.action == "skip", 1), else_=0)).label("rank"),
        )
        .join(Plan, Plan.key == PlanItem.plan_key)
        .where(Plan.campaign_id == campaign_id)
        .group_by(PlanItem.kind, PlanItem.identifier, Plan.pair_id)
        .subquery()
    )
    keys = select(Plan.key).where(Plan.campaign_id == campaign_id)
    own = LedgerEntry.plan_key.in_(keys)
    outcome = case(
        (item.c.rank == 0, "cannot"),
        (LedgerEntry.state == "done", "done"),
        (item.c.rank == 1, "skipped"),
        (own, LedgerEntry.state),
        else_="waiting",
    )
    return (
        select(
            item.c.kind,
            outcome.label("outcome"),
            func.count(),
            func.sum(case((own, LedgerEntry.bytes_total), else_=0)),
            func.sum(case((own, LedgerEntry.bytes_read), else_=0)),
            func.sum(case((own, LedgerEntry.bytes_written), else_=0)),
        )
        .select_from(item)
        .join(
            LedgerEntry,
            (LedgerEntry.pair_id == item.c.pair_id)
            & (LedgerEntry.kind == item.c.kind)
            & (LedgerEntry.identifier == item.c.identifier),
            isouter=True,
        )
        .group_by(item.c.kind, outcome)
    )


def _named(pair_id: int, name: str) -> Select[Campaign]:
    return select(Campaign).where(Campaign.pair_id == pair_id, Campaign.name == name)


def _head(campaign: Campaign) -> CampaignHead:
    return CampaignHead(
        id=campaign.id,
        pair_id=campaign.pair_id,
        name=campaign.name,
        state=CampaignState(campaign.state),
        reason=campaign.reason,
        limits=dict(campaign.limits),
        created=campaign.created,
        changed=campaign.changed,
    )
