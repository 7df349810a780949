"""What else belongs to a library, against the simulator: copied from one server to another, it reads the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from opencast.api.client import Client
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.api.staticfiles import StaticFilesService

from tests.simulator import Simulator

Pair = tuple[Opencast, Opencast]


@pytest.fixture
def pair(simulators: Callable[..., Simulator]) -> Iterator[Pair]:
    """A server that holds the recorded library, and an empty one."""
    made = [
        Opencast(Client(Server(simulators(library).url, "admin", "opencast"), sleep=lambda _seconds: None))
        for library in ("recorded", "empty")
    ]
    yield made[0], made[1]
    for opencast in made:
        opencast.close()


def _bytes(files: StaticFilesService, identifier: str) -> tuple[bytes, str]:
    with files.download(identifier) as download:
        name = re.search("filename=(.*)", download.headers["Content-Disposition"])
        assert name
        return b"".join(download.iter()), name[1]


def test_agents_with_blanks_and_umlauts_are_copied(pair: Pair) -> None:
    source, target = pair
    for agent in source.agents.list():
        target.agents.put_configuration(agent.name, source.agents.configuration(agent.name))
        target.agents.put_state(agent.name, agent.state, agent.url)
    wanted = {agent.name: replace(agent, silent_ms=0) for agent in source.agents.list()}
    assert {agent.name: replace(agent, silent_ms=0) for agent in target.agents.list()} == wanted
    for name in wanted:
        assert target.agents.configuration(name) == source.agents.configuration(name)
    assert target.agents.configuration("a-hall-a")["friendly.name"] == "Hörsaal A"


def test_themes_are_copied_with_their_files(pair: Pair) -> None:
    source, target = pair
    (theme,) = source.themes.list()
    files = {}
    for field, identifier in theme.files.items():
        data, name = _bytes(source.staticfiles, identifier)
        files[field] = target.staticfiles.upload(name, BytesIO(data), len(data))
        assert target.staticfiles.exists(files[field])
    created = target.themes.create(replace(theme, files=files))
    assert created.id is not None
    found = target.themes.get(created.id)
    assert (found.name, found.description, found.flags, found.texts) == (
        theme.name,
        theme.description,
        theme.flags,
        theme.texts,
    )
    for field, identifier in theme.files.items():
        assert _bytes(target.staticfiles, found.files[field]) == _bytes(source.staticfiles, identifier)


def test_a_schedule_is_copied_under_its_id(pair: Pair) -> None:
    source, target = pair
    schedule = source.recordings.schedule("a-sched-future")
    package = source.recordings.mediapackage("a-sched-future")
    assert schedule is not None
    assert package is not None
    (catalog,) = (element for element in package.catalogs if str(element.flavor) == "dublincore/episode")
    with source.static.download(catalog.url or "") as download:
        data = b"".join(download.iter())
    url = target.files.put(package.id, catalog.id or "", "dublincore.xml", BytesIO(data), len(data))
    sent = replace(package, elements=(replace(catalog, url=url, checksum=None),))
    assert target.recordings.conflicts(schedule.agent, schedule.start, schedule.end) == ()
    target.recordings.create(schedule, sent.to_xml())
    assert target.recordings.schedule(package.id) == schedule
    assert target.recordings.conflicts(schedule.agent, schedule.start, schedule.end) == (package.id,)
    assert target.recordings.delete(package.id)


def test_comments_are_copied_with_replies_and_state(pair: Pair) -> None:
    source, _ = pair
    (comment,) = source.comments.list("a-ev-fast")
    event = "a-ev-two-streams"
    written = source.comments.create(event, comment.text, reason=comment.reason)
    for reply in comment.replies:
        source.comments.reply(event, written.id, reply.text)
    source.comments.resolve(event, written.id)
    (copy,) = source.comments.list(event)
    assert (copy.text, copy.reason, copy.is_resolved) == (comment.text, comment.reason, True)
    assert [reply.text for reply in copy.replies] == [reply.text for reply in comment.replies]


def test_playlists_are_copied_under_their_ids(pair: Pair) -> None:
    source, target = pair
    for playlist in source.playlists.list():
        assert target.playlists.find(playlist.id) is None
        target.playlists.create(playlist)
    wanted = {playlist.id: replace(playlist, updated=None) for playlist in source.playlists.list()}
    assert len(wanted) == 2
    assert {playlist.id: replace(playlist, updated=None) for playlist in target.playlists.list()} == wanted
