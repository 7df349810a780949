"""Publications in OAI-PMH repositories: the archive only names them, their elements are in the repository's records."""

from __future__ import annotations

from dataclasses import replace

from opencast.api.opencast import Opencast
from opencast.migration.runs import OAIPMH_PREFIX
from opencast.model.mediapackage import MediaPackage, Publication

#: Servers list their operations, but publish-oaipmh without its name (seen on 15 and 17): this one comes with it.
_SIBLING = "retract-oaipmh"


def is_repository(channel: str) -> bool:
    """Tell whether a channel is an OAI-PMH repository."""
    return channel.startswith(OAIPMH_PREFIX)


def repository_of(channel: str) -> str:
    """Return the name of the repository that a channel stands for."""
    return channel.removeprefix(OAIPMH_PREFIX)


class Repositories:
    """What a target can do with publications of OAI-PMH repositories; asked once for each of them."""

    def __init__(self, target: Opencast) -> None:
        self._target = target
        self._problems: dict[str, str] = {}

    def problem(self, repository: str) -> str:
        """Say why the target cannot publish to a repository; nothing when it can."""
        if repository not in self._problems:
            self._problems[repository] = self._look(repository)
        return self._problems[repository]

    def _look(self, repository: str) -> str:
        if _SIBLING not in self._target.info.operations():
            return "the target has no operations for OAI-PMH repositories"
        if not self._target.oaipmh.has(repository):
            return f"the target has no OAI-PMH repository {repository}"
        return ""


def shown_in_repositories(package: MediaPackage, server: Opencast) -> MediaPackage:
    """Return a package whose OAI-PMH publications have the elements that the server's repositories show."""
    publications = tuple(
        _shown(publication, package.id, server) if is_repository(publication.channel) else publication
        for publication in package.publications
    )
    return replace(package, publications=publications)


def _shown(publication: Publication, identifier: str, server: Opencast) -> Publication:
    if publication.elements:
        return publication
    base = (publication.url or "").partition("?")[0]
    record = server.oaipmh.mediapackage(repository_of(publication.channel), identifier, base=base)
    return publication if record is None else replace(publication, elements=record.elements)
