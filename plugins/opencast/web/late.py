"""The pages, made when the first request comes: every task loads the plugin, and none of them shows a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_Message = MutableMapping[str, Any]


async def pages(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """Answer a request of the ASGI server as ``opencast.web.app`` does."""
    # FastAPI and what checks rights cost more CPU than all else that a task needs before it starts.
    from opencast.web.app import app

    await app(scope, receive, send)
