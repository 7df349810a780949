"""What the server knows: events with their snapshots, series, published episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tests.simulator.dublincore import Catalog
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.policies import Acl

OWNER_DEFAULT = "default"
OWNER_SCHEDULER = "org.opencastproject.scheduler"


@dataclass(frozen=True, slots=True)
class Asset:
    """An archived file; checksum and size are what was believed when it was archived."""

    element: str
    checksum: tuple[str, str]
    size: int | None
    mimetype: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class Contents:
    """A snapshot's package (urls in their stored ``urn:`` form) and its files by element id."""

    package: MediaPackage
    assets: dict[str, Asset]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of an event; its contents are loaded when asked for, so that a large library costs little."""

    package_id: str
    version: int
    org: str
    owner: str
    archived: datetime
    series: str | None
    load: Callable[[], Contents] = field(repr=False)

    def delivered(self, base_url: str) -> MediaPackage:
        """Give the package as the asset manager hands it out: own urls, every element tagged ``archive``."""
        package = self.load().package.clone()
        for element in package.elements:
            element.tags.add("archive")
            name = (element.url or "").rsplit(":", 1)[-1]
            element.url = f"{base_url}/assets/assets/{self.package_id}/{element.id}/{self.version}/{name}"
        for publication in package.publications:
            publication.tags.add("archive")
        return package


@dataclass(frozen=True, slots=True)
class Scheduling:
    """When and where an event is to be recorded."""

    agent: str
    start: datetime
    end: datetime
    agent_configuration: tuple[tuple[str, str], ...] = ()
    workflow_properties: tuple[tuple[str, str], ...] = ()
    presenters: tuple[str, ...] = ()
    state: str = ""
    last_heard: datetime | None = None

    @property
    def inputs(self) -> list[str]:
        """The devices to record from."""
        return [name for name in dict(self.agent_configuration).get("capture.device.names", "").split(",") if name]


@dataclass(slots=True)
class Event:
    """An event of the asset manager and the scheduler."""

    id: str
    org: str
    creator: str = "Administrator"
    snapshots: list[Snapshot] = field(default_factory=list)
    workflow_properties: dict[str, str] = field(default_factory=dict)
    acl: Acl = ()
    scheduling: Scheduling | None = None

    @property
    def latest(self) -> Snapshot | None:
        """The newest version."""
        return self.snapshots[-1] if self.snapshots else None

    def snapshot(self, version: int) -> Snapshot | None:
        """Find a version."""
        return next((s for s in self.snapshots if s.version == version), None)


@dataclass(frozen=True, slots=True)
class EventDocument:
    """An event as the index has it; immutable, so that a lagging index can go on delivering the old one."""

    identifier: str
    org: str
    title: str = ""
    description: str = ""
    subject: str = ""
    location: str = ""
    language: str = ""
    source: str = ""
    series_id: str = ""
    series_name: str = ""
    license: str = ""
    rights: str = ""
    publisher: str = ""
    creator: str = ""
    created: datetime | None = None
    start: datetime | None = None
    duration: int | None = None
    contributors: tuple[str, ...] = ()
    presenters: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    has_previews: bool = False
    version: int | None = None
    acl: Acl = ()
    workflow_id: int | None = None
    workflow_state: str = ""
    was_processed: bool = False
    scheduling: Scheduling | None = None
    snapshot: Snapshot | None = field(default=None, repr=False)

    @property
    def status(self) -> str:
        """The status shown to users."""
        return "EVENTS.EVENTS.STATUS." + self._status()

    def _status(self) -> str:
        of_state = {
            "INSTANTIATED": "PENDING", "RUNNING": "PROCESSING", "FAILING": "PROCESSING", "PAUSED": "PAUSED",
            "SUCCEEDED": "PROCESSED", "FAILED": "PROCESSING_FAILURE", "STOPPED": "PROCESSING_CANCELLED",
        }  # fmt: skip
        if self.workflow_id is not None and self.workflow_state:
            return of_state[self.workflow_state]
        if self.scheduling and self.scheduling.state not in ("", "unknown"):
            if self.was_processed and self.scheduling.state in ("capture_finished", "upload_finished"):
                return "PROCESSED"
            return _OF_RECORDING[self.scheduling.state]
        return "SCHEDULED" if self.scheduling else "PROCESSED"


_OF_RECORDING = {
    "capturing": "RECORDING", "capture_finished": "RECORDING", "manifest": "INGESTING",
    "manifest_finished": "INGESTING", "compressing": "INGESTING", "uploading": "INGESTING",
    "upload_finished": "INGESTING", "capture_error": "RECORDING_FAILURE", "manifest_error": "RECORDING_FAILURE",
    "compressing_error": "RECORDING_FAILURE", "upload_error": "RECORDING_FAILURE",
}  # fmt: skip


@dataclass(slots=True)
class Series:
    """A series of the series service."""

    id: str
    org: str
    catalog: Catalog
    acl: Acl | None = None
    creator: str = "Administrator"
    properties: dict[str, str] = field(default_factory=dict)
    elements: dict[str, bytes] = field(default_factory=dict)

    def document(self) -> Series:
        """Copy it for the index."""
        return replace(self, catalog=Catalog(list(self.catalog.values), dict(self.catalog.prefixes)))


@dataclass(frozen=True, slots=True)
class PublishedEpisode:
    """An entry of the search service; its package holds the published elements only."""

    org: str
    acl: Acl
    modified: datetime
    load: Callable[[], MediaPackage] = field(repr=False)

    @property
    def package(self) -> MediaPackage:
        """The package as published."""
        return self.load()
