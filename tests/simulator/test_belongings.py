"""Agents, themes, static files, comments and playlists: as recorded, and with their quirks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator import Simulator, User
from tests.simulator.driver import Driver, Steps
from tests.simulator.recordings import Recordings

SNAPSHOT: Steps = [("snapshot", {})]


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


@pytest.fixture
def commented(server: Driver) -> Driver:
    server.run(server.package("ev"), SNAPSHOT)
    return server


def _comparable(body: bytes, content_type: str) -> Any:
    """Take ages out of a body; JSON is compared as a value."""
    if "json" in content_type:
        return _without_ages(json.loads(body))
    return re.sub(rb"<ns2:time-since-last-update>\d+<", b"<", body)


def _without_ages(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ages(held) for key, held in value.items() if key != "time-since-last-update"}
    return [_without_ages(held) for held in value] if isinstance(value, list) else value


@pytest.mark.parametrize("generation", [17, 15])
@pytest.mark.parametrize("folder", ["agents", "themes", "playlists"])
def test_every_recorded_answer_is_given_again(
    simulators: Callable[..., Simulator], generation: int, folder: str
) -> None:
    simulator, recordings = simulators("recorded", generation=generation), Recordings(generation)
    server = Driver(simulator)
    for exchange in recordings.all(folder):
        answer = server.get(exchange.path)
        content_type = exchange.headers.get("content-type", "")
        assert (answer.status_code, answer.headers.get("content-type", "")) == (exchange.status, content_type)
        body = exchange.body
        for slash in ("/", "\\/"):
            recorded, own = (url.replace("/", slash).encode() for url in (recordings.origin, simulator.url))
            body = body.replace(recorded, own)
        assert _comparable(answer.content, content_type) == _comparable(body, content_type), exchange.name


@pytest.mark.parametrize("generation", [17, 15])
def test_every_recorded_comment_is_there(simulators: Callable[..., Simulator], generation: int) -> None:
    simulator, recordings = simulators("recorded", generation=generation), Recordings(generation)
    server = Driver(simulator)
    for exchange in recordings.all("events"):
        if exchange.name.endswith("/comments"):
            answer = server.get(exchange.path)
            got = [_without_mail(entry) for entry in answer.json()] if answer.status_code == 200 else answer.text
            body = exchange.body.decode()
            expected = [_without_mail(entry) for entry in json.loads(body)] if exchange.status == 200 else body
            assert (answer.status_code, got) == (exchange.status, expected), exchange.name


def _without_mail(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out the address, which belongs to the rig and not to the library."""
    entry["author"]["email"] = None
    for reply in entry.get("replies", ()):
        _without_mail(reply)
    return entry


# --- agents -------------------------------------------------------------------------------------------------------


def test_an_agent_that_is_configured_is_created_without_an_address(server: Driver) -> None:
    assert server.post("/capture-admin/agents/x/configuration", data={"configuration": '{"a":"1"}'}).status_code == 200
    agent = server.get("/capture-admin/agents/x.json").json()["agent-state-update"]
    assert (agent["state"], agent["url"], agent["capabilities"]) == ("unknown", "", "")


def test_an_agent_that_reports_without_address_gets_the_callers(server: Driver) -> None:
    answer = server.post("/capture-admin/agents/x", data={"state": "idle", "address": ""})
    assert answer.text == "x set to idle"
    assert server.get("/capture-admin/agents/x.json").json()["agent-state-update"]["url"] == "127.0.0.1"
    assert server.post("/capture-admin/agents/x", data={"state": "idle"}).text == ""


@pytest.mark.parametrize("text", ["", "{", "<a", '{"a": {"b": "c"}}'])
def test_a_configuration_that_cannot_be_read_is_refused(server: Driver, text: str) -> None:
    assert server.post("/capture-admin/agents/x/configuration", data={"configuration": text}).status_code == 400


