"""How the parts of a mediapackage document are read and put back in the same order.

Opencast writes the children of each element in a fixed order, but other producers do not, and some leave out empty
containers that Opencast always writes. A parsed object therefore remembers the order of its children (its *layout*),
and what it does not know, so that writing it gives the same document again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from opencast.errors import InvalidMediaPackage
from opencast.model.identifiers import shown
from opencast.model.node import Attributes, XmlNode, attributes_of, render_tag
from opencast.model.xml import escape_text

#: XML namespace of mediapackages.
NAMESPACE = "http://mediapackage.opencastproject.org"
#: The same in front of a tag in Clark notation.
PREFIX = f"{{{NAMESPACE}}}"

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a document holds beyond the model, kept for writing it back.

    :param layout: keys of the children in the order of the document; None for an object that was not read.
    :param attributes: attributes of the element itself that have no meaning here.
    :param nodes: children that have no meaning here.
    :param decorations: attributes of children that should have none: pairs of the child's key and its attributes.
    """

    layout: tuple[str, ...] | None = None
    attributes: Attributes = ()
    nodes: tuple[XmlNode, ...] = ()
    decorations: tuple[tuple[str, Attributes], ...] = ()


#: Of an object that was not read from a document.
NOTHING_UNKNOWN = Unknown()


@dataclass(slots=True)
class Reader:
    """Collects what is unknown while the children of one element are read.

    :param where: the element that is read, for error messages.
    """

    where: str
    layout: list[str] = field(default_factory=list)
    nodes: list[XmlNode] = field(default_factory=list)
    decorations: list[tuple[str, Attributes]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def key(self, child: etree._Element) -> str:
        """Return a child's local name, or its tag with namespace when that is a foreign one, and note its place."""
        key = str(child.tag).removeprefix(PREFIX)
        if not self.layout or self.layout[-1] != key:
            self.layout.append(key)
        return key

    def text(self, child: etree._Element, key: str, known: frozenset[str] = frozenset()) -> str:
        """Return the text of an element that may hold nothing else.

        :param known: attributes that the caller reads.
        :raises InvalidMediaPackage: it holds elements, or occurs a second time.
        """
        self.once(key)
        if len(child):
            raise InvalidMediaPackage(f"{self.where}: {key} holds elements where only text is expected.")
        attributes = attributes_of(child, known)
        if attributes:
            self.decorations.append((key, attributes))
        return child.text or ""

    def texts(
        self, container: etree._Element, key: str, item: str, known: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
        """Return the texts of the children of a container such as ``tags``.

        :param known: attributes of the children that the caller reads.
        :raises InvalidMediaPackage: the container holds other elements than ``item``, or occurs a second time.
        """
        self.container(container, key)
        found: list[str] = []
        for child in container:
            if child.tag != PREFIX + item:
                raise InvalidMediaPackage(f"{self.where}: {key} holds another element than {item}.")
            found.append(self.text(child, f"{key}/{len(found)}", known))
        return tuple(found)

    def container(self, container: etree._Element, key: str) -> None:
        """Note a container, whose children the caller reads.

        :raises InvalidMediaPackage: it occurs a second time.
        """
        self.once(key)
        if container.keys():
            self.decorations.append((key, attributes_of(container)))

    def once(self, key: str) -> None:
        """Note a part that may occur only once: of two, one would be lost without a word.

        :raises InvalidMediaPackage: it occurs a second time.
        """
        if key in self._seen:
            raise InvalidMediaPackage(f"{self.where}: {key} occurs twice.")
        self._seen.add(key)

    def unknown(self, attributes: Attributes) -> Unknown:
        """Return what was collected; ``attributes`` are the unknown ones of the element itself."""
        return Unknown(tuple(self.layout), attributes, tuple(self.nodes), tuple(self.decorations))


def integer(text: str, *, where: str) -> int:
    """Return a whole number as Opencast writes it.

    :raises InvalidMediaPackage: no whole number of at most 19 digits.
    """
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped) is None:
        raise InvalidMediaPackage(f"{where} is {shown(text)}, which is no whole number.")
    return int(stripped)


def boolean(text: str, *, where: str) -> bool:
    """Return a truth value of XML Schema.

    :raises InvalidMediaPackage: anything but ``true``, ``false``, ``1``, ``0``.
    """
    value = {"true": True, "1": True, "false": False, "0": False}.get(text.strip())
    if value is None:
        raise InvalidMediaPackage(f"{where} is {shown(text)}, which is neither true nor false.")
    return value


class Writer:
    """Puts the children of one element together, in the order in which they were read.

    Parts are added in the order in which Opencast writes them; the layout of the source decides where they end up.

    :param unknown: what was noted while reading.
    """

    def __init__(self, unknown: Unknown) -> None:
        self._unknown = unknown
        self._decorations = dict(unknown.decorations)
        self._parts: dict[str, str] = {}

    def text(self, key: str, value: str | int | bool | None, attributes: Attributes = ()) -> None:
        """Add an element with text; None adds nothing."""
        if value is None:
            return
        text = str(value).lower() if isinstance(value, bool) else str(value)
        self._parts[key] = self._tag(key, key, escape_text(text), attributes)

    def texts(self, key: str, item: str, values: tuple[str, ...], *, always: bool) -> None:
        """Add a container of texts; see :meth:`container` for ``always``."""
        self.items(key, item, [(value, ()) for value in values], always=always)

    def items(self, key: str, item: str, values: list[tuple[str, Attributes]], *, always: bool = False) -> None:
        """Add a container of texts with attributes; see :meth:`container` for ``always``."""
        content = [self._tag(item, f"{key}/{at}", escape_text(text), pairs) for at, (text, pairs) in enumerate(values)]
        self.container(key, "".join(content), always=always)

    def container(self, key: str, content: str, *, always: bool) -> None:
        """Add a container.

        :param content: rendered children; when there are none, the container is written if the source had it, or,
            for an object that was not read, if Opencast writes it ``always``.
        """
        layout = self._unknown.layout
        if content or (always if layout is None else key in layout):
            self._parts[key] = self._tag(key, key, content)

    def raw(self, key: str, xml: str) -> None:
        """Add rendered elements of one name; nothing adds nothing."""
        if xml:
            self._parts[key] = self._parts.get(key, "") + xml

    def content(self) -> str:
        """Return all children, unknown ones included."""
        for node in self._unknown.nodes:
            self.raw(node.tag.removeprefix(PREFIX), node.render(NAMESPACE))
        parts = self._parts
        order = [key for key in dict.fromkeys(self._unknown.layout or ()) if key in parts]
        placed = set(order)
        if len(placed) < len(parts):
            _insert_new(order, placed, list(parts))
        return "".join([parts[key] for key in order])

    def _tag(self, name: str, key: str, content: str, attributes: Attributes = ()) -> str:
        return render_tag(name, attributes + self._decorations.get(key, ()), content)


def _insert_new(order: list[str], placed: set[str], canonical: list[str]) -> None:
    """Put the keys that the source did not have behind their neighbours in Opencast's order."""
    previous = -1
    for key in canonical:
        if key in placed:
            previous = order.index(key)
        else:
            previous += 1
            order.insert(previous, key)
