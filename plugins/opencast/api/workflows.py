"""Workflows: start one with a definition that is sent along, and see how it goes (``/workflow``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from opencast.api import properties
from opencast.api.addresses import path
from opencast.api.client import Client, Fields
from opencast.api.features import Feature
from opencast.errors import InvalidAnswer, NotFound
from opencast.model.workflow import WorkflowInstance, WorkflowState, parse_instances
from opencast.model.xml import parse_xml

#: Workflows of one request for a list.
_LISTED_AT_ONCE = 100
#: States of a workflow that has not ended.
_ACTIVE = tuple(state for state in WorkflowState if not state.is_final)
#: Seconds for the start of a workflow: the server takes a first snapshot before it answers.
_LONG_START = 300.0


class WorkflowsService:
    """``/workflow``: needs ROLE_ADMIN, unless a method says otherwise."""

    def __init__(self, client: Client, has: Callable[[Feature], bool] = lambda _: True) -> None:
        self._client = client
        self._has = has

    def start(
        self, definition: bytes | str, mediapackage: bytes | str, configuration: Mapping[str, str] | None = None
    ) -> WorkflowInstance:
        """Start a workflow (``POST /workflow/start``).

        Not repeated when it may have arrived: after :class:`~opencast.errors.Unreachable` look with :meth:`instances`.

        :param definition: a whole definition as XML, which need not be installed on the server.
        :param mediapackage: as XML.
        :param configuration: the workflow's properties; the server keeps them with the event.
        :raises Conflict: the mediapackage has an active workflow.
        :raises BadRequest: the server cannot read the definition or the mediapackage.
        """
        form = {
            "definition": _text(definition),
            "mediapackage": _text(mediapackage),
            "properties": properties.to_lines(configuration) if configuration else None,
        }
        patience = max(_LONG_START, self._client.server.read_timeout)
        response = self._client.post_form("/workflow/start", form, ok=(200,), read_timeout=patience)
        return WorkflowInstance.from_xml(self._client.read.xml(response), what="the started workflow")

    def get(self, workflow_id: str | int) -> WorkflowInstance:
        """Get a workflow with its operations and its mediapackage (``GET /workflow/instance/{id}.xml``).

        :raises NotFound: there is none, or it was cleaned up since.
        """
        where = path("/workflow/instance", str(workflow_id))
        return WorkflowInstance.from_xml(self._client.get_xml(f"{where}.xml"), what=f"workflow {workflow_id}")

    def has_active(self, mediapackage_id: str) -> bool:
        """Tell whether a mediapackage has a workflow that has not ended (``.../hasActiveWorkflows``)."""
        if not self._has(Feature.ACTIVE_WORKFLOWS):
            return mediapackage_id in self.active(mediapackage_id)
        text = self._client.get_text(f"{path('/workflow/mediaPackage', mediapackage_id)}/hasActiveWorkflows")
        if text not in {"true", "false"}:
            raise InvalidAnswer(f"/workflow/mediaPackage/{mediapackage_id}/hasActiveWorkflows: {text[:40]!r}.")
        return text == "true"

    def active(self, mediapackage_id: str | None = None) -> dict[str, WorkflowState]:
        """Get the mediapackages that have a workflow which has not ended (``GET /workflow/instances.xml``, before 12).

        :param mediapackage_id: the only one to ask about.
        """
        found: dict[str, WorkflowState] = {}
        for wanted in (None,) if mediapackage_id else _ACTIVE:
            query: Fields = {"mp": mediapackage_id, "state": wanted.value if wanted else None, "compact": True}
            for identifier, state in self._listed(query):
                if not state.is_final:
                    found[identifier] = state
        return found

    def _listed(self, query: Fields) -> Iterator[tuple[str, WorkflowState]]:
        what, page = "/workflow/instances.xml", 0
        while True:
            params = {**query, "startPage": page, "count": _LISTED_AT_ONCE}
            root = parse_xml(self._client.get_xml(what, params=params), what=what)
            rows = root.findall("{*}workflow")
            for row in rows:
                package = row.find("{*}mediapackage")
                if package is None or row.get("state") not in WorkflowState.__members__:
                    raise InvalidAnswer(f"{what} names a workflow without its mediapackage or state.")
                yield package.get("id", ""), WorkflowState[row.get("state", "")]
            if len(rows) < _LISTED_AT_ONCE:
                return
            page += 1

    def instances(self, mediapackage_id: str) -> tuple[tuple[str, WorkflowState], ...]:
        """Get id and state of each workflow of a mediapackage that is still known (``.../instances.json``)."""
        answer = self._client.get_json(f"{path('/workflow/mediaPackage', mediapackage_id)}/instances.json")
        return parse_instances(answer, what=f"the workflows of mediapackage {mediapackage_id}")

    def count(self, state: WorkflowState | None = None) -> int:
        """Count the workflows in a state, or all (``GET /workflow/count``)."""
        text = self._client.get_text("/workflow/count", params={"state": state.value if state else None})
        if not (text.isascii() and text.isdigit()):
            raise InvalidAnswer(f"/workflow/count is no number: {text[:40]!r}.")
        return int(text)

    def definition_exists(self, definition_id: str) -> bool:
        """Tell whether a workflow definition is installed (``GET /workflow/definition/{id}.xml``)."""
        try:
            self._client.get_xml(f"{path('/workflow/definition', definition_id)}.xml")
        except NotFound:
            return False
        return True

    def definition_ids(self) -> frozenset[str]:
        """Get the ids of the installed definitions that this account may use (``GET /workflow/definitions.xml``).

        Open to ROLE_CAPTURE_AGENT, too, unlike :meth:`definition_exists`.
        """
        root = parse_xml(self._client.get_xml("/workflow/definitions.xml"), what="the workflow definitions")
        return frozenset(text for node in root.iterfind("{*}definition/{*}id") if (text := (node.text or "").strip()))

    def result(self, workflow_id: str | int) -> WorkflowInstance:
        """Get a workflow with its operations, without its mediapackage (``GET /api/workflows/{id}``).

        Open to ROLE_API_WORKFLOW_INSTANCE_VIEW for who started the workflow, unlike :meth:`get`.

        :raises NotFound: there is none, or it was cleaned up since.
        """
        answer = self._client.get_json(path("/api/workflows", str(workflow_id)), params={"withoperations": "true"})
        return WorkflowInstance.from_json(answer, what=f"workflow {workflow_id}")

    def stop(self, workflow_id: str | int) -> WorkflowInstance:
        """Stop a workflow (``POST /workflow/stop``).

        :raises NotFound: there is none.
        """
        response = self._client.post_form("/workflow/stop", {"id": str(workflow_id)}, ok=(200,), idempotent=True)
        return WorkflowInstance.from_xml(self._client.read.xml(response), what=f"workflow {workflow_id}")


def _text(document: bytes | str) -> str:
    return document.decode("utf-8") if isinstance(document, bytes) else document