def test_a_configuration_may_be_a_document_of_java_properties(server: Driver) -> None:
    text = '<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/properties.dtd"><properties><entry key="a">ü</entry>'
    text += "</properties>"
    assert server.post("/capture-admin/agents/x/configuration", data={"configuration": text}).status_code == 200
    answer = server.get("/capture-admin/agents/x/configuration.json").json()
    assert answer["properties-response"]["properties"]["item"] == {"key": "a", "value": "ü"}


def test_names_with_slashes_are_escaped(server: Driver) -> None:
    server.post("/capture-admin/agents/Aula%2F1%20%C3%9C", data={"state": "idle", "address": "http://a"})
    assert server.get("/capture-admin/agents/Aula%2F1%20%C3%9C.json").json()["agent-state-update"]["name"] == "Aula/1 Ü"
    assert server.get("/capture-admin/agents/Aula/1.json").status_code == 404


# --- themes and static files --------------------------------------------------------------------------------------


def _upload(server: Driver, name: str = "a.png", data: bytes = b"png") -> str:
    answer = server.post("/staticfiles", files={"BODY": (name, data)})
    assert answer.status_code == 201
    return answer.text


def test_a_theme_with_a_missing_file_is_created_and_hides_its_name(server: Driver) -> None:
    form = {"name": "t", "bumperActive": "true", "bumperFile": "00000000-0000-0000-0000-000000000000"}
    created = server.post("/admin-ng/themes", data=form)
    assert created.status_code == 200
    shown = server.get(f"/admin-ng/themes/{created.json()['id']}.json").json()
    assert shown["bumperFile"] == form["bumperFile"]
    assert "bumperFileName" not in shown


def test_a_theme_keeps_its_files(server: Driver) -> None:
    identifier = _upload(server)
    server.post("/admin-ng/themes", data={"name": "t", "watermarkFile": identifier})
    root = server.simulator.storage.root / "staticfiles/mh_default_org"
    assert (root / identifier / "a.png").read_bytes() == b"png"


def test_an_empty_field_of_a_change_keeps_what_was_there_and_a_replaced_file_is_deleted(server: Driver) -> None:
    old, new = _upload(server), _upload(server, "b.png", b"new")
    theme = server.post("/admin-ng/themes", data={"name": "t", "description": "d", "bumperFile": old}).json()
    changed = server.session.put(
        f"{server.url}/admin-ng/themes/{theme['id']}", data={"name": "u", "description": "", "bumperFile": new}
    ).json()
    assert (changed["name"], changed["description"], changed["bumperFile"]) == ("u", "d", new)
    assert server.get(f"/staticfiles/{old}").status_code == 404


def test_a_deleted_theme_is_taken_from_its_series(server: Driver) -> None:
    server.post("/series/", data={"identifier": "s", "title": "Series"})
    theme = server.post("/admin-ng/themes", data={"name": "t"}).json()
    server.post("/series/s/property", data={"name": "theme", "value": str(theme["id"])})
    assert server.get(f"/admin-ng/themes/{theme['id']}/usage.json").json() == {
        "series": [{"id": "s", "title": "Series"}]
    }
    assert server.session.delete(f"{server.url}/admin-ng/themes/{theme['id']}").status_code == 204
    assert server.get("/series/s/properties.json").json() == []


