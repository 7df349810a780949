"""``/recordings``: scheduled events."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi import Request as HttpRequest
from fastapi.responses import Response

from tests.simulator import clock, java_properties, jettison, mediapackage, metadata, responses
from tests.simulator.assets import SnapshotFailed
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.records import Scheduling
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.scheduler import STATES, NotScheduled, Request, SchedulingConflict

router = APIRouter()
# RestUtil's bad requests carry a sentence without a content type of their own.
_UNTYPED = "application/octet-stream"
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = timedelta(days=365 * 30)


class _Refused(ValueError):
    """The form cannot be used: 400 with this sentence."""


def _of(request: HttpRequest, read: Callable[[], Response]) -> Response:
    try:
        return read()
    except NotScheduled:
        return responses.empty(404)


def _org(request: HttpRequest) -> str:
    return caller_of(request).organization.id


# --- one event ----------------------------------------------------------------------------------------------------


@router.api_route("/recordings/{event_id}/mediapackage.xml", methods=READ)
def package(request: HttpRequest, event_id: str) -> Response:
    simulator = simulator_of(request)
    return _of(request, lambda: responses.xml(
        simulator.scheduler.owned(event_id, _org(request)).delivered(simulator.url).to_xml()
    ))  # fmt: skip


@router.api_route("/recordings/{event_id}/technical.json", methods=READ)
def technical(request: HttpRequest, event_id: str) -> Response:
    scheduler = simulator_of(request).scheduler
    return _of(request, lambda: responses.plain(
        responses.simple(_technical(event_id, scheduler.planned(event_id, _org(request)))), responses.JSON
    ))  # fmt: skip


def _technical(event_id: str, plan: Scheduling) -> dict[str, Any]:
    return {
        "wfProperties": dict(plan.workflow_properties),
        "presenters": list(plan.presenters),
        "start": clock.seconds(plan.start),
        "location": plan.agent,
        "end": clock.seconds(plan.end),
        "id": event_id,
        "agentConfig": dict(plan.agent_configuration),
        "state": plan.state,
        "lastHeardFrom": clock.seconds(plan.last_heard) if plan.last_heard else "",
    }


@router.api_route("/recordings/{event_id}/dublincore.{kind}", methods=READ)
def catalog(request: HttpRequest, event_id: str, kind: str) -> Response:
    scheduler = simulator_of(request).scheduler

    def read() -> Response:
        found = scheduler.catalog(scheduler.owned(event_id, _org(request)))
        if found is None or kind not in ("xml", "json"):
            raise NotScheduled(event_id)
        if kind == "xml":
            return responses.xml(found.to_xml())
        return responses.plain(responses.simple(found.to_json()), responses.JSON)

    return _of(request, read)


@router.api_route("/recordings/{event_id}/agent.properties", methods=READ)
def agent_properties(request: HttpRequest, event_id: str) -> Response:
    scheduler = simulator_of(request).scheduler
    return _of(request, lambda: responses.plain(
        java_properties.dump(dict(scheduler.planned(event_id, _org(request)).agent_configuration)), responses.TEXT
    ))  # fmt: skip


@router.api_route("/recordings/{event_id}/workflow.properties", methods=READ)
def workflow_properties(request: HttpRequest, event_id: str) -> Response:
    scheduler = simulator_of(request).scheduler
    return _of(request, lambda: responses.plain(
        java_properties.dump(dict(scheduler.planned(event_id, _org(request)).workflow_properties)), responses.TEXT
    ))  # fmt: skip


# --- lists ----------------------------------------------------------------------------------------------------------


@router.api_route("/recordings/eventCount", methods=READ)
def count(request: HttpRequest) -> Response:
    held = [event for event in simulator_of(request).state.events.values() if event.scheduling]
    return responses.plain(str(len(held)), responses.TEXT)


@router.api_route("/recordings/recordings.{kind}", methods=READ)
def listed(request: HttpRequest, kind: str) -> Response:
    """List packages; one that has been recorded since is found by its plan and not by its owner: 500 for the list."""
    simulator, query = simulator_of(request), request.query_params
    try:
        starts, ends = _span(query, "starts"), _span(query, "ends")
    except ValueError:
        return responses.no_resource()
    scheduler = simulator.scheduler
    found = scheduler.search(_org(request), query.get("agent", "").strip(), starts, ends)
    try:
        packages = [scheduler.owned(name, _org(request)).delivered(simulator.url) for name in found]
    except NotScheduled:
        return responses.empty(500)
    if kind == "json":
        return responses.plain(_events_json(packages), responses.JSON)
    inner = "".join(item.to_xml("mp:") for item in packages)
    return responses.xml(f'<mp:mediapackages xmlns:mp="{mediapackage.NAMESPACE}">{inner}</mp:mediapackages>')


def _span(query: Any, which: str) -> tuple[datetime, datetime]:
    first, last = query.get(f"{which}from"), query.get(f"{which}to")
    return (_moment(first) if first else _BEGIN, _moment(last) if last else clock.now() + _YEARS)


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def _events_json(packages: list[MediaPackage]) -> str:
    shown = [json.loads(jettison.convert(item.to_xml()))["mediapackage"] for item in packages]
    return responses.simple({"totalCount": str(len(shown)), "events": shown})


@router.api_route("/recordings/conflicts.json", methods=READ)
def conflicts(request: HttpRequest) -> Response:
    query, simulator = request.query_params, simulator_of(request)
    agent, start, end = query.get("agent", ""), query.get("start", ""), query.get("end", "")
    if not agent or not start.isdigit() or not end.isdigit() or int(end) <= int(start):
        return responses.empty(400)
    found = simulator.scheduler.conflicts(_org(request), agent, _moment(start), _moment(end))
    if not found:
        return responses.empty(204)
    # Here the owner of the snapshot is not looked at.
    packages = [package for name in found if (package := simulator.assets.delivered(name)) is not None]
    return responses.plain(_events_json(packages), responses.JSON)


# --- writes -----------------------------------------------------------------------------------------------------------


@router.post("/recordings")
@router.post("/recordings/")
def add(request: HttpRequest, form: Form) -> Response:
    simulator, caller = simulator_of(request), caller_of(request)
    try:
        start, end = int(form.get("start") or 0), int(form.get("end") or 0)
    except ValueError:
        return responses.no_resource()
    try:
        if end <= start or start < 0:
            raise _Refused("Cannot add event without proper start and end time")
        if not form.get("agent", "").strip():
            raise _Refused("Cannot add event without agent identifier")
        if not form.get("mediaPackage", "").strip():
            raise _Refused("Cannot add event without media package")
        package = _package(form["mediaPackage"])
        agent = _properties(form, "agentparameters", "Could not parse capture agent properties") or {}
        workflow = _properties(form, "wfproperties", "Could not parse workflow configuration properties") or {}
    except _Refused as refusal:
        return responses.plain(str(refusal), _UNTYPED, 400)
    plan = Scheduling(
        form["agent"], _moment(str(start)), _moment(str(end)), tuple(agent.items()), tuple(workflow.items()),
        tuple(dict.fromkeys(name for name in form.get("users", "").split(",") if name)),
    )  # fmt: skip
    try:
        simulator.scheduler.add(package, plan, caller.organization.id, caller.user.name)
    except SchedulingConflict as conflict:
        return _conflict(conflict)
    except (SnapshotFailed, metadata.UnreadableCatalog):
        return responses.empty(500)
    location = f"{simulator.url}/recordings/{package.id}/mediapackage.xml"
    return responses.empty(201, location=location)


@router.put("/recordings/{event_id}")
def change(request: HttpRequest, event_id: str, form: Form) -> Response:
    """Change what the body's fields name; a blank field is one that was not sent."""
    caller = caller_of(request)
    try:
        start, end = (int(form[name]) if form.get(name) else None for name in ("start", "end"))
    except ValueError:
        return responses.no_resource()
    try:
        if start is not None and start < 0:
            raise _Refused("Cannot add event with negative start time")
        if start is not None and end is not None and end <= start:
            raise _Refused("Cannot add event without proper end time")
        asked = Request(
            start=None if start is None else _moment(str(start)),
            end=None if end is None else _moment(str(end)),
            agent=form.get("agent", "").strip() or None,
            presenters=_users(form),
            package=_package(form["mediaPackage"]) if form.get("mediaPackage", "").strip() else None,
            workflow_properties=_properties(form, "wfproperties", ""),
            agent_properties=_properties(form, "agentparameters", ""),
        )
    except _Refused as refusal:
        return responses.plain(str(refusal), _UNTYPED, 400) if str(refusal) else responses.empty(400)
    try:
        simulator_of(request).scheduler.update(event_id, asked, caller.organization.id, caller.user.name)
    except NotScheduled:
        return responses.empty(404)
    except SchedulingConflict as conflict:
        return _conflict(conflict)
    except ValueError:
        return responses.empty(403)
    except (SnapshotFailed, metadata.UnreadableCatalog):
        return responses.empty(500)
    return responses.empty(200)


