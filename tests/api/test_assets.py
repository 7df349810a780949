"""The asset manager."""

from __future__ import annotations

import json

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import InvalidIdentifier, InvalidXml, NotFound

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, ScriptedServer, xml_answer


@pytest.mark.parametrize(("version", "prefix"), [(17, "a"), (15, "c")])
def test_an_archived_mediapackage_is_read(
    server: ScriptedServer, opencast: Opencast, version: int, prefix: str
) -> None:
    replay(server, "events/ev-fast/assets", version=version)
    package = opencast.assets.episode(f"{prefix}-ev-fast")
    assert package.id == f"{prefix}-ev-fast"
    assert {publication.channel for publication in package.publications} == {"internal", "engage-player"}


def test_the_bytes_of_a_mediapackage_are_what_the_server_sent(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-names/assets")
    sent = recorded_text("events/ev-names/assets").replace("http://127.0.0.1:8080", server.url)
    assert opencast.assets.episode_xml("a-ev-names") == sent.encode()


def test_a_mediapackage_with_entities_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    evil = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><mediapackage id="a">&e;</mediapackage>'
    server.on("GET", "/assets/episode/a", xml_answer(evil))
    with pytest.raises(InvalidXml):
        opencast.assets.episode("a")


def test_what_was_never_archived_is_not_found(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/unknown/assets")
    with pytest.raises(NotFound):
        opencast.assets.episode("unknown")
    assert opencast.assets.find("unknown") is None


def test_an_id_cannot_leave_its_path(server: ScriptedServer, opencast: Opencast) -> None:
    with pytest.raises(InvalidIdentifier):
        opencast.assets.episode("..")
    with pytest.raises(NotFound):
        opencast.assets.episode("../../info/me.json")
    assert [request.target for request in server.requests] == ["/assets/episode/..%2F..%2Finfo%2Fme.json"]


def test_equal_bytes_are_recognised_by_the_servers_own_checksum(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "files/asset_if_none_match_md5")
    url = f"{server.url}/assets/assets/a-ev-fast/96cd53f4-528c-44ff-a33f-5c8b6904188f/4/cam.mp4"
    assert opencast.assets.matches(url, "9e4145868d9ed8f31617fa4a4fb53af1")


def test_workflow_properties_are_read_and_written(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/workflow_properties")
    properties = opencast.assets.workflow_properties("a-ev-fast")
    assert properties["comment"] == "a=b & c"
    server.on("POST", "/assets/a-ev-fast/workflowProperties", Answer(204))
    opencast.assets.set_workflow_properties("a-ev-fast", properties)
    assert json.loads(server.last.form["properties"]) == properties


def test_workflow_properties_of_what_was_never_archived_are_not_found(
    server: ScriptedServer, opencast: Opencast
) -> None:
    replay(server, "events/unknown/workflow_properties")
    with pytest.raises(NotFound):
        opencast.assets.workflow_properties("unknown")


def test_a_snapshot_can_be_taken_and_all_can_be_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/assets/snapshot", Answer(204)).on("DELETE", "/assets/delete/a", Answer(204), Answer(404))
    opencast.assets.snapshot(b"<mediapackage id='a'/>")
    assert server.last.form == {"mediapackage": "<mediapackage id='a'/>"}
    assert opencast.assets.delete("a")
    assert not opencast.assets.delete("a")
