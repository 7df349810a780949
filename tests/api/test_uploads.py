"""Multipart bodies."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from io import BytesIO, RawIOBase

import pytest
from opencast.api.client import Client
from opencast.api.uploads import MultipartUpload
from opencast.errors import InvalidIdentifier, SizeMismatch, SourceChanged

from tests.api.scripted_server import Request, ScriptedServer, text_answer

Connect = Callable[..., Client]


def _parts(request: Request) -> list[tuple[str | None, str | None, bytes]]:
    message = message_from_bytes(
        b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n" + request.body
    )
    return [
        (
            str(part.get_param("name", header="Content-Disposition")),
            part.get_filename(),
            bytes(part.get_payload(decode=True)),
        )
        for part in message.walk()
        if part is not message
    ]


def test_fields_come_before_the_file_and_only_the_file_has_a_file_name(server: ScriptedServer, client: Client) -> None:
    server.on("POST", "/ingest", text_answer("ok"))
    fields = [("flavor", "presenter/source"), ("title", "Übung")]
    client.post_file("/ingest", "a.mp4", BytesIO(b"\x00\r\n--video"), 10, fields=fields, field_name="BODY")
    assert _parts(server.last) == [
        ("flavor", None, b"presenter/source"),
        ("title", None, "Übung".encode()),
        ("BODY", "a.mp4", b"\x00\r\n--video"),
    ]


def test_the_length_is_known_before_the_first_byte(server: ScriptedServer, client: Client) -> None:
    server.on("POST", "/x", text_answer("ok"))
    client.post_file("/x", "a.mp4", BytesIO(b"x" * 700_000), 700_000)
    assert server.last.headers["Content-Length"] == str(len(server.last.body))
    assert server.last.headers["Transfer-Encoding"] is None
    assert client.bytes_written == len(server.last.body)


def test_an_empty_file_is_sent_too(server: ScriptedServer, client: Client) -> None:
    server.on("POST", "/x", text_answer("ok"))
    client.post_file("/x", "empty.txt", BytesIO(b""), 0)
    assert _parts(server.last) == [("file", "empty.txt", b"")]


def test_a_large_file_is_never_in_memory() -> None:
    class Endless(RawIOBase):
        largest = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.largest = max(self.largest, size)
            return b"x" * size

        def seekable(self) -> bool:
            return False

    stream = Endless()
    size = 5 * 2**30
    upload = MultipartUpload(stream, size, file_name="a.mp4")  # type: ignore[arg-type]  # it is read and sought only
    assert upload.len > size
    sent = sum(len(upload.read(256 * 1024)) for _ in range(100))
    assert sent == upload.sent
    assert stream.largest <= 256 * 1024


def test_a_file_that_is_shorter_than_announced_is_not_sent_to_its_end(server: ScriptedServer, client: Client) -> None:
    with pytest.raises(SizeMismatch, match="after 5 of 9 bytes"):
        client.post_file("/x", "a.mp4", BytesIO(b"hello"), 9)


def test_a_file_that_grew_is_noticed(server: ScriptedServer, client: Client) -> None:
    with pytest.raises(SourceChanged):
        client.post_file("/x", "a.mp4", BytesIO(b"hello"), 3)


@pytest.mark.parametrize("name", ["", 'a"b', "a\\b", "a/b", "a\r\nX: y", "a\x00b", "a\u2028b"])
def test_a_name_that_would_break_the_head_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier):
        MultipartUpload(BytesIO(b""), 0, file_name=name)
    with pytest.raises(InvalidIdentifier):
        MultipartUpload(BytesIO(b""), 0, file_name="a", fields=[(name, "v")])


def test_pieces_add_up_whatever_their_size() -> None:
    def whole(size: int) -> bytes:
        upload = MultipartUpload(BytesIO(b"hello" * 100), 500, file_name="a.mp4", fields=[("a", "b")])
        pieces = iter(lambda: upload.read(size), b"")
        boundary = upload.content_type.partition("boundary=")[2].encode()
        return b"".join(pieces).replace(boundary, b"B")

    upload = MultipartUpload(BytesIO(b"hello" * 100), 500, file_name="a.mp4")
    assert sum(map(len, upload)) == upload.len
    assert whole(1) == whole(7) == whole(100_000)
    assert len(whole(-1)) == len(whole(1))
