"""``/series``: the admin service, read from the database."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from lxml import etree

from tests.simulator import dublincore, jettison, policies, responses
from tests.simulator.records import Series
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.series_service import UnknownSeries, new_catalog

router = APIRouter()
_BAD_XML = "java.lang.RuntimeException: Unable to read DublinCore catalog, XML parsing failed."
_TERMS = (
    "accessRights", "available", "contributor", "coverage", "created", "creator", "date", "description", "extent",
    "format", "identifier", "isPartOf", "isReferencedBy", "isReplacedBy", "language", "license", "publisher",
    "relation", "replaces", "rights", "rightsHolder", "source", "spatial", "subject", "temporal", "title", "type",
)  # fmt: skip


def _find(request: Request, series_id: str) -> Series | None:
    series, caller = simulator_of(request).state.series.get(series_id), caller_of(request)
    if series is None or series.org != caller.organization.id:
        return None
    return series if caller.admin or policies.allows(series.acl or (), caller.roles, "read") else None


@router.api_route("/series/count", methods=READ)
def count(request: Request) -> Response:
    org = caller_of(request).organization.id
    held = sum(series.org == org for series in simulator_of(request).state.series.values())
    return responses.plain(str(held), responses.TEXT)


@router.api_route("/series/{series_id:path}/acl.xml", methods=READ)
def acl_xml(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return responses.empty(404)
    if series.acl is None:
        return responses.empty(200)
    return responses.xml(policies.to_xml(series.acl))


@router.api_route("/series/{series_id:path}/acl.json", methods=READ)
def acl_json(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return responses.empty(404)
    if series.acl is None:
        return responses.empty(200)
    return responses.plain(jettison.convert(policies.to_xml(series.acl)), responses.JSON)


@router.api_route("/series/{series_id:path}/properties.json", methods=READ)
def properties(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return responses.no_resource()
    held = [{name: value} for name, value in series.properties.items()]
    return responses.plain(responses.simple(held), responses.JSON)


@router.api_route("/series/{series_id:path}/property/{name}.json", methods=READ)
def one_property(request: Request, series_id: str, name: str) -> Response:
    series = _find(request, series_id)
    if series is None or name not in series.properties:
        return responses.no_resource()
    return responses.plain(series.properties[name], responses.JSON)


@router.post("/series/{series_id:path}/property")
def write_property(request: Request, series_id: str, form: Form) -> Response:
    name, value = form.get("name", ""), form.get("value", "")
    if not name.strip() or not value.strip():
        return responses.empty(400)
    series = _find(request, series_id)
    if series is None:
        return responses.no_resource()
    series.properties[name] = value
    return responses.empty(204)


@router.delete("/series/{series_id:path}/property/{name}")
def delete_property(request: Request, series_id: str, name: str) -> Response:
    series = _find(request, series_id)
    if series is None or series.properties.pop(name, None) is None:
        return responses.no_resource()
    return responses.empty(204)


@router.api_route("/series/{series_id:path}/elements.json", methods=READ)
def elements(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return responses.empty(404)
    return responses.plain(responses.simple(sorted(series.elements)), responses.JSON)


@router.api_route("/series/{series_id:path}/elements/{kind}", methods=READ)
def element(request: Request, series_id: str, kind: str) -> Response:
    series = _find(request, series_id)
    if series is None or kind not in series.elements:
        return responses.empty(404)
    return responses.plain(series.elements[kind], f"series/{kind}")


@router.put("/series/{series_id:path}/elements/{kind}")
async def write_element(request: Request, series_id: str, kind: str) -> Response:
    return _store_element(request, series_id, kind, await request.body())


@router.put("/series/{series_id:path}/extendedMetadata/{kind}")
def write_extended(request: Request, series_id: str, kind: str, form: Form) -> Response:
    try:
        text = dublincore.parse(form.get("dc", "")).to_xml()
    except etree.XMLSyntaxError:
        return responses.internal_error(request, _BAD_XML)
    return _store_element(request, series_id, kind, text.encode())


def _store_element(request: Request, series_id: str, kind: str, data: bytes) -> Response:
    simulator = simulator_of(request)
    try:
        existed = simulator.series.write_element(series_id, kind, data)
    except UnknownSeries:
        return responses.empty(500)
    if existed:
        return responses.empty(204)
    return responses.empty(201, location=f"{simulator.url}/series/{series_id}/elements/{kind}")


@router.delete("/series/{series_id:path}/elements/{kind}")
def delete_element(request: Request, series_id: str, kind: str) -> Response:
    series = _find(request, series_id)
    if series is None or series.elements.pop(kind, None) is None:
        return responses.empty(404)
    return responses.empty(204)


@router.api_route("/series/{series_id:path}.xml", methods=READ)
def catalog_xml(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    return responses.xml(series.catalog.to_xml()) if series else responses.empty(404)


@router.api_route("/series/{series_id:path}.json", methods=READ)
def catalog_json(request: Request, series_id: str) -> Response:
    series = _find(request, series_id)
    if series is None:
        return responses.empty(404)
    return responses.plain(responses.simple(series.catalog.to_json()), responses.JSON)


@router.post("/series/")
@router.post("/series")
def write(request: Request, form: Form) -> Response:
    """Create or update: 201 both times."""
    simulator, caller = simulator_of(request), caller_of(request)
    if form.get("series", "").strip():
        try:
            catalog = dublincore.parse(form["series"])
        except etree.XMLSyntaxError as error:
            return responses.internal_error(request, _BAD_XML, f"org.xml.sax.SAXParseException; {error}")
    elif form.get("title", "").strip():
        catalog = new_catalog({name: form[name] for name in _TERMS if form.get(name)})
    else:
        return responses.plain("Required series metadata not provided", "application/octet-stream", 400)
    acl = None
    if form.get("acl", "").strip():
        try:
            acl = policies.parse(form["acl"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return responses.plain("Could not parse ACL", "application/octet-stream", 400)
    series, sent = simulator.series.write(catalog, caller.organization.id, caller.user.name)
    if acl is not None:
        simulator.series.write_acl(series.id, acl, override=form.get("override", "").lower() == "true")
    answer = responses.plain(sent.to_xml(), "application/octet-stream", 201)
    for kind in ("xml", "json"):
        answer.headers.append("location", f"{simulator.url}/series/{series.id}.{kind}")
    return answer


@router.post("/series/{series_id:path}/accesscontrol")
def write_acl(request: Request, series_id: str, form: Form) -> Response:
    try:
        acl = policies.parse(form["acl"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return responses.empty(400)
    try:
        had = simulator_of(request).series.write_acl(
            series_id, acl, override=form.get("override", "").lower() == "true"
        )
    except UnknownSeries:
        return responses.empty(404)
    return responses.empty(204 if had else 201)


@router.delete("/series/{series_id:path}")
def delete(request: Request, series_id: str) -> Response:
    try:
        simulator_of(request).series.delete(series_id)
    except UnknownSeries:
        return responses.empty(404)
    return responses.empty(200)
