"""``/admin-ng/event/{id}/comment``: comments on events that the index knows."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, policies, responses
from tests.simulator.comments import Comment, NoSuchComment, Reply
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()
OCTETS = "application/octet-stream"


def _unknown_event(request: Request, event_id: str) -> Response | None:
    document, caller = simulator_of(request).state.event_index.get(event_id), caller_of(request)
    known = document is not None and document.org == caller.organization.id
    if document is not None and known and (caller.admin or policies.allows(document.acl, caller.roles, "read")):
        return None
    return responses.missing(f"Cannot find an event with id '{event_id}'.")


def _may_write(request: Request, event_id: str) -> bool:
    document, caller = simulator_of(request).state.event_index.get(event_id), caller_of(request)
    return caller.admin or (document is not None and policies.allows(document.acl, caller.roles, "write"))


def _document(request: Request, comment: Comment) -> dict[str, Any]:
    return {
        "reason": comment.reason, "resolvedStatus": comment.resolved,
        "modificationDate": clock.seconds(comment.modified), "replies": [_reply(request, r) for r in comment.replies],
        "author": _author(request, comment.author), "id": comment.id, "text": comment.text,
        "creationDate": clock.seconds(comment.created),
    }  # fmt: skip


def _reply(request: Request, reply: Reply) -> dict[str, Any]:
    return {
        "modificationDate": clock.seconds(reply.modified), "author": _author(request, reply.author), "id": reply.id,
        "text": reply.text, "creationDate": clock.seconds(reply.created),
    }  # fmt: skip


def _author(request: Request, name: str) -> dict[str, Any]:
    user = simulator_of(request).comments.user(name)
    return {"name": user.name, "email": user.email or None, "username": user.username}


@router.api_route("/admin-ng/event/{event_id}/comments", methods=READ)
def comments(request: Request, event_id: str) -> Response:
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    held = [_document(request, comment) for comment in simulator_of(request).comments.of(event_id)]
    return responses.plain(responses.simple(held), responses.JSON)


@router.post("/admin-ng/event/{event_id}/comment")
def create(request: Request, event_id: str, form: Form) -> Response:
    """Write a comment; the form's ``resolved`` is not looked at."""
    simulator = simulator_of(request)
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    if not form.get("text", "").strip():
        return responses.empty(400)
    author = caller_of(request).user.username
    archive = _may_write(request, event_id)
    comment = simulator.comments.create(event_id, author, form["text"], form.get("reason"), archive=archive)
    location = f"{simulator.url}/admin-ng/event/{event_id}/comment/{comment.id}"
    return responses.plain(responses.simple(_document(request, comment)), responses.JSON, 201, location=location)


@router.api_route("/admin-ng/event/{event_id}/comment/{number}", methods=READ)
def one(request: Request, event_id: str, number: str) -> Response:
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    try:
        comment = simulator_of(request).comments.find(event_id, int(number))
    except (NoSuchComment, ValueError):
        return responses.no_resource()
    return responses.plain(responses.simple(_document(request, comment)), responses.JSON)


@router.post("/admin-ng/event/{event_id}/comment/{number}")
def resolve(request: Request, event_id: str, number: str) -> Response:
    return _change(request, event_id, number, resolved=True)


@router.put("/admin-ng/event/{event_id}/comment/{number}")
def update(request: Request, event_id: str, number: str, form: Form) -> Response:
    resolved = form["resolved"].lower() == "true" if form.get("resolved") else None
    return _change(
        request, event_id, number, text=form.get("text", ""), reason=form.get("reason", ""), resolved=resolved
    )  # fmt: skip


@router.post("/admin-ng/event/{event_id}/comment/{number}/reply")
def reply(request: Request, event_id: str, number: str, form: Form) -> Response:
    """Add a reply; an unknown comment is an exception that nobody catches."""
    if not form.get("text", "").strip():
        return responses.empty(400)
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    author, resolved = caller_of(request).user.username, form.get("resolved", "").lower() == "true"
    service, archive = simulator_of(request).comments, _may_write(request, event_id)
    try:
        comment = service.reply(event_id, int(number), author, form["text"], resolved=resolved, archive=archive)
    except NoSuchComment:
        return responses.empty(500)
    except ValueError:
        return responses.no_resource()
    return responses.plain(responses.simple(_document(request, comment)), OCTETS)


@router.delete("/admin-ng/event/{event_id}/comment/{number}")
def delete(request: Request, event_id: str, number: str) -> Response:
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    try:
        simulator_of(request).comments.delete(event_id, int(number))
    except (NoSuchComment, ValueError):
        return responses.no_resource()
    return responses.empty(204)


def _change(request: Request, event_id: str, number: str, **changes: Any) -> Response:
    refused = _unknown_event(request, event_id)
    if refused:
        return refused
    try:
        archive = _may_write(request, event_id)
        comment = simulator_of(request).comments.update(event_id, int(number), archive=archive, **changes)
    except (NoSuchComment, ValueError):
        return responses.no_resource()
    return responses.plain(responses.simple(_document(request, comment)), OCTETS)
