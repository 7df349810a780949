"""The working file repository."""

from __future__ import annotations

from io import BytesIO

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import BadRequest, NotFound, ServerError, UnexpectedContent

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, text_answer

MD5 = "5d41402abc4b2a76b9719d911017c592"


def test_the_base_of_all_urls_is_known(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/files_base_uri")
    assert opencast.files.base_uri() == f"{server.url}/files"


def test_a_stored_file_answers_its_url_although_it_is_declared_as_html(
    server: ScriptedServer, opencast: Opencast
) -> None:
    replay(server, "writes/files_put")
    url = opencast.files.put("a-w1", "el-1", "a file ü.txt", BytesIO(b"hello"), 5)
    assert url == f"{server.url}/files/mediapackage/a-w1/el-1/a_file__.txt"
    assert b'filename="a_file__.txt"' in server.last.body
    assert b"\r\n\r\nhello\r\n" in server.last.body


def test_storing_a_file_is_repeated_when_the_server_stumbles(server: ScriptedServer, opencast: Opencast) -> None:
    stored = text_answer(f"{server.url}/files/mediapackage/a/e/x.txt")
    server.on("POST", "/files/mediapackage/a/e", Answer(502), stored)
    assert opencast.files.put("a", "e", "x.txt", BytesIO(b"hello"), 5).endswith("/x.txt")
    first, second = server.requests
    assert first.body == second.body


@pytest.mark.parametrize("said", ["", "stored", "/files/x", "http://h/a b", "<html><body>Please log in</body></html>"])
def test_anything_but_a_url_is_no_success(server: ScriptedServer, opencast: Opencast, said: str) -> None:
    server.on("POST", "/files/mediapackage/a/e", Answer(200, said.encode(), {"Content-Type": "text/html"}))
    with pytest.raises(UnexpectedContent):
        opencast.files.put("a", "e", "x.txt", BytesIO(b"hello"), 5)


def test_a_refused_file_is_an_error(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/files/mediapackage/a/e", Answer(400))
    with pytest.raises(BadRequest):
        opencast.files.put("a", "e", "x.txt", BytesIO(b"hello"), 5)


def test_a_file_that_is_there_already_is_recognised(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/files_get_md5_match")
    assert opencast.files.matches("a-w1", "el-1", "a file ü.txt", MD5)
    assert server.last.headers["If-None-Match"] == MD5


def test_other_bytes_and_no_file_at_all_are_no_match(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/files_get")
    assert not opencast.files.matches("a-w1", "el-1", "a_file__.txt", "0" * 32)
    replay(server, "writes/files_get_after_delete")
    assert not opencast.files.matches("a-w1", "el-1", "a_file__.txt", MD5)


def test_the_headers_of_a_stored_file_can_be_read(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("HEAD", "/files/mediapackage/a/e/x.txt", Answer(200, b"hello"))
    assert opencast.files.head("a", "e", "x.txt").headers["Content-Length"] == "5"
    with pytest.raises(NotFound):
        opencast.files.head("a", "e", "y.txt")


def test_deleting_tells_whether_there_was_something(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/files_delete")
    assert opencast.files.delete("a-w1", "el-1")
    assert not opencast.files.delete("a-w1", "another")


def test_element_ids_with_blanks_and_umlauts_are_escaped(server: ScriptedServer, opencast: Opencast) -> None:
    opencast.files.delete("a", "Folie 1/ä")
    assert server.last.target == "/files/mediapackage/a/Folie%201%2F%C3%A4"


def test_a_collected_file_is_not_sent_again_when_it_may_have_arrived(
    server: ScriptedServer, opencast: Opencast
) -> None:
    """A second upload of the same name would be written into the first one's inode."""
    server.on("POST", "/files/collection/shared", Answer(502))
    with pytest.raises(ServerError):
        opencast.files.collect("shared", "name-1", BytesIO(b"hello"), 5)
    assert len(server.requests) == 1
    assert b'filename="name-1"' in server.last.body


def test_an_element_gets_a_link_of_a_collected_file(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/files/copy/shared/name-1/mp/el/cam_1.mp4", text_answer("http://target.test/x"))
    opencast.files.link_collected("shared", "name-1", "mp", "el", "cam 1.mp4", 5)
    assert server.last.method == "POST"


def test_a_collection_without_the_file_says_so(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/files/copy/shared/gone/mp/el/cam.mp4", Answer(404))
    with pytest.raises(NotFound):
        opencast.files.link_collected("shared", "gone", "mp", "el", "cam.mp4", 5)


@pytest.mark.parametrize(("status", "removed"), [(204, True), (404, False)])
def test_a_collected_file_is_removed(server: ScriptedServer, opencast: Opencast, status: int, removed: bool) -> None:
    server.on("DELETE", "/files/collection/shared/name-1", Answer(status))
    assert opencast.files.discard_collected("shared", "name-1") is removed
