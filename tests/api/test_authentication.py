"""Logging in by Basic and by Digest."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from io import BytesIO

import pytest
from opencast.api.authentication import FRESH_SECONDS, DigestAuth
from opencast.api.client import Client
from opencast.errors import AuthenticationFailed, Forbidden
from requests import Response
from requests.utils import parse_dict_header

from tests.api.conftest import PASSWORD
from tests.api.recorded import replay
from tests.api.scripted_server import Answer, Request, ScriptedServer, json_answer, text_answer

Connect = Callable[..., Client]


def _values(header: str) -> dict[str, str]:
    values: dict[str, str] = parse_dict_header(header)  # type: ignore[no-untyped-call]  # requests leaves it untyped
    return values


class DigestGate:
    """Lets through whoever answers the current nonce rightly, as Spring Security does."""

    def __init__(self, username: str = "system", password: str = PASSWORD, extra: str = "") -> None:
        self.nonce = "nonce-1"
        self.qop = ', qop="auth"'
        self.extra = extra
        self._who = (username, password)

    def __call__(self, request: Request) -> Answer:
        scheme, _, rest = (request.headers["Authorization"] or "").partition(" ")
        values = _values(rest) if scheme == "Digest" else {}
        if values.get("nonce") != self.nonce or values.get("response") != self._right(request, values):
            challenge = f'Digest realm="Opencast"{self.qop}, nonce="{self.nonce}"{self.extra}'
            return Answer(401, b"<html><title>Error 401</title></html>", {"WWW-Authenticate": challenge})
        return json_answer('{"ok": true}')

    def _right(self, request: Request, values: dict[str, str]) -> str:
        hasher = hashlib.sha256 if "SHA-256" in self.extra else hashlib.md5
        who = hasher(":".join((self._who[0], "Opencast", self._who[1])).encode()).hexdigest()
        what = hasher(f"{request.method}:{request.target}".encode()).hexdigest()
        middle = ":".join([self.nonce, *([values["nc"], values["cnonce"], "auth"] if self.qop else [])])
        return hasher(f"{who}:{middle}:{what}".encode()).hexdigest()


def test_basic_is_sent_before_it_is_asked_for(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", json_answer("{}"))
    connect(server, username="Jürgen", password="pä:ß").get("/x")
    assert len(server.requests) == 1
    token = server.last.headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(token).decode() == "Jürgen:pä:ß"


@pytest.mark.parametrize(("auth", "header"), [("basic", "Basic"), ("digest", "Digest"), ("none", None)])
def test_the_anonymous_user_is_ruled_out_where_there_is_a_login(
    server: ScriptedServer, connect: Connect, auth: str, header: str | None
) -> None:
    server.on("GET", "/x", json_answer("{}"))
    connect(server, auth=auth).get("/x")
    assert server.last.headers["X-Requested-Auth"] == header


def test_without_authentication_no_login_is_sent(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", json_answer("{}"))
    connect(server, auth="none").get("/x")
    assert server.last.headers["Authorization"] is None


def test_a_wrong_password_fails_at_once(server: ScriptedServer, client: Client) -> None:
    replay(server, "auth/events_wrong_password")
    with pytest.raises(AuthenticationFailed, match="Bad credentials") as caught:
        client.get("/api/events")
    assert len(server.requests) == 1
    assert PASSWORD not in str(caught.value)


def test_a_redirect_to_the_login_page_is_a_failed_login(server: ScriptedServer, client: Client) -> None:
    replay(server, "auth/events_anonymous")
    with pytest.raises(AuthenticationFailed) as caught:
        client.get("/api/events")
    assert "jsessionid" not in str(caught.value)
    assert not server.asked("GET", "/login.html")


def test_a_service_that_says_unauthorized_without_challenge_means_a_missing_role(
    server: ScriptedServer, client: Client
) -> None:
    server.on("GET", "/search/episode.json", text_answer("unauthorized", 401))
    with pytest.raises(Forbidden):
        client.get("/search/episode.json")


def test_digest_answers_the_recorded_challenge(server: ScriptedServer, connect: Connect) -> None:
    replay(server, "auth/events_anonymous_digest_challenge")
    with pytest.raises(AuthenticationFailed):
        connect(server, auth="digest", username="system").get("/api/events")
    first, second = server.requests
    assert first.headers["Authorization"] is None
    values = _values(second.headers["Authorization"].partition(" ")[2])
    assert values["username"] == "system"
    assert values["realm"] == "Opencast"
    assert values["uri"] == "/api/events"
    assert (values["qop"], values["nc"]) == ("auth", "00000001")


@pytest.mark.parametrize("extra", ["", ', algorithm="SHA-256"', ", algorithm=MD5", ', opaque="o"'])
def test_digest_logs_in_and_keeps_its_nonce(server: ScriptedServer, connect: Connect, extra: str) -> None:
    server.on("GET", "/x", DigestGate(extra=extra))
    client = connect(server, auth="digest", username="system")
    assert client.get_json("/x", params={"q": "ä b"}) == {"ok": True}
    assert client.get_json("/x", params={"q": "ä b"}) == {"ok": True}
    assert len(server.requests) == 3
    counts = [_values(r.headers["Authorization"].partition(" ")[2])["nc"] for r in server.requests[1:]]
    assert counts == ["00000001", "00000002"]


def test_digest_works_without_quality_of_protection(server: ScriptedServer, connect: Connect) -> None:
    gate = DigestGate()
    gate.qop = ""
    server.on("GET", "/x", gate)
    assert connect(server, auth="digest", username="system").get_json("/x") == {"ok": True}


def test_digest_takes_names_beyond_latin_1(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", DigestGate(username="Łukasz"))
    client = connect(server, auth="digest", username="Łukasz")
    assert client.get_json("/x") == {"ok": True}
    sent = server.last.headers["Authorization"].encode("latin-1")
    assert 'username="Łukasz"' in sent.decode("utf-8")


def test_an_expired_nonce_is_replaced(server: ScriptedServer, connect: Connect) -> None:
    gate = DigestGate()
    server.on("GET", "/x", gate)
    client = connect(server, auth="digest", username="system")
    client.get("/x")
    gate.nonce = "nonce-2"
    assert client.get_json("/x") == {"ok": True}
    assert len(server.requests) == 4


def test_a_wrong_digest_password_fails_after_one_answer(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", DigestGate(password="another"))
    with pytest.raises(AuthenticationFailed):
        connect(server, auth="digest", username="system").get("/x")
    assert len(server.requests) == 2


def test_an_upload_by_digest_sends_its_body_once(server: ScriptedServer, connect: Connect) -> None:
    gate = DigestGate()
    server.on("GET", "/info/me.json", gate).on("POST", "/files", gate)
    client = connect(server, auth="digest", username="system")
    client.post_file("/files", "a.mp4", BytesIO(b"x" * 1000), 1000)
    assert [(r.method, r.headers["Authorization"] is not None) for r in server.requests] == [
        ("GET", False),
        ("GET", True),
        ("POST", True),
    ]


def test_an_upload_whose_nonce_expired_nevertheless_is_sent_again_from_its_start(
    server: ScriptedServer, connect: Connect
) -> None:
    gate = DigestGate()
    server.on("GET", "/x", gate).on("POST", "/files", gate)
    client = connect(server, auth="digest", username="system")
    client.get("/x")
    gate.nonce = "nonce-2"
    client.post_file("/files", "a.mp4", BytesIO(b"hello"), 5)
    first, second = server.asked("POST", "/files")
    assert first.body == second.body
    assert b"hello" in second.body


def test_an_old_nonce_is_renewed_before_an_upload() -> None:
    now = [0.0]
    auth = DigestAuth("system", "pw", clock=lambda: now[0])
    freshness = [auth.is_fresh]
    assert auth.learn(_challenge('Digest realm="r", nonce="n"'))
    freshness.append(auth.is_fresh)
    now[0] = FRESH_SECONDS
    freshness.append(auth.is_fresh)
    assert freshness == [False, True, False]


@pytest.mark.parametrize(
    "header",
    ['Digest realm="r", nonce="n", algorithm=SHA-512', 'Digest realm="r", nonce="n", qop="auth-int"', "Digest"],
)
def test_an_unknown_kind_of_digest_says_what_to_do(header: str) -> None:
    with pytest.raises(AuthenticationFailed, match="Basic"):
        DigestAuth("system", "pw").learn(_challenge(header))


def test_another_challenge_is_left_alone() -> None:
    assert not DigestAuth("system", "pw").learn(_challenge('Basic realm="r"'))


def _challenge(header: str) -> Response:
    response = Response()
    response.headers["WWW-Authenticate"] = header
    return response
