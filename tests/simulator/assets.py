"""The asset manager: snapshots with their de-duplication by checksum, properties, deletion."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from tests.simulator import clock, metadata
from tests.simulator import storage as files
from tests.simulator.mediapackage import XACML_EPISODE, XACML_SERIES, Element, MediaPackage
from tests.simulator.records import OWNER_DEFAULT, Asset, Contents, Event, EventDocument, Snapshot
from tests.simulator.state import State
from tests.simulator.storage import Storage
from tests.simulator.workspace import Unreachable, Workspace


class SnapshotFailed(RuntimeError):
    """A snapshot could not be taken."""


class AssetManager:
    """Takes and removes snapshots."""

    def __init__(self, storage: Storage, state: State, workspace: Workspace) -> None:
        self.storage, self.state, self.workspace = storage, state, workspace
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    def latest(self, package_id: str) -> Snapshot | None:
        """Find an event's newest snapshot."""
        event = self.state.events.get(package_id)
        return event.latest if event else None

    def delivered(self, package_id: str) -> MediaPackage | None:
        """Give an event's newest package as it is handed out."""
        snapshot = self.latest(package_id)
        return snapshot.delivered(self.workspace.base_url) if snapshot else None

    def take_snapshot(
        self, package: MediaPackage, org: str, owner: str | None = OWNER_DEFAULT, user: str = "Administrator"
    ) -> Snapshot:
        """Archive a package as a new version.

        A checksum in the package is believed, and any archived file with that checksum, of whatever event, is linked
        in place of the file that the url points to.

        :raises SnapshotFailed: when a file is missing or the episode catalog cannot be read; the version number is
            used up then, and in the second case the snapshot is there nevertheless.
        """
        with self._locks[package.id]:
            version = self.state.claim_version(package.id)
            stored = package.clone()
            try:
                for element in stored.elements:
                    if element.checksum is None:
                        element.checksum = ("md5", files.md5_of(self.workspace.read(element.url)))
                assets = {str(e.id): self._store(e, org, package.id, version) for e in stored.elements}
            except (Unreachable, OSError, files.UnsafePath) as error:
                raise SnapshotFailed(f"Cannot archive {package.id}: {error}") from error
            for element in stored.elements:
                element.url = f"urn:matterhorn:{package.id}:{version}:{element.id}:{element.file_name or 'unknown'}"
            return self._save(stored, assets, version, org, owner, user)

    def _save(
        self, package: MediaPackage, assets: dict[str, Asset], version: int, org: str, owner: str | None, user: str
    ) -> Snapshot:
        previous = self.latest(package.id)
        owner = owner or (previous.owner if previous else OWNER_DEFAULT)
        contents = Contents(package, assets)
        snapshot = Snapshot(package.id, version, org, owner, clock.now(), package.series, lambda: contents)
        self._write_manifest(package, org, version)
        with self.state.lock:
            event = self.state.events.setdefault(package.id, Event(package.id, org, user))
            if previous is None:
                event.workflow_properties.clear()
            event.snapshots.append(snapshot)
            for asset in assets.values():
                self.state.remember_asset(asset.checksum, asset.path)
        self.index(event, snapshot, user)
        return snapshot

    def _write_manifest(self, package: MediaPackage, org: str, version: int) -> None:
        name = "manifest"
        while package.element(name):
            name += "_"
        path = self.storage.archive(org, package.id, version, name, "xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(package.to_xml(), encoding="utf-8")

    def index(self, event: Event, snapshot: Snapshot, user: str) -> None:
        """Bring the rights and the index up to date with a snapshot.

        :raises SnapshotFailed: when the episode catalog cannot be read.
        """
        delivered = snapshot.delivered(self.workspace.base_url)
        event.acl = metadata.active_acl(delivered, self.workspace.read, self.state.merge_mode)
        fresh = EventDocument(event.id, event.org, creator=user)
        try:
            described = metadata.describe(fresh, delivered, self.workspace.read)
        except metadata.UnreadableCatalog as error:
            raise SnapshotFailed(str(error)) from error
        series = self.state.series.get(described.series_id)
        title = series.catalog.first("title") if series else delivered.series_title

        def change(old: EventDocument | None) -> EventDocument:
            kept = old or fresh
            return replace(
                described,
                creator=kept.creator or user,
                workflow_id=kept.workflow_id,
                workflow_state=kept.workflow_state,
                was_processed=kept.was_processed,
                scheduling=event.scheduling,
                version=snapshot.version,
                acl=event.acl,
                series_name=title or "",
                snapshot=snapshot,
            )

        self.state.event_index.update(event.id, change)

    def _store(self, element: Element, org: str, package_id: str, version: int) -> Asset:
        checksum = element.checksum or ("md5", "")
        known = self.state.archived_file(checksum)
        source: Path | None = None
        try:
            if known is None:
                source = self.workspace.get(element.url, unique=True)
                extension = Path((element.url or "").split("?")[0]).suffix
            else:
                extension = known.suffix
            target = self.storage.archive(org, package_id, version, str(element.id), extension.lstrip("."))
            files.link(known or source or target, target)
        finally:
            if source is not None and source.is_relative_to(self.storage.root / "workspace"):
                source.unlink(missing_ok=True)
                files.prune(source.parent, self.storage.root / "workspace")
        return Asset(str(element.id), checksum, element.size, element.mimetype, target)

    def slim(self, package: MediaPackage) -> MediaPackage:
        """Reduce a package to catalogs and policies, as is archived when a workflow starts on an unknown event."""
        twin = package.clone()
        for element in list(twin.elements):
            policy = element.kind == "attachment" and element.flavor in (XACML_EPISODE, XACML_SERIES)
            if element.kind != "catalog" and not policy:
                twin.remove(element)
        twin.publications = []
        return twin

    def store_properties(self, package: MediaPackage, org: str, properties: dict[str, str], user: str) -> None:
        """Store workflow properties, taking a slim snapshot first when the event has none.

        :raises SnapshotFailed: from that snapshot.
        """
        if self.latest(package.id) is None:
            self.take_snapshot(self.slim(package), org, OWNER_DEFAULT, user)
        with self.state.lock:
            self.state.events[package.id].workflow_properties.update(properties)

    def delete(self, package_id: str) -> bool:
        """Remove all snapshots of an event with their files."""
        with self._locks[package_id]:
            event = self.state.events.get(package_id)
            if event is None or not event.snapshots:
                return False
            for snapshot in event.snapshots:
                for asset in snapshot.load().assets.values():
                    self.state.forget_asset(asset.checksum, asset.path)
            event.snapshots.clear()
            event.workflow_properties.clear()
            self.storage.drop_archive(event.org, package_id)
            return True
