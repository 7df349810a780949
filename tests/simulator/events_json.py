"""Events as the external API shows them."""

from __future__ import annotations

from typing import Any

from tests.simulator import clock, generations
from tests.simulator.mediapackage import Element, Publication
from tests.simulator.policies import to_api
from tests.simulator.records import EventDocument, Scheduling
from tests.simulator.xmlio import local, text_of

INTERNAL = "internal"
# What the rows have since version 6.
_LATER = frozenset({"is_part_of", "series", "status", "language", "license", "rightsholder", "source"})
_LABEL = "EVENTS.EVENTS.DETAILS.METADATA."


def row(document: EventDocument, generation: int = generations.NEWEST) -> dict[str, Any]:
    """Give what every answer about an event holds."""
    result: dict[str, Any] = {
        "identifier": document.identifier,
        "creator": document.creator,
        "presenter": list(document.presenters),
        "created": clock.seconds(document.created) if document.created else "",
        "is_part_of": document.series_id,
        "subjects": subjects(document),
        "start": clock.seconds(document.start) if document.start else "",
        "description": document.description,
        "language": document.language,
        "source": document.source,
        "title": document.title,
        "processing_state": document.workflow_state,
        "duration": document.duration,
        "license": document.license,
    }
    if document.version is not None:
        result["archive_version"] = document.version
    result |= {
        "contributor": list(document.contributors),
        "series": document.series_name,
        "has_previews": document.has_previews,
        "location": document.location,
        "rightsholder": document.rights,
        "publication_status": list(document.channels),
        "status": document.status,
    }
    if generation < generations.FULL_ROWS:
        return {name: value for name, value in result.items() if name not in _LATER}
    return result


def subjects(document: EventDocument) -> list[str]:
    """Split the one subject that the index keeps."""
    return [part.strip() for part in document.subject.split(",")] if document.subject.strip() else []


def acl(document: EventDocument) -> list[dict[str, Any]]:
    """Give the effective rights."""
    return to_api(document.acl)


def scheduling(plan: Scheduling | None) -> dict[str, Any]:
    """Give agent and times; empty when nothing is scheduled."""
    if plan is None:
        return {}
    return {
        "agent_id": plan.agent, "inputs": plan.inputs, "start": clock.seconds(plan.start),
        "end": clock.seconds(plan.end),
    }  # fmt: skip


def publications(document: EventDocument, *, internal: bool) -> list[dict[str, Any]]:
    """Give the publications; the internal one only on demand."""
    held = document.snapshot.load().package.publications if document.snapshot else []
    return [publication(item) for item in held if internal or item.channel != INTERNAL]


def publication(item: Publication) -> dict[str, Any]:
    """Give one publication."""
    return {
        "metadata": [_published(element) for element in item.of_kind("catalog")],
        "attachments": [{**_published(e), "ref": e.ref or ""} for e in item.of_kind("attachment")],
        "channel": item.channel,
        "id": item.id,
        "media": [_published_track(element) for element in item.of_kind("track")],
        "mediatype": item.mimetype or "",
        "url": item.url or "",
    }


def _published(element: Element) -> dict[str, Any]:
    return {
        "flavor": element.flavor or "",
        "size": -1 if element.size is None else element.size,
        "checksum": _checksum(element) or "",
        "id": element.id,
        "mediatype": element.mimetype or "",
        "url": element.url or "",
        "tags": sorted(element.tags),
    }


def _published_track(element: Element) -> dict[str, Any]:
    result = _published(element) | _flags(element) | {"description": "", "duration": element.duration}
    for video in [d for d in element.details if local(d) == "video"][:1]:
        values = {local(child): text_of(child) for child in video}
        width, _, height = values.get("resolution", "").partition("x")
        result |= {"framerate": float(values.get("framerate") or 0), "bitrate": float(values.get("bitrate") or 0)}
        result |= {"framecount": int(values.get("framecount") or 0), "width": int(width or 0)}
        result["height"] = int(height or 0)
    return result


def _flags(element: Element) -> dict[str, bool]:
    kinds = {local(detail) for detail in element.details}
    return {
        "has_audio": "audio" in kinds,
        "has_video": "video" in kinds,
        "is_master_playlist": element.detail("master") == "true",
        "is_live": element.detail("live") == "true",
    }


