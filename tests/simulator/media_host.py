"""The distribution host: an address of its own that serves published files and knows none of Opencast's accounts."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from tests.simulator import responses
from tests.simulator.routes.static import deliver

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

_FILES = "/static/"


def login_of(request: Request) -> tuple[str, str] | None:
    """Give name and password that a request was sent with, right or wrong."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def answer(request: Request, simulator: Simulator) -> Response:
    """Answer a request that came in by the address of the distribution host."""
    path, users = request.url.path, simulator.settings.delivery.users
    if users and login_of(request) not in users:
        return responses.page(401, "Unauthorized", path, servlet="media", www_authenticate='Basic realm="media"')
    if request.method not in ("GET", "HEAD") or not path.startswith(_FILES):
        return responses.page(404, "Not Found", path, servlet="media")
    return deliver(request, simulator, path.removeprefix(_FILES))
