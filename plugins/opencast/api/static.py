"""Published files, wherever they lie: the server's ``/static``, another node, a CDN."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from opencast.api.client import Client
from opencast.api.downloads import Download


@dataclass(frozen=True)
class Probe:
    """What a published file answers when its first byte is asked for.

    :param url: without query.
    :param size: of the whole file in bytes; None when the server does not say.
    :param ranges: whether the server can start in the middle of a file.
    :param etag: as sent; not a checksum of the content.
    """

    url: str
    size: int | None
    content_type: str
    ranges: bool
    etag: str


class StaticService:
    """Files of any URL. The login goes along to trusted hosts only."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def download(self, url: str, *, start: int = 0, allow_html: bool = False) -> AbstractContextManager[Download]:
        """Open a file for reading, see :meth:`opencast.api.client.Client.open_download`."""
        return self._client.open_download(url, start=start, allow_html=allow_html)

    def probe(self, url: str, *, allow_html: bool = False) -> Probe:
        """Read the first byte of a file, which proves more than its headers do: some servers answer HEAD from memory.

        :param allow_html: whether the file may be a web page.
        :raises NotFound: there is no such file.
        :raises UnexpectedContent: a web page, or nothing at all although the file is not empty.
        """
        with self._client.open_download(url, end=0, allow_html=allow_html) as download:
            _read_one(download)
            return Probe(
                url=download.url,
                size=download.total,
                content_type=download.headers.get("Content-Type", ""),
                ranges=download.status == 206,
                etag=download.headers.get("ETag", ""),
            )


def _read_one(download: Download) -> None:
    for _ in download.iter(1):
        return
