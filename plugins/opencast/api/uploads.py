"""Write a multipart body (RFC 7578) with one file, read from its stream while it is sent, of a length known before."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from opencast.errors import InvalidIdentifier, SizeMismatch, SourceChanged

_CHUNK = 256 * 1024


class MultipartUpload:
    """A request body: the text fields, then the file.

    Opencast reads the parts in order and stops at the first one that has a file name, so fields that come after it
    would be ignored (``IngestRestService``, ``WorkingFileRepositoryRestEndpoint``).

    :param fields: names and values of the text parts, in order.
    :param field_name: name of the file's part.
    :param file_name: name that the server is told.
    :param stream: the file, open for reading, at the place from which it is sent.
    :param size: bytes that the stream holds from there on.
    :raises InvalidIdentifier: a name with a quote, a backslash, a slash or a control character.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        *,
        file_name: str,
        field_name: str = "file",
        file_type: str = "application/octet-stream",
        fields: Sequence[tuple[str, str]] = (),
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._head = b"".join(text_part(boundary, name, value) for name, value in fields) + _file_head(
            boundary, field_name, file_name, file_type
        )
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._stream = stream
        self._size = size
        self._file_name = file_name
        self._start = stream.tell() if stream.seekable() else None
        self._head_left = self._head
        self._file_left = size
        self._tail_left = self._tail

    #: ``requests`` takes this for the Content-Length.
    @property
    def len(self) -> int:
        """Bytes of the whole body."""
        return len(self._head) + self._size + len(self._tail)

    @property
    def sent(self) -> int:
        """Bytes handed out since the start or the last :meth:`rewind`."""
        return self.len - len(self._head_left) - self._file_left - len(self._tail_left)

    def rewind(self) -> bool:
        """Go back to the start, to send the body once more.

        :returns: False when the stream cannot do that.
        """
        if self._start is None:
            return self.sent == 0
        self._stream.seek(self._start)
        self._head_left, self._file_left, self._tail_left = self._head, self._size, self._tail
        return True

    def read(self, size: int = _CHUNK) -> bytes:
        """Give the next bytes of the body; empty at its end.

        :raises SizeMismatch: the stream ends too early.
        :raises SourceChanged: it holds more than it should.
        """
        size = _CHUNK if size < 0 else size
        if self._head_left:
            chunk, self._head_left = self._head_left[:size], self._head_left[size:]
            return chunk
        if self._file_left:
            return self._read_file(size)
        chunk, self._tail_left = self._tail_left[:size], self._tail_left[size:]
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def _read_file(self, size: int) -> bytes:
        chunk = self._stream.read(min(size, self._file_left))
        if not chunk:
            raise SizeMismatch(
                f"{self._file_name} ended after {self._size - self._file_left} of {self._size} bytes while it was sent."
            )
        self._file_left -= len(chunk)
        if not self._file_left and self._stream.read(1):
            raise SourceChanged(f"{self._file_name} grew beyond {self._size} bytes while it was sent.")
        return chunk


def text_part(boundary: str, name: str, value: str) -> bytes:
    """Write a field of a multipart body.

    :raises InvalidIdentifier: a name with a quote, a backslash, a slash or a control character.
    """
    # No file name: Opencast takes every part that has one for the file.
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_checked(name)}"\r\n'
    return f"{head}Content-Type: text/plain; charset=UTF-8\r\n\r\n{value}\r\n".encode()


def _file_head(boundary: str, field_name: str, file_name: str, file_type: str) -> bytes:
    disposition = f'form-data; name="{_checked(field_name)}"; filename="{_checked(file_name)}"'
    return (
        f"--{boundary}\r\nContent-Disposition: {disposition}\r\n"
        f"Content-Type: {_checked(file_type, allowed='/')}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    ).encode()


def _checked(name: str, *, allowed: str = "") -> str:
    forbidden = set('"\\/') - set(allowed)
    if not name or not name.isprintable() or forbidden & set(name):
        raise InvalidIdentifier(f"{name!r} cannot be written into the head of an upload.")
    return name
