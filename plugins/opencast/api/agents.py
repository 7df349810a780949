"""Capture agents (``/capture-admin``), read as XML: the JSON turns names that look like numbers into numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import InvalidAnswer, NotFound
from opencast.model.xml import parse_xml

#: States that a server accepts.
STATES = frozenset({"idle", "shutting_down", "capturing", "uploading", "error", "unknown", "offline"})
_AGENTS = "/capture-admin/agents"


@dataclass(frozen=True)
class Agent:
    """A capture agent.

    :param name: its id; may hold blanks, umlauts and slashes.
    :param state: one of :data:`STATES`.
    :param url: its address; empty when it never gave one.
    :param silent_ms: milliseconds since it was heard from.
    """

    name: str
    state: str
    url: str
    silent_ms: int


class AgentsService:
    """``/capture-admin``: who is no admin sees only the agents that a role of theirs may schedule for."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self) -> tuple[Agent, ...]:
        """List all agents (``GET /capture-admin/agents.xml``)."""
        root = parse_xml(self._client.get_xml(f"{_AGENTS}.xml"), what="the list of capture agents")
        return tuple(_agent(node) for node in root if _name(node) == "agent")

    def get(self, name: str) -> Agent:
        """Get one agent (``GET /capture-admin/agents/{name}.xml``).

        :raises NotFound: there is none of this name.
        """
        return _agent(parse_xml(self._client.get_xml(f"{path(_AGENTS, name)}.xml"), what=f"the capture agent {name!r}"))

    def configuration(self, name: str) -> dict[str, str]:
        """Get the whole configuration (``GET .../{name}/configuration.xml``); the capabilities are derived from it.

        :raises NotFound: there is none of this name.
        """
        what = f"the configuration of the capture agent {name!r}"
        root = parse_xml(self._client.get_xml(f"{path(_AGENTS, name)}/configuration.xml"), what=what)
        items = {}
        for node in root.iter("{*}item"):
            key = node.get("key")
            if key is None:
                raise InvalidAnswer(f"{what} has an entry without a key.")
            items[key] = node.findtext("{*}value") or ""
        return items

    def put_configuration(self, name: str, configuration: Mapping[str, str]) -> None:
        """Replace the whole configuration (``POST .../{name}/configuration``); creates the agent if need be."""
        where = f"{path(_AGENTS, name)}/configuration"
        text = json.dumps(dict(configuration), ensure_ascii=False)
        self._client.post_form(where, {"configuration": text}, idempotent=True)

    def put_state(self, name: str, state: str, address: str) -> None:
        """Set state and address (``POST .../{name}``); creates the agent, and counts as hearing from it.

        :param state: one of :data:`STATES`.
        :param address: URL or host; the server takes this client's own when it is missing.
        :raises BadRequest: another state.
        """
        self._client.post_form(path(_AGENTS, name), {"address": address, "state": state}, idempotent=True)

    def delete(self, name: str) -> bool:
        """Delete an agent (``DELETE .../{name}``).

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(_AGENTS, name))
        except NotFound:
            return False
        return True


def _agent(node: etree._Element) -> Agent:
    name = node.findtext("{*}name")
    if not name:
        raise InvalidAnswer("A capture agent has no name.")
    silent = node.findtext("{*}time-since-last-update") or ""
    return Agent(
        name=name,
        state=node.findtext("{*}state") or "unknown",
        url=node.findtext("{*}url") or "",
        silent_ms=int(silent) if silent.isascii() and silent.isdigit() else 0,
    )


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname
