"""Faults on demand: what goes wrong, with which requests and workflows, and how often."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Opencast - Login Page</title></head><body><form/></body></html>\n"
LOGIN_ADDRESS = "/login.html;jsessionid=node0fault.node0"
_HTML = {"content-type": "text/html;charset=utf-8"}

#: Makes another body out of the real one; gets ``b""`` when the service was not asked.
Change = Callable[[bytes], bytes]


@dataclass(eq=False, slots=True)
class Fault:
    """What happens to the requests that it fits; README.md has the whole table.

    Which ones: ``path`` and ``query`` are searched as regular expressions, ``after`` of those that fit pass unharmed,
    then ``times`` are hit (None: all).

    :param status: the answer, in place of the service's; with ``executed`` the service does its work first.
    :param headers: set in the answer, over what it has.
    :param body: bytes of the answer, or what makes them; alone it changes the body of the real answer.
    :param page: ``login``: the login page with 200 in place of the answer.
    :param redirect: ``login`` or an address: 302 to it.
    :param drop: the connection ends without an answer; with ``executed`` after the work, so that only the answer is
        lost.
    :param drop_after: bytes of the answer's body after which the connection ends; the length header is the right one.
    :param drop_upload: bytes of the request's body after which the connection ends.
    :param corrupt: position of the byte of the answer's body that arrives inverted.
    :param delay: seconds before anything happens.
    :param stall: seconds of silence within the body, before its byte ``stall_after``.
    :param spoil: after a successful upload its first byte is inverted in the store: ``disk`` leaves the noted md5 as it
        is, ``network`` corrects it, as if the bytes had arrived like that.
    :param delete_event: this event vanishes completely before the request is looked at.
    :param before: is called before the service; ``then``: after it, before the answer. In process only.
    """

    path: str = ""
    method: str | None = None
    query: str = ""
    times: int | None = None
    after: int = 0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Change | None = None
    page: str | None = None
    redirect: str | None = None
    executed: bool = False
    drop: bool = False
    drop_after: int | None = None
    drop_upload: int | None = None
    corrupt: int | None = None
    delay: float = 0.0
    stall: float = 0.0
    stall_after: int = 0
    spoil: str | None = None
    delete_event: str | None = None
    before: Callable[[], object] | None = None
    then: Callable[[], object] | None = None
    number: int = 0
    hits: int = 0
    _passed: int = 0

    def __post_init__(self) -> None:
        re.compile(self.path)
        re.compile(self.query)
        if self.page == "login":
            self.status, self.body, self.headers = 200, LOGIN_PAGE, {**_HTML, **self.headers}
        if self.redirect is not None:
            to = LOGIN_ADDRESS if self.redirect == "login" else self.redirect
            self.status, self.headers = 302, {"location": to, **self.headers}
        if self.page not in (None, "login") or self.spoil not in (None, "disk", "network"):
            raise ValueError(f"a fault has no page {self.page} and no spoil {self.spoil}")

    @property
    def exhausted(self) -> bool:
        """Whether it has hit as often as it was to."""
        return self.times is not None and self.hits >= self.times

    def takes(self, method: str, path: str, query: str) -> bool:
        """Tell whether this request is hit, and count it."""
        if self.exhausted or self.method not in (None, method):
            return False
        if not re.search(self.path, path) or not re.search(self.query, query):
            return False
        if self._passed < self.after:
            self._passed += 1
            return False
        self.hits += 1
        return True


@dataclass(eq=False, slots=True)
class WorkflowFault:
    """What happens to the operations that it fits.

    :param operation: regular expression of the whole name of an operation; empty fits any.
    :param package: the same of the mediapackage's id.
    :param kind: ``fail``; ``hang`` until it is released or removed, then the operation does its work; ``pause``: the
        workflow stays PAUSED; ``vanish``: the workflow is forgotten, nothing more of it is done; ``clean``: the
        workflow is forgotten when it has ended.
    """

    kind: str
    operation: str = ""
    package: str = ""
    times: int | None = None
    after: int = 0
    number: int = 0
    hits: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    _passed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("fail", "hang", "pause", "vanish", "clean"):
            raise ValueError(f"there is no workflow fault {self.kind}")
        re.compile(self.operation)
        re.compile(self.package)

    def release(self) -> None:
        """Let everything go on that hangs here; nothing hangs any more."""
        self.times = self.hits
        self.released.set()

    def takes(self, operation: str, package: str) -> bool:
        """Tell whether this operation is hit, and count it."""
        if self.times is not None and self.hits >= self.times:
            return False
        fits = (not self.operation or re.fullmatch(self.operation, operation)) and (
            not self.package or re.fullmatch(self.package, package)
        )
        if not fits:
            return False
        if self._passed < self.after:
            self._passed += 1
            return False
        self.hits += 1
        return True


class Faults:
    """The faults of one server; of several that fit a request the one added first takes it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Fault] = []
        self._workflows: list[WorkflowFault] = []
        self._count = 0

    def add(self, path: str = "", **effect: Any) -> Fault:
        """Add a fault of requests; the arguments are the fields of :class:`Fault`."""
        fault = Fault(path, **effect)
        self._enter(fault, self._requests)
        return fault

    def workflow(self, kind: str, operation: str = "", **selection: Any) -> WorkflowFault:
        """Add a fault of workflows; the arguments are the fields of :class:`WorkflowFault`."""
        fault = WorkflowFault(kind, operation, **selection)
        self._enter(fault, self._workflows)
        return fault

    def from_json(self, document: dict[str, Any]) -> Fault | WorkflowFault:
        """Add the fault that a JSON object describes; one with ``workflow`` is of workflows.

        :raises ValueError: for an unknown field or value.
        """
        if not isinstance(document, dict):
            raise ValueError("a fault is a JSON object")
        given = dict(document)
        kind = given.pop("workflow", None)
        known = {f.name for f in fields(Fault if kind is None else WorkflowFault)} - _INTERNAL
        if unknown := set(given) - known:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        if isinstance(given.get("body"), str):
            given["body"] = given["body"].encode()
        return self.add(**given) if kind is None else self.workflow(kind, **given)

    def _enter(self, fault: Any, faults: list[Any]) -> None:
        with self._lock:
            self._count += 1
            fault.number = self._count
            faults.append(fault)

    def remove(self, fault: Fault | WorkflowFault) -> None:
        """End a fault; what hangs in it goes on."""
        with self._lock:
            faults: list[Any] = self._requests if isinstance(fault, Fault) else self._workflows
            if fault in faults:
                faults.remove(fault)
        if isinstance(fault, WorkflowFault):
            fault.release()

    def clear(self) -> None:
        """End all faults."""
        for fault in self.all():
            self.remove(fault)

    def all(self) -> Iterable[Fault | WorkflowFault]:
        """Give all faults, also exhausted ones, in the order of their numbers."""
        with self._lock:
            held: list[Fault | WorkflowFault] = [*self._requests, *self._workflows]
        return sorted(held, key=lambda fault: fault.number)

    def for_request(self, method: str, path: str, query: str) -> Fault | None:
        """Find the fault that takes a request."""
        with self._lock:
            return next((fault for fault in self._requests if fault.takes(method, path, query)), None)

    def for_operation(self, operation: str, package: str) -> WorkflowFault | None:
        """Find the fault that takes an operation which is about to run."""
        with self._lock:
            candidates = [fault for fault in self._workflows if fault.kind != "clean"]
            return next((fault for fault in candidates if fault.takes(operation, package)), None)

    def cleans(self, package: str) -> bool:
        """Tell whether a workflow that has ended is to be forgotten."""
        with self._lock:
            candidates = [fault for fault in self._workflows if fault.kind == "clean"]
            return any(fault.takes("", package) for fault in candidates)


_INTERNAL = {"number", "hits", "released", "_passed", "before", "then", "kind"}
