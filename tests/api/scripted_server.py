"""A web server on the loopback interface that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        fields = parse_qs(self.body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(self.body))
        return {name: values[-1] for name, values in fields.items()}


@dataclass(frozen=True)
class Answer:
    """One answer.

    :param length: value of Content-Length; None for the true one, "" for none at all.
    :param hang_up: close the connection without sending anything.
    :param reset: break the connection after the body instead of ending it.
    :param wait: do not answer before this is set.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: str | None = None
    hang_up: bool = False
    reset: bool = False
    wait: threading.Event | None = None


def json_answer(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "application/json"})


def xml_answer(text: str | bytes, status: int = 200) -> Answer:
    return Answer(status, text.encode() if isinstance(text, str) else text, {"Content-Type": "text/xml"})


def text_answer(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain"})


Script = Answer | Callable[[Request], Answer]


class ScriptedServer:
    """Answers by method and path; several answers to one path are given in turn, the last one again and again."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._scripts: dict[tuple[str, str], list[Script]] = {}
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": self}))
        self._http.daemon_threads = True
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def on(self, method: str, path: str, *answers: Script) -> ScriptedServer:
        """Script the answers to a path; a path with a query is looked for before the one without."""
        self._scripts[method, path] = list(answers)
        return self

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of one kind."""
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def count_connection(self) -> None:
        with self._lock:
            self.connections += 1

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for path in (request.target, request.path):
                scripts = self._scripts.get((request.method, path))
                if scripts:
                    script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
                    break
            else:
                return Answer(404, b"not in the script", {"Content-Type": "text/plain"})
        return script if isinstance(script, Answer) else script(request)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    script: ScriptedServer

    def setup(self) -> None:
        self.script.count_connection()
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().finish()

    def handle(self) -> None:
        # A client that went away is what some tests are about.
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.script.answer(Request(self.command, self.path, self.headers, body))
        if answer.wait:
            answer.wait.wait(10)
        self.close_connection = answer.hang_up or answer.reset or answer.length is not None
        if not answer.hang_up:
            self._send(answer)
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        length = str(len(answer.body)) if answer.length is None else answer.length
        if length and answer.status not in {204, 304}:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass
