"""Signed URLs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from opencast.api.opencast import Opencast
from opencast.api.signing import without_signature
from opencast.errors import BadRequest, Forbidden, InvalidAnswer

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, text_answer

URL = "https://cdn.example.org/static/a.mp4"
UNTIL = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_the_server_tells_which_urls_it_signs(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "preflight/signing_accepts")
    server.on("GET", "/signing/accepts", text_answer("false"), text_answer("true"))
    assert not opencast.signing.accepts(URL)
    assert opencast.signing.accepts(URL)
    assert server.last.query == {"baseUrl": URL}


def test_a_url_is_signed_until_a_second(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/signing/sign", text_answer(f"{URL}?policy=x&signature=y\n"))
    assert opencast.signing.sign(URL, UNTIL) == f"{URL}?policy=x&signature=y"
    assert server.last.query == {"baseUrl": URL, "validUntil": "1795316400"}


@pytest.mark.parametrize(
    "answer", ["https://evil.example.org/static/a.mp4?signature=y", "https://cdn.example.org/b.mp4?signature=y", ""]
)
def test_a_signature_for_another_file_is_refused(server: ScriptedServer, opencast: Opencast, answer: str) -> None:
    server.on("GET", "/signing/sign", text_answer(answer))
    with pytest.raises(InvalidAnswer) as caught:
        opencast.signing.sign(URL, UNTIL)
    assert "signature" not in str(caught.value)


def test_what_the_server_does_not_sign_is_a_bad_request(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/signing/sign", Answer(400))
    with pytest.raises(BadRequest):
        opencast.signing.sign(URL, UNTIL)


def test_what_no_server_signs_is_refused_as_it_was(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/a.mp4", Answer(403))
    server.on("GET", "/signing/accepts", text_answer("false"))
    with pytest.raises(Forbidden), opencast.client.open_download("/a.mp4"):
        pass
    assert [request.path for request in server.requests] == ["/a.mp4", "/signing/accepts"]


def test_a_server_without_signing_refuses_as_before(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/a.mp4", Answer(403))
    with pytest.raises(Forbidden), opencast.client.open_download("/a.mp4"):
        pass


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://h/a.mp4", "https://h/a.mp4"),
        ("https://h/a.mp4?v=%41&b=", "https://h/a.mp4?v=%41&b="),
        ("https://h/a.mp4?v=1&policy=p&keyId=k&signature=s", "https://h/a.mp4?v=1"),
        ("https://h/a.mp4?policy=p&keyId=k&signature=s", "https://h/a.mp4"),
    ],
)
def test_an_old_signature_is_cut_off_and_nothing_else(url: str, bare: str) -> None:
    assert without_signature(url) == bare
