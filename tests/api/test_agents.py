"""Capture agents."""

from __future__ import annotations

import json

import pytest
from opencast.api.agents import STATES
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, InvalidAnswer, InvalidIdentifier, NotFound

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, xml_answer

NS = 'xmlns="http://capture.admin.opencastproject.org"'


def test_agents_are_listed_from_the_recording(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "agents/agents_xml")
    agents = opencast.agents.list()
    assert [agent.name for agent in agents] == ["a-hall-a", "a-lab 7", "smoke-ca"]
    assert (agents[0].state, agents[0].url) == ("idle", "http://10.1.2.3")
    assert agents[0].silent_ms > 0


def test_names_that_look_like_numbers_stay_as_they_are(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/capture-admin/agents.xml", xml_answer(f"<agents {NS}><agent><name>0123</name></agent></agents>"))
    (agent,) = opencast.agents.list()
    assert (agent.name, agent.state, agent.url, agent.silent_ms) == ("0123", "unknown", "", 0)


def test_no_agent_at_all_is_an_empty_list(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/capture-admin/agents.xml", xml_answer(f"<agents {NS}/>"))
    assert opencast.agents.list() == ()


def test_an_agent_without_name_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/capture-admin/agents.xml", xml_answer(f"<agents {NS}><agent/></agents>"))
    with pytest.raises(InvalidAnswer):
        opencast.agents.list()


def test_one_agent_with_a_blank_in_its_name_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "agents/agent1_xml")
    assert opencast.agents.get("a-lab 7").url == "127.0.0.1"
    with pytest.raises(NotFound):
        opencast.agents.get("unknown-agent")


def test_the_whole_configuration_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "agents/agent0_configuration_xml")
    assert opencast.agents.configuration("a-hall-a") == {
        "capture.device.timezone": "Europe/Berlin",
        "capture.device.names": "cam,screen",
        "friendly.name": "Hörsaal A",
        "capture.device.cam.flavor": "presenter/source",
        "capture.device.screen.flavor": "presentation/source",
    }


@pytest.mark.parametrize("inner", ["", "<properties/>"])
def test_an_agent_without_configuration_has_an_empty_one(
    server: ScriptedServer, opencast: Opencast, inner: str
) -> None:
    document = f'<properties-response xmlns="http://common.opencastproject.org">{inner}</properties-response>'
    server.on("GET", "/capture-admin/agents/a/configuration.xml", xml_answer(document))
    assert opencast.agents.configuration("a") == {}


def test_an_entry_without_key_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/capture-admin/agents/a/configuration.xml", xml_answer("<r><item/></r>"))
    with pytest.raises(InvalidAnswer):
        opencast.agents.configuration("a")


def test_a_configuration_is_written_as_one_json_object(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/agent_configuration")
    opencast.agents.put_configuration("a-lab 7", {"capture.device.names": "cam", "k": "Hörsaal"})
    assert server.last.form["configuration"].startswith("{")
    assert json.loads(server.last.form["configuration"]) == {"capture.device.names": "cam", "k": "Hörsaal"}


def test_state_and_address_are_written(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/agent_post")
    opencast.agents.put_state("a-lab 7", "offline", "")
    assert server.last.form == {"address": "", "state": "offline"}
    assert "offline" in STATES


def test_an_unknown_state_is_refused_by_the_server(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/agent_bad_state")
    with pytest.raises(BadRequest):
        opencast.agents.put_state("a-lab 7", "nope", "")


@pytest.mark.parametrize(
    ("name", "target"),
    [("Hörsaal 1", "H%C3%B6rsaal%201"), ("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("a;b=c", "a%3Bb%3Dc")],
)
def test_names_are_escaped(server: ScriptedServer, opencast: Opencast, name: str, target: str) -> None:
    assert not opencast.agents.delete(name)
    assert server.last.target == f"/capture-admin/agents/{target}"


def test_a_name_that_no_path_can_hold_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    with pytest.raises(InvalidIdentifier):
        opencast.agents.delete("..")
    assert server.requests == []


def test_an_agent_is_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/capture-admin/agents/a", Answer(200))
    assert opencast.agents.delete("a")
