"""``/capture-admin``: capture agents. Names are matched in their escaped form, so that one may hold a slash."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from lxml import etree

from tests.simulator import jettison, responses, xmlio
from tests.simulator.agents import STATES, Agent, NoSuchAgent
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()
HTML = "text/html"
_UTIL, _ADMIN = "http://util.opencastproject.org", "http://capture.admin.opencastproject.org"
_COMMON = "http://common.opencastproject.org"
_DOCTYPE = re.compile(r"<!DOCTYPE[^>]*>")


@router.api_route("/capture-admin/agents.{kind}", methods=READ)
def agents(request: Request, kind: str) -> Response:
    held = simulator_of(request).agents.all(caller_of(request).organization.id)
    inner = "".join(_agent_xml(agent, "ns2:agent") for agent in held)
    return _document(f"<ns2:agents {_spaces(_ADMIN)}>{inner}</ns2:agents>", kind, responses.XML)


@router.api_route("/capture-admin/agents/{rest:path}", methods=READ)
def one(request: Request, rest: str) -> Response:
    """Answer ``{name}.xml``, ``{name}/configuration.xml``, ``{name}/capabilities.xml`` and their JSON."""
    name, view, kind = _address(request)
    if kind not in ("xml", "json"):
        return responses.empty(405)
    try:
        agent = simulator_of(request).agents.get(caller_of(request).organization.id, name)
    except NoSuchAgent:
        return responses.no_resource()
    if view == "configuration":
        return _document(_properties_xml(agent.configuration), kind, responses.XML)
    if view == "capabilities":
        return _document(_properties_xml(agent.capabilities), kind, responses.XML)
    return _document(_agent_xml(agent, "ns2:agent-state-update", f" {_spaces(_ADMIN)}"), kind, "application/xml")


@router.post("/capture-admin/agents/{rest:path}")
def write(request: Request, rest: str, form: Form) -> Response:
    name, view, _ = _address(request)
    if view == "configuration":
        return _configure(request, name, form.get("configuration", ""))
    state = form.get("state", "")
    if state not in STATES:
        return responses.empty(400)
    address = form.get("address") or (request.client.host if request.client else "")
    org = caller_of(request).organization.id
    changed = simulator_of(request).agents.report(org, name, state, address)
    return responses.plain(f"{name} set to {state}", HTML) if changed else responses.empty(200)


@router.delete("/capture-admin/agents/{rest:path}")
def delete(request: Request, rest: str) -> Response:
    name, _, _ = _address(request)
    try:
        simulator_of(request).agents.remove(caller_of(request).organization.id, name)
    except NoSuchAgent:
        return responses.no_resource()
    return responses.plain(f"{name} removed", HTML)


def _address(request: Request) -> tuple[str, str, str]:
    """Give name, view and format of the path as it came: an escaped slash is a part of the name."""
    raw = request.scope["raw_path"].decode("ascii").split("?")[0].removeprefix("/capture-admin/agents/")
    name, _, view = raw.partition("/")
    if view:
        view, _, kind = view.partition(".")
    elif request.method in READ:
        name, _, kind = name.rpartition(".")
    else:
        kind = ""
    return unquote(name), view, kind


def _configure(request: Request, name: str, text: str) -> Response:
    """Take a JSON object of texts, or else a document of Java properties."""
    configuration: object
    try:
        configuration = json.loads(text) if text.startswith("{") else _java_properties(text)
    except (ValueError, etree.XMLSyntaxError):
        return responses.empty(400)
    if not isinstance(configuration, dict) or any(isinstance(value, dict | list) for value in configuration.values()):
        return responses.empty(400)
    configuration = {str(key): str(value) for key, value in configuration.items()}
    simulator_of(request).agents.configure(caller_of(request).organization.id, name, configuration)
    if text.startswith("{"):
        return responses.gson_response(configuration)
    return responses.plain(_properties_xml(configuration), responses.XML)


def _java_properties(text: str) -> dict[str, str]:
    root = xmlio.parse(re.sub(_DOCTYPE, "", text, count=1))
    return {str(entry.get("key")): entry.text or "" for entry in root.iterfind("entry")}


def _document(inner: str, kind: str, content_type: str) -> Response:
    text = inner if inner.startswith("<?xml") else xmlio.PROLOG + inner
    if kind == "json":
        return responses.plain(jettison.convert(text), responses.JSON)
    return responses.plain(text, content_type)


def _spaces(own: str) -> str:
    return f'xmlns="{_UTIL}" xmlns:ns2="{own}"'


def _agent_xml(agent: Agent, tag: str, spaces: str = "") -> str:
    items = _items(agent.capabilities)
    capabilities = f"<ns2:capabilities>{items}</ns2:capabilities>" if items else "<ns2:capabilities/>"
    return (
        f"<{tag}{spaces}><ns2:name>{xmlio.escape(agent.name)}</ns2:name><ns2:state>{agent.state}</ns2:state>"
        f"<ns2:url>{xmlio.escape(agent.url)}</ns2:url>"
        f"<ns2:time-since-last-update>{agent.silent_millis}</ns2:time-since-last-update>{capabilities}</{tag}>"
    )


def _properties_xml(properties: dict[str, str]) -> str:
    items = _items(properties)
    inner = f"<ns2:properties>{items}</ns2:properties>" if items else "<ns2:properties/>"
    return f"{xmlio.PROLOG}<ns2:properties-response {_spaces(_COMMON)}>{inner}</ns2:properties-response>"


def _items(properties: dict[str, str]) -> str:
    return "".join(
        f'<item xmlns:ns3="{_UTIL}" xmlns="" key="{xmlio.quote(key)}">'
        f"<ns3:value>{xmlio.escape(value)}</ns3:value></item>"
        for key, value in properties.items()
    )
