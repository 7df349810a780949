"""The audio, video and subtitle streams inside of a track, as Opencast's inspection found them."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from opencast.model.layout import NAMESPACE
from opencast.model.node import Attributes, XmlNode, attributes_of, render_tag

#: Names of the elements that describe a stream, in the order in which Opencast writes them.
STREAM_KINDS = ("audio", "video", "subtitle")

_KNOWN_ATTRIBUTES = frozenset({"id"})


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a track. Values are kept as they are written (``bitrate`` as ``32445.0``).

    :param kind: ``audio``, ``video`` or ``subtitle``.
    :param id: such as ``audio-1``, or None.
    :param values: everything known about the stream, in the order of the document.
    :param attributes: attributes besides the id.
    """

    kind: str
    id: str | None = None
    values: tuple[XmlNode, ...] = ()
    attributes: Attributes = ()

    @classmethod
    def read(cls, node: etree._Element, kind: str) -> Stream:
        """Read the element of a stream."""
        return cls(
            kind=kind,
            id=node.get("id"),
            values=tuple([XmlNode.copy_of(child) for child in node]),
            attributes=attributes_of(node, _KNOWN_ATTRIBUTES),
        )

    def render(self) -> str:
        """Return the stream's element as XML."""
        identity: Attributes = () if self.id is None else (("id", self.id),)
        content = "".join([value.render(NAMESPACE) for value in self.values])
        return render_tag(self.kind, identity + self.attributes, content)

    def value(self, name: str) -> str | None:
        """Return a value such as ``bitrate``, ``framerate``, ``resolution`` or ``framecount`` as it is written."""
        return next((node.text for node in self.values if node.name == name), None)

    @property
    def encoder(self) -> str | None:
        """Name of the codec, or None."""
        node = next((node for node in self.values if node.name == "encoder"), None)
        return dict(node.attributes).get("type") if node is not None else None

    def facts(self) -> dict[str, str]:
        """Return all values by path, such as ``encoder/@type``, for comparing two streams."""
        found: dict[str, str] = {}
        for node in self.values:
            found.update(node.leaves())
        return found
