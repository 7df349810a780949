"""Lists of what a migration leaves behind: users, groups, templates of access lists (``/admin-ng``)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import responses
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
