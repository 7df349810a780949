"""``/search``: XML and JSON out of Solr until version 15, JSON alone since."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, jettison, responses, search
from tests.simulator.access import Caller
from tests.simulator.routes.access import READ, caller_of, simulator_of
from tests.simulator.search import Hit

router = APIRouter()
_LAST_SOLR = 15
_MOST = 2**31 - 1
_BOTH = "invalid request, both 'sid' and 'sname' specified"


@router.api_route("/search/{what}.{kind}", methods=READ)
def found(request: Request, what: str, kind: str) -> Response:
    simulator, caller, query = simulator_of(request), caller_of(request), dict(request.query_params)
    solr = simulator.settings.generation <= _LAST_SOLR
    if what not in ("episode", "series") or kind not in (("xml", "json") if solr else ("json",)):
        return responses.empty(404)
    listed = search.episodes if what == "episode" else search.series
    hits = listed(simulator.state, caller, simulator.workspace.read)
    if solr and what == "series" and query.get("episodes") == "true":
        hits = [*search.episodes(simulator.state, caller, simulator.workspace.read), *hits]
    if query.get("sname"):
        named = {s.id for s in simulator.state.series.values() if s.catalog.first("title") == query["sname"]}
        hits = [hit for hit in hits if hit.first("isPartOf") in named]
    return _solr(hits, query, caller, what, kind) if solr else _open_search(hits, query, caller, what)


@router.api_route("/search/{what}", methods=READ)
def nothing(request: Request, what: str) -> Response:
    return responses.empty(404)


# --- version 17 -------------------------------------------------------------------------------------------------------


def _open_search(hits: list[Hit], query: dict[str, str], caller: Caller, what: str) -> Response:
    if query.get("sid") and query.get("sname"):
        return responses.bad_request(_BOTH)
    limit, offset = _number(query.get("limit"), 20), _number(query.get("offset"), 0)
    if limit < 0 or offset < 0:
        return responses.bad_request("Limit and offset may not be negative.")
    if what == "episode" and not caller.admin and limit > 250:
        return responses.bad_request("Only admins are allowed to request more than 250 items.")
    hits = _matching(hits, query)
    words = query.get("sort", "").lower().split()
    if words:
        names = ("title", "contributor", "creator", "modified") + (("identifier",) if what == "series" else ())
        if len(words) > 2 or words[0] not in names or words[1:] not in ([], ["asc"], ["desc"]):
            return responses.bad_request("Invalid sort parameter")
        hits = sorted(hits, key=_sort_key(words[0]), reverse=words[1:] == ["desc"])
    page: list[Any] = [search.to_json(hit) for hit in hits[offset : offset + limit]]
    return responses.gson_response({"limit": limit, "result": page, "total": len(hits), "offset": offset})


def _number(text: str | None, default: int) -> int:
    """Read a number as commons-lang does: anything else is the default."""
    try:
        return int(text or default)
    except ValueError:
        return default


def _sort_key(name: str) -> Any:
    if name == "modified":
        return lambda hit: hit.modified
    return lambda hit: (not hit.first(name), hit.first(name))


# --- version 15 -------------------------------------------------------------------------------------------------------


def _solr(hits: list[Hit], query: dict[str, str], caller: Caller, what: str, kind: str) -> Response:
    try:
        limit, offset = int(query.get("limit") or 0), int(query.get("offset") or 0)
    except ValueError:
        return responses.empty(404)
    if query.get("admin", "").lower() == "true" and not caller.admin:
        return responses.plain("unauthorized", responses.TEXT, 401)
    if query.get("sid") and query.get("sname"):
        return responses.plain(_BOTH, "application/xml", 400)
    most = _MOST if caller.admin else 2000
    limit = 100 if limit == 0 else most if limit < 0 else min(limit, most)
    offset = max(offset, 0)
    hits = _matching(hits, query)
    hits = sorted(hits, key=_solr_key(query.get("sort", "")), reverse=_descending(query.get("sort", "")))
    criteria = f"(id:{_escaped(query['id'])})" if query.get("id") else query.get("q") or "*:*"
    without = "Series" if what == "episode" else "AudioVisual"
    unknown = bool(query.get("sname")) and not hits
    echo = "" if unknown else search.allowed_query(criteria, caller, without)
    text = search.to_xml(hits[offset : offset + limit], offset=offset, limit=limit, total=len(hits), query=echo)
    if kind == "xml":
        return responses.xml(text)
    return responses.plain(jettison.convert(text), responses.JSON)


def _solr_key(sort: str) -> Any:
    keys = {
        "TITLE": lambda hit: hit.first("title"),
        "CREATOR": lambda hit: hit.first("creator"),
        "DATE_CREATED": lambda hit: _created(hit),
        "DATE_PUBLISHED": lambda hit: hit.modified,
        "DATE_MODIFIED": lambda hit: hit.modified,
    }
    return keys.get(sort.removesuffix("_DESC"), lambda hit: _created(hit))


def _descending(sort: str) -> bool:
    known = sort.removesuffix("_DESC") in ("TITLE", "CREATOR", "DATE_CREATED", "DATE_PUBLISHED", "DATE_MODIFIED")
    return sort.endswith("_DESC") or not known


def _created(hit: Hit) -> Any:
    return clock.parse(hit.first("created")) or hit.modified


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in '+-&|!(){}[]^"~*?:\\' else c for c in text)


def _matching(hits: list[Hit], query: dict[str, str]) -> list[Hit]:
    """Apply what both versions can be asked for, and tags and flavors."""
    if query.get("id"):
        hits = [hit for hit in hits if hit.id == query["id"]]
    if query.get("sid"):
        hits = [hit for hit in hits if hit.first("isPartOf") == query["sid"]]
    if query.get("q"):
        words = query["q"].casefold().split()
        hits = [hit for hit in hits if any(word in hit.text() for word in words)]
    for name, test in (("tag", lambda e, v: v in e.tags), ("flavor", lambda e, v: e.flavor == v)):
        value = query.get(name, "")
        if value and (name == "tag" or "/" in value):
            hits = [h for h in hits if h.package is not None and any(test(e, value) for e in h.package.elements)]
    return hits
