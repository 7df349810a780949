"""The mutable media package that workflows work on, read and written as Opencast does.

Element order inside ``media``, ``metadata`` and ``attachments`` is kept, tags are a sorted set, ``live`` is always
written for tracks, and the package's duration is that of its longest track.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from tests.simulator import xmlio
from tests.simulator.xmlio import attributes, leaf, local, text_of

NAMESPACE = "http://mediapackage.opencastproject.org"
ID_PATTERN = re.compile(r"[\w\-_.:;()]+")
GROUPS = {"track": "media", "catalog": "metadata", "attachment": "attachments"}
EPISODE = "dublincore/episode"
SERIES = "dublincore/series"
XACML_EPISODE = "security/xacml+episode"
XACML_SERIES = "security/xacml+series"
_SIMPLE = {"mimetype", "tags", "url", "size", "checksum"}
_TRACK_ORDER = ("duration", "audio", "video", "subtitle", "live", "master", "logicalname")


class InvalidPackage(ValueError):
    """The document is no media package."""


def new_id() -> str:
    """Give a random element or package id."""
    return str(uuid.uuid4())


def flavor_matches(pattern: str, flavor: str | None) -> bool:
    """Tell whether ``a/b`` is matched by a pattern in which either half may be ``*``; no flavor matches nothing."""
    if flavor is None or "/" not in flavor or "/" not in pattern:
        return False
    wanted, given = pattern.split("/", 1), flavor.split("/", 1)
    return all(w in ("*", g) for w, g in zip(wanted, given, strict=True))


@dataclass(slots=True)
class Element:
    """A track, catalog or attachment; ``details`` are its own children (streams, duration, ...) as parsed XML."""

    kind: str
    id: str | None = None
    flavor: str | None = None
    ref: str | None = None
    transport: str | None = None
    mimetype: str | None = None
    tags: set[str] = field(default_factory=set)
    url: str | None = None
    size: int | None = None
    checksum: tuple[str, str] | None = None
    details: list[etree._Element] = field(default_factory=list)

    def clone(self) -> Element:
        """Copy it; the parsed details are shared, since nobody changes them in place."""
        twin = copy.copy(self)
        twin.tags = set(self.tags)
        twin.details = list(self.details)
        return twin

    def detail(self, name: str) -> str | None:
        """Give the text of the first own child with this name."""
        return next((text_of(child) for child in self.details if local(child) == name), None)

    @property
    def duration(self) -> int | None:
        """Length in milliseconds."""
        text = self.detail("duration")
        return int(float(text)) if text else None

    @property
    def file_name(self) -> str:
        """Last part of the url's path."""
        return (self.url or "").split("?")[0].rstrip("/").rsplit("/", 1)[-1]

    @property
    def md5(self) -> str | None:
        """The md5 in hex, when that is the checksum's type."""
        return self.checksum[1] if self.checksum and self.checksum[0] == "md5" else None

    def to_xml(self, prefix: str = "") -> str:
        """Write it as JAXB orders it."""
        own = attributes([("id", self.id), ("type", self.flavor), ("ref", self.ref), ("transport", self.transport)])
        body = _common_xml(self, prefix) + self._details_xml(prefix)
        return f"<{prefix}{self.kind}{own}>{body}</{prefix}{self.kind}>"

    def _details_xml(self, prefix: str) -> str:
        if self.kind != "track":
            return "".join(xmlio.copy_of(child, prefix) for child in self.details)
        parts = []
        for name in _TRACK_ORDER:
            found = [child for child in self.details if local(child) == name]
            if name == "live" and not found:
                parts.append(f"<{prefix}live>false</{prefix}live>")
            parts.extend(xmlio.copy_of(child, prefix) for child in found)
        return "".join(parts)


