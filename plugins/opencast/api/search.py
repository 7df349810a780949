"""What the player may show: the index of published episodes (``/search``), which became another one in version 16.

Until 15 there is XML, and the only complete package is a text in it (``ocMediapackage``). Since 16 there is only JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from opencast.api import fields, search_package
from opencast.api.client import Client
from opencast.api.features import Feature
from opencast.errors import InvalidAnswer
from opencast.model.identifiers import check_mediapackage_id
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import parse_xml

#: Rows of one request. Who is no admin gets an error for more than 250 since 16.
_PAGE = 200
_RESULTS = "{http://search.opencastproject.org}"
_PACKAGE = "{http://mediapackage.opencastproject.org}mediapackage"


@dataclass(frozen=True)
class SearchHit:
    """One published episode.

    :param identifier: checked.
    :param xml: its mediapackage; see :meth:`package`.
    """

    identifier: str
    xml: bytes

    def package(self) -> MediaPackage:
        """Read the mediapackage, whose elements are those of the publication and have its ids.

        :raises ModelError: it cannot be understood.
        """
        return MediaPackage.parse(self.xml, what=f"the published mediapackage {self.identifier}")


@dataclass(frozen=True)
class _Page:
    total: int
    rows: int
    hits: tuple[SearchHit, ...]


class SearchService:
    """``/search``: answers everybody, but only with what the asking user may see.

    :param major: major version of the server.
    """

    def __init__(self, client: Client, *, major: int) -> None:
        self._client = client
        self._is_solr = Feature.SEARCH_XML.is_in(major)

    def episode(self, event_id: str) -> MediaPackage | None:
        """Get the published mediapackage of an event; None when it is not published in the player."""
        page = self._page({"id": event_id, "limit": 1})
        found = [hit for hit in page.hits if hit.identifier == event_id]
        return found[0].package() if found else None

    def count(self) -> int:
        """Count the published episodes."""
        # 0 means "none" since 16, and "100" before.
        return self._page({"limit": 1}).total

    def episodes(self, *, page_size: int = _PAGE) -> Iterator[SearchHit]:
        """List all published episodes, each once. Holds one page and all ids in memory.

        :param page_size: rows of one request.
        :raises InvalidIdentifier: an episode has an id that cannot be used.
        """
        seen: set[str] = set()
        offset = 0
        while True:
            sort = "TITLE" if self._is_solr else "title asc"
            page = self._page({"limit": page_size, "offset": offset, "sort": sort})
            for hit in page.hits:
                if hit.identifier not in seen:
                    seen.add(hit.identifier)
                    yield hit
            offset += page.rows
            # The server may cut the limit without a word, so a short page alone is not the end.
            if not page.rows or offset >= page.total:
                return

    def _page(self, query: dict[str, str | int]) -> _Page:
        # Signed URLs would differ at each call.
        params: dict[str, str | int | bool] = {**query, "sign": False}
        if self._is_solr:
            return _solr_page(self._client.get_xml("/search/episode.xml", params=params))
        return _json_page(
            fields.an_object(self._client.get_json("/search/episode.json", params=params), what="/search")
        )


def _json_page(document: fields.Json) -> _Page:
    results = fields.objects(document.get("result"), what="/search/episode.json")
    hits = []
    for result in results:
        package = fields.an_object(result.get("mediapackage"), what="/search/episode.json")
        identifier = check_mediapackage_id(fields.text(package, "id"))
        hits.append(SearchHit(identifier, search_package.to_xml(package)))
    total = fields.integer(document, "total")
    if total is None:
        raise InvalidAnswer("/search/episode.json names no total.")
    return _Page(total, len(results), tuple(hits))


def _solr_page(data: bytes) -> _Page:
    root = parse_xml(data, what="/search/episode.xml")
    total = root.get("total", "")
    if root.tag != f"{_RESULTS}search-results" or not (total.isascii() and total.isdigit()):
        raise InvalidAnswer("/search/episode.xml is no list of results.")
    results = root.findall(f"{_RESULTS}result")
    return _Page(int(total), len(results), tuple(_solr_hit(result) for result in results))


def _solr_hit(result: etree._Element) -> SearchHit:
    identifier = check_mediapackage_id(result.get("id", ""))
    whole = result.findtext(f"{_RESULTS}ocMediapackage")
    if whole:
        # Without its declaration: this text is in no encoding any more.
        text = whole.partition("?>")[2] if whole.startswith("<?xml") else whole
        return SearchHit(identifier, text.encode("utf-8"))
    package = result.find(_PACKAGE)
    if package is None:
        raise InvalidAnswer(f"/search/episode.xml shows {identifier} without a mediapackage.")
    return SearchHit(identifier, etree.tostring(package, encoding="UTF-8", with_tail=False))
