"""``/workflow``: starting, watching and ending workflows; definitions and handlers."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import jettison, mediapackage, metadata, responses, xmlio
from tests.simulator.assets import SnapshotFailed
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.workflows import definition as definitions
from tests.simulator.workflows.definition import Definition
from tests.simulator.workflows.engine import WorkflowActive
from tests.simulator.workflows.instance import Instance

router = APIRouter()
_SET = (
    '<wf:workflows xmlns:sec="http://org.opencastproject.security" '
    'xmlns:mp="http://mediapackage.opencastproject.org" xmlns:wf="http://workflow.opencastproject.org">'
)
_TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")


def _instance(request: Request, number: str) -> Instance | None:
    return simulator_of(request).state.workflows.get(int(number)) if number.isdigit() else None


@router.api_route("/workflow/handlers.json", methods=READ)
def handlers(request: Request) -> Response:
    return responses.plain(responses.simple(simulator_of(request).handler_list()), responses.JSON)


@router.api_route("/workflow/count", methods=READ)
def count(request: Request) -> Response:
    state = request.query_params.get("state")
    held = simulator_of(request).state.workflows.values()
    return responses.plain(str(sum(state in (None, "", w.state) for w in held)), responses.TEXT)


@router.api_route("/workflow/definitions.json", methods=READ)
def definitions_json(request: Request) -> Response:
    return responses.plain(jettison.convert(_definition_set(request)), responses.JSON)


@router.api_route("/workflow/definitions.xml", methods=READ)
def definitions_xml(request: Request) -> Response:
    return responses.plain(_definition_set(request), "application/xml")


def _definition_set(request: Request) -> str:
    held = simulator_of(request).state.definitions.values()
    inner = "".join(item.to_xml(prolog=False, namespace=False) for item in held)
    return f'{xmlio.PROLOG}<definitions xmlns="{definitions.NAMESPACE}">{inner}</definitions>'


@router.api_route("/workflow/definition/{definition_id}.{kind}", methods=READ)
def one_definition(request: Request, definition_id: str, kind: str) -> Response:
    found = simulator_of(request).state.definitions.get(definition_id)
    if found is None or kind not in ("xml", "json"):
        return responses.no_resource()
    if kind == "xml":
        return responses.xml(found.to_xml())
    return responses.plain(jettison.convert(found.to_xml()), responses.JSON)


@router.api_route("/workflow/instance/{number}.{kind}", methods=READ)
def instance(request: Request, number: str, kind: str) -> Response:
    found = _instance(request, number)
    if found is None or kind not in ("xml", "json"):
        return responses.no_resource()
    if kind == "xml":
        return responses.xml(found.to_xml())
    return responses.plain(jettison.convert(found.to_xml()), responses.JSON)


@router.api_route("/workflow/mediaPackage/{package_id}/hasActiveWorkflows", methods=READ)
def has_active(request: Request, package_id: str) -> Response:
    return responses.plain(json.dumps(simulator_of(request).engine.is_active(package_id)), responses.JSON)


@router.api_route("/workflow/mediaPackage/{package_id}/instances.json", methods=READ)
def instances(request: Request, package_id: str) -> Response:
    held = simulator_of(request).state.workflows_of(package_id)
    inner = "".join(item.to_xml(prolog=False, head=False) for item in held)
    return responses.plain(jettison.convert(f"{_SET}{inner}</wf:workflows>"), responses.JSON)


@router.api_route("/workflow/mediaPackage/{package_id}/currentInstance.json", methods=READ)
def current(request: Request, package_id: str) -> Response:
    running = [item for item in simulator_of(request).state.workflows_of(package_id) if item.active]
    if not running:
        return responses.empty(404)
    return responses.plain(jettison.convert(running[-1].to_xml()), responses.JSON)


@router.post("/workflow/start")
def start(request: Request, form: Form) -> Response:
    """Start by the id of a definition, or by a definition that is sent along."""
    simulator, caller = simulator_of(request), caller_of(request)
    try:
        package = mediapackage.parse(form.get("mediapackage", ""))
        definition = _definition(request, form.get("definition", ""))
    except (mediapackage.InvalidPackage, definitions.InvalidDefinition, ValueError):
        return responses.empty(400)
    if form.get("parent") and not form["parent"].isdigit():
        return responses.empty(400)
    lines = (line.partition("=") for line in form.get("properties", "").splitlines() if line.strip())
    properties = {key.strip(): value for key, _, value in lines}
    try:
        begun = simulator.engine.start(
            definition, package, properties, caller.organization.id, caller.user.username, caller.user.name
        )
    except WorkflowActive as error:
        return responses.internal_error(request, f"java.lang.IllegalStateException: {error}")
    except metadata.UnreadableCatalog as error:
        return responses.internal_error(request, f"java.lang.RuntimeException: {error}")
    except SnapshotFailed as error:
        return responses.internal_error(
            request, f"org.opencastproject.assetmanager.api.AssetManagerException: {error}"
        )  # fmt: skip
    return responses.xml(begun.at_start)


def _definition(request: Request, text: str) -> Definition:
    if not text.strip():
        raise definitions.InvalidDefinition("there is none")
    known = simulator_of(request).state.definitions.get(text)
    return known if known is not None else definitions.parse(text)


@router.post("/workflow/stop")
def stop(request: Request, form: Form) -> Response:
    found = _instance(request, form.get("id", ""))
    if found is None:
        return responses.no_resource()
    if found.state != "STOPPED":
        simulator_of(request).engine.stop(found)
    return responses.xml(found.to_xml())


@router.delete("/workflow/remove/{number}")
def remove(request: Request, number: str) -> Response:
    found = _instance(request, number)
    if found is None:
        return responses.no_resource()
    if found.state not in _TERMINAL and request.query_params.get("force") != "true":
        return responses.empty(403)
    simulator_of(request).engine.remove(found)
    return responses.empty(204)
