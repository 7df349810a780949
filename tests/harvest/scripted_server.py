"""A repository that gives prepared answers, byte by byte, on a socket of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from tests.harvest.conversations import Answer, Conversation, envelope


class ScriptedServer:
    """Answers one connection after the other; every answer closes its connection.

    ``Identify`` and ``ListMetadataFormats`` are answered by themselves, other requests by the script. When it is over,
    the server answers 500, and :attr:`surplus` counts.

    :param endless: whether it repeats its last answers instead, where the conversation says so.
    """

    def __init__(self, conversation: Conversation, *, endless: bool = False) -> None:
        self._conversation = conversation
        self._endless = conversation.endless if endless else 0
        self._last: list[Answer] = []
        self._script: list[Answer] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/oai"
        self.asked: list[dict[str, str]] = []
        self.wrong: list[str] = []
        self.surplus = 0

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone does not wake a thread that waits for a connection.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def play(self, answers: Sequence[Answer]) -> None:
        """Set the answers to the next requests."""
        self._script = list(answers)
        self._last = self._script[-self._endless :]

    @property
    def left(self) -> int:
        """Answers that nobody has asked for."""
        return len(self._script)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # A client that has seen enough closes its end at any moment.
            with connection, suppress(OSError):
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        head, _, form = request.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(form) < length:
            form += connection.recv(65536)
        query = form.decode() if form else urlsplit(head.split(b" ")[1].decode()).query
        answer, drops = self._answer(dict(parse_qsl(query)))
        connection.sendall(answer)
        if drops:
            # A reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        else:
            connection.shutdown(socket.SHUT_WR)

    def _answer(self, arguments: dict[str, str]) -> tuple[bytes, bool]:
        own = {"Identify": self._identify, "ListMetadataFormats": self._formats}.get(arguments.get("verb", ""))
        if own is not None:
            return _plain(envelope(own())), False
        self.asked.append(arguments)
        if not self._script and self._endless:
            self._script = list(self._last)
        if not self._script:
            self.surplus += 1
            return b"HTTP/1.1 500 Over\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False
        answer = self._script.pop(0)
        for name, value in answer.ask.items():
            if arguments.get(name) != (value or None):
                self.wrong.append(f"{name} is {arguments.get(name)!r} instead of {value!r}")
        head = answer.head[:-2] + b"Connection: close\r\n\r\n"
        return head.replace(b"{url}", self.url.encode()) + answer.body, answer.drops

    def _identify(self) -> str:
        return (
            "<Identify><repositoryName>Scripted</repositoryName><baseURL>http://127.0.0.1/oai</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>admin@example.org</adminEmail>"
            "<earliestDatestamp>2010-01-01T00:00:00Z</earliestDatestamp>"
            f"<deletedRecord>{self._conversation.deleted_record}</deletedRecord>"
            f"<granularity>{self._conversation.granularity}</granularity></Identify>"
        )

    def _formats(self) -> str:
        return (
            "<ListMetadataFormats><metadataFormat><metadataPrefix>oai_dc</metadataPrefix>"
            "<schema>http://www.openarchives.org/OAI/2.0/oai_dc.xsd</schema>"
            f"<metadataNamespace>{self._conversation.namespace}</metadataNamespace></metadataFormat></ListMetadataFormats>"
        )


def _plain(text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
