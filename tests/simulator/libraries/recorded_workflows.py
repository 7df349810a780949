"""Recorded workflow instances: their JSON turned back into XML, and that read into instances."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lxml import etree

from tests.simulator import clock, mediapackage
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.workflows.instance import Instance, Operation
from tests.simulator.xmlio import local

_MEMBER = {"id", "type", "ref", "transport", "channel"}
_ATTRIBUTES = {
    "workflow": {"id", "state"},
    "mediapackage": {"id", "start", "duration"},
    "track": _MEMBER, "catalog": _MEMBER, "attachment": _MEMBER, "publication": _MEMBER,
    "checksum": {"type"}, "audio": {"id"}, "video": {"id"}, "subtitle": {"id"}, "encoder": {"type"},
    "configuration": {"key"},
    "operation": {
        "id", "template", "job", "state", "description", "fail-on-error", "if", "exception-handler-workflow",
        "max-attempts", "failed-attempts", "execution-host", "retry-strategy",
    },
}  # fmt: skip


def from_json(document: dict[str, Any]) -> Instance:
    """Read one instance as ``instances.json`` shows it."""
    root = etree.Element("workflow")
    _build(root, document)
    return from_element(root)


def _build(node: etree._Element, value: Any) -> None:
    if not isinstance(value, dict):
        node.text = _plain(value)
        return
    own = _ATTRIBUTES.get(local(node), set())
    namespace = etree.QName(node).namespace
    for key, held in value.items():
        if key == "$":
            node.text = _plain(held)
        elif key in own and not isinstance(held, dict):
            node.set(key, _plain(held))
        else:
            inner = mediapackage.NAMESPACE if key == "mediapackage" else namespace
            for one in held if isinstance(held, list) else [held]:
                _build(etree.SubElement(node, etree.QName(inner, key) if inner else key), one)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def from_element(root: etree._Element) -> Instance:
    """Read an instance out of its XML."""
    child = {local(node): node for node in root}
    package = mediapackage.from_element(child["mediapackage"]) if "mediapackage" in child else MediaPackage("")

    def text(name: str) -> str | None:
        return child[name].text if name in child else None

    return Instance(
        int(root.get("id") or 0),
        text("template") or "",
        text("title"),
        text("description"),
        text("creator-id") or "",
        text("organization-id") or "",
        package,
        [_operation(node) for node in child.get("operations", ())],
        _configuration(child.get("configurations")),
        root.get("state") or "",
        clock.parse(text("dateCreated") or "") or clock.now(),
        clock.parse(text("dateCompleted") or ""),
    )


def _operation(node: etree._Element) -> Operation:
    child = {local(item): item for item in node}

    def moment(name: str) -> datetime | None:
        return datetime.fromtimestamp(int(child[name].text or 0) / 1000, UTC) if name in child else None

    number, queued = node.get("id"), child.get("time-in-queue")
    return Operation(
        template=node.get("template") or "",
        description=node.get("description"),
        fail_on_error=node.get("fail-on-error") == "true",
        condition=node.get("if"),
        exception_handler=node.get("exception-handler-workflow"),
        max_attempts=int(node.get("max-attempts") or 1),
        retry_strategy=node.get("retry-strategy") or "none",
        configuration=_configuration(child.get("configurations")),
        id=int(number) if number else None,
        state=node.get("state") or "",
        host=node.get("execution-host"),
        failed_attempts=int(node.get("failed-attempts") or 0),
        started=moment("started"),
        completed=moment("completed"),
        time_in_queue=int(queued.text or 0) if queued is not None else None,
    )


def _configuration(node: etree._Element | None) -> dict[str, str]:
    return {} if node is None else {item.get("key") or "": item.text or "" for item in node}
