"""Publications: what a channel shows of a mediapackage."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from opencast.errors import InvalidMediaPackage
from opencast.model.element import Element, ElementKind
from opencast.model.identifiers import check_channel, check_element_id, shown
from opencast.model.layout import NOTHING_UNKNOWN, PREFIX, Reader, Unknown, Writer
from opencast.model.node import Attributes, XmlNode, attributes_of, render_tag

#: Channel of a publication whose tracks are live streams.
LIVE_CHANNEL = "engage-live"
#: Prefix of the channels of OAI-PMH repositories.
OAIPMH_PREFIX = "oaipmh-"
#: Containers of a mediapackage and a publication, with the kind of element that each holds.
CONTAINERS = {"media": ElementKind.TRACK, "metadata": ElementKind.CATALOG, "attachments": ElementKind.ATTACHMENT}

_KNOWN_ATTRIBUTES = frozenset({"id", "channel"})
# The order in which Opencast writes the containers of a publication; a mediapackage has metadata first.
_ORDER = ("media", "attachments", "metadata")


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication with its own copies of elements. Change it with :func:`dataclasses.replace`.

    :param id: checked, or None when the document gives none.
    :param channel: checked, such as ``engage-player``, ``internal``, ``api``, ``oaipmh-default``.
    :param url: where the publication is shown, or None.
    :param mimetype: of that page, or None.
    :param tags: in the order of the document.
    :param elements: in the order of the document.
    :param unknown: what else the document held, kept for writing it back; no part of equality.
    """

    id: str | None
    channel: str
    url: str | None = None
    mimetype: str | None = None
    tags: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    unknown: Unknown = field(default=NOTHING_UNKNOWN, compare=False, repr=False)

    @classmethod
    def read(cls, node: etree._Element) -> Publication:
        """Read the XML element of a publication.

        :raises InvalidMediaPackage: no channel, or a part that cannot be read.
        :raises InvalidIdentifier: an id that would leave its folder.
        """
        identifier, channel = node.get("id"), node.get("channel")
        if not channel:
            raise InvalidMediaPackage(f"The publication {shown(identifier or '')} names no channel.")
        reader = Reader(f"publication {shown(channel)}")
        values: dict[str, str] = {}
        tags: tuple[str, ...] = ()
        elements: list[Element] = []
        for child in node:
            key = reader.key(child)
            if key in CONTAINERS:
                elements.extend(read_elements(child, key, reader))
            elif key in {"url", "mimetype"}:
                values[key] = reader.text(child, key)
            elif key == "tags":
                tags = reader.texts(child, key, "tag")
            else:
                reader.nodes.append(XmlNode.copy_of(child))
        return cls(
            id=None if identifier is None else check_element_id(identifier),
            channel=check_channel(channel),
            url=values.get("url"),
            mimetype=values.get("mimetype"),
            tags=tags,
            elements=tuple(elements),
            unknown=reader.unknown(attributes_of(node, _KNOWN_ATTRIBUTES)),
        )

    def render(self) -> str:
        """Return the publication as XML, in the order in which it was read or else in Opencast's order."""
        writer = Writer(self.unknown)
        writer.text("mimetype", self.mimetype)
        writer.texts("tags", "tag", self.tags, always=True)
        writer.text("url", self.url)
        render_elements(writer, self.elements, _ORDER)
        identity: Attributes = () if self.id is None else (("id", self.id),)
        attributes = (*identity, ("channel", self.channel), *self.unknown.attributes)
        return render_tag("publication", attributes, writer.content())

    @property
    def is_live(self) -> bool:
        """Whether this publication shows a live stream, which cannot be migrated."""
        return self.channel == LIVE_CHANNEL or any(element.is_live for element in self.elements)

    @property
    def is_oaipmh(self) -> bool:
        """Whether this is the publication in an OAI-PMH repository."""
        return self.channel.startswith(OAIPMH_PREFIX)

    @property
    def tracks(self) -> tuple[Element, ...]:
        """The tracks among the elements."""
        return of_kind(self.elements, ElementKind.TRACK)

    @property
    def catalogs(self) -> tuple[Element, ...]:
        """The catalogs among the elements."""
        return of_kind(self.elements, ElementKind.CATALOG)

    @property
    def attachments(self) -> tuple[Element, ...]:
        """The attachments among the elements."""
        return of_kind(self.elements, ElementKind.ATTACHMENT)


def of_kind(elements: tuple[Element, ...], kind: ElementKind) -> tuple[Element, ...]:
    """Return the elements of one kind."""
    return tuple(element for element in elements if element.kind is kind)


def read_elements(container: etree._Element, key: str, reader: Reader) -> list[Element]:
    """Read all elements of a container.

    :param key: name of the container, one of :data:`CONTAINERS`.
    :raises InvalidMediaPackage: another element than the container may hold, or a second container of this name.
    """
    reader.container(container, key)
    kind = CONTAINERS[key]
    expected = PREFIX + kind.value
    found = []
    for child in container:
        if child.tag != expected:
            raise InvalidMediaPackage(f"{reader.where}: {key} holds another element than {kind.value}.")
        found.append(Element.read(child, kind))
    return found


def render_elements(writer: Writer, elements: tuple[Element, ...], order: tuple[str, ...]) -> None:
    """Add the containers with their elements to a writer, in the given order of containers."""
    for key in order:
        kind = CONTAINERS[key]
        writer.container(key, "".join([e.render() for e in elements if e.kind is kind]), always=True)
