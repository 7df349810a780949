"""``/info``, ``/sysinfo``, ``/services``, ``/api`` itself, and what a fresh installation says of itself."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import generations, responses
from tests.simulator.routes.access import READ, caller_of, simulator_of

router = APIRouter()
SERVICES = {
    "org.opencastproject.assetmanager": "/assets",
    "org.opencastproject.capture.admin": "/capture-admin",
    "org.opencastproject.distribution.download": "/distribution/download",
    "org.opencastproject.external": "/api",
    "org.opencastproject.files": "/files",
    "org.opencastproject.ingest": "/ingest",
    "org.opencastproject.oaipmh": "/oaipmh",
    "org.opencastproject.scheduler": "/recordings",
    "org.opencastproject.search": "/search",
    "org.opencastproject.series": "/series",
    "org.opencastproject.staticfiles": "/staticfiles",
    "org.opencastproject.workflow": "/workflow",
}


@router.api_route("/info/me.json", methods=READ)
def me(request: Request) -> Response:
    simulator, caller = simulator_of(request), caller_of(request)
    user = {"username": caller.user.username}
    if not caller.anonymous:
        user = {"provider": "opencast", "name": caller.user.name, **user}
        user |= {"email": caller.user.email} if caller.user.email else {}
    organization = {
        "anonymousRole": "ROLE_ANONYMOUS",
        "name": caller.organization.name,
        "adminRole": "ROLE_ADMIN",
        "id": caller.organization.id,
        "properties": simulator.organization_properties(caller.organization),
    }
    if simulator.settings.generation < generations.USER_OBJECT:
        flat = {"username": caller.user.username, "roles": list(caller.user.roles), "org": organization}
        return responses.plain(responses.simple(flat), responses.JSON)
    return responses.plain(json.dumps({
        "org": organization,
        "roles": list(caller.user.roles),
        "userRole": f"ROLE_USER_{caller.user.username.upper()}",
        "user": user,
    }, ensure_ascii=False, separators=(",", ":")), responses.JSON)  # fmt: skip


@router.api_route("/info/health", methods=READ)
def health(request: Request) -> Response:
    simulator = simulator_of(request)
    return responses.gson_response({
        "releaseId": simulator.settings.bundle_version,
        "description": "Opencast node's health status",
        "serviceId": simulator.url,
        "version": "1",
        "status": "pass",
    }, "application/health+json")  # fmt: skip


@router.api_route("/info/components.json", methods=READ)
def components(request: Request) -> Response:
    url = simulator_of(request).url
    rest = [
        {"description": name, "version": "1.0", "type": name, "path": path, "docs": f"{url}{path}/docs", "wadl": ""}
        for name, path in SERVICES.items()
    ]
    return responses.plain(responses.simple({"engage": url, "admin": url, "rest": rest, "ui": []}), responses.JSON)


@router.api_route("/sysinfo/bundles/version", methods=READ)
def bundles(request: Request) -> Response:
    simulator = simulator_of(request)
    prefixes = request.query_params.getlist("prefix") or ["opencast"]
    name = "opencast" if simulator.settings.generation >= generations.OPENCAST_BUNDLES else "matterhorn"
    if not any(name.startswith(prefix) or prefix.startswith(name) for prefix in prefixes):
        return responses.empty(404)
    version, build = simulator.settings.bundle_version, simulator.settings.build_number
    return responses.plain(responses.simple({
        "last-modified": simulator.started_millis, "consistent": True, "version": version, "buildNumber": build,
    }), responses.JSON)  # fmt: skip


@router.api_route("/services/available.json", methods=READ)
def services(request: Request) -> Response:
    simulator = simulator_of(request)
    wanted = request.query_params.get("serviceType")
    found = [_service(simulator.url, name) for name in SERVICES if wanted in (None, name)]
    held: Any = {"service": found[0] if len(found) == 1 else found} if found else ""
    text = json.dumps({"services": held}, ensure_ascii=False, separators=(",", ":"))
    return responses.plain(text, responses.JSON)


def _service(url: str, name: str) -> dict[str, Any]:
    since = "2026-11-22T02:09:28.693Z"
    return {
        "type": name, "host": url, "path": SERVICES[name], "active": True, "online": True, "maintenance": False,
        "jobproducer": True, "onlinefrom": since, "service_state": "NORMAL", "state_changed": since,
        "error_state_trigger": 0, "warning_state_trigger": 0,
    }  # fmt: skip


@router.api_route("/api", methods=READ)
def api(request: Request) -> Response:
    simulator = simulator_of(request)
    version = f"v1.{simulator.settings.newest_api}.0"
    return responses.plain(responses.simple({"version": version, "url": simulator.url}), responses.JSON)


@router.api_route("/api/version", methods=READ)
def api_version(request: Request) -> Response:
    newest = simulator_of(request).settings.newest_api
    versions = [f"v1.{minor}.0" for minor in range(newest + 1)]
    return responses.plain(responses.simple({"default": versions[-1], "versions": versions}), responses.JSON)


@router.api_route("/api/version/default", methods=READ)
def default_version(request: Request) -> Response:
    newest = simulator_of(request).settings.newest_api
    return responses.plain(responses.simple({"default": f"v1.{newest}.0"}), responses.JSON)


@router.api_route("/api/info/me", methods=READ)
def api_me(request: Request) -> Response:
    user = caller_of(request).user
    document = {"provider": "opencast", "name": user.name, "userrole": f"ROLE_USER_{user.username.upper()}"}
    document |= {"email": user.email, "username": user.username}
    return responses.plain(responses.simple(document), responses.JSON)


@router.api_route("/api/info/me/roles", methods=READ)
def api_roles(request: Request) -> Response:
    return responses.plain(responses.simple(list(caller_of(request).user.roles)), responses.JSON)


@router.api_route("/api/info/organization", methods=READ)
def api_organization(request: Request) -> Response:
    organization = caller_of(request).organization
    return responses.plain(responses.simple({
        "anonymousRole": "ROLE_ANONYMOUS", "name": organization.name, "adminRole": "ROLE_ADMIN",
        "id": organization.id,
    }), responses.JSON)  # fmt: skip


@router.api_route("/api/info/organization/properties", methods=READ)
def api_properties(request: Request) -> Response:
    properties = simulator_of(request).organization_properties(caller_of(request).organization)
    return responses.plain(responses.simple(properties), responses.JSON)


@router.api_route("/login.html", methods=READ)
def login() -> Response:
    form = '<form action="j_spring_security_check" method="post"><input name="j_username"></form>'
    return responses.plain(f"<!DOCTYPE html><html><title>Opencast</title>{form}</html>", "text/html;charset=utf-8")
