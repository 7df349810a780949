"""Workflow instances, in XML and in the JSON of the external API."""

from __future__ import annotations

import json

import pytest
from opencast.errors import InvalidAnswer, InvalidIdentifier, InvalidMediaPackage, InvalidXml
from opencast.model.workflow import (
    OperationState,
    WorkflowInstance,
    WorkflowOperation,
    WorkflowState,
    parse_instances,
)

from tests.model import recorded

HEAD = '<workflow xmlns="http://workflow.opencastproject.org"'


def test_the_recorded_answer_of_a_start_is_read() -> None:
    instance = WorkflowInstance.from_xml(recorded.body("writes/workflow_start"))
    assert (instance.id, instance.state, instance.template) == ("1280", WorkflowState.INSTANTIATED, "inline-test")
    assert (instance.mediapackage_id, instance.title) == ("a-w9", "Inline test")
    assert instance.operations == tuple(
        WorkflowOperation(name, OperationState.INSTANTIATED) for name in ("publish-engage", "snapshot", "cleanup")
    )
    assert instance.mediapackage is not None
    assert [track.id for track in instance.mediapackage.tracks] == ["track-1"]


def test_the_publications_that_a_run_has_made_are_in_its_package() -> None:
    instance = WorkflowInstance.from_xml(recorded.body("writes/workflow_done_xml"))
    assert instance.state is WorkflowState.SUCCEEDED
    assert instance.mediapackage is not None
    assert [publication.channel for publication in instance.mediapackage.publications] == ["engage-player"]


@pytest.mark.parametrize("generation", [17, 15])
@pytest.mark.parametrize(
    ("xml", "api"), [("writes/workflow_done_xml", "writes/workflow_done_api"), ("workflows/xml", "workflows/api")]
)
def test_xml_and_json_of_a_recorded_workflow_say_the_same(xml: str, api: str, generation: int) -> None:
    by_xml = WorkflowInstance.from_xml(recorded.body(xml, generation))
    by_json = WorkflowInstance.from_json(json.loads(recorded.body(api, generation)))
    assert (by_json.id, by_json.state, by_json.template) == (by_xml.id, by_xml.state, by_xml.template)
    assert (by_json.mediapackage_id, by_json.title) == (by_xml.mediapackage_id, by_xml.title)
    assert by_json.operations == by_xml.operations
    assert by_json.mediapackage is None


def test_a_recorded_failure_names_the_operation_that_failed() -> None:
    for instance in (
        WorkflowInstance.from_xml(recorded.body("workflows/failed_xml")),
        WorkflowInstance.from_json(json.loads(recorded.body("workflows/failed_api"))),
    ):
        assert instance.state is WorkflowState.FAILED
        assert instance.template == "partial-error"
        assert instance.failed_operations == (
            WorkflowOperation(
                "inspect", OperationState.FAILED, "Inspecting audio and video streams", failed_attempts=1
            ),
        )
        assert [operation.fail_on_error for operation in instance.operations] == [True, True, True, False, False]


def test_operations_without_number_of_a_workflow_that_has_not_begun_are_read() -> None:
    instance = WorkflowInstance.from_json(json.loads(recorded.body("writes/workflow_running_api")))
    assert [operation.id for operation in instance.operations] == ["publish-engage", "snapshot", "cleanup"]


def test_every_recorded_workflow_is_read() -> None:
    found = 0
    for generation, name in [*recorded.names("writes/*"), *recorded.names("workflows/*")]:
        text = recorded.exchange(name, generation)["response"].get("text", "")
        if "<wf:workflow" in text or "<ns3:workflow" in text:
            WorkflowInstance.from_xml(text.encode())
            found += 1
        elif '"workflow_definition_identifier"' in text:
            WorkflowInstance.from_json(json.loads(text))
            found += 1
    assert found >= 40


@pytest.mark.parametrize(("state", "final"), [(s, s.name in {"STOPPED", "SUCCEEDED", "FAILED"}) for s in WorkflowState])
def test_a_workflow_ends_stopped_succeeded_or_failed(state: WorkflowState, final: bool) -> None:
    assert state.is_final is final


def test_only_a_paused_workflow_waits_for_a_person() -> None:
    assert [state.name for state in WorkflowState if state.is_waiting] == ["PAUSED"]