@router.delete("/recordings/{event_id}")
def delete(request: HttpRequest, event_id: str) -> Response:
    simulator = simulator_of(request)
    try:
        nothing_left = simulator.scheduler.remove(event_id, _org(request))
    except NotScheduled:
        return responses.empty(404)
    if nothing_left:
        simulator.remove_event(event_id)
    return responses.empty(200)


@router.put("/recordings/{event_id}/recordingStatus")
def recording_status(request: HttpRequest, event_id: str, form: Form) -> Response:
    state = form.get("state", "")
    if state not in STATES:
        return responses.empty(400)
    try:
        simulator_of(request).scheduler.set_state(event_id, state, _org(request), clock.now())
    except NotScheduled:
        return responses.empty(404)
    return responses.plain(f"{event_id} set to {state}", _UNTYPED)


def _package(text: str) -> MediaPackage:
    try:
        return mediapackage.parse(text)
    except mediapackage.InvalidPackage as error:
        raise _Refused("Could not parse media package") from error


def _users(form: dict[str, str]) -> tuple[str, ...] | None:
    """Read the presenters; a list of commas alone is one of no users, and empties what is there."""
    text = form.get("users", "").strip()
    return tuple(dict.fromkeys(filter(None, text.split(",")))) if text else None


def _properties(form: dict[str, str], name: str, sentence: str) -> dict[str, str] | None:
    if not form.get(name, "").strip():
        return None
    try:
        return java_properties.load(form[name])
    except java_properties.Malformed as error:
        raise _Refused(sentence) from error


def _conflict(conflict: SchedulingConflict) -> Response:
    text = responses.simple({"error": {"code": "ConflictsFound", "message": str(conflict)}})
    return responses.plain(text, responses.JSON, 409)
