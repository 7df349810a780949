"""``/static``: published files, with ranges and an ETag that is no checksum."""

from __future__ import annotations

import re
import zlib
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import policies, responses
from tests.simulator.access import Caller
from tests.simulator.bodies import FileBody
from tests.simulator.routes.access import READ, caller_of, simulator_of
from tests.simulator.routes.files import type_of
from tests.simulator.state import State

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

router = APIRouter()
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_ARCHIVE_CHANNELS = ("api", "internal")


def etag_of(path: Path) -> str:
    """Compute the ETag: a CRC of name, time and length."""
    stat = path.stat()
    return str(zlib.crc32(f"{path.name}{int(stat.st_mtime * 1000)}{stat.st_size}".encode()))


def permitted(state: State, caller: Caller, channel: str, package_id: str) -> bool:
    """Decide who may fetch a file: by the search service, the archive, or for nobody on an unknown channel."""
    if channel == "oaipmh-default":
        return True
    if channel == "engage-player":
        published = state.published.get(package_id)
        return caller.admin or bool(published and policies.allows(published.acl, caller.roles, "read"))
    if channel in _ARCHIVE_CHANNELS:
        event = state.events.get(package_id)
        return caller.admin or bool(event and policies.allows(event.acl, caller.roles, "read"))
    return False


@router.api_route("/static/{path:path}", methods=READ)
def published_file(request: Request, path: str) -> Response:
    simulator, parts = simulator_of(request), path.split("/")
    delivery = simulator.settings.delivery
    forbidden = responses.page(403, "Forbidden", request.url.path, servlet="/static")
    if ".." in path or len(parts) < 5 or parts[0] != caller_of(request).organization.id:
        return forbidden
    if not permitted(simulator.state, caller_of(request), parts[1], parts[2]):
        return forbidden
    if delivery.redirect is not None:
        query = f"?{request.url.query}" if request.url.query else ""
        return responses.empty(302, location=f"{delivery.redirect}{request.url.path}{query}")
    return deliver(request, simulator, path)


def deliver(request: Request, simulator: Simulator, path: str) -> Response:
    """Answer with a published file, to whoever asks.

    :param path: below ``/static``.
    """
    uri, file = request.url.path, simulator.storage.downloads.joinpath(*path.split("/"))
    if ".." in path or not file.is_file():
        return responses.page(404, "Not Found", uri, servlet="/static")
    if simulator.settings.delivery.accel:
        return responses.empty(200, x_accel_redirect=f"/protected/{path}", content_length="0")
    tag, size = etag_of(file), file.stat().st_size
    if request.headers.get("if-none-match") == tag:
        return responses.empty(304)
    headers = {"etag": tag, "last-modified": formatdate(int(file.stat().st_mtime), usegmt=True)}
    headers["accept-ranges"] = "bytes"
    kind = type_of(file.name)
    if kind != "application/octet-stream":
        headers["content-type"] = kind
    asked = request.headers.get("range")
    if asked is None:
        return FileBody(file, headers, length=size)
    found = _RANGE.fullmatch(asked)
    span = _span(found, size) if found else None
    if span is None:
        return responses.page(
            416, "Range Not Satisfiable", uri, servlet="/static", content_range=f"bytes */{size}"
        )  # fmt: skip
    start, end = span
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return FileBody(file, headers, status=206, start=start, end=end + 1, length=end + 1 - start)


def _span(found: re.Match[str], size: int) -> tuple[int, int] | None:
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        return max(size - int(last), 0), size - 1
    start, end = int(first), min(int(last) if last else size - 1, size - 1)
    return (start, end) if start <= end else None
