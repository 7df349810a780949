"""Which error an answer becomes, and what its message says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.api import answers
from opencast.api.client import Client
from opencast.errors import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RedirectRefused,
    ServerError,
    ServerFailure,
    ServiceMissing,
    Throttled,
    UnexpectedContent,
    WrongOrganization,
)

from tests.api.conftest import PASSWORD
from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, text_answer

Connect = Callable[..., Client]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthenticationFailed),
        (403, Forbidden),
        (404, NotFound),
        (406, BadRequest),
        (409, Conflict),
        (410, BadRequest),
        (413, BadRequest),
        (429, Throttled),
        (500, ServerFailure),
        (501, ServerFailure),
        (502, ServerFailure),
        (503, Throttled),
        (504, ServerFailure),
        (599, ServerFailure),
        (201, UnexpectedContent),
        (304, UnexpectedContent),
    ],
)
def test_each_status_has_its_error(
    server: ScriptedServer, connect: Connect, status: int, kind: type[ServerError]
) -> None:
    server.on("GET", "/x/y", text_answer("", status))
    with pytest.raises(ServerError) as caught:
        connect(server, max_tries=1).get("/x/y", params={"secret": "query"})
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.url == f"{server.url}/x/y"
    assert f"GET {server.url}/x/y" in str(caught.value)
    assert str(status) in str(caught.value)
    assert "query" not in str(caught.value)


def test_an_error_quotes_the_title_of_a_web_page_only(server: ScriptedServer, client: Client) -> None:
    replay(server, "preflight/not_a_path")
    with pytest.raises(ServiceMissing) as caught:
        client.get("/no/such/endpoint")
    assert caught.value.message.endswith("404 Not Found: Error 404 Not Found")


def test_an_error_quotes_what_a_service_says(server: ScriptedServer, client: Client) -> None:
    replay(server, "preflight/wfdef_unknown")
    with pytest.raises(NotFound, match="Cannot find workflow definition with id 'nope'"):
        client.get("/api/workflow-definitions/nope")


def test_a_host_without_organization_is_no_missing_object(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(404, b"<title>Error 404 No organization is mapped to handle http://h</title>"))
    with pytest.raises(WrongOrganization):
        client.get("/x")


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/login.html", AuthenticationFailed),
        ("http://sso.example.org/cas/login?service=x", AuthenticationFailed),
        ("/j_spring_security_check", AuthenticationFailed),
        ("/403.html", Forbidden),
        ("https://oc.example.org/x", RedirectRefused),
        ("/elsewhere", RedirectRefused),
        ("//other.example.org/x", RedirectRefused),
        ("ftp://other.example.org/x", RedirectRefused),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_never_followed_by_calls(
    server: ScriptedServer, client: Client, location: str, kind: type[ServerError], status: int
) -> None:
    server.on("GET", "/x", Answer(status, headers={"Location": location}))
    with pytest.raises(ServerError) as caught:
        client.get("/x")
    assert type(caught.value) is kind
    assert len(server.requests) == 1


def test_a_refused_redirect_names_the_right_address(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(301, headers={"Location": "https://oc.example.org:8443/x?token=abc"}))
    with pytest.raises(RedirectRefused, match=r"https://oc\.example\.org:8443 if") as caught:
        client.get("/x")
    assert "token" not in str(caught.value)


def test_a_redirect_without_target_is_unexpected(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(302))
    with pytest.raises(UnexpectedContent):
        client.get("/x")


@pytest.mark.parametrize("location", ["http://[", "http://h:99999/", "\x00"])
def test_a_broken_redirect_is_refused(server: ScriptedServer, client: Client, location: str) -> None:
    server.on("GET", "/x", Answer(302, headers={"Location": location}))
    with pytest.raises(ServerError):
        client.get("/x")


def test_an_error_is_quoted_in_one_short_line(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", text_answer("line one\r\n\x1b[31mline\ttwo " + "z" * 5000, 400))
    with pytest.raises(BadRequest) as caught:
        client.get("/x")
    said = caught.value.message.partition("Bad Request: ")[2]
    assert said.startswith("line one [31mline two zzz")
    assert said.endswith(" ...")
    assert len(said) <= answers.QUOTED_CHARACTERS + 4


def test_an_error_of_endless_size_is_read_in_part_only(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", text_answer("z" * 5_000_000, 400))
    with pytest.raises(BadRequest):
        client.get("/x")
    assert client.bytes_read < 200_000


@pytest.mark.parametrize(
    "said",
    [
        f"cannot use {PASSWORD} here",
        "Authorization: Basic YWRtaW46b3BlbmNhc3Q=",
        "see https://cdn/x.mp4?policy=UE9MSUNZ&signature=U0lHTg and more",
        "policy=UE9MSUNZ&signature=U0lHTg",
        "Set-Cookie: JSESSIONID=node0abc",
        "x;jsessionid=node0abc",
    ],
)
def test_an_error_never_quotes_a_secret(server: ScriptedServer, client: Client, said: str) -> None:
    server.on("GET", "/x", text_answer(said, 400))
    with pytest.raises(BadRequest) as caught:
        client.get("/x")
    for secret in (PASSWORD, "YWRtaW46b3BlbmNhc3Q=", "UE9MSUNZ", "U0lHTg", "node0abc"):
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value)


def test_a_password_that_is_part_of_a_word_leaves_the_word_alone() -> None:
    assert answers.clean("org.opencastproject said opencast", masked=("opencast",)) == "org.opencastproject said ***"


@pytest.mark.parametrize(
    ("body", "page"),
    [
        (b"<!DOCTYPE html><html>", True),
        (b"\xef\xbb\xbf\r\n <html lang='de'>", True),
        (b"<!-- x --><HTML>", True),
        (b'<?xml version="1.0"?><htmlish/>', False),
        (b"<mediapackage/>", False),
        (b"", False),
    ],
)
def test_a_web_page_is_known_by_its_beginning(body: bytes, page: bool) -> None:
    assert answers.begins_like_html(body) is page


def test_scripts_and_styles_of_a_page_without_title_are_not_quoted() -> None:
    page = b"<html><style>p {color: red}</style><script>alert(1)</script><p>Not &amp; here</p></html>"
    assert answers.quote(page) == "Not & here"
