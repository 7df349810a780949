"""Workflow definitions that are sent along when a workflow is started, so that nothing has to be installed.

``POST /workflow/start`` takes a whole definition instead of the id of an installed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opencast.model.node import render_attributes
from opencast.model.workflow import NAMESPACE
from opencast.model.xml import document, text_node


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a definition.

    :param id: id of the operation's handler, such as ``publish-engage``.
    :param description: shown in the admin UI, may be empty.
    :param configuration: keys and values; a mapping that must not be changed afterwards.
    :param fail_on_error: whether its failure fails the workflow.
    :param condition: runs the operation only if this is true, such as ``${publish}``; empty for always.
    :param exception_handler: id of an installed workflow that runs when this operation fails; empty for none.
    :param max_attempts: how often it is tried.
    :param retry_strategy: ``none``, ``retry`` or ``hold``.
    """

    id: str
    description: str = ""
    configuration: Mapping[str, str] = field(default_factory=dict)
    fail_on_error: bool = True
    condition: str = ""
    exception_handler: str = ""
    max_attempts: int = 1
    retry_strategy: str = "none"

    def render(self) -> str:
        """Return the operation's XML element."""
        optional = (
            ("description", self.description),
            ("if", self.condition),
            ("exception-handler-workflow", self.exception_handler),
            ("max-attempts", str(self.max_attempts) if self.max_attempts != 1 else ""),
            ("retry-strategy", self.retry_strategy if self.retry_strategy != "none" else ""),
        )
        fixed = (("id", self.id), ("fail-on-error", "true" if self.fail_on_error else "false"))
        attributes = render_attributes(fixed + tuple(pair for pair in optional if pair[1]))
        values = "".join(_configuration(key, value) for key, value in self.configuration.items())
        return f"<operation{attributes}><configurations>{values}</configurations></operation>"


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A definition to be sent along.

    :param id: shown as the template of the started instance.
    :param title: shown in the admin UI.
    :param operations: run in this order.
    :param description: shown in the admin UI, may be empty.
    """

    id: str
    title: str
    operations: tuple[Operation, ...]
    description: str = ""

    def to_xml(self) -> bytes:
        """Return the definition for the form field ``definition`` of ``POST /workflow/start``.

        :raises InvalidXml: a text holds a character that XML cannot hold.
        """
        description = text_node("description", self.description) if self.description else ""
        operations = "".join(operation.render() for operation in self.operations)
        body = (
            f'<definition xmlns="{NAMESPACE}">{text_node("id", self.id)}{text_node("title", self.title)}{description}'
            f"<operations>{operations}</operations></definition>"
        )
        return document(body, what=f"The workflow definition {self.id}")


def _configuration(key: str, value: str) -> str:
    content = text_node("configuration", value).removeprefix("<configuration")
    return f"<configuration{render_attributes((('key', key),))}{content}"
