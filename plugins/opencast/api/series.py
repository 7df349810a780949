"""Series: Dublin Core, access list, properties and further elements (``/series``), and their list (``/api/series``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client, Fields
from opencast.api.features import Feature
from opencast.errors import InvalidAnswer, InvalidIdentifier, NotFound, ServerFailure
from opencast.model.acl import Acl
from opencast.model.dublincore import DublinCore
from opencast.model.identifiers import check_series_id
from opencast.model.moment import parse_moment
from opencast.model.series import parse_element_types, parse_properties
from opencast.model.xml import parse_xml

log = logging.getLogger(__name__)

#: Rows of one request for the list.
_PAGE = 5000
#: Rows of one request for the list of the admin interface.
_ADMIN_PAGE = 500
#: Catalogs of one request for the list of old versions.
_CATALOGS = 100
#: Largest element that is taken into memory, in bytes.
_MAX_ELEMENT = 64 * 1024 * 1024
#: Seconds for writes of a catalog or an access list, which make a new snapshot of each event of the series.
_LONG_WRITE = 900.0


class _Listed(NamedTuple):
    """A row of a list, and what reads it."""

    source: Mapping[str, Any]
    read: Callable[[], SeriesSummary]


@dataclass(frozen=True)
class SeriesSummary:
    """One row of the list of series, as the index shows it.

    :param identifier: checked.
    :param creator: name of the user who created the series.
    """

    identifier: str
    title: str
    created: datetime | None
    creator: str
    description: str
    organizers: tuple[str, ...]
    contributors: tuple[str, ...]
    subjects: tuple[str, ...]
    language: str
    license: str

    @classmethod
    def parse(cls, row: Any) -> SeriesSummary:
        """Read a row of ``GET /api/series``.

        :raises InvalidAnswer: no JSON object.
        :raises InvalidIdentifier: no usable id.
        """
        source = fields.an_object(row, what="a row of /api/series")
        return cls(
            identifier=check_series_id(fields.text(source, "identifier")),
            title=fields.text(source, "title"),
            created=fields.moment(source, "created"),
            creator=fields.text(source, "creator"),
            description=fields.text(source, "description"),
            organizers=fields.texts(source, "organizers"),
            contributors=fields.texts(source, "contributors"),
            subjects=fields.texts(source, "subjects"),
            language=fields.text(source, "language"),
            license=fields.text(source, "license"),
        )


class SeriesService:
    """Read and write series. Ids are kept: they are part of the catalog."""

    def __init__(self, client: Client, has: Callable[[Feature], bool] = lambda _: True) -> None:
        self._client = client
        self._has = has

    # --- reading ---------------------------------------------------------------------------------------------------

    def list(
        self, *, page_size: int = _PAGE, refused: Callable[[str, str], None] | None = None
    ) -> Iterator[SeriesSummary]:
        """List all series, each once (``GET /api/series``; before 3 ``GET /series/series.xml``), in no order.

        The list has no total and no stable order, so pages may overlap or leave out a series that moves between them:
        compare with :meth:`count` where it matters.

        :param page_size: rows of one request.
        :param refused: called with id and reason of each series whose id cannot be used.
        :raises InvalidIdentifier: there is one, and nobody to be told.
        """
        if not self._has(Feature.SERIES_ROWS):
            yield from _new(self._catalogs(), set(), refused)
            return
        seen: set[str] = set()
        try:
            yield from _new(self._rows(page_size), seen, refused)
        except ServerFailure as error:
            # One series without a title is enough: every page that holds it is answered with 500, in 13 to 17.
            log.warning("%s The list of the admin interface is read instead.", error.message)
            yield from _new(self._admin_rows(), seen, refused)

    def _rows(self, page_size: int) -> Iterator[_Listed]:
        offset = 0
        while True:
            query: Fields = {"limit": page_size, "offset": offset, "sort": "title:ASC"}
            rows = fields.a_list(self._client.get_json("/api/series", params=query), what="/api/series")
            yield from (_Listed(row, partial(SeriesSummary.parse, row)) for row in rows)
            if len(rows) < page_size:
                return
            offset += len(rows)

    def _admin_rows(self) -> Iterator[_Listed]:
        """List what the admin interface shows (``GET /admin-ng/series/series.json``), in the External API's names."""
        offset, what = 0, "/admin-ng/series/series.json"
        while True:
            query: Fields = {"limit": _ADMIN_PAGE, "offset": offset, "sort": "title:ASC"}
            answer = fields.an_object(self._client.get_json(what, params=query), what=what)
            rows = fields.a_list(answer.get("results"), what=what)
            for row in rows:
                source = fields.an_object(row, what=f"a row of {what}")
                named = {**source, "identifier": source.get("id"), "created": source.get("creation_date")}
                yield _Listed(named, partial(SeriesSummary.parse, named))
            offset += len(rows)
            if not rows:
                return

    def _catalogs(self) -> Iterator[_Listed]:
        page = 0
        while True:
            query: Fields = {"count": _CATALOGS, "startPage": page, "sort": "CREATED"}
            root = parse_xml(self._client.get_xml("/series/series.xml", params=query), what="/series/series.xml")
            for node in root:
                catalog = DublinCore.read(node, what="a catalog of /series/series.xml")
                yield _Listed({"identifier": catalog.text("identifier")}, partial(_summary, catalog))
            if len(root) < _CATALOGS:
                return
            page += 1

    def count(self) -> int:
        """Count all series (``GET /series/count``)."""
        text = self._client.get_text("/series/count")
        if not (text.isascii() and text.isdigit()):
            raise InvalidAnswer(f"/series/count is no number: {text[:40]!r}.")
        return int(text)

    def exists(self, series_id: str) -> bool:
        """Tell whether there is such a series."""
        try:
            self.dublincore_xml(series_id)
        except NotFound:
            return False
        return True

    def dublincore_xml(self, series_id: str) -> bytes:
        """Get the catalog as it is stored, with fields that no form shows (``GET /series/{id}.xml``).

        :raises NotFound: there is no such series.
        """
        return self._client.get_xml(f"{path('/series', series_id)}.xml")

    def dublincore(self, series_id: str) -> DublinCore:
        """Get the catalog.

        :raises NotFound: there is no such series.
        :raises InvalidDublinCore: it cannot be read.
        """
        return DublinCore.parse(self.dublincore_xml(series_id), what=f"the catalog of series {series_id}")

    def acl(self, series_id: str) -> Acl | None:
        """Get the access list (``GET /series/{id}/acl.xml``); None when the series has none.

        A series without access list is answered with 200 and no body at all (seen on 17; the source of 13 to 16 reads
        the same), though the documentation says 404.

        :raises NotFound: there is no such series.
        """
        try:
            answer = self._client.get(f"{path('/series', series_id)}/acl.xml")
        except NotFound:
            if not self.exists(series_id):
                raise
            return None
        if not answer.content:
            return None
        return Acl.from_xml(self._client.read.xml(answer), what=f"the access list of series {series_id}")

    def properties(self, series_id: str) -> dict[str, str]:
        """Get the properties (``GET /series/{id}/properties.json``), such as ``theme``.

        :raises NotFound: there is no such series.
        """
        if not self._has(Feature.SERIES_EXTRAS):
            return {}
        return dict(parse_properties(self._client.get_json(f"{path('/series', series_id)}/properties.json")))

    def elements(self, series_id: str) -> tuple[str, ...]:
        """Get the types of the further elements (``GET /series/{id}/elements.json``).

        :raises NotFound: there is no such series.
        """
        if not self._has(Feature.SERIES_EXTRAS):
            return ()
        try:
            answer = self._client.get_json(f"{path('/series', series_id)}/elements.json")
        except NotFound:
            # Some versions answer 404 to a series without elements, too.
            if not self.exists(series_id):
                raise
            return ()
        return parse_element_types(answer)

    def element(self, series_id: str, kind: str) -> bytes:
        """Get the bytes of a further element (``GET /series/{id}/elements/{type}``).

        :raises NotFound: there is no such series or element.
        """
        where = path(f"{path('/series', series_id)}/elements", kind)
        return self._client.get(where, max_bytes=_MAX_ELEMENT).content

    # --- writing ---------------------------------------------------------------------------------------------------

    def put_dublincore(self, catalog: DublinCore, *, acl: Acl | None = None) -> None:
        """Create a series, or replace its catalog (``POST /series/``); its id is the catalog's ``dcterms:identifier``.

        A write makes a new snapshot of each event of the series, so compare first. The events' own access lists stay.

        :param acl: access list to set along with it.
        """
        form: Fields = {
            "series": catalog.to_xml().decode("utf-8"),
            "acl": None if acl is None else acl.to_xml().decode("utf-8"),
            "override": False,
        }
        self._client.post_form("/series/", form, idempotent=True, read_timeout=self._patience())

    def put_acl(self, series_id: str, acl: Acl) -> None:
        """Replace the access list (``POST /series/{id}/accesscontrol``); the events' own ones stay.

        :raises NotFound: there is no such series.
        """
        form: Fields = {"acl": acl.to_xml().decode("utf-8"), "override": False}
        where = f"{path('/series', series_id)}/accesscontrol"
        self._client.post_form(where, form, idempotent=True, read_timeout=self._patience())

    def put_property(self, series_id: str, name: str, value: str) -> None:
        """Set a property (``POST /series/{id}/property``).

        :raises NotFound: there is no such series.
        """
        where = f"{path('/series', series_id)}/property"
        self._client.post_form(where, {"name": name, "value": value}, idempotent=True)

    def delete_property(self, series_id: str, name: str) -> bool:
        """Remove a property (``DELETE /series/{id}/property/{name}``).

        :returns: False when it was not there.
        """
        return self._deleted(path(f"{path('/series', series_id)}/property", name))

    def put_element(self, series_id: str, kind: str, data: bytes) -> None:
        """Create or replace a further element (``PUT /series/{id}/elements/{type}``).

        :raises ServerFailure: also when there is no such series.
        """
        where = path(f"{path('/series', series_id)}/elements", kind)
        self._client.put_bytes(where, data, content_type="application/octet-stream")

    def put_extended_metadata(self, series_id: str, kind: str, catalog: bytes) -> None:
        """Create or replace an extended metadata catalog, in the index, too (``PUT .../extendedMetadata/{type}``).

        :param catalog: Dublin Core as XML, in UTF-8.
        :raises BadRequest: the server cannot read the catalog.
        """
        where = path(f"{path('/series', series_id)}/extendedMetadata", kind)
        self._client.put_form(where, {"dc": catalog.decode("utf-8")})

    def delete_element(self, series_id: str, kind: str) -> bool:
        """Delete a further element (``DELETE /series/{id}/elements/{type}``).

        :returns: False when it was not there.
        """
        return self._deleted(path(f"{path('/series', series_id)}/elements", kind))

    def delete(self, series_id: str) -> bool:
        """Delete a series (``DELETE /series/{id}``).

        :returns: False when it was not there.
        """
        return self._deleted(path("/series", series_id))

    def _deleted(self, where: str) -> bool:
        try:
            self._client.delete(where)
        except NotFound:
            return False
        return True

    def _patience(self) -> float:
        return max(_LONG_WRITE, self._client.server.read_timeout)


def _summary(catalog: DublinCore) -> SeriesSummary:
    def texts(term: str) -> tuple[str, ...]:
        return tuple(value.value for value in catalog.all(term))

    return SeriesSummary(
        identifier=check_series_id(catalog.text("identifier")),
        title=catalog.text("title"),
        created=parse_moment(catalog.text("created")),
        creator="",
        description=catalog.text("description"),
        organizers=texts("creator"),
        contributors=texts("contributor"),
        subjects=texts("subject"),
        language=catalog.text("language"),
        license=catalog.text("license"),
    )


def _new(
    rows: Iterator[_Listed], seen: set[str], refused: Callable[[str, str], None] | None
) -> Iterator[SeriesSummary]:
    for row in rows:
        try:
            summary = row.read()
        except InvalidIdentifier as error:
            if refused is None:
                raise
            refused(str(row.source.get("identifier", ""))[:200], error.message)
            continue
        if summary.identifier not in seen:
            seen.add(summary.identifier)
            yield summary
