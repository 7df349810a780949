"""``/_simulator``: faults, behaviour and counts of a simulator in another process; no part of Opencast."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, fields
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tests.simulator import responses
from tests.simulator.faults import Fault, WorkflowFault
from tests.simulator.routes.access import simulator_of

router = APIRouter()
_NOT_SHOWN = frozenset({"body", "before", "then", "released", "_passed"})


def _answer(value: Any, status: int = 200) -> Response:
    return responses.plain(json.dumps(value, ensure_ascii=False), responses.JSON, status)


def _shown(fault: Fault | WorkflowFault) -> dict[str, Any]:
    return {f.name: getattr(fault, f.name) for f in fields(fault) if f.name not in _NOT_SHOWN}


@router.get("/_simulator/faults")
def faults(request: Request) -> Response:
    return _answer([_shown(fault) for fault in simulator_of(request).faults.all()])


@router.post("/_simulator/faults")
async def add_fault(request: Request) -> Response:
    """Add the fault that a JSON object describes; the answer has its ``number``."""
    try:
        document = json.loads(await request.body())
        fault = simulator_of(request).faults.from_json(document)
    except (ValueError, TypeError, re.error) as error:
        return _answer({"error": str(error)}, 400)
    return _answer(_shown(fault), 201)


@router.delete("/_simulator/faults")
def clear_faults(request: Request) -> Response:
    simulator_of(request).faults.clear()
    return responses.empty(204)


@router.delete("/_simulator/faults/{number}")
def remove_fault(request: Request, number: str) -> Response:
    held = simulator_of(request).faults
    found = next((fault for fault in held.all() if str(fault.number) == number), None)
    if found is None:
        return responses.empty(404)
    held.remove(found)
    return responses.empty(204)


@router.put("/_simulator/behaviour")
async def behaviour(request: Request) -> Response:
    """Change what may change while it runs: ``index_lag``, ``operation_seconds``, ``dispatch_seconds``, ``room``."""
    try:
        simulator_of(request).behave(**json.loads(await request.body()))
    except (ValueError, TypeError) as error:
        return _answer({"error": str(error)}, 400)
    return responses.empty(204)


@router.get("/_simulator/log")
def log(request: Request) -> Response:
    """Give the requests seen, oldest first; ``?from=N`` leaves out the first N of those kept."""
    first = int(request.query_params.get("from", "0"))
    return _answer([asdict(exchange) for exchange in simulator_of(request).requests.all()[first:]])


@router.delete("/_simulator/log")
def clear_log(request: Request) -> Response:
    simulator_of(request).requests.clear()
    return responses.empty(204)


@router.get("/_simulator/stats")
def stats(request: Request) -> Response:
    """Give totals since the start or the last ``DELETE /_simulator/log``; bytes are those of bodies."""
    log = simulator_of(request).requests
    services = Counter(f"{e.method} /{e.path.strip('/').split('/')[0]}" for e in log.all())
    return _answer({"requests": log.count, "received": log.received, "sent": log.sent, "by_service": services})
