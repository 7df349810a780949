"""Files from a server: whole, themselves, and without the login going astray."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.client import Client
from opencast.api.downloads import MAX_REDIRECTS, PIECE
from opencast.errors import (
    AuthenticationFailed,
    Forbidden,
    NotFound,
    OpencastError,
    RedirectRefused,
    SizeMismatch,
    UnexpectedContent,
    Unreachable,
)

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, Request, ScriptedServer

Connect = Callable[..., Client]
Servers = Callable[[], ScriptedServer]
VIDEO = Answer(200, b"0123456789", {"Content-Type": "video/mp4"})
SECRET_HEADERS = ("Authorization", "Cookie", "X-Requested-Auth", "X-RUN-AS-USER", "X-Opencast-Matterhorn-Organization")


def _read(client: Client, url: str, **options: Any) -> bytes:
    with client.open_download(url, **options) as download:
        return b"".join(download.iter(4))


def _ranged(request: Request) -> Answer:
    start, _, end = request.headers["Range"].removeprefix("bytes=").partition("-")
    last = int(end) if end else 9
    part = VIDEO.body[int(start) : last + 1]
    return Answer(206, part, {"Content-Type": "video/mp4", "Content-Range": f"bytes {start}-{last}/10", "ETag": '"e"'})


def test_a_file_comes_in_pieces(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", VIDEO)
    with client.open_download("/a.mp4") as download:
        assert (download.status, download.start, download.length, download.total) == (200, 0, 10, 10)
        assert list(download.iter(4)) == [b"0123", b"4567", b"89"]
    assert client.bytes_read == 10


def test_pieces_stay_small_so_that_little_is_lost_when_a_connection_breaks(
    server: ScriptedServer, client: Client
) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"x" * 1_000_000, {"Content-Type": "video/mp4"}))
    with client.open_download("/a.mp4") as download:
        assert {len(piece) for piece in download.iter(10**9)} == {PIECE, 1_000_000 % PIECE}


def test_a_connection_is_used_again_after_a_file_was_read(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", VIDEO).on("HEAD", "/a.mp4", VIDEO).on("GET", "/same.mp4", Answer(304))
    for _ in range(3):
        _read(client, "/a.mp4")
        client.head("/a.mp4")
        client.unchanged("/same.mp4", "0" * 32)
    assert server.connections == 1


def test_a_file_that_is_not_wanted_to_its_end_is_not_read_to_its_end(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"x" * 10_000_000, {"Content-Type": "video/mp4"}))
    with client.open_download("/a.mp4") as download:
        next(download.iter(10))
    assert client.bytes_read == 10


def test_an_absolute_url_is_taken_as_it_is(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x/a%20%C3%BC.mp4", VIDEO)
    assert _read(client, f"{server.url}/x/a%20%C3%BC.mp4") == VIDEO.body


def test_compression_is_not_asked_for(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", VIDEO)
    _read(client, "/a.mp4")
    assert server.last.headers["Accept-Encoding"] == "identity"


def test_a_compressed_transfer_is_refused(server: ScriptedServer, client: Client) -> None:
    body = gzip.compress(b"x" * 100)
    server.on("GET", "/a.txt", Answer(200, body, {"Content-Type": "text/plain", "Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedContent, match="gzip"):
        _read(client, "/a.txt")


def test_a_whole_file_is_asked_for_without_a_range(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", VIDEO)
    _read(client, "/a.mp4")
    assert server.last.headers["Range"] is None


def test_a_download_goes_on_where_it_broke_off(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", _ranged)
    with client.open_download("/a.mp4", start=7, validator='"e"') as download:
        assert (download.status, download.start, download.length, download.total) == (206, 7, 3, 10)
        assert b"".join(download.iter()) == b"789"
    assert server.last.headers["If-Range"] == '"e"'


def test_a_server_without_ranges_sends_the_whole_file_and_says_so(server: ScriptedServer, client: Client) -> None:
    replay(server, "files/asset_range")
    url = "/assets/assets/a-ev-fast/96cd53f4-528c-44ff-a33f-5c8b6904188f/4/cam.mp4"
    with client.open_download(url, start=100) as download:
        assert (download.status, download.start, download.total) == (200, 0, 34997)
        assert sum(map(len, download.iter())) == 34997


def test_the_recorded_range_of_a_published_file_is_understood(server: ScriptedServer, client: Client) -> None:
    replay(server, "files/static_range")
    url = "/static/mh_default_org/internal/a-ev-fast/867706ab-c9f4-4814-992f-5b00471c8ac4/cam.mp4"
    with client.open_download(url, start=0, end=99) as download:
        assert (download.status, download.length, download.total) == (206, 100, 63651)
        assert sum(map(len, download.iter())) == 100
    assert server.last.headers["Range"] == "bytes=0-99"


@pytest.mark.parametrize("given", ["bytes 0-9/10", "bytes */10", "", "bytes 8-9/10", "bytes 7-8/10", "bytes 7-99/100"])
def test_another_range_than_asked_for_is_refused(server: ScriptedServer, client: Client, given: str) -> None:
    server.on("GET", "/a.mp4", Answer(206, b"789", {"Content-Type": "video/mp4", "Content-Range": given}))
    with pytest.raises(UnexpectedContent):
        _read(client, "/a.mp4", start=7)


def test_a_start_behind_the_end_is_a_file_that_shrank(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(416, headers={"Content-Range": "bytes */5"}))
    with pytest.raises(SizeMismatch):
        _read(client, "/a.mp4", start=7)


def test_a_truncated_body_is_never_taken_for_the_whole(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"0123", {"Content-Type": "video/mp4"}, length="10"))
    with pytest.raises(SizeMismatch, match="4 of 10 bytes") as caught:
        _read(client, "/a.mp4")
    assert caught.value.retriable


def test_a_truncated_range_is_noticed_too(server: ScriptedServer, client: Client) -> None:
    headers = {"Content-Type": "video/mp4", "Content-Range": "bytes 2-9/10"}
    server.on("GET", "/a.mp4", Answer(206, b"23", headers, length=""))
    with pytest.raises(SizeMismatch):
        _read(client, "/a.mp4", start=2)


def test_a_file_of_unannounced_length_is_read_to_its_end(server: ScriptedServer, client: Client) -> None:
    chunked = {"Content-Type": "video/mp4", "Transfer-Encoding": "chunked"}
    server.on("GET", "/a.mp4", Answer(200, b"4\r\n0123\r\n2\r\n45\r\n0\r\n\r\n", chunked, length=""))
    with client.open_download("/a.mp4") as download:
        assert (download.length, download.total) == (None, None)
        assert b"".join(download.iter()) == b"012345"


@pytest.mark.parametrize("body", [b"4\r\n01", b"4\r\n0123\r\n", b"zz\r\n"])
def test_a_file_of_unannounced_length_that_ends_early_is_noticed(
    server: ScriptedServer, client: Client, body: bytes
) -> None:
    headers = {"Content-Type": "video/mp4", "Transfer-Encoding": "chunked"}
    server.on("GET", "/a.mp4", Answer(200, body, headers, length=""))
    with pytest.raises((Unreachable, SizeMismatch)) as caught:
        _read(client, "/a.mp4")
    assert caught.value.retriable


def test_a_connection_that_breaks_is_worth_another_try(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"0123", {"Content-Type": "video/mp4"}, length="10", reset=True))
    with pytest.raises((Unreachable, SizeMismatch)) as caught:
        _read(client, "/a.mp4")
    assert caught.value.retriable


@pytest.mark.parametrize("content_type", ["text/html", "text/html;charset=utf-8", "application/xhtml+xml"])
def test_a_web_page_instead_of_a_video_is_refused(server: ScriptedServer, client: Client, content_type: str) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"<html>Please log in</html>", {"Content-Type": content_type}))
    with pytest.raises(UnexpectedContent, match="web page"):
        _read(client, "/a.mp4")


def test_a_web_page_that_is_the_file_is_taken(server: ScriptedServer, client: Client) -> None:
    page = Answer(200, b"<html/>", {"Content-Type": "text/html"})
    server.on("GET", "/slides.HTML", page).on("GET", "/slides", page)
    assert _read(client, "/slides.HTML?signature=x") == b"<html/>"
    assert _read(client, "/slides", allow_html=True) == b"<html/>"


def test_an_empty_answer_that_a_proxy_should_have_filled_is_noticed(server: ScriptedServer, client: Client) -> None:
    headers = {"Content-Type": "video/mp4", "X-Accel-Redirect": "/protected/a.mp4"}
    server.on("GET", "/a.mp4", Answer(200, b"", headers))
    with pytest.raises(UnexpectedContent, match="web server in front"):
        _read(client, "/a.mp4")


def test_the_opening_is_repeated_like_any_get(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(503), Answer(hang_up=True), VIDEO)
    assert _read(client, "/a.mp4") == VIDEO.body


def test_a_missing_file_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        _read(client, "/a.mp4")


# --- who gets the login ---


def _all_secrets(connect: Connect, server: ScriptedServer, **settings: object) -> Client:
    client = connect(server, organization="org", run_as="ada", **settings)
    server.on("GET", "/login", Answer(200, headers={"Set-Cookie": "JSESSIONID=node0abc; Path=/"}))
    client.get("/login")
    return client


def test_the_own_server_gets_everything(server: ScriptedServer, connect: Connect) -> None:
    client = _all_secrets(connect, server)
    server.on("GET", "/a.mp4", VIDEO)
    _read(client, f"{server.url}/a.mp4")
    assert all(server.last.headers[name] for name in SECRET_HEADERS)


def test_another_host_gets_no_login_and_no_cookie(server: ScriptedServer, servers: Servers, connect: Connect) -> None:
    other = servers().on("GET", "/a.mp4", VIDEO)
    client = _all_secrets(connect, server)
    assert _read(client, f"{other.url}/a.mp4") == VIDEO.body
    assert [name for name in SECRET_HEADERS if other.last.headers[name]] == []


def test_a_foreign_cookie_is_not_kept(server: ScriptedServer, servers: Servers, connect: Connect) -> None:
    other = servers().on("GET", "/a.mp4", Answer(200, b"x", {"Set-Cookie": "track=me; Path=/"}))
    client = connect(server)
    _read(client, f"{other.url}/a.mp4")
    _read(client, f"{other.url}/a.mp4")
    assert other.last.headers["Cookie"] is None


def test_a_trusted_host_gets_the_login_but_no_foreign_cookie(
    server: ScriptedServer, servers: Servers, connect: Connect
) -> None:
    other = servers().on("GET", "/a.mp4", VIDEO)
    client = _all_secrets(connect, server, trusted_hosts=(other.url,))
    _read(client, f"{other.url}/a.mp4")
    assert other.last.headers["Authorization"]
    assert other.last.headers["Cookie"] is None


def test_a_session_cookie_is_sent_back_to_its_own_server(server: ScriptedServer, connect: Connect) -> None:
    client = _all_secrets(connect, server)
    client.get("/login")
    assert server.last.headers["Cookie"] == "JSESSIONID=node0abc"


def test_a_foreign_host_that_wants_a_login_is_explained(
    server: ScriptedServer, servers: Servers, client: Client
) -> None:
    other = servers().on("GET", "/a.mp4", Answer(403))
    with pytest.raises(Forbidden, match=f"No login was sent to {other.url}: .* trusted hosts"):
        _read(client, f"{other.url}/a.mp4")


def test_a_channel_that_opencast_shows_to_nobody_is_explained(server: ScriptedServer, client: Client) -> None:
    """A real 17: without a rule for the channel its files are forbidden to administrators, too."""
    server.on("GET", "/static/o/my-lms/ev/e/cam.mp4", Answer(403))
    with pytest.raises(Forbidden, match=r"SimpleConfigurableStaticFileAuthorization\.cfg there, or mount"):
        _read(client, f"{server.url}/static/o/my-lms/ev/e/cam.mp4")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_without_login(
    server: ScriptedServer, servers: Servers, connect: Connect, status: int
) -> None:
    other = servers().on("GET", "/b.mp4", VIDEO)
    client = _all_secrets(connect, server)
    server.on("GET", "/a.mp4", Answer(status, headers={"Location": f"{other.url}/b.mp4?signature=x"}))
    assert _read(client, "/a.mp4") == VIDEO.body
    assert other.last.target == "/b.mp4?signature=x"
    assert [name for name in SECRET_HEADERS if other.last.headers[name]] == []


def test_a_redirect_to_the_same_server_or_a_trusted_one_carries_no_login_either(
    server: ScriptedServer, servers: Servers, connect: Connect
) -> None:
    other = servers()
    client = connect(server, trusted_hosts=(other.url,))
    server.on("GET", "/a.mp4", Answer(302, headers={"Location": f"{other.url}/b.mp4"}))
    other.on("GET", "/b.mp4", Answer(302, headers={"Location": f"{server.url}/c.mp4"}))
    server.on("GET", "/c.mp4", VIDEO)
    assert _read(client, "/a.mp4") == VIDEO.body
    assert other.last.headers["Authorization"] is None
    assert server.last.headers["Authorization"] is None


def test_a_range_survives_a_redirect(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(302, headers={"Location": "/b.mp4"})).on("GET", "/b.mp4", _ranged)
    assert _read(client, "/a.mp4", start=8) == b"89"


def test_redirects_are_bounded(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(302, headers={"Location": "/a.mp4"}))
    with pytest.raises(RedirectRefused):
        _read(client, "/a.mp4")
    assert len(server.requests) == MAX_REDIRECTS + 1


def test_the_login_page_is_not_a_file(server: ScriptedServer, client: Client) -> None:
    replay(server, "files/asset_anonymous")
    with pytest.raises(AuthenticationFailed):
        _read(client, "/assets/assets/a-ev-fast/96cd53f4-528c-44ff-a33f-5c8b6904188f/4/cam.mp4")
    assert len(server.requests) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://h/x", "http://[/x", "http://h:0/x"])
def test_a_redirect_to_anything_but_the_web_is_refused(server: ScriptedServer, client: Client, location: str) -> None:
    server.on("GET", "/a.mp4", Answer(302, headers={"Location": location}))
    with pytest.raises(OpencastError):
        _read(client, "/a.mp4")
    assert len(server.requests) == 1


def test_a_signature_is_in_no_error(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"01", {"Content-Type": "video/mp4"}, length="10"))
    server.on("GET", "/b.mp4", Answer(410))
    for name in ("a", "b", "c"):
        with pytest.raises(OpencastError) as caught:
            _read(client, f"{server.url}/{name}.mp4?policy=UE9MSUNZ&signature=U0lHTg")
        assert f"/{name}.mp4" in str(caught.value)
        assert "U0lHTg" not in str(caught.value)
        assert "UE9MSUNZ" not in str(caught.value)


# --- other questions about files ---


def test_the_headers_of_a_file_can_be_asked_for(server: ScriptedServer, client: Client) -> None:
    replay(server, "files/static_head")
    url = "/static/mh_default_org/internal/a-ev-fast/867706ab-c9f4-4814-992f-5b00471c8ac4/cam.mp4"
    server.on("HEAD", "/moved.mp4", Answer(302, headers={"Location": url}))
    assert client.head("/moved.mp4").headers["ETag"] == "853286839"
    with pytest.raises(NotFound):
        client.head("/missing.mp4")


def test_equal_bytes_are_known_without_a_transfer(server: ScriptedServer, client: Client) -> None:
    replay(server, "files/asset_if_none_match_md5")
    url = "/assets/assets/a-ev-fast/96cd53f4-528c-44ff-a33f-5c8b6904188f/4/cam.mp4"
    assert client.unchanged(url, "9E4145868D9ED8F31617FA4A4FB53AF1")
    assert server.last.headers["If-None-Match"] == "9e4145868d9ed8f31617fa4a4fb53af1"


def test_other_bytes_are_not_read_to_be_called_different(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/a.mp4", VIDEO)
    assert not client.unchanged("/a.mp4", "0" * 32)
    assert client.bytes_read == 0
