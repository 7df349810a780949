"""Fills a simulator with what a recorded server held."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.simulator import clock, dublincore, mediapackage, metadata, policies, xmlio
from tests.simulator import storage as files
from tests.simulator.distribution import ENGAGE
from tests.simulator.libraries import recorded_belongings, recorded_others, recorded_workflows
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.policies import Entry
from tests.simulator.recordings import Exchange, Recordings
from tests.simulator.records import (
    OWNER_DEFAULT,
    OWNER_SCHEDULER,
    Asset,
    Contents,
    Event,
    EventDocument,
    PublishedEpisode,
    Scheduling,
    Series,
    Snapshot,
)  # fmt: skip
from tests.simulator.settings import DEFAULT_ORGANIZATION

if TYPE_CHECKING:
    from tests.simulator.server import Simulator


def fill(simulator: Simulator, generation: int, *, others: bool = False) -> None:
    """Load series, events with all their files, and workflows.

    :param others: also what was recorded in lists only.
    """
    recordings = Recordings(generation)
    for name in sorted({path.name.split("_")[0] for path in (recordings.root / "series").glob("series-*_xml.json")}):
        _load_series(simulator, recordings, name)
    _load_workflows(simulator, recordings)
    recorded_belongings.load(simulator, recordings)
    for folder in sorted((recordings.root / "events").iterdir()):
        if folder.is_dir() and recordings.exchange(f"events/{folder.name}/assets").status == 200:
            _EventLoader(simulator, recordings, f"events/{folder.name}").load()
    if others:
        recorded_others.load_others(simulator, recordings)
    recorded_others.put_in_order(simulator, recordings)


def _load_series(simulator: Simulator, recordings: Recordings, name: str) -> None:
    prefix = f"series/{name}"
    catalog = dublincore.parse(recordings.exchange(f"{prefix}_xml").body)
    row = recordings.json(f"{prefix}_api", simulator.url)
    series = Series(row["identifier"], row["organization"], catalog, creator=row["creator"])
    series.acl = policies.parse(recordings.exchange(f"{prefix}_acl_xml").body.decode())
    for entry in recordings.json(f"{prefix}_properties_json", simulator.url):
        series.properties.update(entry)
    for kind in recordings.json(f"{prefix}_elements_json", simulator.url):
        series.elements[kind] = recordings.exchange(f"{prefix}_element_{kind}").body
    simulator.state.series[series.id] = series
    simulator.state.series_index.load(series.id, series.document())


def _load_workflows(simulator: Simulator, recordings: Recordings) -> None:
    """Load the instances that were recorded as XML, which says more than the JSON that all events have."""
    for name in ("workflows/xml", "workflows/failed_xml"):
        instance = recorded_workflows.from_element(xmlio.parse(recordings.text(name, simulator.url)))
        simulator.state.workflows[instance.id] = instance


class _EventLoader:
    """Loads one event out of its folder of recordings."""

    def __init__(self, simulator: Simulator, recordings: Recordings, folder: str) -> None:
        self.simulator, self.state, self.storage = simulator, simulator.state, simulator.storage
        self.recordings, self.folder, self.url = recordings, folder, simulator.url
        self.org = DEFAULT_ORGANIZATION

    def load(self) -> None:
        """Load everything."""
        package = mediapackage.parse(self.recordings.text(f"{self.folder}/assets", self.url))
        bodies = {unquote(e.path): e for e in self.recordings.all(f"{self.folder}/files")}
        row = self._json("event")
        version = row["archive_version"]
        contents = Contents(package, self._archive(package, version, bodies))
        self._publish(package, bodies)
        plan = self._scheduling()
        owner = OWNER_SCHEDULER if plan else OWNER_DEFAULT
        archived = clock.parse(row["created"]) or clock.now()
        snapshot = Snapshot(package.id, version, self.org, owner, archived, package.series, lambda: contents)
        event = Event(package.id, self.org, row["creator"], [snapshot], self._json("workflow_properties"))
        event.acl = tuple(Entry(e["role"], e["action"], e["allow"]) for e in self._json("acl"))
        event.scheduling = plan
        self.state.events[event.id] = event
        recorded_belongings.load_comments(self.simulator, event.id, self._json("comments"))
        workflows = self._load_workflows()
        self._index(event, snapshot, workflows)

    def _json(self, name: str) -> Any:
        return self.recordings.json(f"{self.folder}/{name}", self.url)

    def _archive(self, package: MediaPackage, version: int, bodies: dict[str, Exchange]) -> dict[str, Asset]:
        assets = {}
        for element in package.elements:
            name = element.file_name
            recorded = bodies[unquote((element.url or "").removeprefix(self.url))]
            extension = Path(name).suffix.lstrip(".")
            path = self.storage.archive(self.org, package.id, version, str(element.id), extension)
            checksum = element.checksum or ("md5", "")
            self._write(path, recorded, self.state.archived_file(checksum))
            assets[str(element.id)] = Asset(str(element.id), checksum, element.size, element.mimetype, path)
            self.state.remember_asset(checksum, path)
            element.url = f"urn:matterhorn:{package.id}:{version}:{element.id}:{name}"
        manifest = self.storage.archive(self.org, package.id, version, "manifest", "xml")
        manifest.write_text(package.to_xml(), encoding="utf-8")
        return assets

    def _write(self, path: Path, recorded: Exchange, known: Path | None) -> None:
        if known is not None and known.read_bytes() == recorded.body:
            files.link(known, path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recorded.body)

    def _publish(self, package: MediaPackage, bodies: dict[str, Exchange]) -> None:
        for publication in package.publications:
            for element in publication.elements:
                place = unquote((element.url or "").removeprefix(self.url))
                recorded = bodies[place]
                element.url = self.simulator.media_url + (element.url or "").removeprefix(self.url)
                path = self.storage.downloads / place.removeprefix("/static/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(recorded.body)
                twin = self.storage.same_file(self.org, package.id, path)
                known = self.state.archived_file(element.checksum) if element.checksum else None
                files.link(known or twin, path) if (known or twin) != path else None
                stamp = parsedate_to_datetime(recorded.headers["last-modified"]).timestamp()
                os.utime(path, (stamp, stamp))
        engage = package.publication(ENGAGE)
        if engage is not None:
            shown = replace(package.clone(), elements=[e.clone() for e in engage.elements], publications=[])
            # What was edited after the publication is known to the archive only.
            metadata.populate(shown, self.simulator.workspace.read)
            acl = tuple(Entry(e["role"], e["action"], e["allow"]) for e in self._json("acl"))
            published = self._published() or clock.now()
            self.state.published[package.id] = PublishedEpisode(self.org, acl, published, lambda: shown)

    def _published(self) -> datetime | None:
        """Give the moment when the search service took the episode."""
        found = self._json("search")
        if "search-results" in found:
            hit = found["search-results"].get("result") or {}
        else:
            hit = next(iter(found["result"]), {})
        # Nanoseconds are cut to what a date of this language holds.
        return clock.parse(re.sub(r"(\.\d{6})\d+Z", r"\1Z", hit.get("modified", "")))

    def _scheduling(self) -> Scheduling | None:
        recorded = self.recordings.exchange(f"{self.folder}/recording_technical")
        if recorded.status != 200:
            return None
        plan = json.loads(recorded.body)
        start, end = clock.parse(plan["start"]), clock.parse(plan["end"])
        start = start or clock.now()
        return Scheduling(
            plan["location"], start, end or start + timedelta(hours=1), tuple(plan["agentConfig"].items()),
            tuple(plan["wfProperties"].items()), tuple(plan["presenters"]), plan["state"],
        )  # fmt: skip

    def _load_workflows(self) -> list[int]:
        held = self._json("workflows")["workflows"]
        found = held["workflow"] if isinstance(held, dict) else []
        numbers = []
        for document in found if isinstance(found, list) else [found]:
            instance = recorded_workflows.from_json(document)
            self.state.workflows.setdefault(instance.id, instance)
            self.state.skip_job_ids(max([instance.id, *(o.id or 0 for o in instance.operations)]))
            numbers.append(instance.id)
        return numbers

    def _index(self, event: Event, snapshot: Snapshot, workflows: list[int]) -> None:
        delivered = snapshot.delivered(self.url)
        document = EventDocument(
            event.id, event.org, creator=event.creator, version=snapshot.version, acl=event.acl, snapshot=snapshot,
            scheduling=event.scheduling,
        )  # fmt: skip
        document = metadata.describe(document, delivered, self.simulator.workspace.read)
        series = self.state.series.get(document.series_id)
        if workflows:
            last = max(workflows)
            document = replace(document, workflow_id=last, workflow_state=self.state.workflows[last].state)
        title = series.catalog.first("title") if series else None
        self.state.event_index.load(event.id, replace(document, series_name=title or ""))
