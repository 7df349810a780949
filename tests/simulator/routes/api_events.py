"""``GET /api/events``: the list with its filters, sorting and paging."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, events_json, generations, policies, responses
from tests.simulator.access import Caller
from tests.simulator.records import EventDocument
from tests.simulator.routes.access import READ, caller_of, simulator_of

router = APIRouter()
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_EARLIEST = datetime.min.isoformat()
Test = Callable[[EventDocument], bool]

_EXACT: dict[str, Callable[[EventDocument, str], bool]] = {
    "presenters": lambda d, v: v in d.presenters,
    "contributors": lambda d, v: v in d.contributors,
    "location": lambda d, v: d.location == v,
    "series": lambda d, v: d.series_id == v,
    "subject": lambda d, v: d.subject == v,
    "identifier": lambda d, v: d.identifier == v,
    "title": lambda d, v: d.title == v,
    "description": lambda d, v: d.description == v,
    "series_name": lambda d, v: d.series_name == v,
    "language": lambda d, v: d.language == v,
    "created": lambda d, v: d.created is not None and clock.seconds(d.created) == v,
    "license": lambda d, v: d.license == v,
    "rightsholder": lambda d, v: d.rights == v,
    "is_part_of": lambda d, v: d.series_id == v,
    "source": lambda d, v: d.source == v,
    "status": lambda d, v: d.status == v,
    "agent_id": lambda d, v: d.scheduling is not None and d.scheduling.agent == v,
    "textFilter": lambda d, v: v.lower() in _text(d),
}


def _text(document: EventDocument) -> str:
    parts = [document.identifier, document.title, document.description, document.location, document.series_name]
    return "\n".join([*parts, document.subject, *document.presenters, *document.contributors]).lower()


# Before 6 there are six filters and all others are passed over without a word.
_ALWAYS = frozenset({"presenters", "contributors", "location", "textFilter", "series", "subject"})

_SORT: dict[str, Callable[[EventDocument], Any] | None] = {
    "title": lambda d: d.title,
    "presenter": lambda d: d.presenters,
    "start_date": lambda d: _when(d.start),
    "date": lambda d: _when(d.start),
    "end_date": lambda d: _when(d.start),
    "technical_start": lambda d: _when(d.scheduling.start if d.scheduling else None),
    "technical_date": lambda d: _when(d.scheduling.start if d.scheduling else None),
    "technical_end": lambda d: _when(d.scheduling.end if d.scheduling else None),
    "workflow_state": lambda d: d.workflow_state,
    "series_name": lambda d: d.series_name,
    "location": lambda d: d.location,
    "review_status": None,
    "scheduling_status": None,
}


def _when(moment: datetime | None) -> str:
    return clock.millis(moment) if moment else _EARLIEST


class BadQuery(ValueError):
    """A filter or sort criterion is refused."""


@router.api_route("/api/events", methods=READ)
@router.api_route("/api/events/", methods=READ)
def list_events(request: Request) -> Response:
    version = responses.api_version(request)
    if version is None:
        return responses.empty(406)
    query, caller, simulator = request.query_params, caller_of(request), simulator_of(request)
    try:
        limit, offset = int(query.get("limit") or 0), int(query.get("offset") or 0)
    except ValueError:
        # A query parameter that is no number makes the whole path unknown to JAX-RS.
        return responses.no_resource()
    try:
        tests = _filters(query.getlist("filter"), version, simulator.settings.generation)
        order = _sorting(query.get("sort") or "")
    except BadQuery as error:
        return responses.bad_request(str(error))
    action = "write" if _flag(request, "onlyWithWriteAccess") and not query.get("filter") else "read"
    found = [d for d in simulator.state.event_index.all() if _visible(d, caller, action) and all(t(d) for t in tests)]
    for key, descending in reversed(order):
        found.sort(key=key, reverse=descending)
    found = found[max(offset, 0) :]
    found = found[:limit] if limit > 0 else found
    return responses.api(request, [_entry(request, document, version) for document in found])


def _visible(document: EventDocument, caller: Caller, action: str) -> bool:
    if document.org != caller.organization.id:
        return False
    return caller.admin or policies.allows(document.acl, caller.roles, action)


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() == "true"


def _entry(request: Request, document: EventDocument, version: int) -> dict[str, Any]:
    entry = events_json.row(document, simulator_of(request).settings.generation)
    if _flag(request, "withacl"):
        entry["acl"] = events_json.acl(document)
    if _flag(request, "withmetadata"):
        entry["metadata"] = events_json.metadata(document, listed=True)
    if _flag(request, "withscheduling") and version >= 1 and document.scheduling:
        entry["scheduling"] = events_json.scheduling(document.scheduling)
    if _flag(request, "withpublications"):
        internal = _flag(request, "includeInternalPublication") and version >= 11
        entry["publications"] = events_json.publications(document, internal=internal)
    return entry


def _filters(given: list[str], version: int, generation: int) -> list[Test]:
    """Read the filters; from version 1.5 on only the first parameter counts.

    :raises BadQuery: for an unknown name or a malformed range.
    """
    tests: list[Test] = []
    for part in given[:1] if version >= 5 else given:
        for criterion in part.split(","):
            name, colon, value = criterion.partition(":")
            if colon and value and (generation >= generations.FULL_ROWS or name in _ALWAYS):
                tests.append(_filter(name, value))
    return tests


def _filter(name: str, value: str) -> Test:
    if name in _EXACT:
        exact = _EXACT[name]
        return lambda document: exact(document, value)
    if name == "start":
        return _range(name, value, lambda d: d.start)
    if name == "technical_start":
        return _range(name, value, lambda d: d.scheduling.start if d.scheduling else None)
    raise BadQuery(f"Unknown filter criterion in request: {name}")


def _range(name: str, value: str, moment: Callable[[EventDocument], datetime | None]) -> Test:
    first, _, last = value.partition("/")
    for text, which in ((first, "from"), (last, "to")):
        if not _DATE.fullmatch(text):
            raise BadQuery(f"Filter '{name}' could not be parsed: Unable to parse {which} date parameter")
    lower, upper = clock.parse(first), clock.parse(last)

    def test(document: EventDocument) -> bool:
        when = moment(document)
        return when is not None and lower is not None and upper is not None and lower <= when <= upper

    return test


def _sorting(text: str) -> list[tuple[Callable[[EventDocument], Any], bool]]:
    """Read ``field:ASC,field:DESC``.

    :raises BadQuery: for an unknown field or a missing direction.
    """
    order = []
    for criterion in filter(None, text.split(",")):
        name, _, direction = criterion.partition(":")
        if direction.upper() not in ("ASC", "DESC"):
            raise BadQuery(f"Invalid sort parameter: {criterion}")
        if name not in _SORT:
            raise BadQuery(f"Unknown sort criterion in request: {name}")
        key = _SORT[name]
        if key is not None:
            order.append((key, direction.upper() == "DESC"))
    return order
