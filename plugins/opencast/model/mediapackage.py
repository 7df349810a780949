"""Mediapackages: an event's files, its publications, and the little metadata that travels with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from opencast.errors import InvalidMediaPackage
from opencast.model.compare import Difference, compare_elements
from opencast.model.element import Checksum, Element, ElementKind
from opencast.model.flavor import Flavor
from opencast.model.identifiers import check_mediapackage_id, check_series_id, shown
from opencast.model.layout import NAMESPACE, NOTHING_UNKNOWN, PREFIX, Reader, Unknown, Writer, integer
from opencast.model.moment import parse_moment
from opencast.model.node import XmlNode, attributes_of, render_tag
from opencast.model.publication import CONTAINERS, Publication, of_kind, read_elements, render_elements
from opencast.model.stream import Stream
from opencast.model.xml import document, parse_xml

__all__ = [
    "Checksum",
    "Difference",
    "Element",
    "ElementKind",
    "MediaPackage",
    "Publication",
    "Stream",
    "compare_elements",
]

_ROOT = f"{PREFIX}mediapackage"
_KNOWN_ATTRIBUTES = frozenset({"id", "start", "duration"})
_TEXTS = frozenset({"title", "series", "seriestitle", "license", "language"})
_LISTS = {"creators": "creator", "contributors": "contributor", "subjects": "subject"}
_ORDER = ("media", "metadata", "attachments")


@dataclass(frozen=True, slots=True)
class MediaPackage:
    """A mediapackage as ``GET /assets/episode/{id}`` gives it. Change it with :func:`dataclasses.replace`.

    :param id: the event's id, checked.
    :param start: as written, such as ``2021-03-17T08:00:00Z``, or None; see :attr:`start_time`.
    :param duration: of the longest track in milliseconds, or None.
    :param series: id of the series, checked, or None.
    :param elements: the archived elements in the order of the document.
    :param publications: in the order of the document.
    :param unknown: what else the document held, kept for writing it back; no part of equality.
    """

    id: str
    start: str | None = None
    duration: int | None = None
    title: str | None = None
    series: str | None = None
    series_title: str | None = None
    creators: tuple[str, ...] = ()
    contributors: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    license: str | None = None
    language: str | None = None
    elements: tuple[Element, ...] = ()
    publications: tuple[Publication, ...] = ()
    unknown: Unknown = field(default=NOTHING_UNKNOWN, compare=False, repr=False)

    @classmethod
    def parse(cls, data: bytes, *, what: str = "a mediapackage") -> MediaPackage:
        """Read a document whose root is a mediapackage.

        :param what: which mediapackage this should be, for error messages.
        :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
        :raises InvalidMediaPackage: another root, no id, or a part that cannot be read.
        :raises InvalidIdentifier: an id that Opencast would refuse or that would leave its folder.
        """
        return cls.read(parse_xml(data, what=what))

    @classmethod
    def read(cls, node: etree._Element) -> MediaPackage:
        """Read a mediapackage that may be part of a larger document (workflow, search result, OAI-PMH record).

        :raises InvalidMediaPackage: another element, no id, or a part that cannot be read.
        :raises InvalidIdentifier: an id that Opencast would refuse or that would leave its folder.
        """
        if node.tag != _ROOT:
            raise InvalidMediaPackage(f"Expected a mediapackage and got the XML element {shown(str(node.tag))}.")
        identifier = check_mediapackage_id(node.get("id", ""))
        reader = Reader(f"mediapackage {identifier}")
        texts: dict[str, str] = {}
        lists: dict[str, tuple[str, ...]] = {}
        elements: list[Element] = []
        publications: list[Publication] = []
        for child in node:
            key = reader.key(child)
            if key in CONTAINERS:
                elements.extend(read_elements(child, key, reader))
            elif key in _TEXTS:
                texts[key] = reader.text(child, key)
            elif key in _LISTS:
                lists[key] = reader.texts(child, key, _LISTS[key])
            elif key == "publications":
                publications.extend(_read_publications(child, reader))
            else:
                reader.nodes.append(XmlNode.copy_of(child))
        duration, series = node.get("duration"), texts.get("series")
        return cls(
            id=identifier,
            start=node.get("start"),
            duration=None if duration is None else integer(duration, where=f"{reader.where}: duration"),
            title=texts.get("title"),
            series=check_series_id(series) if series else series,
            series_title=texts.get("seriestitle"),
            creators=lists.get("creators", ()),
            contributors=lists.get("contributors", ()),
            subjects=lists.get("subjects", ()),
            license=texts.get("license"),
            language=texts.get("language"),
            elements=tuple(elements),
            publications=tuple(publications),
            unknown=reader.unknown(attributes_of(node, _KNOWN_ATTRIBUTES)),
        )

    def to_xml(self) -> bytes:
        """Return the document as Opencast's asset manager writes it: one line, UTF-8, default namespace.

        :raises InvalidXml: a text holds a character that XML cannot hold.
        """
        writer = Writer(self.unknown)
        writer.text("title", self.title)
        writer.text("series", self.series)
        writer.text("seriestitle", self.series_title)
        writer.texts("creators", "creator", self.creators, always=False)
        writer.texts("contributors", "contributor", self.contributors, always=False)
        writer.texts("subjects", "subject", self.subjects, always=False)
        writer.text("license", self.license)
        writer.text("language", self.language)
        render_elements(writer, self.elements, _ORDER)
        writer.container("publications", "".join([p.render() for p in self.publications]), always=True)
        known = (("duration", self.duration), ("id", self.id), ("start", self.start))
        pairs = tuple((name, str(value)) for name, value in known if value is not None)
        attributes = (("xmlns", NAMESPACE), *pairs, *self.unknown.attributes)
        return document(render_tag("mediapackage", attributes, writer.content()), what=f"The mediapackage {self.id}")

    @property
    def start_time(self) -> datetime | None:
        """Start of the recording in UTC, or None when there is none or it cannot be read."""
        return parse_moment(self.start)

    @property
    def tracks(self) -> tuple[Element, ...]:
        """The archived tracks."""
        return of_kind(self.elements, ElementKind.TRACK)

    @property
    def catalogs(self) -> tuple[Element, ...]:
        """The archived catalogs."""
        return of_kind(self.elements, ElementKind.CATALOG)

    @property
    def attachments(self) -> tuple[Element, ...]:
        """The archived attachments."""
        return of_kind(self.elements, ElementKind.ATTACHMENT)

    def element(self, identifier: str) -> Element | None:
        """Return the archived element with this id, or None."""
        return next((element for element in self.elements if element.id == identifier), None)

    def by_flavor(self, pattern: Flavor | str) -> tuple[Element, ...]:
        """Return the archived elements whose flavor matches, such as ``dublincore/*``.

        :raises InvalidFlavor: the pattern is no flavor.
        """
        return tuple(e for e in self.elements if e.flavor is not None and e.flavor.matches(pattern))

    def publication(self, channel: str) -> Publication | None:
        """Return the publication on this channel, or None."""
        return next((publication for publication in self.publications if publication.channel == channel), None)


def _read_publications(container: etree._Element, reader: Reader) -> list[Publication]:
    reader.container(container, "publications")
    expected = f"{PREFIX}publication"
    found = []
    for child in container:
        if child.tag != expected:
            raise InvalidMediaPackage(f"{reader.where}: publications holds another element than publication.")
        found.append(Publication.read(child))
    return found
