"""What the production set-up reports to: a collector of OpenTelemetry metrics and a mail server, on 127.0.0.1."""

from __future__ import annotations

import gzip
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


class Collector:
    """Takes metrics as OTLP over HTTP, and keeps the last value of each name."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        #: Count and sum of each histogram by name, of the process that sent it last.
        self.histograms: dict[str, tuple[int, float]] = {}
        self.port = 0

    def take(self, path: str, body: bytes) -> None:
        """Note what one request of an exporter holds."""
        if not path.endswith("/v1/metrics"):
            return
        request = ExportMetricsServiceRequest.FromString(body)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    self.names.add(metric.name)
                    for point in (*metric.histogram.data_points, *metric.exponential_histogram.data_points):
                        self.histograms[metric.name] = (point.count, point.sum)


class Mailbox:
    """Takes mails by SMTP, without encryption or login."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.port = 0

    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a collector."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing of what is usual."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        found.port = port
        yield found


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server that keeps what it gets."""
    found = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mailbox ESMTP")
            for line in self.rfile:
                command = line.decode("latin-1").strip().upper()
                if command.startswith("DATA"):
                    self._say("354 go on")
                    found.mails.append(self._message())
                    self._say("250 kept")
                elif command.startswith("QUIT"):
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _message(self) -> EmailMessage:
            lines = []
            for line in self.rfile:
                if line.rstrip(b"\r\n") == b".":
                    break
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return message_from_bytes(b"".join(lines), policy=policy.default)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        found.port = port
        yield found


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
