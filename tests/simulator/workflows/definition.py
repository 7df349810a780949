"""Workflow definitions: posted ones, and those that the server ships."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.simulator import xmlio
from tests.simulator.xmlio import attributes, leaf, local, text_of

NAMESPACE = "http://workflow.opencastproject.org"


class InvalidDefinition(ValueError):
    """The text is no workflow definition."""


@dataclass(frozen=True, slots=True)
class OperationDefinition:
    """One step."""

    id: str
    description: str | None = None
    fail_on_error: bool = True
    condition: str | None = None
    exception_handler: str | None = None
    max_attempts: int = 1
    retry_strategy: str = "none"
    configuration: dict[str, str] = field(default_factory=dict)

    def to_xml(self) -> str:
        """Write it as part of a definition."""
        own = attributes([
            ("id", self.id), ("description", self.description), ("fail-on-error", str(self.fail_on_error).lower()),
            ("if", self.condition), ("exception-handler-workflow", self.exception_handler),
            ("max-attempts", str(self.max_attempts)), ("retry-strategy", self.retry_strategy),
        ])  # fmt: skip
        inner = "".join(
            f"<configuration{attributes([('key', key)])}>{xmlio.escape(value)}</configuration>"
            for key, value in self.configuration.items()
        )
        return f"<operation{own}>" + (f"<configurations>{inner}</configurations>" if inner else "") + "</operation>"

    def to_api(self) -> dict[str, Any]:
        """Give the structure of ``/api/workflow-definitions``."""
        document: dict[str, Any] = {"configuration": dict(sorted(self.configuration.items()))}
        if not self.configuration:
            document = {}
        return document | {
            "unless": "",
            "max_attempts": self.max_attempts,
            "description": self.description or "",
            "operation": self.id,
            "if": self.condition or "",
            "fail_workflow_on_error": self.fail_on_error,
            "retry_strategy": self.retry_strategy,
            "error_handler_workflow": self.exception_handler or "",
        }


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow."""

    id: str
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    display_order: int = 0
    panel: str | None = None
    panel_json: str | None = None
    operations: tuple[OperationDefinition, ...] = ()
    state_mappings: tuple[tuple[str, str], ...] = ()

    def to_xml(self, prolog: bool = True, namespace: bool = True) -> str:
        """Write it as ``/workflow/definition/{id}.xml``."""
        body = leaf("id", self.id) + leaf("title", self.title) + _group("tags", [leaf("tag", t) for t in self.tags])
        body += _group("roles", [leaf("role", role) for role in self.roles]) + leaf("description", self.description)
        body += leaf("displayOrder", str(self.display_order)) + leaf("configuration_panel", self.panel)
        body += leaf("configuration_panel_json", self.panel_json)
        body += _group("operations", [operation.to_xml() for operation in self.operations])
        body += _group("state-mappings", [
            f"<state-mapping{attributes([('state', state)])}>{xmlio.escape(value)}</state-mapping>"
            for state, value in self.state_mappings
        ])  # fmt: skip
        xmlns = f' xmlns="{NAMESPACE}"' if namespace else ""
        return (xmlio.PROLOG if prolog else "") + f"<definition{xmlns}>{body}</definition>"

    def to_api(self, *, operations: bool) -> dict[str, Any]:
        """Give the structure of ``/api/workflow-definitions``."""
        document: dict[str, Any] = {"identifier": self.id}
        if operations:
            document["operations"] = [operation.to_api() for operation in self.operations]
        document |= {"description": self.description or "", "title": self.title or "", "tags": list(self.tags)}
        return document


def parse(text: str) -> Definition:
    """Read a posted definition.

    :raises InvalidDefinition: when it is none, for example the id of an unknown one.
    """
    try:
        root = xmlio.parse(text)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidDefinition(str(error)) from error
    if root.tag != f"{{{NAMESPACE}}}definition":
        raise InvalidDefinition(f"{root.tag} is no workflow definition")
    child = {local(c): c for c in root if isinstance(c.tag, str)}
    texts = {name: (node.text or "") for name, node in child.items()}
    return Definition(
        id=texts.get("id", "").strip(),
        title=texts.get("title"),
        description=texts.get("description"),
        tags=tuple(text_of(tag) for tag in child.get("tags", ())),
        operations=tuple(_operation(node) for node in child.get("operations", ()) if local(node) == "operation"),
    )


def _operation(node: etree._Element) -> OperationDefinition:
    configuration = {c.get("key") or "": (c.text or "").strip() for c in node.iter(f"{{{NAMESPACE}}}configuration")}
    return OperationDefinition(
        id=node.get("id") or "",
        description=node.get("description"),
        fail_on_error=node.get("fail-on-error", "true") == "true",
        condition=node.get("if"),
        exception_handler=node.get("exception-handler-workflow"),
        max_attempts=int(node.get("max-attempts") or 1),
        retry_strategy=node.get("retry-strategy", "none"),
        configuration=configuration,
    )


def from_json(document: dict[str, Any]) -> Definition:
    """Read a shipped definition out of a recorded ``/workflow/definitions.json``."""
    mappings = _many(document.get("state-mappings"), "state-mapping")
    return Definition(
        id=str(document["id"]),
        title=document.get("title"),
        description=document.get("description"),
        tags=tuple(str(tag) for tag in _many(document.get("tags"), "tag")),
        roles=tuple(str(role) for role in _many(document.get("roles"), "role")),
        display_order=int(document.get("displayOrder", 0)),
        panel=document.get("configuration_panel"),
        panel_json=document.get("configuration_panel_json"),
        operations=tuple(_operation_from_json(o) for o in _many(document.get("operations"), "operation")),
        state_mappings=tuple((m["state"], m["$"]) for m in mappings),
    )


def _operation_from_json(document: dict[str, Any]) -> OperationDefinition:
    configured = _many(document.get("configurations"), "configuration")
    return OperationDefinition(
        id=document["id"],
        description=document.get("description"),
        fail_on_error=document["fail-on-error"],
        condition=document.get("if"),
        exception_handler=document.get("exception-handler-workflow"),
        max_attempts=document["max-attempts"],
        retry_strategy=document["retry-strategy"],
        configuration={c["key"]: str(c.get("$", "")) for c in configured},
    )


def _many(holder: Any, name: str) -> list[Any]:
    if not isinstance(holder, dict):
        return []
    held = holder.get(name, [])
    return held if isinstance(held, list) else [held]


def _group(tag: str, parts: list[str]) -> str:
    return f"<{tag}>{''.join(parts)}</{tag}>" if parts else f"<{tag}/>"
