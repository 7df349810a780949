"""Workflow definitions that are sent along."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from opencast.errors import InvalidXml
from opencast.model.workflow_definition import Operation, WorkflowDefinition
from opencast.model.xml import PROLOG

from tests.model import recorded

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))
WF = "{http://workflow.opencastproject.org}"


def canonical(data: bytes) -> bytes:
    text: bytes = etree.tostring(etree.fromstring(data), method="c14n")
    return text


def test_the_definition_that_a_real_server_ran_is_written() -> None:
    flavors = {"download-source-flavors": "*/source,dublincore/*", "check-availability": "true"}
    definition = WorkflowDefinition(
        "inline-test",
        "Inline test",
        (Operation("publish-engage", configuration=flavors), Operation("snapshot"), Operation("cleanup")),
    )
    sent = recorded.exchange("writes/workflow_start")["request"]["form"]["definition"]
    assert canonical(definition.to_xml()) == canonical(sent.encode())


@pytest.mark.parametrize(("generation", "name"), recorded.names("writes/*"))
def test_every_recorded_definition_can_be_built(generation: int, name: str) -> None:
    form = recorded.exchange(name, generation)["request"].get("form")
    sent = form.get("definition", "") if isinstance(form, dict) else ""
    if not sent.startswith("<definition"):
        return
    root = etree.fromstring(sent.encode())
    operations = tuple(
        Operation(
            node.get("id", ""),
            configuration={c.get("key", ""): c.text or "" for c in node.iter(f"{WF}configuration")},
            fail_on_error=node.get("fail-on-error") == "true",
        )
        for node in root.iter(f"{WF}operation")
    )
    built = WorkflowDefinition(root.findtext(f"{WF}id") or "", root.findtext(f"{WF}title") or "", operations)
    assert canonical(built.to_xml()) == canonical(sent.encode())


def test_everything_that_an_operation_can_have_is_written() -> None:
    operation = Operation(
        "tag",
        "Tag & keep",
        configuration={"source-flavors": "*/*"},
        fail_on_error=False,
        condition="${a} == 'x'",
        exception_handler="partial-error",
        max_attempts=2,
        retry_strategy="hold",
    )
    assert WorkflowDefinition("d", "T", (operation,), "Text <here>").to_xml().decode() == (
        f'{PROLOG}<definition xmlns="http://workflow.opencastproject.org"><id>d</id><title>T</title>'
        '<description>Text &lt;here&gt;</description><operations><operation id="tag" fail-on-error="false" '
        'description="Tag &amp; keep" if="${a} == \'x\'" exception-handler-workflow="partial-error" '
        'max-attempts="2" retry-strategy="hold"><configurations><configuration key="source-flavors">*/*'
        "</configuration></configurations></operation></operations></definition>"
    )


def test_an_empty_value_is_kept() -> None:
    data = WorkflowDefinition("d", "T", (Operation("x", configuration={"mimetype": ""}),)).to_xml()
    assert b'<configuration key="mimetype"/>' in data


def test_a_value_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidXml, match="The workflow definition d"):
        WorkflowDefinition("d", "T\x00", ()).to_xml()


@given(st.dictionaries(TEXT, TEXT), TEXT)
def test_any_configuration_survives(configuration: dict[str, str], description: str) -> None:
    data = WorkflowDefinition("d", "T", (Operation("x", description, configuration),)).to_xml()
    node = etree.fromstring(data).find(f"{WF}operations/{WF}operation")
    assert node is not None
    assert node.get("description", "") == description
    assert {c.get("key"): c.text or "" for c in node.iter(f"{WF}configuration")} == configuration
