"""``/api/events/{id}`` and everything below it."""

from __future__ import annotations

import threading
import time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import events_json, policies, responses
from tests.simulator.assets import SnapshotFailed
from tests.simulator.mediapackage import XACML_EPISODE, Element
from tests.simulator.records import EventDocument
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()


def _find(request: Request, event_id: str) -> EventDocument | None:
    document = simulator_of(request).state.event_index.get(event_id)
    caller = caller_of(request)
    if document is None or document.org != caller.organization.id:
        return None
    return document if caller.admin or policies.allows(document.acl, caller.roles, "read") else None


def _unknown(event_id: str) -> Response:
    return responses.missing(f"Cannot find an event with id '{event_id}'.")


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


@router.api_route("/api/events/{event_id}", methods=READ)
def event(request: Request, event_id: str) -> Response:
    document, version = _find(request, event_id), responses.api_version(request)
    if version is None:
        return responses.empty(406)
    if document is None:
        return _unknown(event_id)
    entry = events_json.row(document, simulator_of(request).settings.generation)
    if _flag(request, "withacl"):
        entry["acl"] = events_json.acl(document)
    if _flag(request, "withmetadata"):
        entry["metadata"] = events_json.metadata(document, listed=False)
    if _flag(request, "withscheduling") and document.scheduling:
        entry["scheduling"] = events_json.scheduling(document.scheduling)
    if _flag(request, "withpublications"):
        internal = _flag(request, "includeInternalPublication") and version >= 11
        entry["publications"] = events_json.publications(document, internal=internal)
    return responses.api(request, entry)


@router.api_route("/api/events/{event_id}/acl", methods=READ)
def acl(request: Request, event_id: str) -> Response:
    document = _find(request, event_id)
    return responses.api(request, events_json.acl(document)) if document else _unknown(event_id)


@router.put("/api/events/{event_id}/acl")
def write_acl(request: Request, event_id: str, form: Form) -> Response:
    simulator, document = simulator_of(request), _find(request, event_id)
    if document is None:
        return _unknown(event_id)
    try:
        entries = policies.parse_api(form.get("acl", ""))
    except ValueError as error:
        return responses.bad_request(f"Unable to parse acl '{form.get('acl', '')}' because '{error}'")
    package = simulator.assets.delivered(event_id)
    if package is None or simulator.engine.is_active(event_id):
        return responses.empty(403)
    for element in package.of_flavor(XACML_EPISODE, "attachment"):
        package.remove(element)
    text = policies.to_xacml(event_id, entries).encode()
    url = simulator.workspace.put(event_id, "security-policy-episode", "xacml.xml", text)
    policy = Element("attachment", "security-policy-episode", XACML_EPISODE, mimetype="text/xml", url=url)
    package.add(policy)
    try:
        simulator.assets.take_snapshot(package, document.org, None)
    except SnapshotFailed as error:
        return responses.internal_error(request, str(error))
    finally:
        simulator.workspace.delete(url)
    return responses.empty(204)


@router.api_route("/api/events/{event_id}/media", methods=READ)
def media(request: Request, event_id: str) -> Response:
    document = _find(request, event_id)
    if document is None:
        return _unknown(event_id)
    package = document.snapshot.delivered(simulator_of(request).url) if document.snapshot else None
    tracks = package.of_kind("track") if package else []
    return responses.api(request, [events_json.track(element) for element in tracks])


@router.api_route("/api/events/{event_id}/metadata", methods=READ)
def metadata(request: Request, event_id: str) -> Response:
    document = _find(request, event_id)
    if document is None:
        return _unknown(event_id)
    catalogs = events_json.metadata(document, listed=False)
    wanted = request.query_params.get("type")
    if not wanted:
        return responses.api(request, catalogs)
    if wanted.count("/") != 1:
        return responses.bad_request(
            f"Unable to parse type '{wanted}' as a flavor so unable to find the matching catalog."
        )
    found = [catalog["fields"] for catalog in catalogs if catalog["flavor"] == wanted]
    return responses.api(request, found[0]) if found else responses.missing(
        f"Cannot find a catalog with type '{wanted}' for event with id '{event_id}'."
    )  # fmt: skip


@router.api_route("/api/events/{event_id}/scheduling", methods=READ)
def scheduling(request: Request, event_id: str) -> Response:
    document = _find(request, event_id)
    if document is None:
        return responses.missing(f"Unable to find event with id '{event_id}'")
    if document.scheduling is None:
        return responses.empty(204)
    return responses.api(request, events_json.scheduling(document.scheduling))


@router.api_route("/api/events/{event_id}/publications", methods=READ)
def publications(request: Request, event_id: str) -> Response:
    document, version = _find(request, event_id), responses.api_version(request)
    if version is None:
        return responses.empty(406)
    if document is None:
        return responses.missing(f"Unable to find event with id '{event_id}'")
    internal = _flag(request, "includeInternalPublication") and version >= 11
    return responses.api(request, events_json.publications(document, internal=internal))


@router.api_route("/api/events/{event_id}/publications/{publication_id}", methods=READ)
def publication(request: Request, event_id: str, publication_id: str) -> Response:
    document = _find(request, event_id)
    held = events_json.publications(document, internal=True) if document else []
    found = [item for item in held if item["id"] == publication_id]
    if found:
        return responses.api(request, found[0])
    sentence = f"Unable to find publication with id '{publication_id}' in event with id '{event_id}'."
    return responses.missing(sentence)


@router.delete("/api/events/{event_id}")
def delete(request: Request, event_id: str) -> Response:
    """Delete: at once 202 when something is published (its retraction runs first), else 204; gone only later."""
    simulator, document = simulator_of(request), _find(request, event_id)
    if document is None:
        return _unknown(event_id)
    published = document.has_previews or bool(document.channels and document.snapshot)

    def later() -> None:
        time.sleep(simulator.settings.delete_seconds)
        simulator.remove_event(event_id)

    if simulator.settings.delete_seconds > 0:
        if published:
            simulator.state.retracting.add(event_id)
        threading.Thread(target=later, name=f"delete-{event_id}", daemon=True).start()
    else:
        simulator.remove_event(event_id)
    return responses.empty(202 if published else 204)
