"""``/api/series`` and the list of the admin interface, read from the index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, policies, responses
from tests.simulator.records import Series
from tests.simulator.routes.access import READ, caller_of, simulator_of

router = APIRouter()
DEFAULT_LIMIT = 100
#: ``f("title", v(s.getTitle()))``: a series without a title cannot be shown, nor any page of the list that holds it.
_NO_TITLE = "java.lang.IllegalArgumentException: Value of field 'title' must not be null"
_FILTERS: dict[str, Callable[[Series, str], bool]] = {
    "managedAcl": lambda s, v: False,
    "contributors": lambda s, v: v in s.catalog.all("contributor"),
    "Creator": lambda s, v: s.creator == v,
    "creator": lambda s, v: s.creator == v,
    "textFilter": lambda s, v: v.lower() in "\n".join(item.value for item in s.catalog.values).lower(),
    "language": lambda s, v: s.catalog.first("language") == v,
    "license": lambda s, v: s.catalog.first("license") == v,
    "organizers": lambda s, v: v in s.catalog.all("creator"),
    "subject": lambda s, v: s.catalog.first("subject") == v,
    "title": lambda s, v: s.catalog.first("title") == v,
    "identifier": lambda s, v: s.id == v,
    "description": lambda s, v: s.catalog.first("description") == v,
    "publishers": lambda s, v: v in s.catalog.all("publisher"),
    "rightsholder": lambda s, v: s.catalog.first("rightsHolder") == v,
}
_SORT: dict[str, Callable[[Series], Any]] = {
    "title": lambda s: s.catalog.first("title") or "",
    "contributors": lambda s: s.catalog.all("contributor"),
    "creator": lambda s: s.catalog.all("creator"),
    "created": lambda s: _created(s),
}


def _created(series: Series) -> str:
    moment = clock.parse(series.catalog.first("created") or "")
    return clock.seconds(moment) if moment else ""


def _row(series: Series) -> dict[str, Any]:
    catalog = series.catalog
    subjects = [part.strip() for part in (catalog.first("subject") or "").split(",") if part.strip()]
    return {
        "identifier": series.id,
        "license": catalog.first("license") or "",
        "creator": series.creator,
        "created": _created(series),
        "subjects": subjects,
        "organizers": catalog.all("creator"),
        "description": catalog.first("description") or "",
        "publishers": catalog.all("publisher"),
        "language": catalog.first("language") or "",
        "contributors": catalog.all("contributor"),
        "title": catalog.first("title"),
        "rightsholder": catalog.first("rightsHolder") or "",
    }


class BadQuery(ValueError):
    """A filter or sort criterion is refused."""


def _filter(found: list[Series], criterion: str) -> list[Series]:
    name, colon, value = criterion.partition(":")
    if not colon:
        return found
    if name == "CreationDate":
        first, slash, last = value.partition("/")
        if not slash or clock.parse(first) is None or clock.parse(last) is None:
            raise BadQuery(f"Malformed date period: {value}")
        return [s for s in found if first <= _created(s) <= last]
    if name not in _FILTERS:
        raise BadQuery
    return [s for s in found if _FILTERS[name](s, value)]


def _sort(found: list[Series], criterion: str) -> None:
    name, _, direction = criterion.partition(":")
    if name not in _SORT or direction.upper() not in ("ASC", "DESC"):
        raise BadQuery
    found.sort(key=_SORT[name], reverse=direction.upper() == "DESC")


def _visible(request: Request, series: Series) -> bool:
    caller = caller_of(request)
    if series.org != caller.organization.id:
        return False
    return caller.admin or policies.allows(series.acl or (), caller.roles, "read")


@router.api_route("/api/series", methods=READ)
@router.api_route("/api/series/", methods=READ)
def list_series(request: Request) -> Response:
    query = request.query_params
    if responses.api_version(request) is None:
        return responses.empty(406)
    try:
        limit, offset = int(query.get("limit") or 0), int(query.get("offset") or 0)
    except ValueError:
        return responses.no_resource()
    found = [s for s in simulator_of(request).state.series_index.all() if _visible(request, s)]
    try:
        for criterion in filter(None, (query.get("filter") or "").split(",")):
            found = _filter(found, criterion)
        for criterion in filter(None, (query.get("sort") or "").split(",")):
            _sort(found, criterion)
    except BadQuery as error:
        return responses.bad_request(str(error)) if str(error) else responses.empty(400)
    found = found[max(offset, 0) :][: limit if limit > 0 else DEFAULT_LIMIT]
    if not all(series.catalog.first("title") for series in found):
        return responses.empty(500)
    rows = [_row(series) for series in found]
    if query.get("withacl", "").lower() == "true":
        for entry, series in zip(rows, found, strict=True):
            entry["acl"] = policies.to_api(series.acl or ())
    return responses.api(request, rows)


def _find(request: Request, series_id: str) -> Series | None:
    series = simulator_of(request).state.series_index.get(series_id)
    return series if series and _visible(request, series) else None


def _unknown(series_id: str) -> Response:
    return responses.missing(f"Cannot find an series with id '{series_id}'.")


@router.api_route("/api/series/{series_id}", methods=READ)
def one(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return _unknown(series_id)
    if not series.catalog.first("title"):
        return responses.internal_error(request, _NO_TITLE)
    entry = _row(series) | {"opt_out": False, "organization": series.org}
    if request.query_params.get("withacl", "").lower() == "true":
        entry["acl"] = policies.to_api(series.acl or ())
    return responses.api(request, entry)


@router.api_route("/api/series/{series_id:path}/acl", methods=READ)
def acl(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return _unknown(series_id)
    if series.acl is None:
        return responses.missing(f"Acl for series with id '{series_id}' is not defined.")
    return responses.api(request, policies.to_api(series.acl))


@router.api_route("/api/series/{series_id:path}/properties", methods=READ)
def properties(request: Request, series_id: str) -> Response:
    series = simulator_of(request).state.series.get(series_id)
    return responses.api(request, series.properties) if series else _unknown(series_id)


@router.api_route("/admin-ng/series/series.json", methods=READ)
def admin_series(request: Request) -> Response:
    query = request.query_params
    found = [s for s in simulator_of(request).state.series_index.all() if _visible(request, s)]
    for criterion in filter(None, (query.get("sort") or "").split(",")):
        _sort(found, criterion)
    limit, offset = int(query.get("limit") or 0) or DEFAULT_LIMIT, int(query.get("offset") or 0)
    shown = found[offset : offset + limit]
    return responses.gson_response({
        "total": len(found), "offset": offset, "count": len(shown), "limit": limit,
        "results": [
            {
                "createdBy": series.creator, "organizers": series.catalog.all("creator"), "id": series.id,
                "contributors": series.catalog.all("contributor"), "creation_date": _created(series),
                "title": series.catalog.first("title") or "",
            }
            for series in shown
        ],
    })  # fmt: skip
