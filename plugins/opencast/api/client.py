"""Ask one Opencast server for documents and files, and send it forms and files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import urljoin

from requests import Response

from opencast.api import addresses
from opencast.api.documents import DocumentReader
from opencast.api.downloads import Download, open_file
from opencast.api.forms import Fields, encoded, written_form
from opencast.api.server import Server
from opencast.api.signing import Signer, SigningService
from opencast.api.transport import Call, Transport
from opencast.api.uploads import MultipartUpload
from opencast.api.watch import Watch
from opencast.errors import ServerError, SizeMismatch

#: Largest answer that is taken into memory, in bytes; files are streamed instead.
MAX_ANSWER = 128 * 1024 * 1024

#: How often a file that is refused is asked for with a new signature: the first one may have come to its end while a
#: busy server was asked again and again.
_SIGNATURES = 2

__all__ = ["MAX_ANSWER", "Client", "Fields"]


class Client:
    """A connection to one server, with pooled connections; a few threads may share it.

    Paths are taken relative to the server's address and must be escaped, see :func:`opencast.api.addresses.path`.

    Every method raises the :class:`~opencast.errors.ServerError` that fits: :class:`~opencast.errors.Unreachable` when
    no answer came, the others by the answer's status. What may pass by itself was tried several times by then.

    :param server: address and login.
    :param sleep: waits between tries, in seconds.
    :param transport: shares another client's connections.
    """

    def __init__(
        self, server: Server, *, sleep: Callable[[float], None] = time.sleep, transport: Transport | None = None
    ) -> None:
        self.server = server
        self.base_url = server.url
        self._transport = transport or Transport(server, sleep=sleep)
        self._signer = Signer(SigningService(self))
        #: Reads the answers of calls that give a response.
        self.read = DocumentReader(self._transport.masked)

    @property
    def requests(self) -> int:
        """Requests sent up to now, repeated ones included."""
        return self._transport.traffic.requests

    @property
    def bytes_read(self) -> int:
        """Bytes of answers' bodies received up to now."""
        return self._transport.traffic.bytes_read

    @property
    def bytes_written(self) -> int:
        """Bytes of requests' bodies sent up to now, repeated ones included."""
        return self._transport.traffic.bytes_written

    def watched_by(self, watch: Watch) -> None:
        """Let somebody know about every request, also of clients that share the connections."""
        self._transport.traffic.watch = watch

    def running_as(self, username: str) -> Client:
        """Give a client that makes its requests in another user's name, over the same connections.

        The login needs ROLE_SUDO. Authors of comments, themes and events are taken from the request's user.

        :raises ConfigurationError: a name that a header cannot carry.
        """
        return Client(replace(self.server, run_as=username), transport=self._transport)

    def close(self) -> None:
        """Close the connections. The client can still be used: it opens new ones."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    def get(
        self,
        path: str,
        *,
        params: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str | None = None,
        ok: Sequence[int] = (200,),
        max_bytes: int = MAX_ANSWER,
    ) -> Response:
        """Get a resource, with its body already read.

        :param params: the query; fields that are None are left out.
        :param accept: media type to ask for.
        :param ok: statuses that are no error.
        :param max_bytes: largest body that is accepted.
        :raises UnexpectedContent: the body is larger.
        """
        wanted = {**(headers or {}), **({"Accept": accept} if accept else {})}
        return self._perform("GET", path, params=params, headers=wanted, ok=ok, max_bytes=max_bytes)

    def get_json(
        self, path: str, *, params: Fields | None = None, version: str | None = None, max_bytes: int = MAX_ANSWER
    ) -> Any:
        """Get a JSON document.

        :param version: version of the External API to ask for, such as ``v1.10.0``; the server's newest by default.
        :raises UnexpectedContent: a web page, or no JSON.
        """
        accept = f"application/{version}+json" if version else None
        return self.read.json(self.get(path, params=params, accept=accept, max_bytes=max_bytes))

    def get_xml(self, path: str, *, params: Fields | None = None, max_bytes: int = MAX_ANSWER) -> bytes:
        """Get the bytes of an XML document, for the caller to parse.

        :raises UnexpectedContent: a web page, or a body that does not begin like XML.
        """
        return self.read.xml(self.get(path, params=params, max_bytes=max_bytes))

    def get_text(self, path: str, *, params: Fields | None = None, max_bytes: int = 1024 * 1024) -> str:
        """Get a text, without blanks at its ends.

        :raises UnexpectedContent: a web page, or no UTF-8.
        """
        return self.read.text(self.get(path, params=params, max_bytes=max_bytes))

    def get_bytes(self, path: str, *, params: Fields | None = None, max_bytes: int = MAX_ANSWER) -> bytes:
        """Get the bytes of a small resource; files are read with :meth:`open_download`.

        :raises UnexpectedContent: a web page.
        """
        return self.read.raw(self.get(path, params=params, max_bytes=max_bytes))

    # --- writing ---------------------------------------------------------------------------------------------------

    def post_form(
        self,
        path: str,
        data: Fields,
        *,
        params: Fields | None = None,
        ok: Sequence[int] = (200, 201, 204),
        idempotent: bool = False,
        read_timeout: float | None = None,
    ) -> Response:
        """Post form fields; those that are None are left out.

        :param idempotent: whether doing it twice is the same as doing it once; else a request that may have arrived is
            not repeated.
        :param read_timeout: seconds, instead of the server's usual ones.
        """
        return self._form("POST", path, data, params=params, ok=ok, idempotent=idempotent, read_timeout=read_timeout)

    def put_form(
        self, path: str, data: Fields, *, ok: Sequence[int] = (200, 201, 204), read_timeout: float | None = None
    ) -> Response:
        """Put form fields, in the body; those that are None are left out."""
        return self._form("PUT", path, data, ok=ok, read_timeout=read_timeout)

    def put_bytes(self, path: str, data: bytes, *, content_type: str, ok: Sequence[int] = (200, 201, 204)) -> Response:
        """Put a small raw body."""
        return self._perform("PUT", path, headers={"Content-Type": content_type}, body=data, ok=ok)

    def delete(self, path: str, *, params: Fields | None = None, ok: Sequence[int] = (200, 202, 204)) -> Response:
        """Delete a resource."""
        return self._perform("DELETE", path, params=params, ok=ok)

    def post_file(
        self,
        path: str,
        file_name: str,
        stream: BinaryIO,
        size: int,
        *,
        fields: Sequence[tuple[str, str]] = (),
        field_name: str = "file",
        file_type: str = "application/octet-stream",
        params: Fields | None = None,
        ok: Sequence[int] = (200, 201),
        idempotent: bool = False,
        read_timeout: float | None = None,
    ) -> Response:
        """Post a file as multipart/form-data, streamed in constant memory and with its Content-Length.

        :param stream: open at the file's first byte; only a seekable one can be sent again.
        :param size: bytes of the file.
        :param fields: text parts, sent before the file because Opencast ignores what follows it.
        :param field_name: name of the file's part.
        :param file_type: content type of the file's part.
        :param idempotent: as for :meth:`post_form`.
        :raises SizeMismatch: the stream is shorter than ``size``.
        :raises SourceChanged: the stream is longer.
        """
        upload = MultipartUpload(
            stream, size, file_name=file_name, field_name=field_name, file_type=file_type, fields=fields
        )
        self._transport.renew_nonce()
        headers = {"Content-Type": upload.content_type}
        return self._perform(
            "POST",
            path,
            params=params,
            headers=headers,
            body=upload,
            ok=ok,
            idempotent=idempotent,
            read_timeout=read_timeout,
        )

    # --- files -----------------------------------------------------------------------------------------------------

    @contextmanager
    def open_download(
        self,
        url: str,
        *,
        start: int = 0,
        end: int | None = None,
        validator: str | None = None,
        allow_html: bool = False,
    ) -> Iterator[Download]:
        """Open a file for reading, as a stream.

        The login goes along only to origins that the server trusts. Redirects are followed without any login, and not
        endlessly; one to a login page is an error. A file that is given out with a signature only is asked for with a
        fresh one, at each call.

        :param url: absolute, or relative to the server's address. Its query is never shown.
        :param start: first byte to ask for. A server may ignore that: see :attr:`Download.start`.
        :param end: last byte to ask for; by default, all.
        :param validator: ETag of the part that is already there; when the file has another by now, it comes whole.
        :param allow_html: whether the file may be a web page.
        :raises SizeMismatch: the file has no byte ``start``.
        :raises UnexpectedContent: a web page instead of a file.
        """
        headers = {}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end}"
            if validator:
                headers["If-Range"] = validator
        response, _ = self._open("GET", url, headers, (200, 206, 416))
        try:
            if response.status_code == 416:
                raise SizeMismatch(f"{addresses.shown(response.url)} has no byte {start}: it is shorter than expected.")
            count = self._transport.traffic.received
            yield Download(response, asked_start=start, allow_html=allow_html, count=count)
        finally:
            response.close()

    def head(self, url: str, *, headers: Mapping[str, str] | None = None, ok: Sequence[int] = (200,)) -> Response:
        """Ask for the headers of a file; URL, login and redirects as in :meth:`open_download`."""
        response, transport = self._open("HEAD", url, headers or {}, ok)
        transport.discard(response)
        return response

    def unchanged(self, url: str, md5: str) -> bool:
        """Tell whether a file has this MD5, for services that answer 304 to an ``If-None-Match`` with the plain digest.

        :param url: as in :meth:`open_download`.
        :param md5: hexadecimal.
        :raises NotFound: there is no such file.
        """
        # Opencast compares with the bare digest: an entity tag in quotes, as HTTP writes it, never matches.
        response, transport = self._open("GET", url, {"If-None-Match": md5.lower()}, (200, 304))
        if response.status_code == 304:
            transport.discard(response)
            return True
        response.close()
        return False

    def absolute(self, url: str) -> str:
        """Give the absolute form of a URL that may be relative to the server's address."""
        return urljoin(f"{self.base_url}/", url)

    def _open(self, method: str, url: str, headers: Mapping[str, str], ok: Sequence[int]) -> tuple[Response, Transport]:
        url = self.absolute(url)
        transport = self._transport.holding(url)
        call = Call(
            method,
            self._signer.address(url),
            ok=tuple(ok),
            # A compressed transfer would hide the length of the file, and a broken one could not be resumed.
            headers={"Accept-Encoding": "identity", **headers},
            credentials=transport.server.trusts(url),
            run_as=transport.server.run_as if transport is not self._transport else self.server.run_as,
        )
        for _ in range(_SIGNATURES):
            try:
                return open_file(transport, call), transport
            except ServerError as error:
                signed = self._signer.after_refusal(url, error)
                if signed is None:
                    raise
            call = replace(call, url=signed)
        return open_file(transport, call), transport

    # --- one request -----------------------------------------------------------------------------------------------

    def _form(
        self,
        method: str,
        path: str,
        data: Fields,
        *,
        ok: Sequence[int],
        params: Fields | None = None,
        idempotent: bool = True,
        read_timeout: float | None = None,
    ) -> Response:
        form = written_form(data)
        return self._perform(
            method,
            path,
            params=params,
            headers={"Content-Type": form.content_type},
            body=form.body,
            ok=ok,
            idempotent=idempotent,
            read_timeout=read_timeout,
        )

    def _perform(
        self,
        method: str,
        path: str,
        *,
        ok: Sequence[int],
        params: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | MultipartUpload | None = None,
        idempotent: bool = True,
        read_timeout: float | None = None,
        max_bytes: int = MAX_ANSWER,
    ) -> Response:
        if not path.startswith("/"):
            raise ValueError(f"{addresses.shown(path)!r} is no path of the server.")
        query = encoded(params or {})
        call = Call(
            method,
            f"{self.base_url}{path}{'?' + query if query else ''}",
            ok=tuple(ok),
            headers=dict(headers or {}),
            body=body,
            idempotent=idempotent,
            run_as=self.server.run_as,
            read_timeout=read_timeout,
        )
        return self._transport.perform(call, max_bytes=max_bytes)
