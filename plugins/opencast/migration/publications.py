"""Publications on their way: from what a channel run made to what is archived."""

from __future__ import annotations

from dataclasses import replace

from opencast.migration.runs import ENGAGE, ChannelRun, moved_ref
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
    kept = run.channel == ENGAGE
    ids: dict[str | None, str] = {
        source.id: (element.id if kept else source.id) or "" for element, source in paired if source is not None
    }
    elements = tuple(
        element if source is None else replace(element, id=ids[source.id] or element.id, ref=moved_ref(source.ref, ids))
        for element, source in paired
    )
    return replace(publication, elements=elements)


def placed_publication(manifest: MediaPackage, existing: MediaPackage | None, channel: str) -> MediaPackage:
    """Put the channel's present publication on the target into the package of a run that publishes it anew.

    The operation then retracts the files of the old one by itself; nothing is left behind in the distribution folder.

    :param existing: the target's package, or None when it has none yet.
    """
    present = None if existing is None else existing.publication(channel)
    return manifest if present is None else replace(manifest, publications=(present,))
