"""``/api/playlists``, since version 16; an older server takes the path for something else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, policies, responses
from tests.simulator.playlists import BadPlaylist, Item, NoSuchPlaylist, Playlist, Right, TakenId
from tests.simulator.policies import Entry
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of

router = APIRouter()
FIRST_GENERATION = 16
_FIELDS = {"id", "organization", "entries", "title", "description", "creator", "updated", "accessControlEntries"}


def _answers(route: Callable[..., Response]) -> Callable[..., Response]:
    """Turn what a route raises into the server's answers."""

    @wraps(route)
    def answered(request: Request, **arguments: Any) -> Response:
        try:
            return route(request, **arguments)
        except NoSuchPlaylist as error:
            return responses.missing(f"Cannot find playlist instance with id '{error}'.")
        except (BadPlaylist, ValueError, TypeError, KeyError, AttributeError):
            return responses.empty(400)
        except TakenId as error:
            cause = f"java.lang.IllegalStateException: Could not update playlist from database with id {error}"
            return responses.internal_error(request, cause)
        except PermissionError:
            return responses.empty(403)

    return answered


def _has_playlists(request: Request) -> bool:
    return simulator_of(request).settings.generation >= FIRST_GENERATION


def _allowed(request: Request, playlist: Playlist, action: str) -> bool:
    caller = caller_of(request)
    acl = tuple(right.entry for right in playlist.rights)
    return caller.admin or policies.allows(acl, caller.roles, action)


def _document(playlist: Playlist) -> dict[str, Any]:
    return {
        "entries": [{"contentId": item.content, "id": item.id, "type": item.type} for item in playlist.items],
        "creator": playlist.creator or "", "description": playlist.description or "", "id": playlist.id,
        "title": playlist.title or "", "updated": clock.seconds(playlist.updated) if playlist.updated else "",
        "accessControlEntries": [{**policies.to_api((r.entry,))[0], "id": r.id} for r in playlist.rights],
    }  # fmt: skip


@router.api_route("/api/playlists", methods=READ)
@_answers
def playlists(request: Request) -> Response:
    """Answer a page; what the caller may not read is taken out of it afterwards."""
    if not _has_playlists(request):
        return responses.empty(404)
    query = request.query_params
    limit, offset = int(query.get("limit") or 0), int(query.get("offset") or 0)
    name, _, order = query.get("sort", "updated:ASC").partition(":")
    if limit < 0 or offset < 0 or name != "updated":
        return responses.empty(400)
    held = simulator_of(request).playlists.all(caller_of(request).organization.id)
    held = held[::-1] if order == "DESC" else held
    page = held[offset : offset + limit] if limit else held[offset:]
    return responses.api(request, [_document(p) for p in page if _allowed(request, p, "read")])


@router.api_route("/api/playlists/{playlist_id}", methods=READ)
@_answers
def one(request: Request, playlist_id: str) -> Response:
    if not _has_playlists(request):
        return responses.no_resource()
    return responses.api(request, _document(_get(request, playlist_id, "read")))


@router.post("/api/playlists")
@_answers
def create(request: Request, form: Form) -> Response:
    """Create a playlist under the id in the form; an existing one is replaced."""
    if not _has_playlists(request):
        return responses.missing("Cannot find an event with id 'playlists'.")
    simulator, org = simulator_of(request), caller_of(request).organization.id
    document = _parsed(form)
    fresh = Playlist(str(document.get("id") or uuid.uuid4()), org)
    written = simulator.playlists.write(_merged(fresh, document))
    answer = responses.api(request, _document(written))
    answer.status_code = 201
    answer.headers["location"] = f"{simulator.url}/api/playlists/{written.id}"
    return answer


@router.put("/api/playlists/{playlist_id}")
@_answers
def update(request: Request, playlist_id: str, form: Form) -> Response:
    """Change what the form names; an unknown playlist is an exception that nobody catches."""
    if not _has_playlists(request):
        return responses.no_resource()
    try:
        old = _get(request, playlist_id, "write")
    except NoSuchPlaylist as error:
        cause = f"java.lang.IllegalStateException: Could not get playlist from database with id {error}"
        return responses.internal_error(request, cause)
    written = simulator_of(request).playlists.write(_merged(old, _parsed(form)))
    return responses.api(request, _document(written))


@router.delete("/api/playlists/{playlist_id}")
@_answers
def delete(request: Request, playlist_id: str) -> Response:
    if not _has_playlists(request):
        return responses.no_resource()
    held = _get(request, playlist_id, "write")
    return responses.api(request, _document(simulator_of(request).playlists.delete(held.org, held.id)))


def _get(request: Request, playlist_id: str, action: str) -> Playlist:
    found = simulator_of(request).playlists.get(caller_of(request).organization.id, playlist_id)
    if not _allowed(request, found, action):
        raise PermissionError(playlist_id)
    return found


def _parsed(form: dict[str, str]) -> dict[str, Any]:
    document = json.loads(form.get("playlist", ""))
    if not isinstance(document, dict) or document.keys() - _FIELDS:
        raise BadPlaylist("unknown field")
    return document


def _merged(old: Playlist, document: dict[str, Any]) -> Playlist:
    texts = {name: document[name] for name in ("title", "description", "creator") if name in document}
    items, rights = old.items, old.rights
    if "entries" in document:
        known = set(old.items)
        given = [Item(e["contentId"], e["type"], e.get("id") or 0) for e in document["entries"] or ()]
        items = tuple(item if not known or item in known else replace(item, id=0) for item in given)
    if "accessControlEntries" in document:
        rights = tuple(
            Right(Entry(e["role"], e["action"], bool(e["allow"])), e.get("id") or 0)
            for e in document["accessControlEntries"] or ()
        )
    return replace(old, items=items, rights=rights, **texts)
