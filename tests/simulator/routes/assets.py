"""``/assets``: snapshots, archived files, properties."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import generations, mediapackage, policies, responses
from tests.simulator.assets import SnapshotFailed
from tests.simulator.bodies import FileBody
from tests.simulator.records import Event
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()
# Jetty names the length of what fits into its output buffer, whatever the service said.
JETTY_BUFFER = 32 * 1024
_SECURITY = "org.opencastproject.assetmanager.security"
_WORKFLOW = "org.opencastproject.workflow.configuration"


def _find(request: Request, event_id: str) -> Event | None:
    event, caller = simulator_of(request).state.events.get(event_id), caller_of(request)
    if event is None or event.latest is None or event.org != caller.organization.id:
        return None
    # The asset manager treats capture agents as administrators of their organization.
    everything = caller.admin or "ROLE_CAPTURE_AGENT" in caller.roles
    return event if everything or policies.allows(event.acl, caller.roles, "read") else None


@router.api_route("/assets/episode/{event_id}", methods=READ)
def episode(request: Request, event_id: str) -> Response:
    event = _find(request, event_id)
    if event is None or event.latest is None:
        return responses.empty(404)
    package = event.latest.delivered(simulator_of(request).url)
    if simulator_of(request).settings.generation < generations.PUBLISHED_ELEMENTS:
        for publication in package.publications:
            publication.elements = []
    return responses.xml(package.to_xml())


@router.api_route("/assets/assets/{event_id}/{element_id}/{version}/{file_name}", methods=READ)
def asset(request: Request, event_id: str, element_id: str, version: str, file_name: str) -> Response:
    """Deliver a file: whole whatever range is asked for, 304 for its own md5, the name is free."""
    if not version.isdigit():
        return responses.plain("malformed version", "application/octet-stream", 400)
    event = _find(request, event_id)
    snapshot = event.snapshot(int(version)) if event else None
    held = snapshot.load().assets.get(element_id) if snapshot else None
    if held is None or not held.path.is_file():
        return responses.empty(404)
    if request.headers.get("if-none-match") == held.checksum[1] and held.checksum[0] == "md5":
        return responses.empty(304, etag=f'"{held.checksum[1]}"', content_length="0")
    headers = {"content-disposition": f"attachment; filename={file_name}"}
    headers["content-type"] = held.mimetype or "application/octet-stream"
    length, real = held.size, held.path.stat().st_size
    if not length or length < 0:
        length = real if real < JETTY_BUFFER else None
    headers = {name: value.encode("ascii", "replace").decode() for name, value in headers.items()}
    return FileBody(held.path, headers, length=length)


@router.api_route("/assets/{event_id}/workflowProperties.json", methods=READ)
def workflow_properties(request: Request, event_id: str) -> Response:
    event = _find(request, event_id)
    return responses.gson_response(event.workflow_properties) if event else responses.empty(404)


@router.api_route("/assets/{event_id}/properties.json", methods=READ)
def properties(request: Request, event_id: str) -> Response:
    event = _find(request, event_id)
    if event is None:
        return responses.empty(404)
    held = {
        f"{_SECURITY}.{e.role} | {e.action}": {"type": "BooleanType", "value": str(e.allow).lower()} for e in event.acl
    }
    for name, value in event.workflow_properties.items():
        held[f"{_WORKFLOW}.{name}"] = {"type": "StringType", "value": value}
    wanted = request.query_params.get("namespace")
    if wanted:
        held = {name: value for name, value in held.items() if name.startswith(wanted + ".")}
    return responses.gson_response(held)


@router.post("/assets/{event_id}/workflowProperties")
def write_workflow_properties(request: Request, event_id: str, form: Form) -> Response:
    try:
        given = json.loads(form.get("properties", ""))
    except ValueError:
        return responses.empty(400)
    if not isinstance(given, dict):
        return responses.empty(400)
    event = _find(request, event_id)
    if event is None:
        return responses.empty(404)
    event.workflow_properties.update({name: str(value) for name, value in given.items()})
    return responses.empty(204)


@router.post("/assets/snapshot")
@router.post("/assets/add")
def snapshot(request: Request, form: Form) -> Response:
    simulator, caller = simulator_of(request), caller_of(request)
    try:
        package = mediapackage.parse(form.get("mediapackage", ""))
    except mediapackage.InvalidPackage:
        return responses.empty(400)
    try:
        simulator.assets.take_snapshot(package, caller.organization.id, user=caller.user.name)
    except SnapshotFailed:
        return responses.empty(500)
    return responses.empty(204)


@router.delete("/assets/delete/{event_id}")
def delete(request: Request, event_id: str) -> Response:
    simulator = simulator_of(request)
    return responses.empty(204 if _find(request, event_id) and simulator.assets.delete(event_id) else 404)
