"""Running and finished workflows, and how the two workflow endpoints show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulator import clock, xmlio
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.workflows.definition import Definition, OperationDefinition
from tests.simulator.xmlio import attributes, leaf

FINAL = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_HEAD = (
    '<wf:workflow xmlns:sec="http://org.opencastproject.security" '
    'xmlns:mp="http://mediapackage.opencastproject.org" xmlns:wf="http://workflow.opencastproject.org"'
)


@dataclass(slots=True)
class Operation:
    """One step of a run; ``id`` is given when it is queued."""

    template: str
    description: str | None = None
    fail_on_error: bool = True
    condition: str | None = None
    exception_handler: str | None = None
    max_attempts: int = 1
    retry_strategy: str = "none"
    configuration: dict[str, str] = field(default_factory=dict)
    id: int | None = None
    state: str = "INSTANTIATED"
    host: str | None = None
    failed_attempts: int = 0
    started: datetime | None = None
    completed: datetime | None = None
    time_in_queue: int | None = None

    @classmethod
    def of(cls, step: OperationDefinition) -> Operation:
        """Make a fresh step."""
        return cls(
            step.id, step.description, step.fail_on_error, step.condition, step.exception_handler,
            step.max_attempts, step.retry_strategy, dict(sorted(step.configuration.items())),
        )  # fmt: skip

    def to_xml(self) -> str:
        """Write it as part of a workflow instance."""
        number = None if self.id is None else str(self.id)
        own = attributes([
            ("id", number), ("template", self.template), ("job", number), ("state", self.state),
            ("description", self.description), ("fail-on-error", str(self.fail_on_error).lower()),
            ("if", self.condition), ("exception-handler-workflow", self.exception_handler),
            ("max-attempts", str(self.max_attempts)), ("failed-attempts", str(self.failed_attempts)),
            ("execution-host", self.host), ("retry-strategy", self.retry_strategy),
        ])  # fmt: skip
        times = [("started", self.started), ("completed", self.completed)]
        inner = configurations(self.configuration)
        inner += "".join(leaf(name, str(clock.epoch_millis(t)), "wf:") for name, t in times if t)
        inner += leaf("time-in-queue", None if self.time_in_queue is None else str(self.time_in_queue), "wf:")
        return f"<wf:operation{own}>{inner}</wf:operation>"

    def to_api(self) -> dict[str, Any]:
        """Give the structure of ``/api/workflows``."""
        document: dict[str, Any] = {
            "identifier": "" if self.id is None else self.id,
            "completion": clock.shortest(self.completed) if self.completed else "",
        }
        if self.configuration:
            document["configuration"] = dict(self.configuration)
        if self.time_in_queue is not None:
            document["time_in_queue"] = self.time_in_queue
        return document | {
            "failed_attempts": self.failed_attempts,
            "start": clock.shortest(self.started) if self.started else "",
            "description": self.description or "",
            "fail_workflow_on_error": self.fail_on_error,
            "max_attempts": self.max_attempts,
            "host": self.host or "",
            "state": self.state.lower(),
            "operation": self.template,
            "if": self.condition or "",
            "retry_strategy": self.retry_strategy,
            "error_handler_workflow": self.exception_handler or "",
        }


@dataclass(slots=True)
class Instance:
    """A run of a workflow on a package; ``at_start`` is its XML before the first operation, the answer to starting."""

    id: int
    template: str
    title: str | None
    description: str | None
    creator: str
    org: str
    package: MediaPackage
    operations: list[Operation]
    configuration: dict[str, str] = field(default_factory=dict)
    state: str = "INSTANTIATED"
    created: datetime = field(default_factory=clock.now)
    completed: datetime | None = None
    at_start: str = field(default="", repr=False)

    @classmethod
    def of(
        cls, number: int, definition: Definition, package: MediaPackage, creator: str, org: str,
        configuration: dict[str, str],
    ) -> Instance:  # fmt: skip
        """Make a fresh run."""
        steps = [Operation.of(step) for step in definition.operations]
        return cls(
            number, definition.id, definition.title, definition.description, creator, org, package, steps,
            dict(configuration),
        )  # fmt: skip

    @property
    def active(self) -> bool:
        """Whether it keeps other workflows of the same package from starting."""
        return self.state not in FINAL

    @property
    def current(self) -> Operation | None:
        """The first step that is not over."""
        return next((o for o in self.operations if o.state in ("INSTANTIATED", "RUNNING", "PAUSED", "RETRY")), None)

    def to_xml(self, prolog: bool = True, head: bool = True) -> str:
        """Write it as ``/workflow/instance/{id}.xml``."""
        own = attributes([("id", str(self.id)), ("state", self.state)])
        body = leaf("template", self.template, "wf:") + leaf("title", self.title, "wf:")
        body += leaf("description", self.description, "wf:")
        body += leaf("creator-id", self.creator, "sec:") + leaf("organization-id", self.org, "sec:")
        body += leaf("dateCreated", clock.millis(self.created), "wf:")
        body += leaf("dateCompleted", clock.millis(self.completed) if self.completed else None, "wf:")
        body += self.package.to_xml("mp:")
        steps = "".join(operation.to_xml() for operation in self.operations)
        body += f"<wf:operations>{steps}</wf:operations>" if steps else "<wf:operations/>"
        body += configurations(self.configuration) + leaf("mediaPackageId", self.package.id, "wf:")
        body += leaf("seriesId", self.package.series, "wf:")
        opening = _HEAD if head else "<wf:workflow"
        return (xmlio.PROLOG if prolog else "") + f"{opening}{own}>{body}</wf:workflow>"

    def to_api(self, *, operations: bool, configuration: bool) -> dict[str, Any]:
        """Give the structure of ``/api/workflows/{id}``."""
        document: dict[str, Any] = {
            "workflow_definition_identifier": self.template, "identifier": self.id, "creator": self.creator,
        }  # fmt: skip
        if operations:
            document["operations"] = [operation.to_api() for operation in self.operations]
        if configuration and self.configuration:
            document["configuration"] = dict(self.configuration)
        return document | {
            "description": self.description or "",
            "state": self.state.lower(),
            "title": self.title or "",
            "event_identifier": self.package.id,
        }


def configurations(values: dict[str, str]) -> str:
    """Write configuration entries in their order."""
    inner = "".join(
        f"<wf:configuration{attributes([('key', key)])}>{xmlio.escape(value)}</wf:configuration>"
        for key, value in values.items()
    )
    return f"<wf:configurations>{inner}</wf:configurations>" if inner else "<wf:configurations/>"
