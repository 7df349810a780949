"""What the three ways to the target have in common.

Each route takes one staged file to the place from which the target's import workflow reads it, and answers with the
url that the element must carry in the manifest.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol
from urllib.parse import quote

from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore

SentHow = Literal["present", "link", "reflink", "copy", "upload", "shared", "zip"]

#: Beginning of the mediapackage ids under which probe objects are sent; no event is ever made with them.
PROBE_PREFIX = "airflow-route-probe-"
PROBE_ELEMENT = "probe"
PROBE_FILE = "probe.txt"
#: What a url path may hold unescaped besides letters and digits (RFC 3986, pchar).
_URL_SAFE = "-._~!$&'()*+,;=:@"


@dataclass(frozen=True)
class SentFile:
    """One file where the target's workflow can read it.

    :param url: the url for the element in the manifest; for the zip route the path below the zip's root folder.
    :param how: ``present`` was there already with the same bytes; ``link`` shares the inode with staging;
        ``reflink`` shares blocks; ``copy`` was written; ``upload`` went over HTTP; ``shared`` was linked by the target
        from a file that it was sent before; ``zip`` will travel in the zip.
    :param bytes_written: media bytes written to the target's disk, or sent to it, by this call.
    :param note: why not in the best way, for the report; empty when it was the best way.
    """

    url: str
    how: SentHow
    bytes_written: int
    note: str = ""


@dataclass(frozen=True)
class RouteProbe:
    """Whether a route works, found by sending a probe object, reading it back and removing it.

    :param ok: whether the route can be used.
    :param reason: what was found, one sentence.
    :param advice: what the administrator can do; empty when nothing is to be done.
    :param how: how the probe object was sent; ``copy`` for the link route says that media bytes will be written.
    """

    ok: bool
    reason: str
    advice: str = ""
    how: SentHow | None = None


class Route(Protocol):
    """A way to the target."""

    def probe(self) -> RouteProbe:
        """Send a probe object, read it back, remove it; never raises for what the target or its storage refuse."""

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Bring one staged file to the target under the ids given; doing so again changes nothing.

        :param is_new: nothing was ever sent under these ids, so that nobody needs to be asked whether it is there.
        """

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Remove what this route left under ``files/`` for these elements; answer how many of them were there."""


class FileRepository(Protocol):
    """What is needed of the target's working file repository (``/files``)."""

    def base_uri(self) -> str:
        """Answer the url before ``/mediapackage/...`` (``GET /files/baseUri``)."""

    def put(self, mp_id: str, element_id: str, file_name: str, stream: BinaryIO, size: int, /) -> str:
        """Store a file in place of whatever the element had; answer its url."""

    def matches(self, mp_id: str, element_id: str, file_name: str, md5: str, /) -> bool:
        """Whether the element is there with this md5 (``If-None-Match``, answered with 304)."""

    def delete(self, mp_id: str, element_id: str, /) -> bool:
        """Remove the element's file; False when there was none."""


def file_url(base_uri: str, mp_id: str, element_id: str, name: str) -> str:
    """Answer the url of a file in the working file repository.

    :param base_uri: as the target itself gives it: elements below any other address are fetched over HTTP.
    """
    path = "/".join(quote(part, safe=_URL_SAFE) for part in (mp_id, element_id, name))
    return f"{base_uri.rstrip('/')}/mediapackage/{path}"


@contextmanager
def probe_object(store: ObjectStore) -> Iterator[tuple[str, StagedObject]]:
    """Put a small object that exists nowhere else into the store, and remove it afterwards.

    :returns: a mediapackage id for it, and the object.
    """
    token = uuid.uuid4().hex
    stored = store.put([f"Probe object of a migration, {token}; safe to remove.\n".encode()])
    try:
        yield PROBE_PREFIX + token, StagedObject(stored.digest.md5, stored.digest.size, stored.path, "present")
    finally:
        store.remove(stored.digest)
