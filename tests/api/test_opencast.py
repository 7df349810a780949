"""All services of a server in one place."""

from __future__ import annotations

import pytest
from opencast.api.client import Client
from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.api.server import Server

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import ScriptedServer, json_answer, xml_answer


@pytest.fixture
def opencast(client: Client) -> Opencast:
    """A server that has to be asked for its version."""
    return Opencast(client)


@pytest.mark.parametrize(("version", "major"), [(17, 17), (15, 15)])
def test_the_version_is_asked_for_once(server: ScriptedServer, opencast: Opencast, version: int, major: int) -> None:
    replay(server, "preflight/bundles", version=version)
    assert (opencast.version, opencast.version, opencast.full_version.major) == (major, major, major)
    assert len(server.requests) == 1


def test_the_search_speaks_the_language_of_its_version(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/bundles", version=15)
    server.on("GET", "/search/episode.xml", xml_answer(recorded_text("search15/limit1_xml", version=15)))
    assert opencast.search.count() > 0
    server.on("GET", "/search/episode.json", json_answer('{"total": 4, "result": []}'))
    replay(server, "preflight/bundles")
    assert Opencast(opencast.client).search.count() == 4


def test_what_a_server_can_do_depends_on_its_version(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/bundles", version=15)
    assert opencast.has(Feature.SEARCH_XML)
    assert not opencast.has(Feature.PLAYLISTS)


def test_another_user_works_over_the_same_connections(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/me")
    opencast.running_as("ada").info.me()
    assert server.last.headers["X-RUN-AS-USER"] == "ada"
    assert opencast.client.requests == 1


def test_a_server_is_enough_to_begin_with(server: ScriptedServer) -> None:
    replay(server, "preflight/me")
    with Opencast(Server(server.url, "admin", "pw")) as opencast:
        assert opencast.info.me().is_admin


def test_the_archive_of_an_old_server_is_where_its_version_has_it(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/sysinfo/bundles/version", json_answer('{"consistent": true, "version": "1.6.3"}'))
    assert opencast.archive.find("a") is None
    assert server.last.path == "/episode/archive/mediapackage/a"
