"""What a server of any version holds: the rows of its events, their archived packages, who may see them.

Since version 6 the list of events says everything (``/api/events``), and ``/assets`` has the packages. Before, the rows
lack series, status and language; before 4 the archive was another service; before 2.3 there was no list at all. There,
rows are put together out of each event's package and its episode catalog, so that a migration sees no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from opencast.api.assets import AssetsService
from opencast.api.client import Client
from opencast.api.events import EventsService
from opencast.api.legacy import LegacyArchiveService
from opencast.api.search import SearchHit
from opencast.api.workflows import WorkflowsService
from opencast.errors import InvalidAnswer, NotFound, OpencastError
from opencast.model.acl import Acl
from opencast.model.dublincore import DublinCore
from opencast.model.event import EventRow, EventStatus, status_of_workflow
from opencast.model.flavor import Flavor
from opencast.model.mediapackage import Element, MediaPackage
from opencast.model.moment import parse_moment
from opencast.model.workflow import WorkflowState

_EPISODE = Flavor("dublincore", "episode")
_POLICIES = (Flavor("security", "xacml+episode"), Flavor("security", "xacml+series"))
#: The asset manager puts this tag on all that it hands out; the archives before it did not.
_TAG = "archive"
_VERSION = re.compile(r"/archive/mediapackage/[^/]+/[^/]+/(\d+)/")
#: A catalog or a policy larger than this (bytes) is none.
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class UnreadableEvent:
    """An event that is listed and cannot be understood; the others are read nevertheless."""

    identifier: str
    reason: str


Found = EventRow | UnreadableEvent


class Holdings:
    """The events of a server since version 6."""

    def __init__(self, events: EventsService, assets: AssetsService) -> None:
        self._events = events
        self._assets = assets

    def rows(self) -> Iterator[Found]:
        """List all events, each once."""
        return (_read(row) for row in self._events.rows())

    def rows_since(self, start: datetime) -> Iterator[Found]:
        """List at least the events that start at a moment or later.

        :param start: aware.
        """
        return (_read(row) for row in self._events.rows_since(start))

    def row(self, event_id: str) -> EventRow:
        """Get the row of one event.

        :raises NotFound: the server does not have it.
        """
        return self._events.get(event_id)

    def package_xml(self, event_id: str) -> bytes:
        """Get the latest archived mediapackage.

        :raises NotFound: nothing is archived under this id.
        """
        return self._assets.episode_xml(event_id)

    def find(self, event_id: str) -> MediaPackage | None:
        """Get the latest archived mediapackage, or None when nothing is archived under this id."""
        try:
            return MediaPackage.parse(self.package_xml(event_id), what=f"the archive's mediapackage {event_id}")
        except NotFound:
            return None

    def acl(self, event_id: str) -> Acl:
        """Get the access list that is in force.

        :raises NotFound: the server does not know the event.
        """
        return self._events.acl(event_id)


class BareHoldings(Holdings):
    """The events of versions 4 and 5: the list has the ids and states, all else is in the packages."""

    def __init__(self, client: Client, events: EventsService, assets: AssetsService) -> None:
        super().__init__(events, assets)
        self._client = client

    def rows(self) -> Iterator[Found]:
        """List all events, each once, with one request more for each, and one for its catalog."""
        for listed in self._events.bare_rows():
            yield _guarded(str(listed.get("identifier", "")), partial(self._completed, listed))

    def rows_since(self, start: datetime) -> Iterator[Found]:
        """List all events: these versions cannot be asked for a range."""
        return self.rows()

    def row(self, event_id: str) -> EventRow:
        """Get the row of one event, with what its package says."""
        return self._whole(self._events.get(event_id))

    def _completed(self, listed: Mapping[str, object]) -> EventRow:
        return self._whole(EventRow.parse(listed))

    def _whole(self, listed: EventRow) -> EventRow:
        state = listed.processing_state
        # Without a workflow it may be planned only; who looks at what is scheduled finds out.
        is_plan = not state and not listed.publication_status
        known = EventStatus.SCHEDULED.value if is_plan else status_of_workflow(state)
        package = self.find(listed.identifier)
        if package is None:
            return replace(listed, status=known)
        described = described_row(self._client, package)
        return replace(
            described,
            creator=listed.creator,
            status=known,
            processing_state=state,
            archive_version=listed.archive_version,
            publication_status=listed.publication_status,
        )


class OldHoldings(Holdings):
    """The events of versions before 4, as their archive has them. What was planned only is kept in another service."""

    def __init__(
        self,
        client: Client,
        events: EventsService,
        assets: AssetsService,
        archive: LegacyArchiveService,
        workflows: WorkflowsService,
    ) -> None:
        super().__init__(events, assets)
        self._client = client
        self._archive = archive
        self._workflows = workflows

    def rows(self) -> Iterator[Found]:
        """List all archived events, each once, with one request for each, for its catalog."""
        states = self._workflows.active()
        for hit in self._archive.episodes():
            yield _guarded(hit.identifier, partial(self._listed, hit, states.get(hit.identifier)))

    def rows_since(self, start: datetime) -> Iterator[Found]:
        """List all archived events: the archive cannot be asked for a range."""
        return self.rows()

    def row(self, event_id: str) -> EventRow:
        """Get the row of one event."""
        return self._row(self._archive.episode(event_id), self._workflows.active(event_id).get(event_id))

    def package_xml(self, event_id: str) -> bytes:
        """Get the latest archived mediapackage, tagged as the asset manager would hand it out."""
        package = self._archive.episode(event_id)
        return replace(
            package,
            elements=tuple(replace(element, tags=_tagged(element.tags)) for element in package.elements),
            publications=tuple(replace(p, tags=_tagged(p.tags)) for p in package.publications),
        ).to_xml()

    def acl(self, event_id: str) -> Acl:
        """Work out the access list in force: the event's own policy, without one the series', without both nobody's.

        :raises InvalidAcl: a policy that cannot be read.
        """
        package = self._archive.episode(event_id)
        for flavor in _POLICIES:
            found = [element for element in package.attachments if element.flavor == flavor]
            if found:
                return Acl.from_xacml(_content(self._client, found[-1]), what=f"the policy of event {event_id}")
        return Acl()

    def _listed(self, hit: SearchHit, state: WorkflowState | None) -> EventRow:
        return self._row(hit.package(), state)

    def _row(self, package: MediaPackage, state: WorkflowState | None) -> EventRow:
        state_name = "" if state is None else state.value
        return replace(
            described_row(self._client, package),
            status=status_of_workflow(state_name),
            processing_state=state_name,
            archive_version=_version(package),
            publication_status=tuple(publication.channel for publication in package.publications),
        )


def described_row(client: Client, package: MediaPackage) -> EventRow:
    """Make the row of an event out of its package and its episode catalog.

    :raises InvalidDublinCore: a catalog that cannot be read.
    """
    catalogs = [element for element in package.catalogs if element.flavor == _EPISODE]
    catalog = DublinCore()
    if catalogs:
        what = f"the catalog of event {package.id}"
        catalog = DublinCore.parse(_content(client, catalogs[0]), what=what)
    return EventRow(
        identifier=package.id,
        title=catalog.text("title") or package.title or "",
        created=parse_moment(catalog.text("created")) or package.start_time,
        start=package.start_time,
        duration=package.duration,
        series=package.series or None,
        series_title=package.series_title or "",
        presenters=_texts(catalog, "creator") or package.creators,
        contributors=_texts(catalog, "contributor") or package.contributors,
        subjects=_texts(catalog, "subject") or package.subjects,
        location=catalog.text("spatial"),
        language=catalog.text("language") or package.language or "",
        rightsholder=catalog.text("rightsHolder"),
        license=catalog.text("license") or package.license or "",
        source=catalog.text("source"),
        description=catalog.text("description"),
    )


def _texts(catalog: DublinCore, term: str) -> tuple[str, ...]:
    return tuple(value.value for value in catalog.all(term))


def _content(client: Client, element: Element) -> bytes:
    data = bytearray()
    with client.open_download(element.url or "") as download:
        for piece in download.iter():
            data += piece
            if len(data) > _LARGEST:
                raise InvalidAnswer(f"{element.kind.value} {element.id} is larger than {_LARGEST} bytes.")
    return bytes(data)


def _version(package: MediaPackage) -> int | None:
    """Read the version of the archive out of the URLs that it gives the elements."""
    found = (_VERSION.search(element.url or "") for element in package.elements)
    return next((int(match[1]) for match in found if match), None)


def _tagged(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tags if _TAG in tags else tuple(sorted((*tags, _TAG)))


def _read(row: Mapping[str, object]) -> Found:
    return _guarded(str(row.get("identifier", "")), partial(EventRow.parse, row))


def _guarded(identifier: str, read: Callable[[], EventRow]) -> Found:
    try:
        return read()
    except OpencastError as error:
        if error.retriable:
            raise
        return UnreadableEvent(identifier[:200], error.message)