def test_a_new_theme_shows_in_the_list_only_after_the_lag(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", index_lag=60))
    theme = server.post("/admin-ng/themes", data={"name": "t"}).json()
    assert server.get("/admin-ng/themes/themes.json").json()["results"] == []
    assert server.get(f"/admin-ng/themes/{theme['id']}.json").status_code == 404


# --- comments -----------------------------------------------------------------------------------------------------


def test_whether_a_comment_is_resolved_is_read_off_its_reason(commented: Driver) -> None:
    def resolved(**form: str) -> bool:
        answer = commented.post("/admin-ng/event/ev/comment", data={"text": "x", **form}).json()
        status: bool = answer["resolvedStatus"]
        return status

    assert not resolved(resolved="true", reason="cut")
    assert resolved(resolved="false", reason="Yes")


def test_a_comment_without_text_or_event_is_refused(commented: Driver) -> None:
    assert commented.post("/admin-ng/event/ev/comment", data={"text": " "}).status_code == 400
    assert commented.post("/admin-ng/event/nope/comment", data={"text": "x"}).status_code == 404


def test_a_comment_is_resolved_and_opened_again(commented: Driver) -> None:
    number = commented.post("/admin-ng/event/ev/comment", data={"text": "x"}).json()["id"]
    path = f"/admin-ng/event/ev/comment/{number}"
    assert commented.post(path).json()["resolvedStatus"]
    assert not commented.session.put(commented.url + path, data={"resolved": "false"}).json()["resolvedStatus"]


def test_each_comment_archives_its_event_with_the_comments_catalog(commented: Driver) -> None:
    before = commented.get("/api/events/ev").json()["archive_version"]
    number = commented.post("/admin-ng/event/ev/comment", data={"text": "x <y>", "reason": "r"}).json()["id"]
    commented.post(f"/admin-ng/event/ev/comment/{number}/reply", data={"text": "z"})
    assert commented.get("/api/events/ev").json()["archive_version"] == before + 2
    catalogs = commented.archived("ev").of_flavor("metadata/comments", "catalog")
    assert len(catalogs) == 1
    text = commented.session.get(str(catalogs[0].url)).text
    assert "<![CDATA[x <y>]]>" in text
    assert "<![CDATA[z]]>" in text
    left = commented.simulator.storage.root / "files/mediapackage/ev" / str(catalogs[0].id)
    assert (left / "comments.xml").is_file()


def test_the_author_is_whoever_asks(simulators: Callable[..., Simulator]) -> None:
    users = (User("admin", "opencast", "Administrator", ("ROLE_ADMIN", "ROLE_SUDO")), User("ada", "x", "Ada"))
    server = Driver(simulators("empty", users=users))
    server.run(server.package("ev"), SNAPSHOT)
    refused = server.post("/admin-ng/event/ev/comment", data={"text": "x"}, headers={"X-RUN-AS-USER": "ada"})
    assert refused.status_code == 403
    created = server.post("/admin-ng/event/ev/comment", data={"text": "x"}).json()
    assert created["author"] == {"name": "Administrator", "username": "admin", "email": None}


# --- playlists ----------------------------------------------------------------------------------------------------


def _playlist(**changes: Any) -> dict[str, str]:
    document = {
        "id": "p", "title": "T", "entries": [{"contentId": "a", "type": "EVENT"}],
        "accessControlEntries": [{"allow": True, "role": "R", "action": "read"}],
    }  # fmt: skip
    return {"playlist": json.dumps(document | changes)}


def test_a_playlist_keeps_its_id_and_gets_ids_for_its_entries(server: Driver) -> None:
    created = server.post("/api/playlists", data=_playlist())
    assert (created.status_code, created.json()["id"]) == (201, "p")
    assert created.headers["location"] == f"{server.url}/api/playlists/p"
    assert created.json()["entries"][0]["id"] > 0


@pytest.mark.parametrize(
    "change",
    [
        {"entries": [{"contentId": "a", "type": "EVENT", "id": 7}]},
        {"entries": [{"contentId": "a", "type": "VIDEO"}]},
        {"accessControlEntries": [{"allow": True, "role": "R", "action": "read", "id": 7}]},
        {"colour": "red"},
    ],
)
def test_a_playlist_with_foreign_ids_types_or_fields_is_refused(server: Driver, change: dict[str, Any]) -> None:
    assert server.post("/api/playlists", data=_playlist(**change)).status_code == 400


def test_a_change_of_a_playlist_keeps_what_it_does_not_name(server: Driver) -> None:
    server.post("/api/playlists", data=_playlist())
    changed = server.session.put(f"{server.url}/api/playlists/p", data={"playlist": '{"title": "U"}'}).json()
    assert (changed["title"], changed["entries"][0]["contentId"]) == ("U", "a")


def test_the_id_of_a_deleted_playlist_stays_taken(server: Driver) -> None:
    server.post("/api/playlists", data=_playlist())
    server.session.delete(f"{server.url}/api/playlists/p")
    assert server.get("/api/playlists/p").status_code == 404
    assert server.post("/api/playlists", data=_playlist()).status_code == 500
