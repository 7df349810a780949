"""Carry out one request: log in, send, judge the answer, and try again while that helps."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from requests.exceptions import RequestException

from opencast.api import absence, addresses, answers, failures, retries
from opencast.api.connections import Connections
from opencast.api.server import Server
from opencast.api.traffic import Traffic
from opencast.api.uploads import MultipartUpload
from opencast.errors import Conflict, ServerError, ServiceMissing, Throttled

log = logging.getLogger(__name__)

#: An answer that is an error is read up to here; it is only quoted.
_MAX_ERROR = 64 * 1024
_READ = 64 * 1024
#: A service that answers everybody in no time: asked for a fresh Digest nonce before an upload, and in doubt whether
#: the server is still starting.
_CHEAP_PATH = "/info/me.json"


@dataclass
class Call:
    """One request, with all that is needed to send it several times.

    :param ok: statuses that are no error.
    :param body: None, bytes (also a form, already encoded) or a streamed upload.
    :param idempotent: whether sending it twice does the same as sending it once.
    :param credentials: whether login, organization and ``run_as`` go along; only to trusted origins.
    :param read_timeout: seconds; None for the server's own.
    """

    method: str
    url: str
    ok: tuple[int, ...] = (200,)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | MultipartUpload | None = None
    idempotent: bool = True
    credentials: bool = True
    run_as: str | None = None
    read_timeout: float | None = None

    def rewind(self) -> bool:
        """Make the body ready to be sent once more; False when it cannot be."""
        return self.body.rewind() if isinstance(self.body, MultipartUpload) else True


class Transport:
    """Sends calls to one server. Safe for several threads, as long as each call is used by one of them.

    :param sleep: waits between tries, in seconds.
    :param traffic: counters to share.
    """

    def __init__(
        self, server: Server, *, sleep: Callable[[float], None] = time.sleep, traffic: Traffic | None = None
    ) -> None:
        self.server = server
        self.traffic = traffic or Traffic()
        self._elsewhere = {other: Transport(other, sleep=sleep, traffic=self.traffic) for other in server.distribution}
        #: Texts that no message may hold.
        self.masked = (server.password,) if server.auth != "none" else ()
        self._connections = Connections(server)
        self._retries = retries.RetryPolicy(max_tries=server.max_tries, sleep=sleep)

    def holding(self, url: str) -> Transport:
        """Give the transport to the server that holds a file: a distribution server, or this one.

        :raises UnexpectedContent: no http(s) URL.
        """
        return self._elsewhere.get(self.server.holder(url), self)

    def perform(self, call: Call, *, max_bytes: int) -> requests.Response:
        """Carry out a call and read its answer's body.

        :raises ServerError: no answer, or another one than asked for.
        :raises UnexpectedContent: a body of more than ``max_bytes``.
        """
        return self._repeat(call, lambda response: self._read(response, max_bytes))

    def open(self, call: Call) -> requests.Response:
        """Carry out a call and leave its answer's body to be read as a stream; the caller closes it.

        :raises ServerError: no answer, or another one than asked for.
        """
        return self._repeat(call, lambda response: response)

    def discard(self, response: requests.Response) -> None:
        """Be done with an answer whose body does not matter; a short body is read, so that its connection is kept."""
        with contextlib.suppress(RequestException):
            self._read_up_to(response, _MAX_ERROR)

    def renew_nonce(self) -> None:
        """Before a streamed body: get a Digest nonce that will be accepted, so that the body need not be sent twice."""
        digest = self._connections.digest
        if digest is not None and not digest.is_fresh:
            digest.forget()
            self.perform(Call("GET", self.server.url + _CHEAP_PATH), max_bytes=_MAX_ERROR * 16)

    def close(self) -> None:
        """Close all connections."""
        for other in self._elsewhere.values():
            other.close()
        self._connections.close()

    def error(self, response: requests.Response, body: bytes, *, credentials: bool) -> ServerError:
        """Make the error for an answer that is not the one asked for."""
        sent = credentials and self.server.auth != "none"
        return answers.error_for(response, body, sent_credentials=sent, masked=self.masked)

    def _repeat(self, call: Call, finish: Callable[[requests.Response], requests.Response]) -> requests.Response:
        tries = 0
        while True:
            tries += 1
            problem, retry_after = self._try(call, finish, tries)
            if isinstance(problem, requests.Response):
                return problem
            if retry_after is None or not call.rewind() or not self._retries.wait(tries, retry_after):
                raise problem

    def _try(
        self, call: Call, finish: Callable[[requests.Response], requests.Response], tries: int
    ) -> tuple[requests.Response | ServerError, float | None]:
        """Send a call once.

        :returns: the answer; or the error with the seconds to wait at least before another try, None for no other try.
        """
        try:
            response = self._exchange(call)
            if response.status_code in call.ok:
                return finish(response), None
            problem = self._problem(call, response)
        except RequestException as error:
            again = retries.failure_worth_repeating(error, idempotent=call.idempotent)
            failure = failures.no_answer(
                call.method, call.url, error, tries=tries, idempotent=call.idempotent, masked=self.masked
            )
            return failure, 0.0 if again else None
        again = _is_worth_repeating(problem, response.status_code, idempotent=call.idempotent)
        wanted = problem.retry_after if isinstance(problem, Throttled) else None
        return problem, (wanted or 0.0) if again else None

    def _problem(self, call: Call, response: requests.Response) -> ServerError:
        """Make the error for an answer; where it may come from a server that starts, find out whether it does."""
        body = self._read_up_to(response, _MAX_ERROR)[0]
        problem = self.error(response, body, credentials=call.credentials)
        doubtful = not isinstance(problem, ServiceMissing) and absence.is_in_doubt(response, body)
        if doubtful and call.credentials and not self._is_ready():
            return answers.service_missing(response, answers.quote(body, masked=self.masked))
        return problem

    def _is_ready(self) -> bool:
        """Tell whether the server has its services, by the one that everybody may ask."""
        response = self._exchange(Call("GET", self.server.url + _CHEAP_PATH))
        body = self._read_up_to(response, _MAX_ERROR)[0]
        return response.status_code < 500 and not absence.is_service_away(response, body)

    def _exchange(self, call: Call) -> requests.Response:
        """Send a call, and once more when Digest's challenge was not known or has expired."""
        response = self._send(call)
        digest = self._connections.digest if call.credentials else None
        if digest is not None and response.status_code == 401 and digest.learn(response) and call.rewind():
            self._read_up_to(response, _MAX_ERROR)
            response = self._send(call)
        return response

    def _send(self, call: Call) -> requests.Response:
        request = requests.Request(call.method, call.url, headers=dict(call.headers), data=call.body)
        read = call.read_timeout or self.server.read_timeout
        connect = self.server.connect_timeout
        if isinstance(call.body, MultipartUpload):
            # urllib3 sends a body under the time-out of the connection, and a server that writes a large file to its
            # disk may stop taking bytes for longer than a connection should need.
            connect = max(connect, read)
        watch = self.traffic.watch
        if watch is not None:
            watch.before()
        started = time.monotonic()
        status = None
        try:
            response = self._connections.send(
                request, credentials=call.credentials, timeout=(connect, read), run_as=call.run_as
            )
            status = response.status_code
        finally:
            seconds = time.monotonic() - started
            self.traffic.sent(call.body.sent if isinstance(call.body, MultipartUpload) else len(call.body or b""))
            if watch is not None:
                watch.after(call.method, status, seconds)
        log.debug("%s %s: %d after %.3f s", call.method, addresses.shown(call.url), response.status_code, seconds)
        return response

    def _read(self, response: requests.Response, max_bytes: int) -> requests.Response:
        body, whole = self._read_up_to(response, max_bytes)
        # What Response.content does by itself when it is asked for the first time, but for any size.
        response._content = body
        if not whole:
            raise answers.unexpected(response, f"more than {max_bytes} bytes", masked=self.masked)
        return response

    def _read_up_to(self, response: requests.Response, max_bytes: int) -> tuple[bytes, bool]:
        body = bytearray()
        try:
            for piece in response.iter_content(_READ):
                self.traffic.received(len(piece))
                body += piece
                if len(body) > max_bytes:
                    return bytes(body[:max_bytes]), False
        finally:
            response.close()
        return bytes(body), True


def _is_worth_repeating(problem: ServerError, status: int, *, idempotent: bool) -> bool:
    """Tell whether another try may be answered better than with this error.

    An active workflow takes minutes, and is reported with a status that otherwise may pass at once; a missing service
    has done nothing, and its status is otherwise that of a missing object.
    """
    if isinstance(problem, ServiceMissing):
        return True
    if isinstance(problem, Conflict):
        return False
    return retries.worth_repeating(status, idempotent=idempotent)
