"""The FastAPI application of a simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from tests.simulator import responses
from tests.simulator.bodies import FormTooLarge
from tests.simulator.gatekeeper import Gatekeeper
from tests.simulator.routes import ROUTERS

if TYPE_CHECKING:
    from tests.simulator.server import Simulator


def build(simulator: Simulator) -> ASGIApp:
    """Put routes and gatekeeper together."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.simulator = simulator
    for router in ROUTERS:
        # Not include_router: that makes each route anew, which takes longer than most tests.
        app.router.routes.extend(router.routes)
    app.add_exception_handler(HTTPException, _not_routed)
    app.add_exception_handler(FormTooLarge, _too_large)
    return Gatekeeper(app, simulator)


def _too_large(request: Request, error: Exception) -> Response:
    """Answer as Jetty, which names the reason in its log only."""
    path = request.url.path
    return responses.page(400, "Unable to parse form content", path, servlet=responses.servlet_of(path))


def _not_routed(request: Request, error: Exception) -> Response:
    """Answer what no route takes: Jetty's page for an unknown path, an empty 405 for a wrong method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return responses.page(404, "Not Found", request.url.path, servlet="default")
    return responses.empty(status)
