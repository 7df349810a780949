"""What is taken from catalogs: a package's head, and the document of the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lxml import etree

from tests.simulator import clock, dublincore, policies
from tests.simulator.mediapackage import EPISODE, SERIES, XACML_EPISODE, XACML_SERIES, MediaPackage
from tests.simulator.policies import Acl
from tests.simulator.records import EventDocument
from tests.simulator.workspace import Unreachable

Read = Callable[[str | None], Path]
PREVIEW_SUBTYPE = "preview"


class UnreadableCatalog(ValueError):
    """A Dublin Core catalog is missing or no XML."""


def load(url: str | None, read: Read) -> dublincore.Catalog:
    """Read a catalog.

    :raises UnreadableCatalog: when that fails.
    """
    try:
        return dublincore.parse(read(url).read_bytes())
    except (Unreachable, OSError, etree.XMLSyntaxError) as error:
        raise UnreadableCatalog(f"Unable to load dublin core catalog {url}") from error


def populate(package: MediaPackage, read: Read) -> None:
    """Fill a package's head from its episode and series catalogs; a blank property leaves what is there.

    :raises UnreadableCatalog: when a catalog cannot be read.
    """
    for element in package.of_flavor(EPISODE, "catalog"):
        _from_episode(package, load(element.url, read))
    for element in package.of_flavor(SERIES, "catalog"):
        catalog = load(element.url, read)
        package.series_title = catalog.first("title") or package.series_title
        package.series = catalog.first("identifier") or package.series


def _from_episode(package: MediaPackage, catalog: dublincore.Catalog) -> None:
    package.title = catalog.first("title") or package.title
    package.series = catalog.first("isPartOf") or package.series
    period = catalog.period()
    date = period[0] if period else clock.parse(catalog.first("created") or "")
    package.start = clock.seconds(date) if date else package.start
    package.subjects = catalog.all("subject") or package.subjects
    package.contributors = catalog.all("contributor") or package.contributors
    # Unlike the other lists, creators that are there already stay.
    package.creators = package.creators or catalog.all("creator")
    package.license = catalog.first("license") or package.license
    package.language = catalog.first("language") or package.language


def policy(package: MediaPackage, flavor: str, read: Read) -> Acl | None:
    """Read a package's policy of one scope; one that cannot be read counts as none, and the last of several wins."""
    found = package.of_flavor(flavor, "attachment")
    if not found:
        return None
    try:
        return policies.from_xacml(read(found[-1].url).read_bytes())
    except (Unreachable, OSError, ValueError):
        return None


def active_acl(package: MediaPackage, read: Read, merge_mode: str = "override") -> Acl:
    """Give the effective rights: the episode's policy, else the series', else none.

    :param merge_mode: ``merge.mode`` of ``XACMLAuthorizationService``: with ``roles`` and ``actions`` the series'
        entries count too, for roles (or pairs of role and action) that the episode's policy does not name.
    """
    episode, series = policy(package, XACML_EPISODE, read), policy(package, XACML_SERIES, read)
    if episode is None or series is None or merge_mode == "override":
        return episode if episode is not None else series or ()
    if merge_mode == "roles":
        roles = {entry.role for entry in episode}
        return (*(entry for entry in series if entry.role not in roles), *episode)
    pairs = {(entry.role, entry.action) for entry in episode}
    return (*(entry for entry in series if (entry.role, entry.action) not in pairs), *episode)


def describe(document: EventDocument, package: MediaPackage, read: Read) -> EventDocument:
    """Bring an index document up to date with a delivered package.

    :raises UnreadableCatalog: when an episode catalog cannot be read, which makes the snapshot fail.
    """
    subtypes = {(e.flavor or "/").split("/")[1] for p in package.publications for e in p.elements}
    document = replace(
        document,
        channels=tuple(p.channel for p in package.publications),
        has_previews=PREVIEW_SUBTYPE in subtypes,
    )
    for element in package.of_flavor(EPISODE, "catalog"):
        document = describe_catalog(document, load(element.url, read))
    return document


def describe_catalog(document: EventDocument, catalog: dublincore.Catalog) -> EventDocument:
    """Bring an index document up to date with an episode catalog."""

    def first(name: str) -> str:
        return catalog.first(name) or ""

    created, period = clock.parse(first("created")) or clock.now(), catalog.period()
    return replace(
        document,
        title=first("title"),
        description=first("description"),
        subject=first("subject"),
        location=first("spatial"),
        language=first("language"),
        source=first("source"),
        series_id=first("isPartOf"),
        license=first("license"),
        rights=first("rightsHolder"),
        publisher=first("publisher"),
        created=created,
        start=period[0] if period else created,
        duration=int((period[1] - period[0]).total_seconds() * 1000) if period else document.duration,
        contributors=tuple(catalog.all("contributor")),
        presenters=tuple(catalog.all("creator")),
    )
