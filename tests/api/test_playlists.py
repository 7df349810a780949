"""Playlists."""

from __future__ import annotations

import json

import pytest
from opencast.api.opencast import Opencast
from opencast.api.playlists import Playlist, PlaylistEntry
from opencast.errors import InvalidAnswer, ServerFailure, ServiceMissing
from opencast.model.acl import Ace, Acl

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, Request, ScriptedServer, json_answer, text_answer

SMOKE = "2c244276-4474-4661-b331-55039f44a427"


def _first_page_only(request: Request) -> Answer:
    return json_answer(recorded_text("playlists/list") if request.query["offset"] == "0" else "[]")


def test_playlists_are_listed_with_entries_and_rights(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/playlists", _first_page_only)
    first, second = opencast.playlists.list()
    assert (first.id, first.title, first.creator) == (SMOKE, "Smoke list", "c")
    assert first.acl.same_as(Acl((Ace("ROLE_USER", "read"),)))
    assert second.entries == (PlaylistEntry("a-ev-fast"), PlaylistEntry("a-ev-two-streams"))


def test_a_short_page_is_not_the_end_because_hidden_rows_are_taken_out(
    server: ScriptedServer, opencast: Opencast
) -> None:
    pages = [['{"id": "a"}'], ['{"id": "a"}', '{"id": "b"}'], []]
    server.on("GET", "/api/playlists", *(json_answer(f"[{','.join(page)}]") for page in pages))
    assert [playlist.id for playlist in opencast.playlists.list(page_size=2)] == ["a", "b"]
    assert [request.query["offset"] for request in server.requests] == ["0", "2", "4"]


def test_before_16_there_is_no_such_service(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/playlists", Answer(404))
    with pytest.raises(ServiceMissing):
        list(opencast.playlists.list())


def test_one_playlist_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "playlists/one", "playlists/unknown")
    assert opencast.playlists.get(SMOKE).description == "d"
    assert opencast.playlists.find("unknown") is None


def test_a_playlist_is_created_under_its_id_without_ids_of_entries(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/api/playlists", json_answer(recorded_text("playlists/one"), 201))
    playlist = Playlist(SMOKE, "Ü", entries=(PlaylistEntry("e"),), acl=Acl((Ace("ROLE_A", "read"),)))
    assert opencast.playlists.create(playlist).id == SMOKE
    assert json.loads(server.last.form["playlist"]) == {
        "id": SMOKE,
        "title": "Ü",
        "description": "",
        "creator": "",
        "entries": [{"contentId": "e", "type": "EVENT"}],
        "accessControlEntries": [{"role": "ROLE_A", "action": "read", "allow": True}],
    }


def test_a_creation_that_may_have_arrived_is_not_repeated(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/api/playlists", Answer(502))
    with pytest.raises(ServerFailure):
        opencast.playlists.create(Playlist("a", "t"))
    assert len(server.requests) == 1


def test_a_playlist_is_replaced_and_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("PUT", "/api/playlists/a", json_answer('{"id": "a", "title": "new"}'))
    assert opencast.playlists.update(Playlist("a", "new")).title == "new"
    assert "id" not in json.loads(server.last.form["playlist"])
    server.on("DELETE", "/api/playlists/a", Answer(200), text_answer("Cannot find playlist instance with id 'a'.", 404))
    assert opencast.playlists.delete("a")
    assert not opencast.playlists.delete("a")


@pytest.mark.parametrize("body", ["{}", "[5]", '[{"title": "x"}]', '[{"id": "a", "entries": {}, "x": 1}, 3]'])
def test_an_answer_of_another_form_is_refused(server: ScriptedServer, opencast: Opencast, body: str) -> None:
    server.on("GET", "/api/playlists", json_answer(body))
    with pytest.raises(InvalidAnswer):
        list(opencast.playlists.list())
