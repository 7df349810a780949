"""Make the plan: what a run does with each object of the inventory, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from opencast.api.opencast import Opencast
from opencast.errors import FilterMatchesNothing, OpencastError
from opencast.migration.belongings import BelongingsPlanner, Chosen
from opencast.migration.decisions import decide
from opencast.migration.notmigrated import LossCounter
from opencast.migration.options import Options
from opencast.migration.schedule_planning import SchedulePlanner
from opencast.migration.selection import Selection, Selector
from opencast.migration.series import THEME, fingerprint, read_series
from opencast.model.event import EventRow, EventStatus
from opencast.store.idmap import IdMaps
from opencast.store.inventory import Inventory, SeriesRow
from opencast.store.ledger import Kind, Ledger, State
from opencast.store.plans import Action, Item, Plans


@dataclass(frozen=True)
class PlanSummary:
    """How much a plan does, by kind and action, such as ``{"mediapackage": {"migrate": 7}}``."""

    key: str
    counts: dict[str, dict[str, int]]

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
    """

    def __init__(
        self,
        source: Opencast,
        schedules: SchedulePlanner,
        belongings: BelongingsPlanner,
        inventory: Inventory,
        ledger: Ledger,
        plans: Plans,
    ) -> None:
        self._source = source
        self._schedules = schedules
        self._belongings = belongings
        self._ids = IdMaps(ledger)
        self._inventory = inventory
        self._ledger = ledger
        self._plans = plans

    def plan(
        self,
        key: str,
        params: Mapping[str, Any],
        options: Options,
        unreadable: Iterable[tuple[str, str]] = (),
    ) -> PlanSummary:
        """Write the plan of one run.

        :param key: ``<dag id>/<run id>``.
        :param unreadable: events that the inventory could not understand, as id and reason.
        :raises InvalidFilter: a filter that cannot be used.
        :raises FilterMatchesNothing: the filters select no event; nothing is written.
        """
        selection = options.selection()
        selector = Selector(selection)
        chosen = Chosen(everything=selection.is_everything, series=set(selection.series))
        losses = LossCounter()
        events = []
        scheduled = []
        for row in selector.select(self._inventory.events()):
            chosen.see(row)
            losses.see(row)
            if self._schedules.concerns(row):
                scheduled.append(row)
            else:
                events.append(self._event_item(row, options))
        # The source is asked about each of these, after the store has been read to its end.
        events.extend(self._scheduled_item(row, options) for row in scheduled)
        early = [*self._belongings.agents(chosen, options), *self._belongings.themes(chosen, options)]
        themes = {item.identifier for item in early if item.kind is Kind.THEME and item.is_work}
        series = list(self._series_items(selection, chosen.series, themes, options))
        missing = [Item(Kind.MEDIAPACKAGE, event, "", Action.CANNOT, _UNKNOWN) for event in selector.missing_events()]
        missing += [Item(Kind.MEDIAPACKAGE, event, "", Action.CANNOT, reason) for event, reason in unreadable]
        if not (selection.series and series):
            selector.check_hits(in_period=bool(options.period))
        late = list(self._belongings.playlists(chosen, options))
        if selection.is_everything and not (early or series or events or late):
            raise FilterMatchesNothing("The source has neither events nor series for this account.")
        notes = {
            "seen": selector.seen,
            "selected": selector.selected,
            "matched": {name: selector.matched[name] for name in sorted(selection.checks())},
            "not_migrated": [asdict(loss) for loss in losses.losses(self._source)],
        }
        state = self._inventory.state()
        items = [*early, *series, *events, *missing, *late]
        self._plans.write(key, dict(params), items, inventory_taken=state.taken, notes=notes)
        return self.summary(key)

    def summary(self, key: str) -> PlanSummary:
        """Count what a plan does."""
        counts: dict[str, dict[str, int]] = {}
        for (kind, action), count in self._plans.counts(key).items():
            counts.setdefault(kind.value, {})[action.value] = count
        return PlanSummary(key, counts)

    # --- mediapackages ---------------------------------------------------------------------------------------------

    def _scheduled_item(self, row: EventRow, options: Options) -> Item:
        item = self._schedules.item(row, options)
        # What was recorded and is listed by its plan only is planned like any other recording.
        return item or self._event_item(replace(row, status=EventStatus.PROCESSED.value), options)

    def _event_item(self, row: EventRow, options: Options) -> Item:
        left_scheduled = self._schedules.replacement(row, options)
        if left_scheduled is not None:
            return left_scheduled
        version = None if row.archive_version is None else str(row.archive_version)
        action, reason = self._event_action(row, version, options)
        return Item(Kind.MEDIAPACKAGE, row.identifier, row.title, action, reason, version)

    def _event_action(self, row: EventRow, version: str | None, options: Options) -> tuple[Action, str]:
        obstacle = _obstacle(row, options)
        if obstacle:
            return obstacle
        entry = self._ledger.entry(Kind.MEDIAPACKAGE, row.identifier)
        return decide(entry, version, "a newer snapshot", repeat_failed=options.repeat_failed)

    # --- series ----------------------------------------------------------------------------------------------------

    def _series_items(
        self, selection: Selection, wanted: set[str], themes: set[str], options: Options
    ) -> Iterator[Item]:
        found = set()
        for row in self._inventory.series():
            if row.identifier in wanted or _is_wanted_alone(row, selection, options):
                found.add(row.identifier)
                yield self._series_item(row, themes)
        for identifier in sorted(wanted - found):
            yield Item(Kind.SERIES, identifier, "", Action.CANNOT, _UNKNOWN)

    def _series_item(self, row: SeriesRow, themes: set[str]) -> Item:
        """Judge a series.

        :param themes: those that this run brings to the target before.
        """
        entry = self._ledger.entry(Kind.SERIES, row.identifier)
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
        action, reason = decide(entry, version, "changes")
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


def chosen(items: Iterable[Item], limit: int) -> list[Item]:
    """Return the first items with something to do, at most ``limit``."""
    work: list[Item] = []
    for item in items:
        if item.is_work:
            work.append(item)
            if len(work) >= limit:
                break
    return work
