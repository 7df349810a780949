"""A fast OAI-PMH server for measurements, in a process of its own: any number of records like those of Opencast."""

from __future__ import annotations

import multiprocessing
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

_START = datetime(2020, 1, 1, tzinfo=UTC)
_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
_INLINED = "http://www.opencastproject.org/oai/matterhorn-inlined"

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<OAI-PMH xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns="http://www.openarchives.org/OAI/2.0/">\n  <responseDate>2026-11-22T12:00:00Z</responseDate>\n'
    "  <request>http://127.0.0.1/oaipmh/default</request>\n"
)
_SMALL = (
    "    <record>\n      <header>\n        <identifier>{id}</identifier>\n        <datestamp>{stamp}</datestamp>\n"
    '      </header>\n      <metadata>\n        <oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Lecture {number}</dc:title></oai_dc:dc>\n'
    "      </metadata>\n    </record>\n"
)
_LARGE = """    <record>
      <header>
        <identifier>{id}</identifier>
        <datestamp>{stamp}</datestamp>
      </header>
      <metadata>
        <inlined xmlns="http://www.opencastproject.org/oai/matterhorn-inlined">
          <mediapackage xmlns="http://mediapackage.opencastproject.org" duration="6014" id="{id}"
                        start="2022-03-02T10:00:00Z">
            <title>Lecture {number}</title>
            <series>series-{series}</series>
            <seriestitle>Series {series}</seriestitle>
            <creators>
              <creator>Ada Lovelace</creator>
            </creators>
            <media>
              <track id="t-{id}" ref="track:e196d95d" type="presentation/delivery">
                <mimetype>video/mp4</mimetype>
                <tags>
                  <tag>engage-download</tag>
                </tags>
                <url>http://127.0.0.1:8080/static/mh_default_org/oaipmh-default/{id}/e2108b32/cam.mp4</url>
                <size>76115</size>
                <checksum type="md5">0ab39e209041787a92463e54ed203c13</checksum>
                <duration>6014</duration>
                <video id="video-1">
                  <encoder type="H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10"/>
                  <framerate>25.0</framerate>
                  <resolution>640x360</resolution>
                </video>
                <live>false</live>
              </track>
            </media>
          </mediapackage>
          <catalog type="dublincore/episode">
            <dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" xmlns:dcterms="http://purl.org/dc/terms/">
              <dcterms:created xsi:type="dcterms:W3CDTF">2022-03-02T10:00:00Z</dcterms:created>
              <dcterms:creator>Ada Lovelace</dcterms:creator>
              <dcterms:identifier>{id}</dcterms:identifier>
              <dcterms:isPartOf>series-{series}</dcterms:isPartOf>
              <dcterms:title>Lecture {number}</dcterms:title>
              <dcterms:description>What lecture {number} of the series is about</dcterms:description>
            </dublincore>
          </catalog>
        </inlined>
      </metadata>
    </record>
"""


class _Library:
    def __init__(self, count: int, page_size: int, large: bool) -> None:
        self.count = count
        self.page_size = page_size
        self.template = _LARGE if large else _SMALL
        self.namespace = _INLINED if large else _DC
        self.page = lru_cache(maxsize=1000)(self._page)

    def answer(self, arguments: dict[str, str]) -> bytes:
        verb = arguments.get("verb")
        if verb == "Identify":
            return self._plain(
                "<Identify><repositoryName>Measured</repositoryName><baseURL>http://127.0.0.1/</baseURL>"
                "<protocolVersion>2.0</protocolVersion><adminEmail>a@example.org</adminEmail>"
                "<earliestDatestamp>2010-01-01</earliestDatestamp><deletedRecord>transient</deletedRecord>"
                "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
            )
        if verb == "ListMetadataFormats":
            return self._plain(
                "<ListMetadataFormats><metadataFormat><metadataPrefix>measured</metadataPrefix><schema>x</schema>"
                f"<metadataNamespace>{self.namespace}</metadataNamespace></metadataFormat></ListMetadataFormats>"
            )
        token = arguments.get("resumptionToken")
        first, last = (int(number) for number in token.split("-")) if token else self._borders(arguments)
        if first >= last:
            return self._plain('<error code="noRecordsMatch"/>')
        return self.page(first, last)

    def _borders(self, arguments: dict[str, str]) -> tuple[int, int]:
        """One record a second, the first one at the beginning of 2020."""
        first, last = (self._second(arguments.get(name)) for name in ("from", "until"))
        return max(0, first or 0), self.count if last is None else min(self.count, last + 1)

    @staticmethod
    def _second(text: str | None) -> int | None:
        return int((datetime.fromisoformat(text) - _START).total_seconds()) if text else None

    def _page(self, first: int, last: int) -> bytes:
        end = min(first + self.page_size, last)
        records = "".join([self._record(number) for number in range(first, end)])
        token = f"{end}-{last}" if end < last else ""
        return self._plain(
            f"  <ListRecords>\n{records}    <resumptionToken>{token}</resumptionToken>\n  </ListRecords>\n"
        )

    def _record(self, number: int) -> str:
        stamp = (_START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        # Ids as Opencast makes them come in no order.
        identifier = f"{number * 2654435761 % 2**32:08x}-3ca3-4d57-9a0c-{number:012x}"
        return self.template.format(id=identifier, stamp=stamp, number=number, series=number // 30)

    @staticmethod
    def _plain(content: str) -> bytes:
        return f"{_HEAD}{content}</OAI-PMH>\n".encode()


def _serve(pipe: Any, count: int, page_size: int, large: bool) -> None:
    library = _Library(count, page_size, large)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                query = parse_qs(urlsplit(line.split(b" ")[1].decode()).query)
                body = library.answer({name: values[0] for name, values in query.items()})
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        pipe.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def serving(count: int, page_size: int, *, large: bool = True) -> Iterator[str]:
    """Serve records and give the base URL; all pages are made before, as far as memory allows.

    :param large: records of Opencast of about 2 kB; otherwise Dublin Core of 0.5 kB.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, count, page_size, large), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/oai"
    finally:
        process.terminate()
        process.join()
