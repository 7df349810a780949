"""Workflow instances: what a server says about a workflow that was started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from lxml import etree

from opencast.errors import InvalidAnswer
from opencast.model.identifiers import check_mediapackage_id, shown
from opencast.model.layout import PREFIX as _MEDIAPACKAGE
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import parse_xml

#: XML namespace of workflows.
NAMESPACE = "http://workflow.opencastproject.org"

_DIGITS = re.compile(r"[0-9]{1,19}")
_PREFIX = f"{{{NAMESPACE}}}"


class WorkflowState(Enum):
    """State of a workflow; XML writes it in upper case, the external API in lower case."""

    INSTANTIATED = "INSTANTIATED"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAILING = "FAILING"

    @property
    def is_final(self) -> bool:
        """Whether the workflow has ended; FAILING still runs its error handler."""
        return self in {WorkflowState.STOPPED, WorkflowState.SUCCEEDED, WorkflowState.FAILED}

    @property
    def is_waiting(self) -> bool:
        """Whether the workflow waits for a person and never ends by itself."""
        return self is WorkflowState.PAUSED


class OperationState(Enum):
    """State of one operation of a workflow."""

    INSTANTIATED = "INSTANTIATED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    RETRY = "RETRY"


@dataclass(frozen=True, slots=True)
class WorkflowOperation:
    """One operation of a workflow.

    :param id: id of the operation's handler, such as ``publish-engage``.
    :param description: text for people, may be empty.
    :param fail_on_error: whether its failure fails the workflow.
    :param failed_attempts: how often it failed so far.
    """

    id: str
    state: OperationState
    description: str = ""
    fail_on_error: bool = True
    failed_attempts: int = 0


@dataclass(frozen=True, slots=True)
class WorkflowInstance:
    """A workflow.

    :param id: number of the instance, as text.
    :param template: id of the definition; of the error handler's definition once that has run.
    :param mediapackage_id: checked.
    :param mediapackage: the package as the workflow left it; None in answers of the external API.
    """

    id: str
    state: WorkflowState
    template: str
    mediapackage_id: str
    title: str = ""
    operations: tuple[WorkflowOperation, ...] = ()
    mediapackage: MediaPackage | None = None

    @classmethod
    def from_xml(cls, data: bytes, *, what: str = "a workflow") -> WorkflowInstance:
        """Read the answer of ``POST /workflow/start``, ``GET /workflow/instance/{id}.xml`` or of an ingest.

        :param what: which workflow this is, for error messages.
        :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
        :raises InvalidAnswer: another document, or without id, state or mediapackage.
        :raises InvalidMediaPackage: the mediapackage in it cannot be read.
        :raises InvalidIdentifier: the mediapackage has an id that Opencast would not accept.
        """
        root = parse_xml(data, what=what)
        if root.tag != f"{_PREFIX}workflow":
            raise InvalidAnswer(f"{what}: expected the XML element workflow and got {shown(str(root.tag))}.")
        package = root.find(f"{_MEDIAPACKAGE}mediapackage")
        mediapackage = None if package is None else MediaPackage.read(package)
        named = root.findtext(f"{_PREFIX}mediaPackageId") or (mediapackage.id if mediapackage else "")
        return cls(
            id=_number(root.get("id"), what),
            state=_state(WorkflowState, root.get("state"), what),
            template=root.findtext(f"{_PREFIX}template") or "",
            mediapackage_id=check_mediapackage_id(named),
            title=root.findtext(f"{_PREFIX}title") or "",
            operations=tuple(_xml_operation(n, what) for n in root.iterfind(f"{_PREFIX}operations/{_PREFIX}operation")),
            mediapackage=mediapackage,
        )

    @classmethod
    def from_json(cls, answer: object, *, what: str = "a workflow") -> WorkflowInstance:
        """Read the parsed answer of ``GET /api/workflows/{id}`` or of ``POST /api/workflows``.

        Without ``withoperations=true`` there are no operations in the answer.

        :param what: which workflow this is, for error messages.
        :raises InvalidAnswer: another form, or without id, state or event.
        :raises InvalidIdentifier: the event has an id that Opencast would not accept.
        """
        if not isinstance(answer, Mapping):
            raise InvalidAnswer(f"{what}: expected a JSON object.")
        operations = answer.get("operations") or []
        if not isinstance(operations, list):
            raise InvalidAnswer(f"{what}: its operations are no list.")
        return cls(
            id=_number(answer.get("identifier"), what),
            state=_state(WorkflowState, answer.get("state"), what),
            template=_text(answer, "workflow_definition_identifier"),
            mediapackage_id=check_mediapackage_id(_text(answer, "event_identifier")),
            title=_text(answer, "title"),
            operations=tuple(_json_operation(operation, what) for operation in operations),
        )

    @property
    def failed_operations(self) -> tuple[WorkflowOperation, ...]:
        """The operations that failed; there may be some although the workflow succeeded."""
        return tuple(operation for operation in self.operations if operation.state is OperationState.FAILED)


def parse_instances(
    answer: object, *, what: str = "the workflows of an event"
) -> tuple[tuple[str, WorkflowState], ...]:
    """Return id and state of each workflow of an event (``GET /workflow/mediaPackage/{id}/instances.json``).

    The answer holds one object for one workflow, a list for several, and empty text for none.

    :param answer: parsed JSON.
    :param what: whose workflows these are, for error messages.
    :raises InvalidAnswer: another form.
    """
    inner = answer.get("workflows") if isinstance(answer, Mapping) else None
    if inner == "":
        return ()
    if not isinstance(inner, Mapping):
        raise InvalidAnswer(f"{what}: JSON of an unknown form.")
    found = inner.get("workflow", [])
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, Mapping) for row in rows):
        raise InvalidAnswer(f"{what}: JSON of an unknown form.")
    return tuple((_number(row.get("id"), what), _state(WorkflowState, row.get("state"), what)) for row in rows)


_StateT = TypeVar("_StateT", WorkflowState, OperationState)


def _state(kind: type[_StateT], value: object, what: str) -> _StateT:
    try:
        return kind(str(value).upper())
    except ValueError as error:
        raise InvalidAnswer(f"{what}: unknown state {shown(str(value))}.") from error


def _number(value: object, what: str) -> str:
    text = value if isinstance(value, str) else repr(value)
    if _DIGITS.fullmatch(text) is None:
        raise InvalidAnswer(f"{what}: {shown(text)} is no number of a workflow.")
    return text


def _text(answer: Mapping[str, object], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _xml_operation(node: etree._Element, what: str) -> WorkflowOperation:
    attempts = node.get("failed-attempts", "0")
    return WorkflowOperation(
        id=node.get("template", ""),
        state=_state(OperationState, node.get("state"), what),
        description=node.get("description", ""),
        fail_on_error=node.get("fail-on-error") == "true",
        failed_attempts=int(attempts) if _DIGITS.fullmatch(attempts) else 0,
    )


def _json_operation(operation: object, what: str) -> WorkflowOperation:
    if not isinstance(operation, Mapping):
        raise InvalidAnswer(f"{what}: an operation is no JSON object.")
    attempts = operation.get("failed_attempts")
    return WorkflowOperation(
        id=_text(operation, "operation"),
        state=_state(OperationState, operation.get("state"), what),
        description=_text(operation, "description"),
        fail_on_error=operation.get("fail_workflow_on_error") is True,
        failed_attempts=attempts if isinstance(attempts, int) else 0,
    )
