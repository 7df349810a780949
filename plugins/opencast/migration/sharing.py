"""Publications that use the published files of another channel instead of files of their own."""

from __future__ import annotations

from dataclasses import replace

from opencast.model.mediapackage import Element, MediaPackage, Publication


def published_channel(element: Element) -> str:
    """Return the channel to which a published file was distributed, by its URL.

    It has the form ``.../<organization>/<channel>/<mediapackage>/<element>/<file>``; empty for any other.
    """
    folders = (element.url or "").partition("?")[0].split("/")
    return folders[-4] if len(folders) > 5 else ""


def base_channel(package: MediaPackage, publication: Publication) -> str | None:
    """Return the channel whose files a publication shares, or None when it has files of its own.

    Opencast's own workflows make such publications with ``with-published-elements``.
    """
    wanted = {_address(element) for element in publication.elements}
    if not wanted or any(published_channel(element) == publication.channel for element in publication.elements):
        return None
    for other in package.publications:
        own = {_address(element) for element in other.elements if published_channel(element) == other.channel}
        if other.channel != publication.channel and wanted <= own:
            return other.channel
    return None


def own_files(publication: Publication) -> Publication:
    """Return a publication with only those elements whose files were distributed to its own channel.

    Retracting the others would delete the files of the channel that they belong to: the server finds the file of a
    retracted element by its URL.
    """
    elements = tuple(e for e in publication.elements if published_channel(e) in {publication.channel, ""})
    return replace(publication, elements=elements)


def shared_publication(channel: str, base: Publication, url: str, mimetype: str) -> Publication:
    """Return a publication of another channel that shares the files of an existing one.

    :param url: of its page.
    """
    files = tuple(e for e in base.elements if published_channel(e) == base.channel and not e.is_streaming)
    return Publication(id=None, channel=channel, url=url, mimetype=mimetype, tags=base.tags, elements=files)


def _address(element: Element) -> str:
    return (element.url or "").partition("?")[0]