def _checksum(element: Element) -> str | None:
    return f"{element.checksum[1]} ({element.checksum[0]})" if element.checksum else None


def track(element: Element) -> dict[str, Any]:
    """Give a track of the archive, as ``/api/events/{id}/media`` does."""
    result: dict[str, Any] = {"identifier": element.id, **_flags(element)}
    streams = {str(detail.get("id")): _stream(detail) for detail in element.details if local(detail) in _STREAMS}
    if streams:
        result["streams"] = streams
    if element.duration is not None:
        result["duration"] = element.duration
    if element.checksum:
        result["checksum"] = _checksum(element)
    return result | {
        "description": "",
        "uri": element.url,
        "tags": sorted(element.tags),
        "flavor": element.flavor or "",
        "size": -1 if element.size is None else element.size,
        "mimetype": element.mimetype or "",
        "element-description": element.url,
    }


_STREAMS = ("audio", "video")
_STREAM_FIELDS = {
    "channels": int, "framecount": int, "bitrate": float, "samplingrate": int, "framerate": float, "bitdepth": int,
}  # fmt: skip


def _stream(detail: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"identifier": detail.get("id")}
    for child in detail:
        name, text = local(child), text_of(child)
        if name in _STREAM_FIELDS and text:
            result[name] = _STREAM_FIELDS[name](text)
        elif name == "resolution":
            width, _, height = text.partition("x")
            result |= {"framewidth": int(width or 0), "frameheight": int(height or 0)}
        elif name == "encoder" and child.get("type"):
            result["format"] = child.get("type")
    return result


def metadata(document: EventDocument, *, listed: bool) -> list[dict[str, Any]]:
    """Give the configured fields of the episode catalog.

    :param listed: in the list of events the start is one field and the licence has another type.
    """
    start = document.start or document.created
    fields = [
        _field("title", "TITLE", "text", document.title, required=True),
        _field("subjects", "SUBJECT", "text", subjects(document)),
        _field("description", "DESCRIPTION", "text_long", document.description),
        _field("language", "LANGUAGE", "text", document.language, translatable=True),
        _field("rightsHolder", "RIGHTS", "text", document.rights),
        _field("license", "LICENSE", "ordered_text" if listed else "text", document.license, translatable=True),
        _field("isPartOf", "SERIES", "text", document.series_id, translatable=False),
        _field("creator", "PRESENTERS", "mixed_text", list(document.presenters), translatable=False),
        _field("contributor", "CONTRIBUTORS", "mixed_text", list(document.contributors), translatable=False),
    ]
    if listed:
        fields.append(_field("startDate", "START_DATE", "date", clock.millis(start) if start else ""))
    else:
        text = clock.seconds(start) if start else ""
        fields.append(_field("startDate", "START_DATE", "date", text[:10]))
        fields.append(_field("startTime", "START_TIME", "time", text[11:16]))
    length = (document.duration or 0) // 1000
    duration = f"{length // 3600:02}:{length // 60 % 60:02}:{length % 60:02}"
    created = clock.millis(document.created) if document.created else ""
    fields += [
        _field("duration", "DURATION", "text", duration),
        _field("location", "LOCATION", "text", document.location),
        _field("source", "SOURCE", "text", document.source),
        _field("created", "CREATED", "date", created, read_only=True),
        _field("publisher", "PUBLISHER", "text", document.publisher, read_only=True),
        _field("identifier", "ID", "text", document.identifier, read_only=True),
    ]
    return [{"flavor": "dublincore/episode", "title": "EVENTS.EVENTS.DETAILS.CATALOG.EPISODE", "fields": fields}]


def _field(
    name: str, label: str, kind: str, value: Any, *, required: bool = False, read_only: bool = False,
    translatable: bool | None = None,
) -> dict[str, Any]:  # fmt: skip
    result = {} if translatable is None else {"translatable": translatable}
    return result | {
        "readOnly": read_only, "id": name, "label": _LABEL + label, "type": kind, "value": value,
        "required": required,
    }  # fmt: skip
