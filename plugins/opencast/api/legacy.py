"""The archives of old servers: ``/archive`` (2.x and 3.0) and ``/episode`` (1.6), where ``/assets`` is today."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.api.features import Feature
from opencast.api.search import SearchHit
from opencast.errors import InvalidAnswer, NotFound
from opencast.model.identifiers import check_mediapackage_id
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import parse_xml

_PACKAGE = "{http://mediapackage.opencastproject.org}mediapackage"
#: Asked for at once: the paging of these services is documented in two ways.
_ALL = 2**31 - 1
_LARGEST_LIST = 256 * 1024 * 1024


class LegacyArchiveService:
    """The archive of a server before 4.0. Files are read from the URLs in the mediapackages, as with newer ones.

    :param major: major version of the server.
    """

    def __init__(self, client: Client, *, major: int) -> None:
        self._client = client
        self._service = "/episode" if Feature.EPISODE_ARCHIVE.is_in(major) else "/archive"

    def episode_xml(self, event_id: str) -> bytes:
        """Get the latest archived mediapackage (``GET /archive/archive/mediapackage/{id}``).

        :raises NotFound: nothing is archived under this id.
        """
        return self._client.get_xml(path(f"{self._service}/archive/mediapackage", event_id))

    def episode(self, event_id: str) -> MediaPackage:
        """Get the latest archived mediapackage.

        :raises NotFound: nothing is archived under this id.
        :raises ModelError: it cannot be understood.
        """
        return MediaPackage.parse(self.episode_xml(event_id), what=f"the archive's mediapackage {event_id}")

    def find(self, event_id: str) -> MediaPackage | None:
        """Get the latest archived mediapackage, or None when nothing is archived under this id."""
        try:
            return self.episode(event_id)
        except NotFound:
            return None

    def episodes(self) -> Iterator[SearchHit]:
        """List the latest version of all archived mediapackages, each once (``GET /archive/episode.xml``)."""
        data = self._client.get_xml(
            f"{self._service}/episode.xml",
            params={"limit": _ALL, "onlyLatest": True, "admin": True},
            max_bytes=_LARGEST_LIST,
        )
        root = parse_xml(data, what=f"{self._service}/episode.xml", max_bytes=_LARGEST_LIST)
        if etree.QName(root).localname != "search-results":
            raise InvalidAnswer(f"{self._service}/episode.xml is no list of results.")
        seen: set[str] = set()
        for result in root.iterfind("{*}result"):
            identifier = check_mediapackage_id(result.get("id", ""))
            package = result.find(_PACKAGE)
            if package is not None and identifier not in seen:
                seen.add(identifier)
                yield SearchHit(identifier, etree.tostring(package, encoding="UTF-8", with_tail=False))
