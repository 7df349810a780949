"""Loads what a recorded server held besides series and events: agents, themes, comments, playlists."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.simulator import clock, xmlio
from tests.simulator.agents import Agent
from tests.simulator.comments import Comment, Reply
from tests.simulator.playlists import Item, Playlist, Right
from tests.simulator.policies import Entry
from tests.simulator.recordings import Recordings
from tests.simulator.settings import DEFAULT_ORGANIZATION
from tests.simulator.themes import FILES, FLAGS, TEXTS, Theme

if TYPE_CHECKING:
    from tests.simulator.server import Simulator


def load(simulator: Simulator, recordings: Recordings) -> None:
    """Load everything; comments of events are loaded with :func:`load_comments`."""
    _load_agents(simulator, recordings)
    _load_themes(simulator, recordings)
    playlists = recordings.exchange("playlists/list")
    for document in recordings.json("playlists/list", simulator.url) if playlists.status == 200 else ():
        simulator.playlists.load(_playlist(document))


def load_comments(simulator: Simulator, event_id: str, documents: list[dict[str, Any]]) -> None:
    """Load the comments on an event, as ``/admin-ng/event/{id}/comments`` gave them."""
    for document in documents:
        replies = tuple(
            Reply(r["id"], r["text"], r["author"]["username"], *_dates(r)) for r in document["replies"]
        )  # fmt: skip
        simulator.comments.load(Comment(
            document["id"], event_id, document["text"], document["author"]["username"], *_dates(document),
            document["reason"], document["resolvedStatus"], replies,
        ))  # fmt: skip


def _load_agents(simulator: Simulator, recordings: Recordings) -> None:
    root = xmlio.parse(recordings.exchange("agents/agents_xml").body)
    configurations = {}
    for exchange in recordings.all("agents"):
        if exchange.name.endswith("_configuration_xml"):
            name = exchange.name.removesuffix("configuration_xml") + "xml"
            agent = str(xmlio.parse(recordings.exchange(name).body).findtext("{*}name"))
            configurations[agent] = _items(exchange.body)
    for node in root:
        fields = {name: str(node.findtext(f"{{*}}{name}") or "") for name in ("name", "state", "url")}
        configuration = configurations.get(fields["name"], {})
        simulator.agents.load(Agent(
            fields["name"], DEFAULT_ORGANIZATION, fields["state"], fields["url"], configuration
        ))  # fmt: skip


def _items(data: bytes) -> dict[str, str]:
    return {str(node.get("key")): str(node.findtext("{*}value") or "") for node in xmlio.parse(data).iter("{*}item")}


def _load_themes(simulator: Simulator, recordings: Recordings) -> None:
    document = recordings.json("themes/theme", simulator.url)
    for name in FILES:
        exchange = recordings.exchange(f"themes/static_{name}")
        found = re.search(r"filename=(.+)", exchange.headers["content-disposition"])
        file_name = found.group(1) if found else name
        simulator.static_files.load(DEFAULT_ORGANIZATION, document[name], file_name, exchange.body)
    simulator.themes.load(Theme(
        document["id"], DEFAULT_ORGANIZATION, document["name"], document["creator"], _moment(document["creationDate"]),
        document["default"], {name: document[name] for name in TEXTS}, {name: document[name] for name in FILES},
        {name: document[name] for name in FLAGS},
    ))  # fmt: skip


def _playlist(document: dict[str, Any]) -> Playlist:
    return Playlist(
        document["id"], DEFAULT_ORGANIZATION, document["title"], document["description"], document["creator"],
        _moment(document["updated"]), tuple(Item(e["contentId"], e["type"], e["id"]) for e in document["entries"]),
        tuple(Right(Entry(e["role"], e["action"], e["allow"]), e["id"]) for e in document["accessControlEntries"]),
    )  # fmt: skip


def _dates(document: dict[str, Any]) -> tuple[datetime, datetime]:
    return _moment(document["creationDate"]), _moment(document["modificationDate"])


def _moment(text: str) -> datetime:
    return clock.parse(text) or clock.now()
