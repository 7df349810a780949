"""Bodies in and out: forms, streamed uploads with their md5, streamed files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

CHUNK = 1024 * 1024
#: Bytes of an urlencoded body that Jetty reads (``bin/setenv``).
LARGEST_FORM = 1_500_000


class FormTooLarge(ValueError):
    """A form is larger than Jetty reads."""


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form as CXF does; the last of several values wins, files are left out.

    In a multipart body each value is decoded like that of a query, and then once more, as a real 17 does
    (``FormUtils.populateMapFromMultipart`` and ``JAXRSUtils.processFormParam``).

    :raises FormTooLarge: an urlencoded form beyond ``maxFormContentSize``.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {name: unquote_plus(unquote_plus(value)) for name, value in (await read_parts(request)).items()}
    return await _read_encoded(request)


async def read_upload_form(request: Request) -> dict[str, str]:
    """Read the fields of a form as the ingest service does, which takes the parts of a multipart body as they are."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await read_parts(request)
    return await _read_encoded(request)


async def read_parts(request: Request) -> dict[str, str]:
    """Read the texts of a multipart body."""
    form = await request.form(max_part_size=64 * CHUNK)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


async def _read_encoded(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > LARGEST_FORM:
        raise FormTooLarge(f"Form is larger than max length {LARGEST_FORM}")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


class Upload:
    """The first file of a multipart body, written while it arrives; fields before it are collected.

    Reading stops to be meaningful at the file: as on the real server, later parts are not looked at.

    :param temporary: where the bytes go.
    :param take: is told how many bytes are about to be written, and raises OSError when there is no room.
    """

    def __init__(self, boundary: bytes, temporary: Path, take: Callable[[int], None] = lambda size: None) -> None:
        self.temporary, self._take = temporary, take
        self.file_name: str | None = None
        self.fields: dict[str, str] = {}
        self.size = 0
        self._digest = hashlib.md5()
        self._waiting: list[bytes] = []
        self._headers: dict[str, str] = {}
        self._header, self._value = b"", b""
        self._field: tuple[str, bytearray] | None = None
        self._in_file = self._done = False
        self._parser = MultipartParser(boundary, {
            "on_part_begin": self._begin, "on_header_field": self._header_field,
            "on_header_value": self._header_value, "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished, "on_part_data": self._data, "on_part_end": self._end,
        })  # fmt: skip

    @property
    def md5(self) -> str:
        """The md5 of what was written."""
        return self._digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Read what was written."""
        with self.temporary.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _begin(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", "").encode())
        if self._done:
            return
        if b"filename" in options:
            self.file_name = options[b"filename"].decode("utf-8", "replace")
            self._in_file = True
        else:
            self._field = (options.get(b"name", b"").decode("utf-8", "replace"), bytearray())

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._waiting.append(data[start:end])
        elif self._field is not None:
            self._field[1].extend(data[start:end])

    def _end(self) -> None:
        if self._in_file:
            self._in_file, self._done = False, True
        elif self._field is not None:
            self.fields[self._field[0]] = self._field[1].decode("utf-8", "replace")
        self._field = None

    async def take(self, request: Request) -> None:
        """Read the whole body with constant memory; writing and hashing happen beside the event loop.

        :raises ClientDisconnect: when the client goes away; the temporary file is removed then.
        :raises OSError: when the disk is full; likewise.
        """
        loop, held, work = asyncio.get_running_loop(), 0, None
        try:
            with self.temporary.open("wb") as out:
                async for chunk in request.stream():
                    self._parser.write(chunk)
                    held += len(chunk)
                    if held >= CHUNK:
                        if work is not None:
                            await work
                        work = loop.run_in_executor(None, self._write, out, self._waiting)
                        self._waiting, held = [], 0
                if work is not None:
                    await work
                self._write(out, self._waiting)
        except (ClientDisconnect, OSError):
            self.temporary.unlink(missing_ok=True)
            raise

    def _write(self, out: Any, chunks: list[bytes]) -> None:
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._take(len(data))
        self._digest.update(data)
        out.write(data)
        self.size += len(data)


def boundary_of(request: Request) -> bytes | None:
    """Give the boundary of a multipart body; None when it is none."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return options.get(b"boundary") if kind == b"multipart/form-data" else None


class FileBody(Response):
    """Streams a file, or a part of it, in large pieces.

    :param length: value of Content-Length, which may differ from what is sent, as on a server with a wrong record;
        None sends the body chunked.
    """

    def __init__(
        self, path: Path, headers: dict[str, str], *, status: int = 200, start: int = 0, end: int | None = None,
        length: int | None = None,
    ) -> None:  # fmt: skip
        self.path, self.start = path, start
        self.end = path.stat().st_size if end is None else end
        self.status_code, self.background, self.body = status, None, b""
        sent = dict(headers)
        self.has_length, self.promised = length is not None, length or 0
        if length is not None:
            sent["content-length"] = str(length)
            self.end = min(self.end, start + length)
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            left = self.promised
            async for piece in self._pieces():
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if self.has_length and left > 0:
                # More was promised than is there: leaving without the end makes the server drop the connection.
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        left = self.end - self.start
        # Read on the event loop: the page cache answers faster than a thread is woken up.
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(self.start)
            while left > 0:
                piece = stream.read(min(CHUNK, left))
                if not piece:
                    return
                left -= len(piece)
                yield piece
