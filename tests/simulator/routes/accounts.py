"""Lists of what a migration leaves behind: users, groups, templates of access lists, annotations, statistics.

Annotations and statistics follow ``AnnotationListImpl`` and ``UserActionListImpl``; only their totals are told.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import jettison, responses
from tests.simulator.routes.access import READ, simulator_of

router = APIRouter()
DEFAULT_LIMIT = 100


def _page(request: Request, rows: list[dict[str, Any]], default: int) -> dict[str, Any]:
    query = request.query_params
    limit, offset = int(query.get("limit") or default), int(query.get("offset") or 0)
    shown = rows[offset : offset + limit] if limit else rows[offset:]
    return {"total": len(rows), "offset": offset, "count": len(shown), "limit": limit, "results": shown}


@router.api_route("/admin-ng/users/users.json", methods=READ)
def users(request: Request) -> Response:
    rows = [
        {
            "username": user.username, "name": user.name, "email": user.email or None, "provider": "opencast",
            "manageable": not user.in_memory, "roles": [{"name": role, "type": "INTERNAL"} for role in user.roles],
        }
        for user in simulator_of(request).settings.users
    ]  # fmt: skip
    return responses.gson_response(_page(request, rows, DEFAULT_LIMIT))


@router.api_route("/admin-ng/groups/groups.json", methods=READ)
def groups(request: Request) -> Response:
    return responses.plain(responses.simple(_page(request, [], 0)), responses.JSON)


@router.api_route("/admin-ng/acl/acls.json", methods=READ)
def access_lists(request: Request) -> Response:
    return responses.plain(responses.simple(_page(request, [], DEFAULT_LIMIT)), responses.JSON)


@router.api_route("/annotation/annotations.json", methods=READ)
def annotation_list(request: Request) -> Response:
    return _list("annotations", "http://annotation.opencastproject.org", simulator_of(request).settings.annotations)


@router.api_route("/usertracking/actions.json", methods=READ)
def user_actions(request: Request) -> Response:
    return _list("actions", "http://usertracking.opencastproject.org", simulator_of(request).settings.user_actions)


def _list(root: str, namespace: str, total: int) -> Response:
    text = f'<{root} xmlns="{namespace}" total="{total}" offset="0" limit="1"/>'
    return responses.plain(jettison.convert(text), responses.JSON)
