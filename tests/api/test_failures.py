"""What is said when no answer came."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
import requests
from opencast.api import failures
from opencast.api.client import Client
from opencast.errors import UnexpectedContent, Unreachable

from tests.api.scripted_server import Answer, ScriptedServer

Connect = Callable[..., Client]


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_host_where_nothing_listens_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable, match="refused") as caught:
        connect(f"http://127.0.0.1:{_closed_port()}").get("/x", params={"signature": "geheim"})
    assert caught.value.retriable
    assert "geheim" not in str(caught.value)


def test_a_closed_connection_is_unreachable(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", Answer(hang_up=True))
    with pytest.raises(Unreachable, match="closed connection"):
        connect(server, max_tries=1).get("/x")


def test_no_secret_hides_in_the_chain_of_causes(connect: Connect) -> None:
    with pytest.raises(Unreachable) as caught:
        connect(f"http://127.0.0.1:{_closed_port()}", max_tries=1).get("/x", params={"signature": "geheim"})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_server_that_speaks_no_tls_is_unreachable_and_not_tried_again(
    server: ScriptedServer, connect: Connect, sleeps: list[float]
) -> None:
    with pytest.raises(Unreachable, match="certificate") as caught:
        connect(server.url.replace("http:", "https:")).get("/x")
    assert not caught.value.retriable
    assert sleeps == []


def test_a_connection_that_does_not_come_about_in_time_is_said_to_be_so() -> None:
    problem = failures.no_answer("POST", "https://h/x", requests.ConnectTimeout(), tries=1, idempotent=False)
    assert "no connection within the time-out" in str(problem)
    assert "carried out" not in str(problem)


def test_a_proxy_is_named_without_its_address() -> None:
    error = requests.exceptions.ProxyError("http://user:pw@proxy cannot be reached")
    problem = failures.no_answer("GET", "https://h/x?a=b", error, tries=1, idempotent=True)
    assert "proxy" in str(problem)
    assert "pw@" not in str(problem)


def test_an_address_that_cannot_be_used_is_no_matter_of_reaching_it() -> None:
    error = requests.exceptions.InvalidURL("http://user:pw@h:x")
    problem = failures.no_answer("GET", "http://user:pw@h/?s", error, tries=1, idempotent=True)
    assert isinstance(problem, UnexpectedContent)
    assert "pw" not in str(problem)
