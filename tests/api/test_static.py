"""Published files."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import Forbidden, NotFound, SizeMismatch, UnexpectedContent

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer

STATIC = "/static/mh_default_org/internal/a-ev-fast/867706ab-c9f4-4814-992f-5b00471c8ac4/cam.mp4"
ASSET = "/assets/assets/a-ev-fast/96cd53f4-528c-44ff-a33f-5c8b6904188f/4/cam.mp4"


def test_one_byte_is_read_to_prove_that_a_file_is_there(server: ScriptedServer, opencast: Opencast) -> None:
    headers = {"Content-Type": "video/mp4", "Content-Range": "bytes 0-0/63651", "ETag": "853286839"}
    server.on("GET", STATIC, Answer(206, b"\x00", headers))
    probe = opencast.static.probe(f"{server.url}{STATIC}?signature=x")
    assert server.last.headers["Range"] == "bytes=0-0"
    assert (probe.size, probe.ranges, probe.content_type, probe.etag) == (63651, True, "video/mp4", "853286839")
    assert probe.url == f"{server.url}{STATIC}"


def test_a_server_without_ranges_is_not_read_to_the_end(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "files/asset_range")
    probe = opencast.static.probe(ASSET)
    assert (probe.size, probe.ranges) == (34997, False)
    assert opencast.client.bytes_read <= 1


def test_a_promised_file_without_a_byte_is_noticed(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"", {"Content-Type": "video/mp4"}, length="100"))
    with pytest.raises(SizeMismatch):
        opencast.static.probe("/a.mp4")


def test_an_empty_file_has_no_first_byte(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/empty.txt", Answer(200, b"", {"Content-Type": "text/plain"}))
    assert opencast.static.probe("/empty.txt").size == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(404), NotFound),
        (Answer(403), Forbidden),
        (Answer(200, b"<html/>", {"Content-Type": "text/html"}), UnexpectedContent),
    ],
)
def test_a_file_that_cannot_be_had_is_an_error(
    server: ScriptedServer, opencast: Opencast, answer: Answer, error: type[Exception]
) -> None:
    server.on("GET", "/a.mp4", answer)
    with pytest.raises(error):
        opencast.static.probe("/a.mp4")


def test_the_recorded_refusal_is_understood(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "files/static_anonymous")
    with pytest.raises(Forbidden):
        opencast.static.probe(STATIC)


def test_a_file_is_downloaded(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/a.mp4", Answer(200, b"hello", {"Content-Type": "video/mp4"}))
    with opencast.static.download("/a.mp4") as download:
        assert b"".join(download.iter()) == b"hello"
