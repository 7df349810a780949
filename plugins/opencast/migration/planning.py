"""Make the plan: what a run does with each object of the inventory, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from opencast.api.opencast import Opencast
from opencast.errors import FilterMatchesNothing, OpencastError
from opencast.migration.belongings import BelongingsPlanner, Chosen
from opencast.migration.campaign import CampaignDesk
from opencast.migration.decisions import decide
from opencast.migration.notmigrated import Loss, LossCounter
from opencast.migration.oaipmh import Repositories
from opencast.migration.options import Mode, Options
from opencast.migration.schedule_planning import SchedulePlanner
from opencast.migration.selection import Selection, Selector
from opencast.migration.series import THEME, fingerprint, read_series
from opencast.model.event import EventRow, EventStatus
from opencast.store.idmap import IdMaps
from opencast.store.inventory import Inventory, SeriesRow
from opencast.store.ledger import Entry, Kind, Ledger, State
from opencast.store.plans import Action, Item, Plans, PlanState
from opencast.store.readings import Unreadable

log = logging.getLogger(__name__)

#: Objects that the ledger is asked about at once.
_BATCH = 500


@dataclass(frozen=True)
class PlanSummary:
    """How much a plan does, by kind and action, such as ``{"mediapackage": {"migrate": 7}}``.

    :param left_to: events that other campaigns are working on, by their names.
    """

    key: str
    counts: dict[str, dict[str, int]]
    left_to: dict[str, int] = field(default_factory=dict)

    @property
    def work(self) -> int:
        """Number of objects with something to do."""
        return sum(
            count
            for actions in self.counts.values()
            for action, count in actions.items()
            if action in {Action.MIGRATE, Action.UPDATE}
        )

    def __str__(self) -> str:
        parts = [
            f"{count} {kind}: {action}"
            for kind, actions in sorted(self.counts.items())
            for action, count in sorted(actions.items())
        ]
        return ", ".join(parts) or "nothing"


class Planner:
    """Turn filters, inventory and ledger into a plan.

    :param source: whose series are compared with what was migrated before.
    :param schedules: judges the events that are still to be recorded.
    :param belongings: judges agents, themes and playlists.
    :param repositories: the OAI-PMH repositories of the target.
    :param desk: keeps this run and others from doing the same.
    :param lists: folder in which files of ids lie.
    """

    def __init__(
        self,
        source: Opencast,
        schedules: SchedulePlanner,
        belongings: BelongingsPlanner,
        repositories: Repositories,
        inventory: Inventory,
        ledger: Ledger,
        plans: Plans,
        desk: CampaignDesk,
        lists: Path,
    ) -> None:
        self._source = source
        self._schedules = schedules
        self._belongings = belongings
        self._repositories = repositories
        self._ids = IdMaps(ledger)
        self._inventory = inventory
        self._ledger = ledger
        self._plans = plans
        self._desk = desk
        self._lists = lists

    def plan(
        self,
        key: str,
        params: Mapping[str, Any],
        options: Options,
        unreadable: Iterable[Unreadable] = (),
    ) -> PlanSummary:
        """Write the plan of one run.

        Neither the events nor their rows of the plan are held in memory.

        :param key: ``<dag id>/<run id>``.
        :param unreadable: what the inventory could not understand.
        :raises InvalidFilter: a filter that cannot be used.
        :raises FilterMatchesNothing: the filters select no event; no plan is left behind.
        :raises CampaignClosed: the run's campaign goes no further.
        """
        selection = options.selection(self._lists)
        is_work = options.mode is Mode.MIGRATE
        campaign = self._desk.enrol(key, options) if is_work else None
        taken = self._inventory.state().taken
        campaign_id = None if campaign is None else campaign.id
        self._plans.begin(key, dict(params), inventory_taken=taken, campaign_id=campaign_id)
        try:
            notes = self._write_items(key, selection, options, unreadable)
        except BaseException:
            self._plans.discard(key)
            if campaign is not None:
                self._desk.leave(campaign)
            raise
        if not is_work:
            self._plans.finish(key, notes, PlanState.CLOSED)
            return self.summary(key)
        self._plans.finish(key, notes, PlanState.MAKING)
        left_to = self._desk.open(key, options.wave_size)
        for other, count in left_to.items():
            log.warning("The campaign %s is working on %d of the events; they are left to it.", other, count)
        return replace(self.summary(key), left_to=left_to)

    def go_on(self, key: str, options: Options) -> PlanSummary:
        """Take the next part of the plan that an earlier run made.

        :param key: ``<dag id>/<run id>`` of this run.
        """
        self._desk.join(key, options)
        return self.summary(key)

    def _write_items(
        self, key: str, selection: Selection, options: Options, unreadable: Iterable[Unreadable]
    ) -> dict[str, Any]:
        """Write what is to be done in the order in which it is done, and return the plan's notes."""
        selector = Selector(selection)
        chosen = Chosen(everything=selection.is_everything, series=set(selection.series))
        losses = LossCounter()
        scheduled: list[EventRow] = []

        def recorded() -> Iterator[EventRow]:
            for row in selector.select(self._inventory.events()):
                chosen.see(row)
                losses.see(row)
                if self._schedules.concerns(row):
                    scheduled.append(row)
                else:
                    yield row

        count = self._plans.add(key, self._event_items(recorded(), options))
        # The source is asked about each of these, after the store has been read to its end.
        count += self._plans.add(key, [self._scheduled_item(row, options) for row in scheduled], first=count)
        early = [*self._belongings.agents(chosen, options), *self._belongings.themes(chosen, options)]
        themes = {item.identifier for item in early if item.kind is Kind.THEME and item.is_work}
        series = list(self._series_items(selection, chosen.series, themes, options))
        if not (selection.series and series):
            selector.check_hits(in_period=bool(options.period))
        late = list(self._belongings.playlists(chosen, options))
        if selection.is_everything and not (early or series or count or late):
            raise FilterMatchesNothing("The source has neither events nor series for this account.")
        self._plans.add(key, [*early, *series], first=-len(early) - len(series))
        missing = [Item(Kind.MEDIAPACKAGE, event, "", Action.CANNOT, _UNKNOWN) for event in selector.missing_events()]
        missing += [Item(Kind(one.kind), one.identifier, "", Action.CANNOT, one.reason) for one in unreadable]
        self._plans.add(key, [*missing, *late], first=count)
        return {
            "seen": selector.seen,
            "selected": selector.selected,
            "matched": {name: selector.matched[name] for name in sorted(selection.checks())},
            "not_migrated": [asdict(loss) for loss in (*self._lacking(losses), *losses.losses(self._source))],
        }

    def _lacking(self, losses: LossCounter) -> list[Loss]:
        lacking = losses.lacking(self._repositories)
        for loss in lacking:
            log.warning("%s (%s) are not made again: %s", loss.what, loss.count, loss.why)
        return lacking

    def summary(self, key: str) -> PlanSummary:
        """Count what a plan does."""
        counts: dict[str, dict[str, int]] = {}
        for (kind, action), count in self._plans.counts(key).items():
            counts.setdefault(kind.value, {})[action.value] = count
        return PlanSummary(key, counts)

    # --- mediapackages ---------------------------------------------------------------------------------------------

    def _scheduled_item(self, row: EventRow, options: Options) -> Item:
        item = self._schedules.item(row, options)
        if item is not None:
            return item
        # What was recorded and is listed by its plan only is planned like any other recording.
        recorded = replace(row, status=EventStatus.PROCESSED.value)
        return self._event_item(recorded, self._ledger.entry(Kind.MEDIAPACKAGE, row.identifier), options)

    def _event_items(self, rows: Iterator[EventRow], options: Options) -> Iterator[Item]:
        while some := list(islice(rows, _BATCH)):
            entries = self._ledger.lookup(Kind.MEDIAPACKAGE, [row.identifier for row in some])
            yield from (self._event_item(row, entries.get(row.identifier), options) for row in some)

    def _event_item(self, row: EventRow, entry: Entry | None, options: Options) -> Item:
        left_scheduled = self._schedules.replacement(row, options)
        if left_scheduled is not None:
            return left_scheduled
        version = None if row.archive_version is None else str(row.archive_version)
        action, reason = _obstacle(row, options) or decide(entry, version, "a newer snapshot", options.repeat)
        return Item(Kind.MEDIAPACKAGE, row.identifier, row.title, action, reason, version, row.series)

    # --- series ----------------------------------------------------------------------------------------------------

    def _series_items(
        self, selection: Selection, wanted: set[str], themes: set[str], options: Options
    ) -> Iterator[Item]:
        found: set[str] = set()
        rows = (
            row
            for row in self._inventory.series()
            if row.identifier in wanted or _is_wanted_alone(row, selection, options)
        )
        while some := list(islice(rows, _BATCH)):
            entries = self._ledger.lookup(Kind.SERIES, [row.identifier for row in some])
            found.update(row.identifier for row in some)
            yield from (self._series_item(row, entries.get(row.identifier), themes, options) for row in some)
        for identifier in sorted(wanted - found):
            yield Item(Kind.SERIES, identifier, "", Action.CANNOT, _UNKNOWN)

    def _series_item(self, row: SeriesRow, entry: Entry | None, themes: set[str], options: Options) -> Item:
        """Judge a series.

        :param entry: what the ledger says of it.
        :param themes: those that this run brings to the target before.
        """
        if entry is None or entry.state is not State.DONE:
            action, reason = decide(entry, None, "")
            return Item(Kind.SERIES, row.identifier, row.title, action, reason)
        try:
            series = read_series(self._source.series, row.identifier)
        except OpencastError as error:
            # The task meets the same error, and notes it for this series alone.
            return Item(Kind.SERIES, row.identifier, row.title, Action.UPDATE, f"cannot be read: {error.message}")
        theme = None if series is None else series.property(THEME)
        mapped = self._ids.target(Kind.THEME, theme) if theme else None
        version = None if series is None else fingerprint(series, mapped)
        action, reason = decide(entry, version, "changes", options.repeat)
        if action is Action.SKIP and mapped is None and theme in themes:
            action, reason = Action.UPDATE, "its theme comes to the target"
        return Item(Kind.SERIES, row.identifier, row.title, action, reason, version)


_UNKNOWN = "The source does not have it."


def _is_wanted_alone(row: SeriesRow, selection: Selection, options: Options) -> bool:
    """Tell whether a series comes along although no selected event is part of it.

    Without any filter all do; in a calendar period those that were created in it, so that all periods together hold
    every series.
    """
    if not options.include_empty_series:
        return False
    if selection.is_everything:
        return True
    return bool(options.period) and selection.is_only_period and selection.was_created_inside(row.created)


def _obstacle(row: EventRow, options: Options) -> tuple[Action, str] | None:
    """Say what keeps an event from being migrated by this run."""
    status = row.event_status
    if status.is_processing:
        return Action.SKIP, "it is being processed; run again later"
    if status.is_paused:
        return Action.SKIP, "its workflow is paused; run again later"
    if status.is_failed and not options.include_failed:
        return Action.SKIP, "its processing failed; the param include_failed takes such events along"
    if row.archive_version is None:
        return Action.CANNOT, "nothing is archived"
    return None
