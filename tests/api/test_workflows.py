"""Workflows."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, Conflict, InvalidAnswer, NotFound, Unreachable
from opencast.model.workflow import WorkflowState

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, ScriptedServer, text_answer, xml_answer


def test_a_workflow_is_started_with_its_definition(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/workflow_start")
    instance = opencast.workflows.start(b"<definition/>", "<mediapackage/>", {"title": "Größe", "a key": "b=c"})
    assert (instance.id, instance.state, instance.template) == ("1280", WorkflowState.INSTANTIATED, "inline-test")
    assert instance.mediapackage_id == "a-w9"
    assert server.last.form == {
        "definition": "<definition/>",
        "mediapackage": "<mediapackage/>",
        "properties": "a\\ key=b\\=c\ntitle=Gr\\u00f6\\u00dfe\n",
    }


def test_without_properties_none_are_sent(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/workflow_start")
    opencast.workflows.start("<definition/>", b"<mediapackage/>")
    assert "properties" not in server.last.form


def test_a_start_that_may_have_arrived_is_not_repeated(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/workflow/start", Answer(hang_up=True))
    with pytest.raises(Unreachable):
        opencast.workflows.start("<definition/>", "<mediapackage/>")
    assert len(server.requests) == 1


def test_a_package_with_an_active_workflow_is_a_conflict(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/workflow_start_while_active")
    with pytest.raises(Conflict):
        opencast.workflows.start("<definition/>", "<mediapackage/>")


@pytest.mark.parametrize("name", ["writes/workflow_start_unknown_id", "writes/workflow_start_bad_mediapackage"])
def test_what_the_server_cannot_read_is_a_bad_request(server: ScriptedServer, opencast: Opencast, name: str) -> None:
    replay(server, name)
    with pytest.raises(BadRequest):
        opencast.workflows.start("nope", "<nope")


def test_a_workflow_is_read_with_operations_and_mediapackage(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/workflow_done_xml")
    instance = opencast.workflows.get("1280")
    assert instance.state is WorkflowState.SUCCEEDED
    assert [operation.id for operation in instance.operations] == ["publish-engage", "snapshot", "cleanup"]
    assert instance.mediapackage is not None
    assert instance.mediapackage.publication("engage-player") is not None


def test_a_workflow_that_was_cleaned_up_is_not_found(opencast: Opencast) -> None:
    with pytest.raises(NotFound):
        opencast.workflows.get(999999)


def test_an_active_workflow_is_known_by_two_words_only(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/has_active", "events/ev-fast/active")
    assert opencast.workflows.has_active("a-w9")
    assert not opencast.workflows.has_active("a-ev-fast")
    server.on("GET", "/workflow/mediaPackage/a/hasActiveWorkflows", text_answer("perhaps"))
    with pytest.raises(InvalidAnswer):
        opencast.workflows.has_active("a")


def test_the_workflows_of_an_event_are_listed(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/workflows")
    assert opencast.workflows.instances("a-ev-fast") == (("1353", WorkflowState.SUCCEEDED),)


def test_workflows_are_counted(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "workflows/count_running")
    assert opencast.workflows.count(WorkflowState.RUNNING) == 0
    assert server.last.query == {"state": "RUNNING"}
    server.on("GET", "/workflow/count", text_answer("none"))
    with pytest.raises(InvalidAnswer):
        opencast.workflows.count()


def test_a_definition_is_there_or_not(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/workflow/definition/fast.xml", Answer(200, b"<definition/>", {"Content-Type": "text/xml"}))
    assert opencast.workflows.definition_exists("fast")
    assert not opencast.workflows.definition_exists("nope")


def test_a_workflow_is_stopped(server: ScriptedServer, opencast: Opencast) -> None:
    stopped = recorded_text("writes/workflow_done_xml").replace('state="SUCCEEDED"', 'state="STOPPED"', 1)
    server.on("POST", "/workflow/stop", xml_answer(stopped))
    assert opencast.workflows.stop(1280).state is WorkflowState.STOPPED
    assert server.last.form == {"id": "1280"}
