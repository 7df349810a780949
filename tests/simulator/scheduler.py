"""The scheduler: which event is to be recorded when and where, kept beside the snapshots that it owns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tests.simulator import dublincore, metadata
from tests.simulator.assets import AssetManager
from tests.simulator.mediapackage import EPISODE, MediaPackage
from tests.simulator.records import OWNER_SCHEDULER, Event, Scheduling, Snapshot
from tests.simulator.state import State

WORKFLOW_PREFIX = "org.opencastproject.workflow.config."
STATES = frozenset({
    "unknown", "capturing", "capture_finished", "capture_error", "manifest", "manifest_error", "manifest_finished",
    "compressing", "compressing_error", "uploading", "upload_finished", "upload_error",
})  # fmt: skip


class SchedulingConflict(RuntimeError):
    """The agent is taken, or the id exists."""


class NotScheduled(LookupError):
    """There is no such scheduled event."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; None leaves a field as it is."""

    start: datetime | None = None
    end: datetime | None = None
    agent: str | None = None
    presenters: tuple[str, ...] | None = None
    package: MediaPackage | None = None
    workflow_properties: dict[str, str] | None = None
    agent_properties: dict[str, str] | None = None


class Scheduler:
    """Plans recordings on one server."""

    def __init__(self, state: State, assets: AssetManager) -> None:
        self.state, self.assets = state, assets

    # --- reading -------------------------------------------------------------------------------------------------

    def planned(self, event_id: str, org: str) -> Scheduling:
        """Give the plan of an event, also of one that has been recorded since.

        :raises NotScheduled: when it has none.
        """
        event = self.state.events.get(event_id)
        if event is None or event.org != org or event.scheduling is None:
            raise NotScheduled(event_id)
        return event.scheduling

    def owned(self, event_id: str, org: str) -> Snapshot:
        """Give an event's newest snapshot as long as the scheduler owns it.

        :raises NotScheduled: when there is none, or a workflow has archived something since.
        """
        event = self.state.events.get(event_id)
        latest = event.latest if event is not None and event.org == org else None
        if latest is None or latest.owner != OWNER_SCHEDULER:
            raise NotScheduled(event_id)
        return latest

    def catalog(self, snapshot: Snapshot) -> dublincore.Catalog | None:
        """Read the episode catalog of a snapshot."""
        contents = snapshot.load()
        for element in contents.package.of_flavor(EPISODE, "catalog")[:1]:
            return dublincore.parse(contents.assets[str(element.id)].path.read_bytes())
        return None

    def conflicts(self, org: str, agent: str, start: datetime, end: datetime, but: str = "") -> list[str]:
        """Give the ids of the events that take an agent's time, by start; one ending when the other begins is none."""
        found = [e for e in self._events(org) if e.scheduling and e.scheduling.agent == agent and e.id != but]
        found = [e for e in found if e.scheduling and e.scheduling.start < end and e.scheduling.end > start]
        return [event.id for event in sorted(found, key=_start)]

    def _events(self, org: str) -> Iterable[Event]:
        with self.state.lock:
            return [event for event in self.state.events.values() if event.org == org and event.scheduling]

    def search(
        self, org: str, agent: str, starts: tuple[datetime, datetime], ends: tuple[datetime, datetime]
    ) -> list[str]:
        """Give the ids of the events whose start and end lie in ranges (``from`` belongs to them, ``to`` does not)."""
        found = []
        for event in sorted(self._events(org), key=_start):
            plan = event.scheduling
            if plan and agent in ("", plan.agent) and _within(plan.start, starts) and _within(plan.end, ends):
                found.append(event.id)
        return found

    # --- writing -------------------------------------------------------------------------------------------------

    def add(self, package: MediaPackage, plan: Scheduling, org: str, user: str) -> None:
        """Plan a new event under the id of its package.

        :raises SchedulingConflict: when the id exists, or the agent is taken.
        :raises SnapshotFailed: when a file cannot be read.
        :raises metadata.UnreadableCatalog: when the episode catalog cannot be read.
        """
        if self.assets.latest(package.id) is not None:
            raise SchedulingConflict(f"Mediapackage with id '{package.id}' already exists!")
        if self.conflicts(org, plan.agent, plan.start, plan.end):
            raise SchedulingConflict(f"Unable to add event, conflicting events found for event {package.id}")
        read = self.assets.workspace.read
        catalogs = [metadata.load(e.url, read) for e in package.of_flavor(EPISODE, "catalog")[:1]]
        plan = _with_final_properties(plan, package.series, catalogs[0] if catalogs else None)
        snapshot = self.assets.take_snapshot(package, org, OWNER_SCHEDULER, user)
        self._store(package.id, plan, snapshot, user)

    def update(self, event_id: str, asked: Request, org: str, user: str) -> None:
        """Change a planned event; what is not asked for stays.

        :raises NotScheduled: when the scheduler does not own its newest snapshot.
        :raises SchedulingConflict: when the agent is taken.
        :raises ValueError: when it would end before it starts.
        """
        snapshot, plan = self.owned(event_id, org), self.planned(event_id, org)
        moved = replace(
            plan, start=asked.start or plan.start, end=asked.end or plan.end, agent=asked.agent or plan.agent,
            presenters=plan.presenters if asked.presenters is None else asked.presenters,
        )  # fmt: skip
        if (asked.start or asked.end) and moved.end < moved.start:
            raise ValueError("The end date is before the start date")
        place = asked.agent or asked.start or asked.end
        if place and self.conflicts(org, moved.agent, moved.start, moved.end, but=event_id):
            raise SchedulingConflict(f"Unable to update event, conflicting events found for event {event_id}")
        if asked.workflow_properties is not None:
            moved = replace(moved, workflow_properties=tuple(asked.workflow_properties.items()))
        if asked.agent_properties is not None:
            moved = replace(moved, agent_configuration=tuple(asked.agent_properties.items()))
        package, catalog = self._changed_package(snapshot, asked)
        series = (asked.package or snapshot.load().package).series
        moved = _with_final_properties(moved, series, catalog)
        if package is None and moved == plan:
            return
        if package is not None:
            snapshot = self.assets.take_snapshot(package, org, OWNER_SCHEDULER, user)
        self._store(event_id, moved, snapshot, user)

    def _changed_package(
        self, snapshot: Snapshot, asked: Request
    ) -> tuple[MediaPackage | None, dublincore.Catalog | None]:
        """Give the package to archive, None for no new version; times and agent are written into its catalog."""
        read = self.assets.workspace.read
        package, catalog = asked.package, self.catalog(snapshot)
        if package is not None:
            given = [metadata.load(e.url, read) for e in package.of_flavor(EPISODE, "catalog")[:1]]
            catalog = given[0] if given else catalog
        if catalog is None:
            raise NotScheduled(snapshot.package_id)
        before = dublincore.Catalog(list(catalog.values), catalog.prefixes)
        if asked.start and asked.end:
            catalog.set_period(asked.start, asked.end)
        if asked.agent:
            catalog.set("spatial", asked.agent)
        if not catalog.same_as(before):
            package = package or snapshot.delivered(self.assets.workspace.base_url)
            for element in package.of_flavor(EPISODE, "catalog")[:1]:
                data = catalog.to_xml().encode()
                element.url = self.assets.workspace.put(package.id, str(element.id), "dublincore.xml", data)
                element.checksum = element.size = None
        return package, catalog

    def set_state(self, event_id: str, state: str, org: str, now: datetime) -> None:
        """Note what the agent says of a recording.

        :raises NotScheduled: when it has no plan.
        """
        plan = self.planned(event_id, org)
        event = self.state.events[event_id]
        event.scheduling = replace(plan, state=state, last_heard=now)
        if event.latest is not None:
            self.assets.index(event, event.latest, event.creator)

    def remove(self, event_id: str, org: str) -> bool:
        """Drop the plan and the scheduler's snapshots; tells whether nothing is left of the event.

        :raises NotScheduled: when there was neither.
        """
        event = self.state.events.get(event_id)
        if event is None or event.org != org:
            raise NotScheduled(event_id)
        kept = [snapshot for snapshot in event.snapshots if snapshot.owner != OWNER_SCHEDULER]
        if event.scheduling is None and len(kept) == len(event.snapshots):
            raise NotScheduled(event_id)
        if not kept:
            return True
        event.scheduling, event.snapshots = None, kept
        self.assets.index(event, kept[-1], event.creator)
        return False

    def _store(self, event_id: str, plan: Scheduling, snapshot: Snapshot, user: str) -> None:
        event = self.state.events[event_id]
        event.scheduling = plan
        self.assets.index(event, snapshot, user)


def _start(event: Event) -> datetime:
    assert event.scheduling is not None
    return event.scheduling.start


def _within(moment: datetime, span: tuple[datetime, datetime]) -> bool:
    return span[0] <= moment < span[1]


def _with_final_properties(
    plan: Scheduling, series: str | None, catalog: dublincore.Catalog | None
) -> Scheduling:  # fmt: skip
    """Add what the server derives from the event to the agent's properties, in place of what was sent of it."""
    final = {k: v for k, v in plan.agent_configuration if not k.startswith(WORKFLOW_PREFIX)}
    final |= {f"{WORKFLOW_PREFIX}{key}": value for key, value in plan.workflow_properties}
    if catalog is not None:
        final["event.title"] = catalog.first("title") or ""
    if (series or "").strip():
        final["event.series"] = str(series)
    final["event.location"] = plan.agent
    return replace(plan, agent_configuration=tuple(final.items()))