@dataclass(slots=True)
class Publication:
    """A publication with the elements that were distributed for it."""

    channel: str
    id: str | None = None
    flavor: str | None = None
    ref: str | None = None
    mimetype: str | None = None
    tags: set[str] = field(default_factory=set)
    url: str | None = None
    size: int | None = None
    checksum: tuple[str, str] | None = None
    elements: list[Element] = field(default_factory=list)

    def clone(self) -> Publication:
        """Copy it with its elements."""
        twin = copy.copy(self)
        twin.tags = set(self.tags)
        twin.elements = [element.clone() for element in self.elements]
        return twin

    def of_kind(self, kind: str) -> list[Element]:
        """Give the elements of one kind in their order."""
        return [element for element in self.elements if element.kind == kind]

    def to_xml(self, prefix: str = "") -> str:
        """Write it: media, attachments and metadata in this order, all three always there."""
        own = attributes([("id", self.id), ("type", self.flavor), ("ref", self.ref), ("channel", self.channel)])
        groups = "".join(
            _group(prefix + GROUPS[kind], [element.to_xml(prefix) for element in self.of_kind(kind)])
            for kind in ("track", "attachment", "catalog")
        )
        return f"<{prefix}publication{own}>{_common_xml(self, prefix)}{groups}</{prefix}publication>"


@dataclass(slots=True)
class MediaPackage:
    """A whole package."""

    id: str
    start: str | None = None
    given_duration: int | None = None
    title: str | None = None
    series: str | None = None
    series_title: str | None = None
    creators: list[str] = field(default_factory=list)
    contributors: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    license: str | None = None
    language: str | None = None
    elements: list[Element] = field(default_factory=list)
    publications: list[Publication] = field(default_factory=list)

    @property
    def duration(self) -> int | None:
        """Milliseconds of the longest track; without tracks what the document said."""
        lengths = [element.duration for element in self.of_kind("track") if element.duration is not None]
        return max(lengths) if lengths else self.given_duration

    def of_kind(self, kind: str) -> list[Element]:
        """Give the elements of one kind in their order."""
        return [element for element in self.elements if element.kind == kind]

    def of_flavor(self, flavor: str, kind: str | None = None) -> list[Element]:
        """Give the elements that have exactly this flavor."""
        return [e for e in self.elements if e.flavor == flavor and kind in (None, e.kind)]

    def element(self, element_id: str | None) -> Element | None:
        """Find an element of the package itself, not of its publications."""
        return next((element for element in self.elements if element.id == element_id), None)

    def publication(self, channel: str) -> Publication | None:
        """Find the publication on a channel."""
        return next((p for p in self.publications if p.channel == channel), None)

    def all_elements(self) -> Iterator[Element]:
        """Walk over the package's elements, then those of all publications."""
        yield from self.elements
        for publication in self.publications:
            yield from publication.elements

    def add(self, element: Element) -> Element:
        """Append an element, giving it a random id when it has none."""
        element.id = element.id or new_id()
        self.elements.append(element)
        return element

    def remove(self, element: Element) -> None:
        """Take an element out; the duration then follows the tracks that are left."""
        self.elements.remove(element)
        if element.kind == "track":
            self.given_duration = None

    def clone(self) -> MediaPackage:
        """Copy everything."""
        twin = copy.copy(self)
        twin.creators, twin.contributors = list(self.creators), list(self.contributors)
        twin.subjects = list(self.subjects)
        twin.elements = [element.clone() for element in self.elements]
        twin.publications = [publication.clone() for publication in self.publications]
        return twin

    def to_xml(self, prefix: str = "", prolog: bool = True) -> str:
        """Write the package; with a prefix as part of a larger document that declares it."""
        namespace = "" if prefix else f' xmlns="{NAMESPACE}"'
        duration = None if self.duration is None else str(self.duration)
        own = attributes([("duration", duration), ("id", self.id), ("start", self.start)])
        head = leaf("title", self.title, prefix) + leaf("series", self.series, prefix)
        head += leaf("seriestitle", self.series_title, prefix)
        for plural, values in (("creators", self.creators), ("contributors", self.contributors)):
            head += _names(plural, values, prefix)
        head += _names("subjects", self.subjects, prefix)
        head += leaf("license", self.license, prefix) + leaf("language", self.language, prefix)
        body = "".join(
            _group(prefix + group, [element.to_xml(prefix) for element in self.of_kind(kind)])
            for kind, group in GROUPS.items()
        )
        body += _group(prefix + "publications", [p.to_xml(prefix) for p in self.publications])
        document = f"<{prefix}mediapackage{namespace}{own}>{head}{body}</{prefix}mediapackage>"
        return (xmlio.PROLOG if prolog and not prefix else "") + document


