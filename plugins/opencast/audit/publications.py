"""Check what one server has published: every publication is there, its files answer, the player's index is sound."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from opencast.api.opencast import Opencast
from opencast.audit.events import EVENT
from opencast.errors import NotFound, OpencastError, ServerError
from opencast.migration.runs import ENGAGE
from opencast.model.event import EventRow
from opencast.model.mediapackage import Element, MediaPackage, Publication
from opencast.store.audits import Check, Finding, Outcome

log = logging.getLogger(__name__)


class PublicationCheck:
    """Check the publications of one server.

    :param check: says which server it is.
    """

    def __init__(self, opencast: Opencast, check: Check) -> None:
        self._opencast = opencast
        self._check = check

    def event(self, row: EventRow) -> Finding | None:
        """Check one event; None when nothing of it is published."""
        try:
            package = self._opencast.holdings.find(row.identifier)
            channels = set(row.publication_status)
            if package is not None:
                channels |= {publication.channel for publication in package.publications}
            if not channels:
                return None
            problems = list(self._problems(row, package))
        except OpencastError as error:
            problems = [error.message]
        return self._finding(row.identifier, row.title, problems)

    def index(self, rows: dict[str, EventRow]) -> Iterator[Finding]:
        """Compare the player's index with the archive and the list of events; only what is wrong is a finding.

        :param rows: the events that the server lists, by id.
        """
        seen: set[str] = set()
        for hit in self._opencast.search.episodes():
            seen.add(hit.identifier)
            problem = self._index_problem(hit.identifier)
            if problem:
                row = rows.get(hit.identifier)
                yield self._finding(hit.identifier, row.title if row else "", [problem], kind="index")
        for identifier, row in sorted(rows.items()):
            if ENGAGE in row.publication_status and identifier not in seen:
                problem = f"it is published on {ENGAGE}, and not in the player's index"
                yield self._finding(identifier, row.title, [problem], kind="index")

    def _index_problem(self, identifier: str) -> str:
        try:
            if self._opencast.holdings.find(identifier) is None:
                return "it is in the player's index, and nothing of it is archived"
        except OpencastError as error:
            return f"it is in the player's index, and its archive cannot be read: {error.message}"
        return ""

    def _problems(self, row: EventRow, package: MediaPackage | None) -> Iterator[str]:
        if package is None:
            yield f"it is published ({', '.join(sorted(row.publication_status))}), and nothing of it is archived"
            return
        held = {publication.channel for publication in package.publications}
        yield from (f"the list names the publication {channel}, which its archive has not"
                    for channel in sorted(set(row.publication_status) - held))  # fmt: skip
        yield from (f"its archive has the publication {channel}, which the list does not name"
                    for channel in sorted(held - set(row.publication_status)))  # fmt: skip
        for publication in package.publications:
            yield from self._file_problems(publication)

    def _file_problems(self, publication: Publication) -> Iterator[str]:
        for element in publication.elements:
            if element.is_live or element.is_streaming:
                continue
            problem = self._file_problem(element)
            if problem:
                yield f"{publication.channel}: {element.kind.value} {element.id} ({element.flavor}) {problem}"

    def _file_problem(self, element: Element) -> str:
        if not element.url:
            return "has no URL"
        try:
            size = self._opencast.static.probe(element.url).size
        except NotFound:
            return "is missing"
        except ServerError as error:
            return f"cannot be read: {error.message}"
        if element.size and size is not None and size != element.size:
            return f"has {size} bytes instead of {element.size}"
        return ""

    def _finding(self, identifier: str, title: str, problems: list[str], *, kind: str = EVENT) -> Finding:
        outcome = Outcome.BROKEN if problems else Outcome.SOUND
        detail = problems[0] if problems else ""
        return Finding(self._check, kind, identifier, title, outcome, detail, len(problems), tuple(problems[1:]))
