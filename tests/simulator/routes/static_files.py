"""``/staticfiles``: the files of themes."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from python_multipart.exceptions import MultipartParseError
from starlette.requests import ClientDisconnect

from tests.simulator import responses
from tests.simulator.bodies import FileBody, Upload, boundary_of
from tests.simulator.routes.access import READ, caller_of, simulator_of
from tests.simulator.routes.files import type_of
from tests.simulator.static_files import NoSuchFile

router = APIRouter()


@router.post("/staticfiles")
async def upload(request: Request) -> Response:
    """Store the first file of a multipart body under a new id, which is the answer."""
    boundary = boundary_of(request)
    if boundary is None:
        return responses.empty(400)
    simulator = simulator_of(request)
    identifier, temporary = simulator.static_files.begin(caller_of(request).organization.id)
    taken = Upload(boundary, temporary)
    try:
        await taken.take(request)
    except (ClientDisconnect, OSError, MultipartParseError):
        return responses.empty(500)
    if taken.file_name is None:
        temporary.unlink()
        return responses.empty(400)
    simulator.static_files.finish(temporary, taken.file_name)
    return responses.plain(
        identifier, responses.TEXT, 201, location=f"{simulator.url}/staticfiles/{identifier}"
    )  # fmt: skip


@router.api_route("/staticfiles/{identifier}", methods=READ)
def download(request: Request, identifier: str) -> Response:
    try:
        path = simulator_of(request).static_files.find(caller_of(request).organization.id, identifier)
    except NoSuchFile:
        return responses.empty(404)
    name = path.name.encode("latin-1", "replace").decode("latin-1")
    headers = {"content-type": type_of(path.name), "content-disposition": f"attachment; filename={name}"}
    return FileBody(path, headers, length=path.stat().st_size)


@router.api_route("/staticfiles/{identifier}/url", methods=READ)
def url(request: Request, identifier: str) -> Response:
    simulator = simulator_of(request)
    try:
        simulator.static_files.find(caller_of(request).organization.id, identifier)
    except NoSuchFile:
        return responses.no_resource()
    return responses.plain(f"{simulator.url}/staticfiles/{identifier}", responses.TEXT)


@router.post("/staticfiles/{identifier}/persist")
def persist(request: Request, identifier: str) -> Response:
    simulator_of(request).static_files.persist(caller_of(request).organization.id, identifier)
    return responses.empty(200)


@router.delete("/staticfiles/{identifier}")
def delete(request: Request, identifier: str) -> Response:
    try:
        simulator_of(request).static_files.delete(caller_of(request).organization.id, identifier)
    except NoSuchFile:
        return responses.no_resource()
    return responses.empty(204)
