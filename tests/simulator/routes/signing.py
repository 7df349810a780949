"""``/signing`` and ``/api/security/sign``: signatures for urls of protected files."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import clock, responses
from tests.simulator.routes.access import READ, Form, simulator_of

router = APIRouter()
_TEXT = "text/plain"
#: Seconds that a signature is good for when nobody says how long.
_USUAL = 7200.0


@router.api_route("/signing/accepts", methods=READ)
def accepts(request: Request) -> Response:
    url = request.query_params.get("baseUrl", "")
    return responses.plain(str(simulator_of(request).settings.delivery.accepts(url)).lower(), _TEXT)


@router.api_route("/signing/sign", methods=READ)
def sign(request: Request) -> Response:
    delivery, query = simulator_of(request).settings.delivery, request.query_params
    url = query.get("baseUrl", "")
    try:
        until, since = int(query.get("validUntil") or 0), int(query.get("validFrom") or 0)
    except ValueError:
        return responses.no_resource()
    if not delivery.accepts(url):
        return responses.empty(400)
    return responses.plain(delivery.sign(url, until, since, query.get("ipAddr", "").strip()), _TEXT)


@router.post("/api/security/sign")
def sign_for_api(request: Request, form: Form) -> Response:
    """Sign, or say that it cannot be done: with 200 in both cases."""
    delivery, url = simulator_of(request).settings.delivery, form.get("url", "")
    if not url.strip():
        return responses.bad_request("Query parameter 'url' is mandatory")
    wanted = form.get("valid-until", "").strip()
    until = clock.parse(wanted) if wanted else datetime.fromtimestamp(time.time() + _USUAL, UTC)
    if until is None:
        return responses.bad_request("Query parameter 'valid-until' is not a valid ISO-8601 date string")
    if not delivery.accepts(url):
        return responses.api(request, {"error": "Given URL cannot be signed"})
    signed = delivery.sign(url, until.timestamp(), client=form.get("valid-source", "").strip())
    return responses.api(request, {"url": signed, "valid-until": clock.seconds(until)})
