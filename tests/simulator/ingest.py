"""The ingest service: packages put together piece by piece, or sent as one zip, and the start of their workflow."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lxml import etree

from tests.simulator import clock, dublincore, mediapackage, metadata, policies, xmlio, zip_reading
from tests.simulator.mediapackage import (
    EPISODE,
    SERIES,
    XACML_SERIES,
    Element,
    InvalidPackage,
    MediaPackage,
    Publication,
    flavor_matches,
)
from tests.simulator.records import Scheduling
from tests.simulator.scheduler import WORKFLOW_PREFIX, NotScheduled
from tests.simulator.workflows.definition import Definition
from tests.simulator.workflows.instance import Instance

if TYPE_CHECKING:
    from tests.simulator.access import Caller
    from tests.simulator.server import Simulator

DEFAULT_WORKFLOW = "schedule-and-upload"
START_DATE, WORKFLOW, LEGACY_WORKFLOW = "ingest_start_date", "workflowDefinitionId", "workflowInstanceId"
LEGACY_ID = "org.opencastproject.ingest.legacy.mediapackage.id"
AGENT_WORKFLOW = "org.opencastproject.workflow.definition"
MANIFESTS = ("manifest.xml", "index.xml")
LONGEST_TRACK_NAME = 75


class Busy(RuntimeError):
    """The server takes no more zips at the moment."""


class Ingest:
    """Takes packages in on one server."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, self.storage, self.state = simulator, simulator.storage, simulator.state
        self.workspace = simulator.workspace
        self._lock = threading.Lock()
        self._running = 0
        self._created: dict[str, datetime] = {}

    # --- piece by piece ------------------------------------------------------------------------------------------

    def create(self, package_id: str | None) -> MediaPackage:
        """Make an empty package; nothing but the time is remembered of it.

        :raises InvalidPackage: for an id that is refused.
        """
        if package_id is not None and not mediapackage.ID_PATTERN.fullmatch(package_id):
            raise InvalidPackage(f"{package_id!r} is no id of a media package")
        package = MediaPackage(package_id or mediapackage.new_id(), clock.seconds(clock.now()))
        self._created[package.id] = clock.now()
        return package

    def discard(self, package: MediaPackage) -> None:
        """Remove the files of a package's elements."""
        for element in package.elements:
            self.storage.delete_working_file(package.id, str(element.id))

    def add(self, package: MediaPackage, kind: str, flavor: str, tags: Iterable[str], name: str, file: Path) -> None:
        """Add an element whose file was received; it always gets a new id.

        :raises InvalidPackage: for a catalog that is no XML; one that looks like JSON is taken.
        """
        if kind == "track" and len(name) > LONGEST_TRACK_NAME:
            extension = PurePosixPath(name).suffix
            name = name[: LONGEST_TRACK_NAME - len(extension)] + extension
        if kind == "catalog":
            _check_catalog(file)
        element = Element(kind, mediapackage.new_id(), flavor or None, tags={tag for tag in tags if tag})
        stored = self.storage.put_copy(package.id, str(element.id), name, file)
        element.url = self.workspace.working_url(package.id, str(element.id), stored.name)
        element.mimetype = mimetypes.guess_type(stored.name)[0]
        package.elements.append(element)

    # --- zip -----------------------------------------------------------------------------------------------------

    def unpack(self, zip_file: Path) -> MediaPackage:
        """Store the files of a zip, and give its package with their urls.

        :raises Busy: when too many are at it.
        :raises InvalidPackage: when the manifest is missing or broken, or an element has no entry.
        :raises OSError: when the zip cannot be read, or the disk is full.
        """
        limit = self.simulator.settings.ingest_limit
        with self._lock:
            if limit is not None and self._running >= limit:
                raise Busy
            self._running += 1
        collection = str(self.state.next_job_id())
        try:
            package, stored, root = self._store_entries(zip_file, collection)
            # Publications are elements too, and have to be in the zip.
            items: list[Element | Publication] = [*package.elements, *package.publications]
            for item in items:
                name = stored.get(root + (item.url or ""))
                if name is None:
                    raise InvalidPackage(f"Unable to map element name '{item.url}' to workspace uri")
                last = (item.url or "").rsplit("/", 1)[-1]
                path = self.storage.move_from_collection(collection, name, package.id, str(item.id), last)
                item.url = self.workspace.working_url(package.id, str(item.id), path.name)
            return package
        finally:
            self.storage.drop_collection(collection)
            with self._lock:
                self._running -= 1

    def _store_entries(self, zip_file: Path, collection: str) -> tuple[MediaPackage, dict[str, str], str]:
        """Give the package, the name in the collection of each entry, and the folder that all of these share."""
        package: MediaPackage | None = None
        stored: dict[str, str] = {}
        with zip_file.open("rb") as stream:
            for entry in zip_reading.entries(stream):
                if entry.is_directory or "__MACOSX" in entry.name:
                    for _ in entry.chunks():
                        continue
                elif entry.name.endswith(MANIFESTS):
                    package = mediapackage.parse(b"".join(entry.chunks()))
                else:
                    path = PurePosixPath(entry.name)
                    name = f"{path.stem}_{len(stored) + 1}{path.suffix or '.'}"
                    stored[entry.name] = self.storage.put_in_collection(collection, name, entry.chunks()).name
        if package is None:
            raise InvalidPackage("No manifest found in this zip")
        folders = {name.partition("/")[0] if "/" in name else "" for name in stored}
        root = f"{folders.pop()}/" if len(folders) == 1 and "" not in folders else ""
        return package, stored, root

    # --- workflow ------------------------------------------------------------------------------------------------

    def begin(
        self, package: MediaPackage, workflow: str | None, properties: dict[str, str], caller: Caller,
        started: datetime | None = None,
    ) -> Instance:  # fmt: skip
        """Start the workflow of a package; an unknown one silently becomes the default one.

        :raises WorkflowActive: and whatever else the workflow service raises.
        """
        org = caller.organization.id
        begun = started or self._created.get(package.id) or clock.now()
        properties = {**properties, START_DATE: begun.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")}
        self._rename_legacy(package, properties, org)
        self._apply_series(package, org, caller)
        plan = self._plan(package.id, org)
        agent = dict(plan.agent_configuration) if plan else {}
        definition = self._definition(workflow or agent.get(AGENT_WORKFLOW))
        merged = {key.removeprefix(WORKFLOW_PREFIX): value for key, value in {**agent, **properties}.items()}
        self._merge_scheduled(package, org)
        instance = self.simulator.engine.start(definition, package, merged, org, caller.user.username, caller.user.name)
        self._created.pop(package.id, None)
        return instance

    def _definition(self, name: str | None) -> Definition:
        known = self.state.definitions.get(name or DEFAULT_WORKFLOW)
        return known or self.state.definitions[DEFAULT_WORKFLOW]

    def _plan(self, package_id: str, org: str) -> Scheduling | None:
        try:
            return self.simulator.scheduler.planned(package_id, org)
        except NotScheduled:
            return None

    def _scheduled(self, package_id: str, org: str) -> MediaPackage | None:
        try:
            return self.simulator.scheduler.owned(package_id, org).delivered(self.simulator.url)
        except NotScheduled:
            return None

    def _rename_legacy(self, package: MediaPackage, properties: dict[str, str], org: str) -> None:
        legacy = properties.pop(LEGACY_ID, "")
        if legacy and not self._scheduled(package.id, org) and self._scheduled(legacy, org):
            package.id = legacy

    def _merge_scheduled(self, package: MediaPackage, org: str) -> None:
        """Merge with the package of a scheduled event: its catalogs and attachments win, ingested tracks win."""
        scheduled = self._scheduled(package.id, org)
        if scheduled is None:
            return
        for element in scheduled.elements:
            twins = [own for own in package.elements if own.flavor == element.flavor]
            if twins and element.kind == "track":
                continue
            for twin in twins:
                package.remove(twin)
            package.elements.append(element)
        for name in ("start", "license", "series", "series_title", "title", "subjects", "contributors", "creators"):
            setattr(package, name, getattr(scheduled, name))

    def _apply_series(self, package: MediaPackage, org: str, caller: Caller) -> None:
        """Make a series out of the package's series catalog, with catalogs and rights, unless there is one."""
        service, read = self.simulator.series, self.workspace.read
        for element in package.of_flavor(SERIES, "catalog")[:1]:
            catalog = metadata.load(element.url, read)
            series_id = catalog.first("identifier")
            if series_id is None or series_id in self.state.series:
                return
            service.write(catalog, org, caller.user.name)
            for other in package.of_kind("catalog"):
                if flavor_matches("*/series", other.flavor) and other.flavor != SERIES:
                    kind = str(other.flavor).partition("/")[0]
                    service.write_element(series_id, kind, read(other.url).read_bytes())
            for policy in package.of_flavor(XACML_SERIES, "attachment")[:1]:
                acl = policies.from_xacml(read(policy.url).read_bytes())
                service.write_acl(series_id, acl, override=False)

    # --- schedule ------------------------------------------------------------------------------------------------

    def schedule(self, package: MediaPackage, workflow: str, properties: dict[str, str], caller: Caller) -> None:
        """Plan a recording that the package's episode catalog describes; its files are removed in any case.

        :raises ValueError: for a catalog that does not say exactly when and where.
        :raises SchedulingConflict: when the id exists, or the agent is taken.
        """
        catalogs = package.of_flavor(EPISODE, "catalog")
        if len(catalogs) != 1:
            raise ValueError("There can be only one (and exactly one) episode dublin core catalog")
        agent, (start, end) = _when_and_where(metadata.load(catalogs[0].url, self.workspace.read))
        properties = {**properties, AGENT_WORKFLOW: workflow}
        own = {k.removeprefix(WORKFLOW_PREFIX): v for k, v in properties.items() if k.startswith(WORKFLOW_PREFIX)}
        of_agent = {k: v for k, v in properties.items() if not k.startswith(WORKFLOW_PREFIX)}
        plan = Scheduling(agent, start, end, tuple(of_agent.items()), tuple(own.items()))
        try:
            self.simulator.scheduler.add(package, plan, caller.organization.id, caller.user.name)
        finally:
            self.discard(package)


def _check_catalog(file: Path) -> None:
    data = file.read_bytes()
    if data[:1] in (b"{", b"["):
        return
    try:
        xmlio.parse(data)
    except etree.XMLSyntaxError as error:
        raise InvalidPackage("Catalog XML is invalid") from error


def _when_and_where(catalog: dublincore.Catalog) -> tuple[str, tuple[datetime, datetime]]:
    """Read agent and times of a recording out of its catalog.

    :raises ValueError: when it does not have exactly one of each, or a creation date that is not its start.
    """
    period, created, agents = catalog.period(), catalog.all("created"), catalog.all("spatial")
    if len(catalog.all("temporal")) != 1:
        raise ValueError("There can be only one (and exactly one) period")
    if period is None:
        raise ValueError("A scheduled recording needs to have a start and end.")
    if len(created) > 1:
        raise ValueError("There can be only one created date")
    if created and clock.parse(created[0]) != period[0]:
        raise ValueError("Temporal start and created date differ")
    if len(agents) != 1:
        raise ValueError("Exactly one capture agent needs to be set")
    return agents[0], period
