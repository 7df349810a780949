"""Servers and clients for the tests of the REST client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opencast.api.client import Client
from opencast.api.info import ServerVersion
from opencast.api.opencast import Opencast
from opencast.api.server import Server

from tests.api.scripted_server import ScriptedServer

PASSWORD = "s3cret-pass-word"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def servers() -> Iterator[Callable[[], ScriptedServer]]:
    """Make scripted servers that end with the test."""
    started: list[ScriptedServer] = []

    def start() -> ScriptedServer:
        started.append(ScriptedServer())
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def server(servers: Callable[[], ScriptedServer]) -> ScriptedServer:
    return servers()


@pytest.fixture
def sleeps() -> list[float]:
    """The waits between tries, in seconds; nobody really waits."""
    return []


@pytest.fixture
def connect(sleeps: list[float]) -> Iterator[Callable[..., Client]]:
    """Make clients, of a scripted server or of a URL."""
    made: list[Client] = []

    def make(server: ScriptedServer | str, **settings: Any) -> Client:
        values = {"username": "admin", "password": PASSWORD, "connect_timeout": 5.0, "read_timeout": 10.0, **settings}
        url = server if isinstance(server, str) else server.url
        made.append(Client(Server(url, **values), sleep=sleeps.append))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(server: ScriptedServer, connect: Callable[..., Client]) -> Client:
    return connect(server)


@pytest.fixture
def opencast(client: Client) -> Opencast:
    """A server of version 17, which need not be asked for its version."""
    opencast = Opencast(client)
    opencast.__dict__["full_version"] = ServerVersion(17, 0, 0, "17.0.0")
    return opencast
