"""Read a mediapackage of the source as it is to be migrated: its archive, and whatever its publications lack there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opencast.api.addresses import path
from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.api.publications import ApiElement, ApiPublication
from opencast.errors import MigrationError, NotFound, ObjectGone, ServiceMissing
from opencast.migration.hls import Playlists, without_incomplete_sets
from opencast.migration.oaipmh import Repositories, is_repository, repository_of, shown_in_repositories
from opencast.migration.runs import ENGAGE
from opencast.migration.sharing import shared_publication
from opencast.model.event import EventRow
from opencast.model.flavor import Flavor
from opencast.model.mediapackage import Element, MediaPackage, Publication

#: The channel of the External API, and what its publications are.
API = "api"
_API_TYPE = "application/json"


@dataclass(frozen=True)
class SourcePackage:
    """A mediapackage of the source.

    :param xml: the package in full.
    :param version: names the state of the source's archive; None when it tells none.
    :param notes: what was left out of the package, or added to it, and why.
    """

    package: MediaPackage
    xml: bytes
    version: str | None
    notes: tuple[str, ...] = ()


class SourcePackages:
    """The mediapackages of one source, on their way to one target.

    :param with_api: whether events of the player get a publication for the External API when they have none.
    """

    def __init__(self, source: Opencast, target: Opencast, *, with_api: bool = False) -> None:
        self._source = source
        self._with_api = with_api
        self._repositories = Repositories(target)
        self.playlists = Playlists(source.client)

    def read(self, identifier: str) -> SourcePackage:
        """Read one mediapackage with all elements of its publications.

        :raises ObjectGone: the source does not have it (any more).
        """
        try:
            row = self._source.holdings.row(identifier)
            xml = self._source.holdings.package_xml(identifier)
        except NotFound as error:
            raise ObjectGone(f"Mediapackage {identifier} has no snapshot on the source (any more).") from error
        archived = MediaPackage.parse(xml, what=f"mediapackage {identifier}")
        if archived.id != identifier:
            raise MigrationError(f"The source answers mediapackage {archived.id} when it is asked for {identifier}.")
        notes: list[str] = []
        package = self._complete(archived, row, notes)
        if package is not archived:
            xml = package.to_xml()
        version = None if row.archive_version is None else str(row.archive_version)
        return SourcePackage(package, xml, version, tuple(notes))

    def _complete(self, package: MediaPackage, row: EventRow, notes: list[str]) -> MediaPackage:
        package = self._with_engage(package, row, notes)
        if not self._source.has(Feature.PUBLISHED_ELEMENTS_IN_ARCHIVE):
            package = self._with_listed_elements(package, notes)
        package = self._with_repositories(package, notes)
        package = self._without_broken_sets(package, notes)
        return self._with_external_api(package, notes) if self._with_api else package

    # --- what the archive does not hold ----------------------------------------------------------------------------

    def _with_engage(self, package: MediaPackage, row: EventRow, notes: list[str]) -> MediaPackage:
        """Take the elements of the player's publication from the search service where the archive holds none."""
        known = package.publication(ENGAGE)
        if known.elements if known is not None else ENGAGE not in row.publication_status:
            return package
        found = self._source.search.episode(package.id)
        if found is None or not found.elements:
            notes.append(f"The source lists the channel {ENGAGE} and its search service shows nothing of it.")
            return package
        notes.append(f"What was published to {ENGAGE} was taken from the source's search service.")
        publication = known or self._page(package.id)
        return _with_publication(package, replace(publication, elements=found.elements))

    def _with_listed_elements(self, package: MediaPackage, notes: list[str]) -> MediaPackage:
        """Take the elements of the other publications from the External API: archives before 11 hold none."""
        bare = [p for p in package.publications if not (p.elements or p.is_live or is_repository(p.channel))]
        if not bare:
            return package
        listed = {p.channel: p for p in self._listed(package.id)}
        for publication in bare:
            found = listed.get(publication.channel)
            if found is None or not found.elements:
                notes.append(f"The source shows no files of the publication {publication.channel}.")
                continue
            elements = tuple(_element(element) for element in found.elements)
            package = _with_publication(package, replace(publication, elements=elements))
            notes.append(f"What was published to {publication.channel} was taken from the source's External API.")
        return package

    def _listed(self, identifier: str) -> tuple[ApiPublication, ...]:
        try:
            return self._source.events.publications(identifier)
        except NotFound:
            return ()
        except ServiceMissing:
            if self._source.has(Feature.EXTERNAL_API):
                raise  # it is starting
            return ()

    def _page(self, identifier: str) -> Publication:
        url = self._source.client.base_url + path("/play", identifier)
        # The server tags whatever it hands out of its archive.
        return Publication(id=None, channel=ENGAGE, url=url, mimetype="text/html", tags=("archive",))

    def _with_repositories(self, package: MediaPackage, notes: list[str]) -> MediaPackage:
        """Take the elements of OAI-PMH publications from their records; leave out what the target has no place for."""
        wanted = [publication for publication in package.publications if is_repository(publication.channel)]
        missing = {
            publication.channel: problem
            for publication in wanted
            if (problem := self._repositories.problem(repository_of(publication.channel)))
        }
        notes.extend(f"The publication {channel} is not made again: {problem}." for channel, problem in missing.items())
        if missing:
            kept = tuple(p for p in package.publications if p.channel not in missing)
            package = replace(package, publications=kept)
        return shown_in_repositories(package, self._source) if len(missing) < len(wanted) else package

    def _without_broken_sets(self, package: MediaPackage, notes: list[str]) -> MediaPackage:
        complete, problems = without_incomplete_sets(package, self.playlists.read)
        notes.extend(problems)
        return complete if problems else package

    # --- what is asked for -----------------------------------------------------------------------------------------

    def _with_external_api(self, package: MediaPackage, notes: list[str]) -> MediaPackage:
        engage = package.publication(ENGAGE)
        if engage is None or engage.is_live or package.publication(API) is not None:
            return package
        url = self._source.client.base_url + path("/api/events", package.id)
        publication = shared_publication(API, engage, url, _API_TYPE)
        if not publication.elements:
            return package
        notes.append(f"The publication {API} was added as asked for; it shares the files of {ENGAGE}.")
        return _with_publication(package, publication)


def _element(listed: ApiElement) -> Element:
    """Make an element of what the External API says; it says nothing of the streams of a track."""
    return Element(
        listed.kind,
        id=listed.id,
        flavor=Flavor.parse(listed.flavor) if listed.flavor else None,
        ref=listed.ref or None,
        mimetype=listed.mimetype or None,
        tags=listed.tags,
        url=listed.url or None,
        size=listed.size,
        checksum=listed.checksum,
        live=listed.is_live or None,
    )


def _with_publication(package: MediaPackage, publication: Publication) -> MediaPackage:
    """Return a package with a publication in the place of the one of its channel, or behind the others."""
    others = package.publications
    if package.publication(publication.channel) is None:
        return replace(package, publications=(*others, publication))
    return replace(package, publications=tuple(publication if p.channel == publication.channel else p for p in others))
