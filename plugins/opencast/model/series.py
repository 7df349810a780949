"""Series with everything that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import md5

from opencast.errors import InvalidAnswer
from opencast.model.acl import Acl
from opencast.model.compare import Difference
from opencast.model.dublincore import DublinCore
from opencast.model.identifiers import check_element_id, shown

#: Opencast cuts the title of a series to this many UTF-16 units when it is posted.
MAX_TITLE = 255


@dataclass(frozen=True, slots=True)
class SeriesElement:
    """An extra file of a series (``GET /series/{id}/elements/{type}``), such as an extended catalog.

    :param type: name of the element, such as ``ext``.
    :param data: its bytes; not always XML.
    """

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Series:
    """A series.

    :param identifier: id of the series, checked.
    :param dublincore: its catalog (``GET /series/{id}.xml``).
    :param acl: its access control list, or None when it has none.
    :param properties: pairs of name and value, sorted by name; ``theme`` names a theme by its number.
    :param elements: extra files, sorted by type.
    """

    identifier: str
    dublincore: DublinCore
    acl: Acl | None = None
    properties: tuple[tuple[str, str], ...] = ()
    elements: tuple[SeriesElement, ...] = ()

    @property
    def title(self) -> str:
        """Title of the series, empty when it has none."""
        return self.dublincore.text("title")

    def property(self, name: str) -> str | None:
        """Return the value of a property, or None."""
        return dict(self.properties).get(name)

    def differences(self, other: Series, *, ignore_properties: frozenset[str] = frozenset()) -> list[Difference]:
        """Return how another series differs from this one as a server would store it.

        :param other: the series that was found where this one was expected.
        :param ignore_properties: names of properties that are not compared, such as ``theme``.
        """
        expected = as_stored(self.dublincore)
        ignored = [] if self.dublincore.first("created") else ["created"]
        found = expected.differences(other.dublincore, ignored)
        found += (self.acl or Acl()).differences(other.acl or Acl())
        wanted, got = (
            {f"property {name}": shown(value) for name, value in series.properties if name not in ignore_properties}
            | {f"element {element.type}": _shown_bytes(element.data) for element in series.elements}
            for series in (self, other)
        )
        found += [
            Difference(path, wanted.get(path, "nothing"), got.get(path, "nothing"))
            for path in sorted(wanted.keys() | got.keys())
            if wanted.get(path) != got.get(path)
        ]
        return found


def as_stored(catalog: DublinCore) -> DublinCore:
    """Return a catalog as ``POST /series/`` stores it: a title that is too long is cut."""
    title = catalog.first("title")
    units = title.value.encode("utf-16-le") if title else b""
    if len(units) <= 2 * MAX_TITLE:
        return catalog
    cut = units[: 2 * MAX_TITLE].decode("utf-16-le", errors="ignore")
    return replace(catalog, values=tuple(replace(v, value=cut) if v is title else v for v in catalog.values))


def parse_properties(answer: object) -> tuple[tuple[str, str], ...]:
    """Read the properties of a series from parsed JSON.

    ``GET /series/{id}/properties.json`` gives a list of objects with one key each,
    ``GET /api/series/{id}/properties`` one object.

    :raises InvalidAnswer: another form.
    """
    parts = [answer] if isinstance(answer, Mapping) else answer
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise InvalidAnswer("The properties of a series have an unknown form.")
    pairs = {name: value for part in parts for name, value in part.items()}
    if not all(isinstance(value, str) for value in pairs.values()):
        raise InvalidAnswer("A property of a series is no text.")
    return tuple(sorted(pairs.items()))


def parse_element_types(answer: object) -> tuple[str, ...]:
    """Read the types of a series' extra files from parsed JSON (``GET /series/{id}/elements.json``).

    :raises InvalidAnswer: no list of texts.
    :raises InvalidIdentifier: a type that cannot be a part of a path.
    """
    if not isinstance(answer, list) or not all(isinstance(kind, str) for kind in answer):
        raise InvalidAnswer("The list of a series' elements has an unknown form.")
    return tuple(sorted(check_element_id(kind) for kind in answer))


def _shown_bytes(data: bytes) -> str:
    return f"{len(data)} bytes with MD5 {md5(data, usedforsecurity=False).hexdigest()}"
