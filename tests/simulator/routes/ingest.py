"""``/ingest``: packages from outside."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import requests
from fastapi import APIRouter, Request
from fastapi.responses import Response
from lxml import etree
from python_multipart.exceptions import MultipartParseError
from starlette.requests import ClientDisconnect

from tests.simulator import clock, mediapackage, responses, xmlio
from tests.simulator.assets import SnapshotFailed
from tests.simulator.bodies import Upload, boundary_of, read_form, read_upload_form
from tests.simulator.ingest import DEFAULT_WORKFLOW, LEGACY_ID, LEGACY_WORKFLOW, WORKFLOW, Busy
from tests.simulator.mediapackage import InvalidPackage, MediaPackage
from tests.simulator.metadata import UnreadableCatalog
from tests.simulator.routes.access import READ, Form, caller_of, simulator_of
from tests.simulator.scheduler import SchedulingConflict
from tests.simulator.storage import UnsafePath
from tests.simulator.workflows.engine import WorkflowActive
from tests.simulator.workspace import Unreachable

router = APIRouter()
_KINDS = {"addTrack": "track", "addCatalog": "catalog", "addAttachment": "attachment"}
_FAILURES = (WorkflowActive, UnreadableCatalog, SnapshotFailed, Unreachable, UnsafePath, OSError)


@router.put("/ingest/createMediaPackageWithID/{package_id:path}")
def create_with_id(request: Request, package_id: str) -> Response:
    return _created(request, package_id)


@router.api_route("/ingest/createMediaPackage", methods=READ)
def create(request: Request) -> Response:
    return _created(request, None)


def _created(request: Request, package_id: str | None) -> Response:
    try:
        return responses.xml(simulator_of(request).ingest.create(package_id).to_xml())
    except InvalidPackage:
        return responses.empty(500)


@router.post("/ingest/discardMediaPackage")
def discard(request: Request, form: Form) -> Response:
    try:
        simulator_of(request).ingest.discard(mediapackage.parse(form.get("mediaPackage", "")))
    except (InvalidPackage, UnsafePath):
        return responses.empty(500)
    return responses.empty(200)


@router.post("/ingest/addDCCatalog")
def add_catalog(request: Request, form: Form) -> Response:
    flavor = form.get("flavor", "dublincore/episode")
    package = _parsed(form)
    if package is None or not _is_flavor(flavor):
        return responses.empty(400)
    ingest = simulator_of(request).ingest
    temporary = _temporary(request)
    try:
        temporary.write_text(form.get("dublinCore", ""), encoding="utf-8")
        ingest.add(package, "catalog", flavor, (), "dublincore.xml", temporary)
    except InvalidPackage as error:
        return responses.plain(str(error), "application/octet-stream", 400)
    except (UnsafePath, OSError):
        return responses.empty(500)
    finally:
        temporary.unlink(missing_ok=True)
    return responses.xml(package.to_xml())


@router.post("/ingest/{operation}")
async def add_or_begin(request: Request, operation: str) -> Response:
    """Take what has no more path: an element, a zip, or a package whose workflow is to start."""
    if operation in _KINDS:
        return await _add(request, _KINDS[operation])
    if operation == "addZippedMediaPackage":
        return await _zipped(request, None)
    if operation == "ingest":
        return await _begin(request, None)
    if operation == "schedule":
        return await _schedule(request, DEFAULT_WORKFLOW)
    return responses.page(404, "Not Found", request.url.path, servlet="default")


@router.post("/ingest/addZippedMediaPackage/{workflow}")
async def zipped(request: Request, workflow: str) -> Response:
    return await _zipped(request, workflow)


@router.post("/ingest/ingest/{workflow}")
async def begin(request: Request, workflow: str) -> Response:
    return await _begin(request, workflow)


@router.post("/ingest/schedule/{workflow}")
async def schedule(request: Request, workflow: str) -> Response:
    return await _schedule(request, workflow)


# --- elements ---------------------------------------------------------------------------------------------------


async def _add(request: Request, kind: str) -> Response:
    """Add an element: its file comes with the request, or from a url that the server fetches."""
    boundary = boundary_of(request)
    if boundary is None:
        return await asyncio.to_thread(_add_from_url, request, kind, await read_form(request))
    upload = Upload(boundary, _temporary(request), simulator_of(request).storage.take)
    try:
        await upload.take(request)
        package, flavor = _parsed(upload.fields), upload.fields.get("flavor", "")
        if upload.file_name is None or package is None or not _is_flavor(flavor):
            return responses.empty(400)
        tags = upload.fields.get("tags", "").split(",")
        ingest = simulator_of(request).ingest
        await asyncio.to_thread(ingest.add, package, kind, flavor, tags, upload.file_name, upload.temporary)
    except InvalidPackage:
        return responses.empty(400)
    except (ClientDisconnect, MultipartParseError, UnsafePath, OSError):
        return responses.empty(500)
    finally:
        upload.temporary.unlink(missing_ok=True)
    return responses.xml(package.to_xml())


def _add_from_url(request: Request, kind: str, form: dict[str, str]) -> Response:
    """Fetch a file without any login; whatever comes with status 200 is taken for it."""
    package, flavor, url = _parsed(form), form.get("flavor", ""), form.get("url", "")
    if package is None:
        return responses.empty(400)
    simulator, temporary = simulator_of(request), _temporary(request)
    name = url.split("?")[0].rsplit("/", 1)[-1]
    try:
        if "." not in name or not url.startswith("http") or not (_is_flavor(flavor) or kind == "track"):
            return responses.empty(500)
        own = simulator.workspace.read(url) if url.startswith(f"{simulator.url}/") else None
        data = own.read_bytes() if own else _fetched(url)
        temporary.write_bytes(data)
        simulator.ingest.add(package, kind, flavor, form.get("tags", "").split(","), name, temporary)
    except (requests.RequestException, Unreachable, UnsafePath, OSError, InvalidPackage):
        return responses.empty(500)
    finally:
        temporary.unlink(missing_ok=True)
    return responses.xml(package.to_xml())


def _fetched(url: str) -> bytes:
    answer = requests.get(url, timeout=60)
    if answer.status_code != 200:
        raise Unreachable(url)
    return answer.content


# --- zip and workflow -----------------------------------------------------------------------------------------


async def _zipped(request: Request, workflow: str | None) -> Response:
    """Take a zip, as a file of a multipart body with fields before it, or as the whole body."""
    started, boundary, temporary = clock.now(), boundary_of(request), _temporary(request)
    try:
        if boundary is None:
            with temporary.open("wb") as out:
                async for chunk in request.stream():
                    out.write(chunk)
            fields: dict[str, str] = {}
        else:
            upload = Upload(boundary, temporary)
            await upload.take(request)
            fields = upload.fields
        return await asyncio.to_thread(_unpacked, request, temporary, workflow, fields, started)
    except (ClientDisconnect, MultipartParseError):
        return responses.empty(500)
    finally:
        temporary.unlink(missing_ok=True)


def _unpacked(
    request: Request, zip_file: Path, workflow: str | None, fields: dict[str, str], started: datetime
) -> Response:  # fmt: skip
    ingest = simulator_of(request).ingest
    properties = {name: value for name, value in fields.items() if name not in (WORKFLOW, LEGACY_WORKFLOW)}
    legacy = fields.get(LEGACY_WORKFLOW, "")
    if legacy and not legacy.isdigit():
        properties[LEGACY_ID] = legacy
    try:
        package = ingest.unpack(zip_file)
        begun = ingest.begin(package, fields.get(WORKFLOW) or workflow, properties, caller_of(request), started)
    except Busy:
        return responses.empty(503)
    except InvalidPackage:
        return responses.empty(400)
    except _FAILURES:
        return responses.empty(500)
    return responses.xml(begun.at_start)


async def _begin(request: Request, workflow: str | None) -> Response:
    """Start the workflow of a package; the workflow of the path goes before that of the form."""
    form = await read_upload_form(request)
    package = _parsed(form)
    if package is None:
        return responses.empty(400)
    properties = {name: value for name, value in form.items() if name != "mediaPackage"}
    if workflow:
        properties[WORKFLOW] = workflow
    legacy = properties.get(LEGACY_WORKFLOW, "")
    if legacy and not legacy.isdigit():
        properties[LEGACY_ID] = legacy

    def work() -> Response:
        try:
            begun = simulator_of(request).ingest.begin(
                package, properties.get(WORKFLOW), properties, caller_of(request)
            )  # fmt: skip
        except _FAILURES:
            return responses.empty(500)
        return responses.xml(begun.at_start)

    return await asyncio.to_thread(work)


async def _schedule(request: Request, workflow: str) -> Response:
    form = await read_form(request)
    package = _parsed(form)
    if package is None or len(package.of_flavor(mediapackage.EPISODE, "catalog")) != 1:
        return responses.empty(400)
    properties = {name: value for name, value in form.items() if name != "mediaPackage"}

    def work() -> Response:
        try:
            simulator_of(request).ingest.schedule(package, workflow, properties, caller_of(request))
        except ValueError as error:
            return responses.plain(str(error), "application/octet-stream", 400)
        except SchedulingConflict as error:
            return responses.plain(str(error), "application/octet-stream", 409)
        except SnapshotFailed:
            return responses.empty(500)
        return responses.empty(201)

    return await asyncio.to_thread(work)


def _parsed(form: dict[str, str]) -> MediaPackage | None:
    """Read the package of a form; None when it is none or has no id."""
    try:
        root = xmlio.parse(form.get("mediaPackage", ""))
        return mediapackage.from_element(root) if root.get("id") else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def _is_flavor(text: str) -> bool:
    return text.count("/") == 1 and all(text.split("/"))


def _temporary(request: Request) -> Path:
    storage = simulator_of(request).storage
    return storage.begin(storage.root / "workspace")
