"""What every route uses: the server, the caller, the form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from tests.simulator.access import Caller
from tests.simulator.bodies import read_form

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

READ = ["GET", "HEAD"]


def simulator_of(request: Request) -> Simulator:
    """Give the server."""
    simulator: Simulator = request.app.state.simulator
    return simulator


def caller_of(request: Request) -> Caller:
    """Give the caller whom the gatekeeper let in."""
    caller: Caller = request.scope["caller"]
    return caller


Form = Annotated[dict[str, str], Depends(read_form)]
