"""Access to the recorded exchanges in ``tests/data``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"
_FOLDERS = {17: "recordings", 15: "recordings-15"}
_ORIGINS = {17: "http://127.0.0.1:8080", 15: "http://127.0.0.1:8090"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A recorded request with its answer; ``body`` are the bytes of the answer."""

    name: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Path and query of the request."""
        return str(self.request["path"])


class Recordings:
    """The recordings of one generation."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.root = DATA / _FOLDERS[generation]
        self.origin = _ORIGINS[generation]

    def exchange(self, name: str) -> Exchange:
        """Read ``folder/file`` (without ``.json``)."""
        document = json.loads((self.root / f"{name}.json").read_text(encoding="utf-8"))
        answer = document["response"]
        if answer.get("blob"):
            body = (DATA / "blobs" / answer["blob"]).read_bytes()
        else:
            body = (answer.get("text") or "").encode()
        return Exchange(name, document["request"], answer["status"], answer["headers"], body)

    def all(self, folder: str = "") -> list[Exchange]:
        """Read all exchanges below a folder, in the order of their names."""
        paths = sorted((self.root / folder).rglob("*.json"))
        return [self.exchange(str(path.relative_to(self.root).with_suffix(""))) for path in paths]

    def text(self, name: str, url: str) -> str:
        """Read an answer's text with this server's address in place of the recorded one."""
        return self.exchange(name).body.decode().replace(self.origin, url)

    def json(self, name: str, url: str) -> Any:
        """Read an answer's JSON likewise (slashes may be escaped)."""
        return _rebase(json.loads(self.exchange(name).body), self.origin, url)


def _rebase(value: Any, origin: str, url: str) -> Any:
    if isinstance(value, dict):
        return {key: _rebase(held, origin, url) for key, held in value.items()}
    if isinstance(value, list):
        return [_rebase(held, origin, url) for held in value]
    return value.replace(origin, url) if isinstance(value, str) else value
