"""``/files``: the working file repository."""

from __future__ import annotations

import mimetypes
import shutil
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from python_multipart.exceptions import MultipartParseError
from starlette.requests import ClientDisconnect

from tests.simulator import responses
from tests.simulator import storage as storage_of
from tests.simulator.bodies import FileBody, Upload, boundary_of
from tests.simulator.routes.access import READ, simulator_of
from tests.simulator.storage import IntegrityError, UnsafePath, safe_name

router = APIRouter()
HTML = "text/html"
mimetypes.add_type("text/vtt", ".vtt")
mimetypes.add_type("text/xml", ".xml")


def type_of(name: str) -> str:
    """Guess a content type from a name."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


@router.api_route("/files/baseUri", methods=READ)
def base_uri(request: Request) -> Response:
    return responses.plain(f"{simulator_of(request).url}/files", responses.TEXT)


@router.api_route("/files/uri/{package}/{element}", methods=READ)
@router.api_route("/files/uri/{package}/{element}/{name}", methods=READ)
def uri(request: Request, package: str, element: str, name: str | None = None) -> Response:
    simulator = simulator_of(request)
    if name is None:
        path = simulator.storage.working_file(package, element)
        tail = f"/{path.name}" if path else ""
    else:
        tail = f"/{safe_name(name)}"
    text = f"{simulator.url}/files/mediapackage/{package}/{element}{tail}"
    return responses.plain(text, "application/octet-stream")


@router.post("/files/mediapackage/{package}/{element}")
async def put(request: Request, package: str, element: str) -> Response:
    """Store the first file of a multipart body; the answer is its url, as HTML."""
    boundary = boundary_of(request)
    if boundary is None:
        return responses.empty(400)
    simulator = simulator_of(request)
    try:
        directory = simulator.storage.element_directory(package, element)
    except UnsafePath as error:
        return responses.internal_error(request, f"java.lang.IllegalArgumentException: {error}")
    upload = Upload(boundary, simulator.storage.begin(directory), simulator.storage.take)
    try:
        await upload.take(request)
    except (ClientDisconnect, OSError, MultipartParseError) as error:
        # A broken upload takes the whole element with it, also a file that was there before.
        shutil.rmtree(directory, ignore_errors=True)
        return responses.internal_error(request, f"java.io.IOException: {error}")
    if upload.file_name is None:
        upload.temporary.unlink(missing_ok=True)
        storage_of.prune(directory, simulator.storage.root / "files" / "mediapackage")
        return responses.empty(400)
    path = simulator.storage.finish(package, element, upload.file_name, upload.temporary, upload.md5)
    return responses.plain(simulator.workspace.working_url(package, element, path.name), HTML)


@router.api_route("/files/mediapackage/{package}/{element}", methods=READ)
@router.api_route("/files/mediapackage/{package}/{element}/{name}", methods=READ)
def get(request: Request, package: str, element: str, name: str | None = None) -> Response:
    """Deliver an element's one file; the name in the path is not looked at."""
    try:
        path = simulator_of(request).storage.working_file(package, element)
    except (IntegrityError, UnsafePath):
        return responses.empty(500)
    if path is None:
        return responses.no_resource()
    md5 = path.with_name(path.name + ".md5").read_text(encoding="utf-8")
    if request.headers.get("if-none-match") == md5:
        return responses.empty(304, etag=f'"{md5}"', content_length="0")
    size = path.stat().st_size
    if name is None:
        return FileBody(path, {"content-type": type_of(path.name)}, length=size)
    headers = {
        "content-type": type_of(name), "content-disposition": f"attachment; filename={safe_name(name)}",
        "etag": f'"{md5}"',
    }  # fmt: skip
    return FileBody(path, headers, length=size)


@router.delete("/files/mediapackage/{package}/{element}")
def delete(request: Request, package: str, element: str) -> Response:
    try:
        done = simulator_of(request).storage.delete_working_file(package, element)
    except (IntegrityError, UnsafePath) as error:
        return responses.plain(str(error), "application/octet-stream", 500)
    return responses.empty(200 if done else 404)


def _collected(request: Request, collection: str, name: str) -> Path | None:
    return simulator_of(request).storage.collected(collection, name)


@router.post("/files/collection/{collection}")
async def put_collected(request: Request, collection: str) -> Response:
    """Store the first file of a multipart body in a collection; the answer is its url."""
    boundary, simulator = boundary_of(request), simulator_of(request)
    if boundary is None:
        return responses.empty(400)
    workspace = simulator.storage.root / "workspace"
    upload = Upload(boundary, simulator.storage.begin(workspace))
    try:
        await upload.take(request)
        if upload.file_name is None:
            return responses.empty(400)
        path = simulator.storage.put_in_collection(collection, upload.file_name, upload.chunks())
    except UnsafePath as error:
        return responses.internal_error(request, f"java.lang.IllegalArgumentException: {error}")
    except (ClientDisconnect, OSError, MultipartParseError) as error:
        return responses.internal_error(request, f"java.io.IOException: {error}")
    finally:
        upload.temporary.unlink(missing_ok=True)
    return responses.plain(f"{simulator.url}/files/collection/{collection}/{path.name}", HTML)


@router.api_route("/files/collectionuri/{collection}/{name}", methods=READ)
def collection_uri(request: Request, collection: str, name: str) -> Response:
    text = f"{simulator_of(request).url}/files/collection/{collection}/{safe_name(name)}"
    return responses.plain(text, "application/octet-stream")


@router.post("/files/copy/{collection}/{source}/{package}/{element}/{name}")
def copy(request: Request, collection: str, source: str, package: str, element: str, name: str) -> Response:
    """Link a collected file to an element's, and hash it once more."""
    return _placed(request, "link_from_collection", collection, source, package, element, name)


@router.post("/files/move/{collection}/{source}/{package}/{element}/{name}")
def move(request: Request, collection: str, source: str, package: str, element: str, name: str) -> Response:
    """Rename a collected file to an element's."""
    return _placed(request, "move_from_collection", collection, source, package, element, name)


def _placed(request: Request, how: str, *parts: str) -> Response:
    simulator = simulator_of(request)
    try:
        path = getattr(simulator.storage, how)(*parts)
    except FileNotFoundError:
        return responses.no_resource()
    except (UnsafePath, IntegrityError, OSError) as error:
        return responses.internal_error(request, f"java.lang.IllegalStateException: {error}")
    url = simulator.workspace.working_url(parts[2], parts[3], path.name)
    return responses.plain(url, "application/octet-stream")


@router.api_route("/files/collection/{collection}/{name}", methods=READ)
def get_collected(request: Request, collection: str, name: str) -> Response:
    path = _collected(request, collection, name)
    if path is None:
        return responses.no_resource()
    headers = {"content-type": type_of(name), "content-disposition": f"attachment; filename={path.name}"}
    return FileBody(path, headers, length=path.stat().st_size)


@router.delete("/files/collection/{collection}/{name}")
def delete_collected(request: Request, collection: str, name: str) -> Response:
    path = _collected(request, collection, name)
    if path is None:
        return responses.empty(404)
    path.unlink()
    path.with_name(path.name + ".md5").unlink()
    return responses.empty(204)
