"""Read one file from a server as a stream that is never silently too short, too long, or another thing than a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from requests import Response
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, IncompleteRead

from opencast.api import addresses, answers
from opencast.api.transport import Call, Transport
from opencast.errors import RedirectRefused, SizeMismatch, UnexpectedContent, Unreachable

#: Largest piece of a download in bytes. When a connection breaks, what came of the current piece is lost, so that with
#: larger ones a slow and shaky line would make no headway; smaller ones cost processor time.
PIECE = 128 * 1024
#: How many redirects are followed on the way to a file.
MAX_REDIRECTS = 5

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\s*$")
_WEB_PAGES = (".html", ".htm", ".xhtml")


def open_file(transport: Transport, call: Call) -> Response:
    """Ask for a file, and follow redirects: always without login, even when they lead back to the same server.

    :param call: how to ask for the first address.
    :returns: an answer of one of the statuses that the call allows, its body not read yet.
    :raises RedirectRefused: too many redirects.
    :raises UnexpectedContent: a redirect to something that is no http(s) address.
    """
    for _ in range(MAX_REDIRECTS + 1):
        response = transport.open(replace(call, ok=(*call.ok, *answers.REDIRECTS)))
        target = answers.redirect_target(response)
        if target is None and response.status_code in call.ok:
            return response
        transport.discard(response)
        if target is None or answers.is_login_page(target) or answers.is_forbidden_page(target):
            raise transport.error(response, b"", credentials=call.credentials)
        addresses.split(target)
        call = replace(call, url=target, credentials=False)
    raise RedirectRefused(
        f"{addresses.shown(call.url)} is reached after {MAX_REDIRECTS} redirects only.", url=addresses.shown(call.url)
    )


class Download:
    """The answer to a request for a file, its body not read yet.

    :param response: an answer of status 200 or 206 that was asked for as a stream.
    :param asked_start: first byte that was asked for.
    :param allow_html: whether a web page may be what is wanted.
    :param count: told the size of each piece.
    :raises UnexpectedContent: a web page instead of a file, a compressed body, another range than the one asked for, or
        an empty answer that a proxy in front of the server should have filled.
    """

    def __init__(
        self,
        response: Response,
        *,
        asked_start: int = 0,
        allow_html: bool = False,
        count: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self._response = response
        self._count = count
        #: URL without query.
        self.url = addresses.shown(response.url)
        self.status = response.status_code
        self.headers: CaseInsensitiveDict[str] = response.headers
        #: First byte that comes; 0 when the server does not do ranges, whatever was asked for.
        self.start = 0
        #: Size of the whole file; None when the server does not say.
        self.total: int | None = None
        #: Bytes that come with this answer; None when the server does not say.
        self.length = _content_length(response)
        self._check_content(allow_html=allow_html)
        if self.status == 206:
            self._read_range(asked_start)
        else:
            self.total = self.length

    def iter(self, chunk: int = PIECE) -> Iterator[bytes]:
        """Give the body piece by piece, in constant memory.

        :param chunk: largest size of a piece in bytes; pieces are never larger than :data:`PIECE`.
        :raises SizeMismatch: the body ends before its announced length.
        :raises Unreachable: the connection broke, or no byte came within the read time-out.
        """
        got = 0
        try:
            for piece in self._response.raw.stream(min(chunk, PIECE), decode_content=False):
                got += len(piece)
                self._count(len(piece))
                yield piece
        except (HTTPError, OSError) as error:
            causes = (error, *error.args, error.__cause__)
            if any(isinstance(cause, IncompleteRead) for cause in causes):
                raise self._ended_early(got) from None
            raise Unreachable(
                f"{self.url} broke off after {got} bytes ({type(error).__name__}).", url=self.url
            ) from None
        if self.length is not None and got != self.length:
            raise self._ended_early(got)

    def _ended_early(self, got: int) -> SizeMismatch:
        announced = "an unknown number of" if self.length is None else self.length
        return SizeMismatch(f"{self.url} stopped after {got} of {announced} bytes.")

    def _check_content(self, *, allow_html: bool) -> None:
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise UnexpectedContent(f"{self.url} came in the encoding {encoding} that was not asked for.", url=self.url)
        if not allow_html and answers.is_html(self._response) and not self.url.lower().endswith(_WEB_PAGES):
            raise UnexpectedContent(f"{self.url} is a web page instead of a file.", status=self.status, url=self.url)
        if self.length == 0 and any(name.lower().startswith("x-accel-") for name in self.headers):
            raise UnexpectedContent(
                f"{self.url} came without content, because a web server in front of Opencast has to fill it in.",
                status=self.status,
                url=self.url,
                advice="Use the address of that web server as the connection's host.",
            )

    def _read_range(self, asked_start: int) -> None:
        text = self.headers.get("Content-Range", "")
        found = _CONTENT_RANGE.match(text)
        first, last = (int(found[1]), int(found[2])) if found else (-1, -1)
        if not found or first != asked_start or self.length not in {None, last - first + 1}:
            raise UnexpectedContent(
                f"{self.url} answered with the range {answers.clean(text)!r} instead of all from byte {asked_start}.",
                status=self.status,
                url=self.url,
            )
        self.start = asked_start
        self.total = None if found[3] == "*" else int(found[3])
        self.length = last - first + 1


def _content_length(response: Response) -> int | None:
    text = response.headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
