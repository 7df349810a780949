"""``/api/workflows`` and ``/api/workflow-definitions``."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import metadata, responses
from tests.simulator.assets import SnapshotFailed
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.workflows.engine import WorkflowActive
from tests.simulator.workflows.instance import FINAL, Instance

router = APIRouter()


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _show(request: Request, instance: Instance) -> Response:
    return responses.api(request, instance.to_api(
        operations=_flag(request, "withoperations"), configuration=_flag(request, "withconfiguration"),
    ))  # fmt: skip


def _find(request: Request, number: str) -> Instance | None:
    return simulator_of(request).state.workflows.get(int(number)) if number.isdigit() else None


def _unknown(number: str) -> Response:
    return responses.missing(f"Cannot find workflow instance with id '{number}'.")


@router.api_route("/api/workflows/{number}", methods=READ)
def workflow(request: Request, number: str) -> Response:
    instance = _find(request, number)
    return _show(request, instance) if instance else _unknown(number)


@router.post("/api/workflows")
def start(request: Request, form: Form) -> Response:
    simulator, caller = simulator_of(request), caller_of(request)
    event_id, definition_id = form.get("event_identifier", ""), form.get("workflow_definition_identifier", "")
    if not event_id:
        return responses.bad_request("Required parameter 'event_identifier' is missing or invalid")
    if not definition_id:
        return responses.bad_request("Required parameter 'workflow_definition_identifier' is missing or invalid")
    try:
        properties = json.loads(form.get("configuration") or "{}")
    except ValueError:
        return responses.bad_request("Invalid 'configuration' format")
    package = simulator.assets.delivered(event_id)
    if package is None:
        return responses.missing(f"Cannot find an event with id '{event_id}'.")
    definition = simulator.state.definitions.get(definition_id)
    if definition is None:
        return responses.missing(f"Cannot find workflow definition with id '{definition_id}'.")
    try:
        instance = simulator.engine.start(
            definition, package, {k: str(v) for k, v in properties.items()}, caller.organization.id,
            caller.user.username, caller.user.name,
        )  # fmt: skip
    except WorkflowActive as error:
        return responses.plain(
            responses.simple({"message": str(error)}), f"application/v1.{simulator.settings.newest_api}.0+json", 409
        )
    except (metadata.UnreadableCatalog, SnapshotFailed):
        return responses.empty(500)
    answer = _show(request, instance)
    answer.status_code = 201
    answer.headers["location"] = f"{simulator.url}/api/workflows/{instance.id}"
    return answer


@router.put("/api/workflows/{number}")
def change(request: Request, number: str, form: Form) -> Response:
    instance = _find(request, number)
    if instance is None:
        return _unknown(number)
    if form.get("state") == "stopped":
        simulator_of(request).engine.stop(instance)
    elif form.get("state"):
        return responses.bad_request(f"Invalid workflow state '{form['state']}'")
    return _show(request, instance)


@router.delete("/api/workflows/{number}")
def delete(request: Request, number: str) -> Response:
    instance = _find(request, number)
    if instance is None:
        return _unknown(number)
    if instance.state not in FINAL:
        return responses.empty(409)
    simulator_of(request).engine.remove(instance)
    return responses.empty(204)


@router.api_route("/api/workflow-definitions", methods=READ)
def list_definitions(request: Request) -> Response:
    held = simulator_of(request).state.definitions.values()
    return responses.api(request, [d.to_api(operations=_flag(request, "withoperations")) for d in held])


@router.api_route("/api/workflow-definitions/{definition_id}", methods=READ)
def one_definition(request: Request, definition_id: str) -> Response:
    found = simulator_of(request).state.definitions.get(definition_id)
    if found is None:
        return responses.missing(f"Cannot find workflow definition with id '{definition_id}'.")
    return responses.api(request, found.to_api(operations=_flag(request, "withoperations")))