def test_the_package_may_be_named_without_being_there() -> None:
    data = f'{HEAD} id="1" state="RUNNING"><mediaPackageId>a-ev</mediaPackageId></workflow>'.encode()
    instance = WorkflowInstance.from_xml(data)
    assert (instance.mediapackage_id, instance.mediapackage, instance.operations) == ("a-ev", None, ())


@pytest.mark.parametrize(
    "data",
    [
        b"<html/>",
        f'{HEAD} state="RUNNING"><mediaPackageId>a</mediaPackageId></workflow>'.encode(),
        f'{HEAD} id="../1" state="RUNNING"><mediaPackageId>a</mediaPackageId></workflow>'.encode(),
        f'{HEAD} id="1"><mediaPackageId>a</mediaPackageId></workflow>'.encode(),
        f'{HEAD} id="1" state="DREAMING"><mediaPackageId>a</mediaPackageId></workflow>'.encode(),
        f'{HEAD} id="1" state="RUNNING"><operations><operation/></operations>'
        "<mediaPackageId>a</mediaPackageId></workflow>".encode(),
    ],
)
def test_another_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidAnswer, match="workflow 5"):
        WorkflowInstance.from_xml(data, what="workflow 5")


def test_a_workflow_without_or_with_a_broken_package_is_refused() -> None:
    with pytest.raises(InvalidIdentifier):
        WorkflowInstance.from_xml(f'{HEAD} id="1" state="RUNNING"/>'.encode())
    broken = '<mediapackage xmlns="http://mediapackage.opencastproject.org" id="a"><media><x/></media></mediapackage>'
    with pytest.raises(InvalidMediaPackage):
        WorkflowInstance.from_xml(f'{HEAD} id="1" state="RUNNING">{broken}</workflow>'.encode())


def test_an_error_page_is_no_workflow() -> None:
    with pytest.raises(InvalidAnswer, match="got 'html'"):
        WorkflowInstance.from_xml(recorded.body("writes/workflow_start_while_active"))
    with pytest.raises(InvalidXml):
        WorkflowInstance.from_xml(b"")


GOOD = {"identifier": 1, "state": "running", "event_identifier": "a-ev"}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        GOOD | {"identifier": None},
        GOOD | {"identifier": True},
        GOOD | {"identifier": "x"},
        GOOD | {"state": "dreaming"},
        GOOD | {"state": None},
        GOOD | {"operations": {}, "state": ""},
        GOOD | {"operations": "x"},
        GOOD | {"operations": ["x"]},
        GOOD | {"operations": [{"operation": "x", "state": "?"}]},
    ],
)
def test_other_json_is_refused(answer: object) -> None:
    with pytest.raises(InvalidAnswer, match="workflow 5"):
        WorkflowInstance.from_json(answer, what="workflow 5")


def test_json_with_a_hostile_event_is_refused() -> None:
    with pytest.raises(InvalidIdentifier):
        WorkflowInstance.from_json(GOOD | {"event_identifier": "../x"})


def test_json_without_operations_is_read() -> None:
    assert WorkflowInstance.from_json(GOOD).operations == ()


@pytest.mark.parametrize("generation", [17, 15])
def test_the_recorded_workflows_of_events_are_listed_for_none_one_and_many(generation: int) -> None:
    lengths = set()
    for folder, name in recorded.names("events/*/workflows"):
        if folder == generation:
            lengths.add(len(parse_instances(json.loads(recorded.body(name, generation)))))
    assert {0, 1} <= lengths
    broken = parse_instances(json.loads(recorded.body("events/ev-broken/workflows", generation)))
    assert [state for _, state in broken] == [WorkflowState.FAILED]


def test_several_workflows_are_a_list() -> None:
    answer = {"workflows": {"workflow": [{"id": 1, "state": "SUCCEEDED"}, {"id": "2", "state": "PAUSED"}]}}
    assert parse_instances(answer) == (("1", WorkflowState.SUCCEEDED), ("2", WorkflowState.PAUSED))


@pytest.mark.parametrize("answer", [None, [], {}, {"workflows": 5}, {"workflows": {"workflow": [1]}}])
def test_other_lists_of_workflows_are_refused(answer: object) -> None:
    with pytest.raises(InvalidAnswer):
        parse_instances(answer)
