"""When a request is sent again, and after how long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from socket import gaierror

import pytest
from opencast.api import retries
from opencast.api.client import Client
from opencast.api.retries import LONGEST_RETRY_AFTER, LONGEST_WAIT, RetryPolicy
from opencast.errors import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    NotFound,
    ServerFailure,
    ServiceMissing,
    Throttled,
    Unreachable,
)
from requests import ConnectionError, ConnectTimeout, ReadTimeout, RequestException, Response
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer, text_answer

Connect = Callable[..., Client]
OK = json_answer("{}")
POOL = HTTPConnectionPool("h")
CONNECTION = HTTPConnection("h")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_get_is_repeated_until_it_succeeds(server: ScriptedServer, client: Client, status: int) -> None:
    server.on("GET", "/x", Answer(status), Answer(status), OK)
    assert client.get_json("/x") == {}
    assert client.requests == 3


@pytest.mark.parametrize(("status", "error"), [(500, ServerFailure), (502, ServerFailure), (503, Throttled)])
def test_a_get_is_given_up_after_the_allowed_tries(
    server: ScriptedServer, connect: Connect, status: int, error: type[Exception]
) -> None:
    server.on("GET", "/x", Answer(status))
    with pytest.raises(error):
        connect(server, max_tries=3).get("/x")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadRequest), (401, AuthenticationFailed), (404, NotFound), (409, Conflict), (501, ServerFailure)],
)
def test_what_stays_wrong_is_not_repeated(
    server: ScriptedServer, client: Client, status: int, error: type[Exception]
) -> None:
    server.on("GET", "/x", Answer(status))
    with pytest.raises(error):
        client.get("/x")
    assert len(server.requests) == 1


def test_a_server_that_puts_its_services_together_is_asked_again(server: ScriptedServer, client: Client) -> None:
    away = text_answer("<html><body>No service was found.</body></html>", 404)
    server.on("GET", "/assets/episode/a", away, OK)
    server.on("POST", "/workflow/start", away, OK)
    assert client.get_json("/assets/episode/a") == {}
    assert client.post_form("/workflow/start", {"a": "b"}).status_code == 200
    assert len(server.requests) == 4


def test_services_that_stay_away_are_not_taken_for_a_missing_object(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/assets/episode/a", text_answer("No service was found.", 404))
    with pytest.raises(ServiceMissing, match="No service was found") as caught:
        connect(server, max_tries=2).get("/assets/episode/a")
    assert not isinstance(caught.value, NotFound)
    assert caught.value.retriable
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_post_that_was_turned_away_is_repeated(server: ScriptedServer, client: Client, status: int) -> None:
    server.on("POST", "/x", Answer(status), OK)
    client.post_form("/x", {"a": "b"})
    assert [request.form for request in server.requests] == [{"a": "b"}, {"a": "b"}]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_post_that_may_have_been_done_is_not_repeated(server: ScriptedServer, client: Client, status: int) -> None:
    server.on("POST", "/x", Answer(status), OK)
    with pytest.raises(ServerFailure):
        client.post_form("/x", {})
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_post_that_may_be_done_twice_is_repeated(server: ScriptedServer, client: Client, status: int) -> None:
    server.on("POST", "/x", Answer(status), OK)
    client.post_form("/x", {}, idempotent=True)
    assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_broken_connection_is_repeated_for_what_may_be_done_twice(
    server: ScriptedServer, client: Client, method: str
) -> None:
    server.on(method, "/x", Answer(hang_up=True), OK)
    {"GET": client.get, "PUT": lambda path: client.put_form(path, {}), "DELETE": client.delete}[method]("/x")
    assert len(server.requests) == 2


def test_a_post_whose_connection_broke_is_not_repeated_and_says_so(server: ScriptedServer, client: Client) -> None:
    server.on("POST", "/x", Answer(hang_up=True), OK)
    with pytest.raises(Unreachable, match="may have been carried out"):
        client.post_form("/x", {})
    assert len(server.requests) == 1


def test_a_post_that_found_no_connection_is_repeated(connect: Connect, sleeps: list[float]) -> None:
    with pytest.raises(Unreachable, match="3 tries") as caught:
        connect("http://127.0.0.1:1", max_tries=3).post_form("/x", {})
    assert len(sleeps) == 2
    assert "carried out" not in str(caught.value)


def test_no_answer_in_time_is_repeated_for_a_get(server: ScriptedServer, connect: Connect) -> None:
    never = threading.Event()
    server.on("GET", "/x", Answer(wait=never), OK)
    try:
        assert connect(server, read_timeout=0.05).get_json("/x") == {}
    finally:
        never.set()


def test_no_answer_in_time_is_not_repeated_for_a_post(server: ScriptedServer, connect: Connect) -> None:
    never = threading.Event()
    server.on("POST", "/x", Answer(wait=never))
    try:
        with pytest.raises(Unreachable, match="no answer within the time-out"):
            connect(server, read_timeout=0.05).post_form("/x", {})
    finally:
        never.set()
    assert len(server.requests) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(body=b'{"half', length="100"), json_answer('{"half": 1}'))
    assert client.get_json("/x") == {"half": 1}


def test_a_mediapackage_with_an_active_workflow_is_a_conflict_and_not_repeated(
    server: ScriptedServer, client: Client
) -> None:
    replay(server, "writes/workflow_start_while_active")
    with pytest.raises(Conflict, match="a-w9"):
        client.post_form("/workflow/start", {}, idempotent=True)
    assert len(server.requests) == 1


def test_waits_grow_up_to_a_bound_and_are_spread() -> None:
    waits: list[float] = []
    policy = RetryPolicy(20, sleep=waits.append, jitter=lambda: 1.0)
    for tries in range(1, 20):
        assert policy.wait(tries)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(waits) == LONGEST_WAIT
    least: list[float] = []
    RetryPolicy(20, sleep=least.append, jitter=lambda: 0.0).wait(3)
    assert least == [1.0]


def test_the_last_try_is_followed_by_no_wait() -> None:
    waits: list[float] = []
    assert not RetryPolicy(3, sleep=waits.append).wait(3)
    assert waits == []


def test_a_server_that_asks_for_seconds_gets_them(server: ScriptedServer, client: Client, sleeps: list[float]) -> None:
    server.on("GET", "/x", Answer(503, headers={"Retry-After": "7"}), OK)
    client.get("/x")
    assert sleeps == [7.0]


def test_a_server_that_asks_for_a_date_gets_it_by_its_own_clock(
    server: ScriptedServer, client: Client, sleeps: list[float]
) -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:09 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.on("GET", "/x", Answer(429, headers=headers), OK)
    client.get("/x")
    assert sleeps == [9.0]


def test_a_server_that_asks_for_more_patience_than_a_slot_is_worth_is_reported(
    server: ScriptedServer, client: Client, sleeps: list[float]
) -> None:
    server.on("GET", "/x", Answer(503, headers={"Retry-After": str(int(LONGEST_RETRY_AFTER) + 1)}), OK)
    with pytest.raises(Throttled) as caught:
        client.get("/x")
    assert caught.value.retry_after == LONGEST_RETRY_AFTER + 1
    assert sleeps == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:05 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("１２", None),
        ("", None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str, seconds: float | None) -> None:
    response = Response()
    response.headers["Retry-After"] = header
    assert retries.retry_after(response, now=lambda: 10.0) == seconds


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (ConnectTimeout(), False),
        (ConnectionError(MaxRetryError(POOL, "/", NewConnectionError(CONNECTION, "refused"))), False),
        (ConnectionError(MaxRetryError(POOL, "/", NameResolutionError("h", CONNECTION, gaierror()))), False),
        (ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), True),
        (ReadTimeout(), True),
        (ConnectionError(), True),
    ],
)
def test_it_is_known_whether_anything_was_sent(error: RequestException, sent: bool) -> None:
    assert retries.nothing_was_sent(error) is not sent
    assert retries.failure_worth_repeating(error, idempotent=False) is not sent
    assert retries.failure_worth_repeating(error, idempotent=True)


def test_a_name_that_is_not_known_is_said_to_be_so(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(Unreachable, match=r"Failed to resolve 'opencast\.example\.org'"):
        connect("http://opencast.example.org", max_tries=1).get("/x")


def test_an_upload_is_repeated_from_its_start(server: ScriptedServer, client: Client) -> None:
    server.on("POST", "/x", Answer(502), text_answer("done"))
    stream = BytesIO(b"..hello")
    stream.seek(2)
    client.post_file("/x", "a.txt", stream, 5, idempotent=True)
    first, second = server.requests
    assert first.body == second.body
    assert b"\r\n\r\nhello\r\n" in second.body


def test_an_upload_that_cannot_be_rewound_is_not_repeated(server: ScriptedServer, client: Client) -> None:
    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

    server.on("POST", "/x", Answer(503), text_answer("done"))
    with pytest.raises(Throttled):
        client.post_file("/x", "a.txt", Pipe(b"hello"), 5, idempotent=True)
    assert len(server.requests) == 1
