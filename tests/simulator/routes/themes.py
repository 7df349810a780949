"""``/admin-ng/themes``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, responses
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.static_files import NoSuchFile
from tests.simulator.themes import FILES, FLAGS, TEXTS, NoSuchTheme, Theme

router = APIRouter()
_SORT = {
    "name": lambda t: t.name.lower(), "description": lambda t: t.texts["description"].lower(),
    "creator": lambda t: t.creator.lower(), "default": lambda t: t.default, "creation_date": lambda t: t.created,
}  # fmt: skip


def _json(value: Any) -> Response:
    return responses.plain(responses.simple(value), responses.JSON)


def _document(theme: Theme) -> dict[str, Any]:
    return {
        **{name: theme.files.get(name, "") for name in FILES}, **{name: theme.texts.get(name, "") for name in TEXTS},
        **{name: theme.flags.get(name, False) for name in FLAGS}, "creator": theme.creator, "default": theme.default,
        "creationDate": clock.seconds(theme.created), "name": theme.name, "id": theme.id,
    }  # fmt: skip


def _find(request: Request, number: str) -> Theme | None:
    found = simulator_of(request).themes.index.get(number)
    return found if found is not None and found.org == caller_of(request).organization.id else None


@router.api_route("/admin-ng/themes/themes.json", methods=READ)
def themes(request: Request) -> Response:
    query, org = request.query_params, caller_of(request).organization.id
    found = [theme for theme in simulator_of(request).themes.index.all() if theme.org == org]
    for part in filter(None, query.get("filter", "").split(",")):
        name, _, value = part.partition(":")
        if name == "creator":
            found = [theme for theme in found if theme.creator == value]
        elif name == "textFilter":
            texts = {theme.id: f"{theme.name} {theme.texts.get('description', '')}".lower() for theme in found}
            found = [theme for theme in found if value.lower() in texts[theme.id]]
    for criterion in reversed(list(filter(None, query.get("sort", "").split(",")))):
        name, _, order = criterion.partition(":")
        if name.lower() not in _SORT:
            return responses.empty(400)
        found.sort(key=_SORT[name.lower()], reverse=order.upper() == "DESC")
    limit, offset = int(query.get("limit") or 0), int(query.get("offset") or 0)
    shown = found[offset : offset + limit] if limit else found[offset:]
    return _json({
        "total": len(found), "offset": offset, "count": len(shown), "limit": limit,
        "results": [_document(theme) for theme in shown],
    })  # fmt: skip


@router.api_route("/admin-ng/themes/{number}/usage.json", methods=READ)
def usage(request: Request, number: str) -> Response:
    theme = _find(request, number)
    if theme is None:
        return responses.missing("Cannot find a theme with id {}")
    held = simulator_of(request).themes.users(theme.org, theme.id)
    return _json({"series": [{"id": identifier, "title": title} for identifier, title in held]})


@router.api_route("/admin-ng/themes/{number}.json", methods=READ)
def one(request: Request, number: str) -> Response:
    """Answer a theme with name and address of each file that is there."""
    simulator, theme = simulator_of(request), _find(request, number)
    if theme is None:
        return responses.missing(f"Cannot find a theme with id '{number}'")
    document = _document(theme)
    for name in FILES:
        try:
            path = simulator.static_files.find(theme.org, theme.files.get(name, ""))
        except NoSuchFile:
            continue
        document |= {f"{name}Name": path.name, f"{name}Url": f"{simulator.url}/staticfiles/{theme.files[name]}"}
    return _json(document)


@router.post("/admin-ng/themes")
def create(request: Request, form: Form) -> Response:
    caller = caller_of(request)
    creator = caller.user.name or caller.user.username
    return _json(_document(simulator_of(request).themes.create(caller.organization.id, creator, form)))


@router.put("/admin-ng/themes/{number}")
def update(request: Request, number: str, form: Form) -> Response:
    try:
        theme = simulator_of(request).themes.update(caller_of(request).organization.id, int(number), form)
    except (NoSuchTheme, ValueError):
        return responses.no_resource()
    except NoSuchFile:
        return responses.plain("Referenced non-existing file", responses.TEXT, 400)
    return _json(_document(theme))


@router.delete("/admin-ng/themes/{number}")
def delete(request: Request, number: str) -> Response:
    try:
        simulator_of(request).themes.delete(caller_of(request).organization.id, int(number))
    except (NoSuchTheme, NoSuchFile, ValueError):
        return responses.no_resource()
    return responses.empty(204)
