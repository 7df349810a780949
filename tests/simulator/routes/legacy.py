"""What versions had that are long gone: the archives before 4.0, and two lists that ended with 12.

The shapes follow ``ArchiveRestEndpointBase`` and ``AbstractOpencastArchiveRestEndpoint`` (3.0),
``AbstractEpisodeServiceRestEndpoint`` (1.6.2), ``WorkflowRestService`` (3.0) and ``DublinCoreCatalogList`` (1.6.2).
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import jettison, policies, responses, xmlio
from tests.simulator.bodies import FileBody
from tests.simulator.mediapackage import NAMESPACE, MediaPackage
from tests.simulator.records import Event
from tests.simulator.routes import series as series_routes
from tests.simulator.routes.access import READ, caller_of, simulator_of

router = APIRouter()
_SUFFIXES = {"video/mp4": "mp4", "text/xml": "xml", "image/jpeg": "jpg", "image/png": "png", "text/vtt": "vtt"}
_ARCHIVE, _SEARCH = "http://archive.opencastproject.org", "http://search.opencastproject.org"
_LAST_SERIES_LIST = 11
_USUAL = 20
_WORKFLOWS = (
    '<wf:workflows xmlns:sec="http://org.opencastproject.security" '
    'xmlns:mp="http://mediapackage.opencastproject.org" xmlns:wf="http://workflow.opencastproject.org" '
)


def _service(request: Request) -> str:
    return request.url.path.split("/")[1]


def _held(request: Request) -> list[Event]:
    """Give what is archived; plans of the scheduler were kept elsewhere."""
    caller = caller_of(request)
    return [
        event
        for event in simulator_of(request).state.events.values()
        if event.latest is not None
        and event.org == caller.organization.id
        and event.scheduling is None
        and (caller.admin or policies.allows(event.acl, caller.roles, "read"))
    ]


def delivered(request: Request, service: str, event: Event) -> MediaPackage:
    """Give a package as the old archives handed it out: urls of their own, no tags added, bare publications."""
    assert event.latest is not None
    package, version = event.latest.load().package.clone(), event.latest.version
    for element in package.elements:
        suffix = _SUFFIXES.get(element.mimetype or "", "unknown")
        element.tags.discard("archive")
        place = f"{package.id}/{element.id}/{version}/{element.kind}.{suffix}"
        element.url = f"{simulator_of(request).url}/{service}/archive/mediapackage/{place}"
    for publication in package.publications:
        publication.tags.discard("archive")
        publication.elements = []
    return package


@router.api_route("/archive/episode.{kind}", methods=READ)
@router.api_route("/episode/episode.{kind}", methods=READ)
def episodes(request: Request, kind: str) -> Response:
    """List what is archived: the newest versions only, unless asked otherwise; all of it without a limit."""
    if kind not in ("xml", "json"):
        return responses.empty(404)
    service = _service(request)
    query, found = request.query_params, sorted(_held(request), key=lambda event: event.id)
    if query.get("id"):
        found = [event for event in found if event.id == query["id"]]
    total, limit, offset = len(found), int(query.get("limit") or 0), int(query.get("offset") or 0)
    found = found[offset:][: limit or None]
    namespace = _ARCHIVE if service == "archive" else _SEARCH
    head = f'<ns2:search-results xmlns:ns2="{namespace}" xmlns:mp="{NAMESPACE}" limit="{limit}" offset="{offset}" '
    inner = "".join(_result(request, service, event) for event in found)
    text = f'{xmlio.PROLOG}{head}total="{total}" searchTime="1"><ns2:query>*:*</ns2:query>{inner}</ns2:search-results>'
    return responses.xml(text) if kind == "xml" else responses.plain(jettison.convert(text), responses.JSON)


def _result(request: Request, service: str, event: Event) -> str:
    package = delivered(request, service, event)
    version = event.latest.version if event.latest else 0
    tail = f"<ns2:version>{version}</ns2:version><ns2:latestVersion>true</ns2:latestVersion>"
    if service == "episode":
        tail = f"<ns2:dcTitle>{xmlio.escape(package.title or '')}</ns2:dcTitle><ns2:ocVersion>{version}</ns2:ocVersion>"
    own = xmlio.attributes([("id", event.id), ("org", event.org)])
    return f"<ns2:result{own}>{package.to_xml('mp:')}{tail}</ns2:result>"


@router.api_route("/archive/archive/mediapackage/{event_id}", methods=READ)
@router.api_route("/episode/archive/mediapackage/{event_id}", methods=READ)
def package(request: Request, event_id: str) -> Response:
    found = next((event for event in _held(request) if event.id == event_id), None)
    return responses.xml(delivered(request, _service(request), found).to_xml()) if found else responses.empty(404)


@router.api_route("/archive/archive/mediapackage/{event_id}/{element_id}/{version}/{ignored}", methods=READ)
@router.api_route("/episode/archive/mediapackage/{event_id}/{element_id}/{version}/{ignored}", methods=READ)
def element(request: Request, event_id: str, element_id: str, version: str) -> Response:
    """Deliver a file; any ``If-None-Match`` is answered with 304, without a look at the file."""
    if request.headers.get("if-none-match"):
        return responses.empty(304)
    found = next((event for event in _held(request) if event.id == event_id), None)
    snapshot = found.snapshot(int(version)) if found and version.isdigit() else None
    asset = snapshot.load().assets.get(element_id) if snapshot else None
    if asset is None or not asset.path.is_file():
        return responses.empty(404)
    headers = {"content-type": asset.mimetype} if asset.mimetype else {}
    return FileBody(asset.path, headers, length=asset.path.stat().st_size)


@router.api_route("/workflow/instances.{kind}", methods=READ)
def instances(request: Request, kind: str) -> Response:
    """List workflows by package and states; ``startPage`` is the number of a page, ``compact`` leaves the files out."""
    query = request.query_params
    states = {state.upper() for state in query.getlist("state") if state.strip()}
    found = [
        workflow
        for workflow in simulator_of(request).state.workflows.values()
        if (not states or workflow.state in states) and query.get("mp") in (None, "", workflow.package.id)
    ]
    size = int(query.get("count") or 0)
    size = size if size > 0 else _USUAL
    page = int(query.get("startPage") or 0)
    shown = found[page * size : (page + 1) * size]
    own = f'startPage="{page}" count="{len(shown)}" totalCount="{len(found)}" searchTime="1">'
    inner = "".join(workflow.to_xml(prolog=False, head=False) for workflow in shown)
    text = f"{xmlio.PROLOG}{_WORKFLOWS}{own}{inner}</wf:workflows>"
    return responses.xml(text) if kind == "xml" else responses.plain(jettison.convert(text), responses.JSON)


@router.api_route("/series/series.xml", methods=READ)
def series_list(request: Request) -> Response:
    """List the catalogs of all series, a page of ``count`` at a time; later versions look for a series of this id."""
    simulator, query = simulator_of(request), request.query_params
    if simulator.settings.generation > _LAST_SERIES_LIST:
        return series_routes.catalog_xml(request, "series")
    size = int(query.get("count") or 0)
    size = size if size > 0 else _USUAL
    first = int(query.get("startPage") or 0) * size
    held = sorted(simulator.state.series.values(), key=lambda item: item.catalog.first("created") or "")
    catalogs = "".join(item.catalog.to_xml().partition("?>")[2] for item in held[first : first + size])
    return responses.xml(f'{xmlio.PROLOG}<dublincorelist totalCount="{len(held)}">{catalogs}</dublincorelist>')
