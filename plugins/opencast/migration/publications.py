"""Publications on their way: from what a channel run made to what is archived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from opencast.errors import MigrationError
from opencast.migration.runs import ENGAGE, ChannelRun, channel_package, moved_ref
from opencast.migration.sharing import own_files
from opencast.migration.verification import published_key
from opencast.model.mediapackage import MediaPackage, Publication


def restored_publication(made: Publication, run: ChannelRun) -> Publication:
    """Give a publication that the target made the id, tags and references that it has on the source.

    The elements of ``engage-player`` keep the ids that the target gave them, because its search index holds the
    same; those of other channels get the source's. The operation itself points references between published elements
    to ids that it throws away in the next moment, so they are set anew.

    :param made: as the channel run left it.
    """
    publication = replace(made, id=run.publication.id or made.id, tags=run.publication.tags)
    sources = {
        (element.source.kind.value, element.element_id, element.file_name): element.source for element in run.elements
    }
    paired = [(element, sources.get(published_key(element))) for element in publication.elements]
    kept = ENGAGE in {run.channel, run.shares}
    ids: dict[str | None, str] = {
        source.id: (element.id if kept else source.id) or "" for element, source in paired if source is not None
    }
    elements = tuple(
        element if source is None else replace(element, id=ids[source.id] or element.id, ref=moved_ref(source.ref, ids))
        for element, source in paired
    )
    return replace(publication, elements=elements)


def in_source_order(publications: Iterable[Publication], package: MediaPackage) -> tuple[Publication, ...]:
    """Return publications in the order in which the source's package has them."""
    order = {publication.channel: number for number, publication in enumerate(package.publications)}
    return tuple(sorted(publications, key=lambda publication: order.get(publication.channel, len(order))))


def channel_manifest(
    package: MediaPackage,
    run: ChannelRun,
    urls: Mapping[str, str],
    made: Iterable[Publication],
    existing: MediaPackage | None,
) -> MediaPackage:
    """Return the package that is sent to publish one channel.

    :param urls: the target's URL of each element's file, by ``RunElement.key``.
    :param made: the publications that the runs before this one made.
    :param existing: the target's package, or None when it has none yet.
    """
    if run.repository is not None:
        # The repository's record shows the publications of the package, and retracts an older one by itself.
        return replace(channel_package(package, run, urls), publications=tuple(made))
    if run.shares:
        return replace(package, elements=(), publications=(_shared_files(run, made),))
    return placed_publication(channel_package(package, run, urls), existing, run.channel)


def _shared_files(run: ChannelRun, made: Iterable[Publication]) -> Publication:
    """Return the publication whose files are shared, with exactly the elements that are wanted: all are selected."""
    base = next((publication for publication in made if publication.channel == run.shares), None)
    if base is None:
        raise MigrationError(f"The publication {run.channel} shares files of {run.shares}, which was not published.")
    wanted = {(element.source.kind.value, element.element_id, element.file_name) for element in run.elements}
    return replace(base, elements=tuple(element for element in base.elements if published_key(element) in wanted))


def placed_publication(manifest: MediaPackage, existing: MediaPackage | None, channel: str) -> MediaPackage:
    """Put the channel's present publication on the target into the package of a run that publishes it anew.

    The operation then retracts the files of the old one by itself; nothing is left behind in the distribution folder.
    Files that it shares with another channel stay out: they would be deleted there.

    :param existing: the target's package, or None when it has none yet.
    """
    present = None if existing is None else existing.publication(channel)
    return manifest if present is None else replace(manifest, publications=(own_files(present),))