def parse(data: bytes | str) -> MediaPackage:
    """Read a package.

    :raises InvalidPackage: when it is malformed, has another root, or an id that Opencast refuses.
    """
    try:
        root = xmlio.parse(data)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidPackage(str(error)) from error
    return from_element(root)


def from_element(root: etree._Element) -> MediaPackage:
    """Read a package out of a parsed document.

    :raises InvalidPackage: as :func:`parse`.
    """
    if root.tag != f"{{{NAMESPACE}}}mediapackage":
        raise InvalidPackage(f"{root.tag} is no media package")
    package_id = root.get("id") or new_id()
    if not ID_PATTERN.fullmatch(package_id):
        raise InvalidPackage(f"{package_id!r} is no id of a media package")
    duration = root.get("duration")
    package = MediaPackage(package_id, root.get("start"), int(duration) if duration else None)
    for child in root:
        _read_child(package, child)
    return package


def _read_child(package: MediaPackage, child: etree._Element) -> None:
    name = local(child)
    scalars = {"title": "title", "series": "series", "seriestitle": "series_title"}
    scalars |= {"license": "license", "language": "language"}
    if name in scalars:
        setattr(package, scalars[name], child.text or "")
    elif name in ("creators", "contributors", "subjects"):
        setattr(package, name, [grandchild.text or "" for grandchild in child])
    elif name in GROUPS.values():
        for grandchild in child:
            if local(grandchild) in GROUPS:
                package.add(read_element(grandchild))
    elif name == "publications":
        package.publications.extend(_read_publication(p) for p in child if local(p) == "publication")


def read_element(node: etree._Element) -> Element:
    """Read one track, catalog or attachment."""
    element = Element(local(node), transport=node.get("transport"))
    _read_common(element, node)
    element.details = [child for child in node if local(child) and local(child) not in _SIMPLE]
    return element


def _read_publication(node: etree._Element) -> Publication:
    publication = Publication(node.get("channel") or "")
    _read_common(publication, node)
    publication.id = publication.id or new_id()
    for child in node:
        if local(child) in GROUPS.values():
            for grandchild in child:
                element = read_element(grandchild)
                element.id = element.id or new_id()
                publication.elements.append(element)
    return publication


def _read_common(target: Element | Publication, node: etree._Element) -> None:
    target.id, target.flavor, target.ref = node.get("id"), node.get("type"), node.get("ref")
    for child in node:
        name, text = local(child), text_of(child)
        if name in ("mimetype", "url"):
            setattr(target, name, text or None)
        elif name == "tags":
            target.tags = {text_of(tag) for tag in child if text_of(tag)}
        elif name == "size" and text:
            target.size = int(text)
        elif name == "checksum" and text:
            target.checksum = (child.get("type") or "md5", text)


def _common_xml(item: Element | Publication, prefix: str) -> str:
    tags = _group(prefix + "tags", [leaf("tag", tag, prefix) for tag in sorted(item.tags)])
    text = leaf("mimetype", item.mimetype, prefix) + tags + leaf("url", item.url, prefix)
    text += leaf("size", None if item.size is None else str(item.size), prefix)
    if item.checksum:
        kind, value = item.checksum
        text += f"<{prefix}checksum{attributes([('type', kind)])}>{xmlio.escape(value)}</{prefix}checksum>"
    return text


def _group(tag: str, parts: list[str]) -> str:
    return f"<{tag}>{''.join(parts)}</{tag}>" if parts else f"<{tag}/>"


def _names(plural: str, values: list[str], prefix: str) -> str:
    if not values:
        return ""
    return _group(prefix + plural, [leaf(plural[:-1], value, prefix) for value in values])
