"""Recorded exchanges with real servers, for the scripted server to answer with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.api.scripted_server import Answer, ScriptedServer

_DATA = Path(__file__).parents[1] / "data"
_FOLDERS = {17: "recordings", 15: "recordings-15"}
#: Address of the server that was recorded, for the URLs in answers.
RECORDED_URLS = ("http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8090")


def replay(server: ScriptedServer, *names: str, version: int = 17) -> None:
    """Make a scripted server answer as a real one did.

    Its URLs in headers and bodies are replaced by the scripted server's.

    :param names: of recordings, such as ``auth/me_anonymous``.
    """
    for name in names:
        exchange = json.loads((_DATA / _FOLDERS[version] / f"{name}.json").read_text("utf-8"))
        request = exchange["request"]
        server.on(request["method"], request["path"], _answer(exchange["response"], server.url))


def recorded_text(name: str, *, version: int = 17) -> str:
    """Give the body of a recorded answer."""
    return str(json.loads((_DATA / _FOLDERS[version] / f"{name}.json").read_text("utf-8"))["response"]["text"])


def _answer(response: dict[str, Any], url: str) -> Answer:
    body = (
        (_DATA / "blobs" / str(response["blob"])).read_bytes()
        if "blob" in response
        else str(response.get("text", "")).encode()
    )
    headers = {str(name): str(value) for name, value in dict(response["headers"]).items()}
    headers.pop("content-length", None)
    for recorded in RECORDED_URLS:
        body = body.replace(recorded.encode(), url.encode())
        headers = {name: value.replace(recorded, url) for name, value in headers.items()}
    return Answer(int(str(response["status"])), body, headers)
