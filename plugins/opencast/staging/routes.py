"""What the three ways to the target have in common: link, upload, zip.

Each route takes one staged file to the place from which the target's import workflow reads it, and answers with
the url that the element must carry in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from opencast.staging.source import StagedObject

SentHow = Literal["present", "link", "reflink", "copy", "upload", "zip"]


@dataclass(frozen=True)
class SentFile:
    """One file where the target's workflow can read it.

    :param url: the url for the element in the manifest; for the zip route the path below the zip's root folder.
    :param how: ``present`` was there already with the same bytes; ``link`` shares the inode with staging;
        ``reflink`` shares blocks; ``copy`` was written; ``upload`` went over HTTP; ``zip`` travels in the zip.
    :param bytes_written: media bytes written to the target's disk or sent to it (0 for present and link).
    :param note: why not the best way, for the report; empty when it was the best way.
    """

    url: str
    how: SentHow
    bytes_written: int
    note: str = ""


@dataclass(frozen=True)
class RouteProbe:
    """Whether a route works, found by sending a small probe object, reading it back and removing it.

    :param ok: whether the route can be used.
    :param reason: what was found, one sentence.
    :param advice: what the administrator can do; empty when nothing is needed.
    """

    ok: bool
    reason: str
    advice: str = ""


class Route(Protocol):
    """A way to the target."""

    def probe(self) -> RouteProbe:
        """Send a probe object, read it back, remove it."""

    def send(self, mp_id: str, element_id: str, file_name: str, staged: StagedObject) -> SentFile:
        """Bring one staged file to the target under the ids given."""

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Remove what this route left under ``files/`` for these elements; answer how many were there."""
