"""Send one OAI-PMH request and read its whole answer: bounded, unpacked, with named errors."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from opencast.api import addresses, answers, failures
from opencast.api.authentication import DigestAuth
from opencast.api.connections import Connections
from opencast.api.retries import http_date
from opencast.errors import AuthenticationFailed, OpencastError, RedirectRefused, Unreachable, UnreadablePage
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.limits import MAX_ERROR_BYTES

_READ = 256 * 1024
_GZIP = b"\x1f\x8b"
_MAX_REDIRECTS = 5
#: With these the method and the form stay the same; the others turn a POST into a GET (RFC 9110, section 15.4).
_KEEP_METHOD = frozenset({307, 308})
#: Error answers that say what they mean by their status alone.
_PLAIN_ERRORS = frozenset({401, 403, 429})
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 47}


class Answer(NamedTuple):
    """An answer that may hold an OAI-PMH document.

    :param charset: from the content type; None when it names none.
    :param date: the server's clock, from the ``Date`` header.
    """

    status: int
    body: bytes
    charset: str | None
    date: datetime | None


class Sender(Protocol):
    """Sends one HTTP request without following redirects; see :class:`opencast.api.connections.Connections`."""

    digest: DigestAuth | None

    def send(self, request: requests.Request, *, credentials: bool, timeout: tuple[float, float]) -> requests.Response:
        """Send and return as soon as the headers are there."""

    def close(self) -> None:
        """Close the connections."""


class Transport:
    """The way to one repository; used by one thread at a time.

    :param sender: the connections; opened for the endpoint by default.
    :param clock: monotonic seconds.
    """

    def __init__(
        self, endpoint: Endpoint, *, sender: Sender | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.endpoint = endpoint
        self._sender: Sender = sender or Connections(endpoint.server)
        self._clock = clock
        self._masked = (endpoint.password,)
        self.requests = 0
        self.bytes_read = 0

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def send(self, arguments: Mapping[str, str]) -> Answer:
        """Send arguments once, following redirects, and give the answer.

        Login and cookies go to the repository's own host only. An error status is an error, unless its body may be an
        OAI-PMH answer: some repositories answer an empty list with 404 or 422.

        :raises ServerError: no answer, or one that is an error by its status.
        :raises UnreadablePage: a body that is too large or cannot be unpacked.
        """
        method, url, form = self._first_request(arguments)
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._exchange(method, url, form)
            try:
                target = answers.redirect_target(response)
                if target is None:
                    return self._answer(response)
            finally:
                response.close()
            if answers.is_login_page(target):
                raise answers.error_for(response, b"", sent_credentials=True)
            if response.status_code not in _KEEP_METHOD and method == "POST":
                method, form = "GET", None
            url = _with_arguments(target, arguments) if method == "GET" else target
        raise RedirectRefused(
            f"{addresses.shown(self.endpoint.url)} redirects more than {_MAX_REDIRECTS} times.",
            advice="Set the repository's address to the final one.",
        )

    def _first_request(self, arguments: Mapping[str, str]) -> tuple[str, str, bytes | None]:
        if self.endpoint.http_method == "POST":
            return "POST", self.endpoint.url, urlencode(arguments).encode("ascii")
        return "GET", _with_arguments(self.endpoint.url, arguments), None

    def _exchange(self, method: str, url: str, form: bytes | None) -> requests.Response:
        response = self._send(method, url, form)
        digest = self._sender.digest
        if digest is not None and response.status_code == 401 and digest.learn(response):
            response.close()
            response = self._send(method, url, form)
        return response

    def _send(self, method: str, url: str, form: bytes | None) -> requests.Response:
        endpoint = self.endpoint
        headers = {"Accept": "text/xml, application/xml;q=0.9, */*;q=0.1", "Accept-Encoding": "gzip"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = requests.Request(method, url, headers=headers, data=form)
        self.requests += 1
        try:
            return self._sender.send(
                request,
                credentials=_may_log_in(endpoint, url),
                timeout=(endpoint.connect_timeout, endpoint.read_timeout),
            )
        except RequestException as error:
            raise failures.no_answer(method, url, error, tries=1, idempotent=True, masked=self._masked) from error

    def _answer(self, response: requests.Response) -> Answer:
        status = response.status_code
        if status != 200:
            body = self._body(response, MAX_ERROR_BYTES)
            if not (400 <= status < 500 and status not in _PLAIN_ERRORS and b"OAI-PMH" in body):
                raise self._error(response, body)
        else:
            body = self._body(response, self.endpoint.max_page_bytes)
        date = http_date(response.headers.get("Date", ""))
        return Answer(status, body, _charset(response), datetime.fromtimestamp(date, UTC) if date else None)

    def _error(self, response: requests.Response, body: bytes) -> OpencastError:
        if 200 <= response.status_code < 300:
            return UnreadablePage(f"The repository answered {response.status_code} instead of a page.")
        sent = self.endpoint.auth != "none"
        error = answers.error_for(response, body, sent_credentials=True, masked=self._masked)
        if isinstance(error, AuthenticationFailed) and not sent:
            error.advice = "The repository wants a login: give its settings a connection_id."
        return error

    def _body(self, response: requests.Response, limit: int) -> bytes:
        """Read the body as it was sent, then unpack it; both within the limit."""
        packed = bytearray()
        deadline = self._clock() + self.endpoint.page_timeout
        try:
            while piece := response.raw.read1(_READ, decode_content=False):
                packed += piece
                if len(packed) > limit:
                    raise _too_large(limit)
                if self._clock() > deadline:
                    raise Unreachable(f"The page was not complete after {self.endpoint.page_timeout:.0f} seconds.")
        except ReadTimeoutError:
            raise Unreachable("The repository stopped sending in the middle of a page.") from None
        except (HTTPError, OSError) as error:
            raise Unreachable(f"The connection broke in the middle of a page ({type(error).__name__}).") from None
        self.bytes_read += len(packed)
        return _unpacked(bytes(packed), response.headers.get("Content-Encoding", ""), limit)


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo the transfer's compression, also where it is not declared.

    A body that is declared as packed but begins like XML is taken as it is: the parser would notice anything else.
    """
    encoding = encoding.strip().lower()
    if body.startswith(_GZIP):
        return _inflated(body, 31, limit)
    if encoding in {"", "identity"} or body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or not body:
        return body
    if encoding not in _PACKED:
        raise UnreadablePage(f"The page is packed as {answers.clean(encoding)[:40]}, which was not asked for.")
    return _inflated(body, _PACKED[encoding], limit)


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    pages: list[bytes] = []
    room = limit
    while body:
        unpacker = zlib.decompressobj(window)
        try:
            page = unpacker.decompress(body, room + 1)
        except zlib.error as error:
            raise UnreadablePage(f"The packed page cannot be unpacked ({error}).") from None
        room -= len(page)
        if room < 0:
            raise _too_large(limit)
        if not unpacker.eof:
            raise UnreadablePage("The packed page ends too early.")
        pages.append(page)
        # RFC 1952, section 2.2: a gzip file may have several members; zeros after the last one are padding.
        body = unpacker.unused_data.lstrip(b"\0")
    return b"".join(pages)


def _too_large(limit: int) -> UnreadablePage:
    error = UnreadablePage(f"The page has more than {limit} bytes.", advice="Raise max_page_bytes if that is right.")
    error.retriable = False
    return error


def _with_arguments(url: str, arguments: Mapping[str, str]) -> str:
    """Add the arguments to a URL's query, unless it has them already, as a redirect's target may."""
    parts = urlsplit(url)
    query = urlencode(arguments)
    if "verb=" in parts.query:
        return url
    return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()


def _may_log_in(endpoint: Endpoint, url: str) -> bool:
    """Tell whether the login goes along: to the same host and port, or to the same host once it has moved to TLS."""
    here, there = urlsplit(endpoint.url), urlsplit(url)
    if addresses.origin(url) == endpoint.server.origin:
        return True
    default_ports = (here.port or 80, there.port or 443) == (80, 443)
    return here.hostname == there.hostname and (here.scheme, there.scheme) == ("http", "https") and default_ports


def _charset(response: requests.Response) -> str | None:
    for parameter in response.headers.get("Content-Type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None
