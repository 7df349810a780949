"""What was recorded in lists only: the events and series of another client, and the order of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from tests.simulator import clock
from tests.simulator.dublincore import Catalog, Value
from tests.simulator.mediapackage import Element, MediaPackage, Publication
from tests.simulator.policies import Acl, Entry
from tests.simulator.recordings import Recordings
from tests.simulator.records import OWNER_DEFAULT, Contents, EventDocument, Scheduling, Series, Snapshot
from tests.simulator.settings import DEFAULT_ORGANIZATION

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

_TERMS = "http://purl.org/dc/terms/"
_LISTED = {"subjects": "subject", "organizers": "creator", "publishers": "publisher", "contributors": "contributor"}
_SINGLE = ("title", "description", "language", "license", "rightsholder")


def load_others(simulator: Simulator, recordings: Recordings) -> None:
    """Put the events and series that have no recordings of their own into the index: they have no files."""
    for row in recordings.json("events/all", simulator.url):
        if row["identifier"] not in simulator.state.events:
            simulator.state.event_index.load(row["identifier"], _event(row))
    for row in recordings.json("series/api_list", simulator.url):
        if row["identifier"] not in simulator.state.series:
            series = _series(row)
            simulator.state.series[series.id] = series
            simulator.state.series_index.load(series.id, series.document())


def put_in_order(simulator: Simulator, recordings: Recordings) -> None:
    """Order the index as it was: by the last write of each document, which nothing else tells."""
    order = [row["identifier"] for row in recordings.json("events/all", simulator.url)]
    simulator.state.event_index.put_in_order(order)
    order = [row["identifier"] for row in recordings.json("series/api_list", simulator.url)]
    simulator.state.series_index.put_in_order(order)


def _event(row: dict[str, Any]) -> EventDocument:
    package = MediaPackage(row["identifier"], publications=[_publication(item) for item in row["publications"]])
    contents = Contents(package, {})
    archived = clock.parse(row["created"]) or clock.now()
    snapshot = Snapshot(
        package.id, row["archive_version"], DEFAULT_ORGANIZATION, OWNER_DEFAULT, archived, row["is_part_of"],
        lambda: contents,
    )  # fmt: skip
    fields = {field["id"]: field["value"] for field in row["metadata"][0]["fields"]}
    running = row["processing_state"]
    return EventDocument(
        identifier=row["identifier"], org=DEFAULT_ORGANIZATION, title=row["title"], description=row["description"],
        subject=", ".join(row["subjects"]), location=row["location"], language=row["language"], source=row["source"],
        series_id=row["is_part_of"], series_name=row["series"], license=row["license"], rights=row["rightsholder"],
        publisher=fields["publisher"], creator=row["creator"], created=clock.parse(row["created"]),
        start=clock.parse(row["start"]), duration=row["duration"], contributors=tuple(row["contributor"]),
        presenters=tuple(row["presenter"]), channels=tuple(row["publication_status"]),
        has_previews=row["has_previews"], version=row["archive_version"], acl=_rights(row),
        workflow_id=1 if running else None, workflow_state=running, scheduling=_plan(row.get("scheduling")),
        snapshot=snapshot,
    )  # fmt: skip


def _rights(row: dict[str, Any]) -> Acl:
    return tuple(Entry(entry["role"], entry["action"], entry["allow"]) for entry in row["acl"])


def _plan(document: dict[str, Any] | None) -> Scheduling | None:
    if not document:
        return None
    start, end = clock.parse(document["start"]), clock.parse(document["end"])
    configuration = {"capture.device.names": ",".join(document["inputs"])} if document["inputs"] else {}
    return Scheduling(document["agent_id"], start or clock.now(), end or clock.now(), tuple(configuration.items()))


def _publication(document: dict[str, Any]) -> Publication:
    kinds = {"metadata": "catalog", "attachments": "attachment", "media": "track"}
    return Publication(
        document["channel"], document["id"], mimetype=document["mediatype"] or None, url=document["url"],
        elements=[_element(kind, item) for name, kind in kinds.items() for item in document[name]],
    )  # fmt: skip


def _element(kind: str, document: dict[str, Any]) -> Element:
    checksum, _, algorithm = document["checksum"].partition(" ")
    element = Element(
        kind, document["id"], document["flavor"], document.get("ref") or None, None, document["mediatype"],
        set(document["tags"]), document["url"], None if document["size"] < 0 else document["size"],
        (algorithm.strip("()"), checksum) if checksum else None,
    )  # fmt: skip
    if kind == "track":
        element.details = _details(document)
    return element


def _details(document: dict[str, Any]) -> list[etree._Element]:
    text = f"<x><duration>{document['duration']}</duration>"
    if document["has_audio"]:
        text += "<audio/>"
    if document["has_video"]:
        fields = {name: document.get(name, 0) for name in ("framecount", "bitrate", "framerate")}
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        text += f"<video>{inner}<resolution>{document['width']}x{document['height']}</resolution></video>"
    return list(etree.fromstring(f"{text}</x>"))


def _series(row: dict[str, Any]) -> Series:
    catalog = Catalog()
    values = [("identifier", row["identifier"]), ("created", row["created"])]
    values += [("rightsHolder" if name == "rightsholder" else name, row[name]) for name in _SINGLE]
    values += [(term, value) for name, term in _LISTED.items() for value in row[name]]
    for term, value in values:
        if value:
            catalog.values.append(Value(_TERMS, term, value))
    return Series(row["identifier"], DEFAULT_ORGANIZATION, catalog, _rights(row), row["creator"])
