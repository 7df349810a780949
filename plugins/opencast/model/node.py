"""Neutral, immutable copies of XML that this package does not interpret but must not lose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from opencast.model.xml import escape_attribute, escape_text

#: Pairs of a name in Clark notation and a value.
Attributes = tuple[tuple[str, str], ...]

_XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True, slots=True)
class XmlNode:
    """One element with everything below it.

    :param tag: name in Clark notation, ``{namespace}local`` or ``local``.
    :param attributes: pairs of name (Clark notation) and value in the order of the document.
    :param text: text before the first child; white space between child elements is not kept.
    :param children: child elements in the order of the document.
    :param tail: text after the element inside of its parent (mixed content only).
    """

    tag: str
    attributes: Attributes = ()
    text: str = ""
    children: tuple[XmlNode, ...] = ()
    tail: str = ""

    @classmethod
    def copy_of(cls, element: etree._Element) -> XmlNode:
        """Copy an element; white space that only separates elements is dropped, all other text is kept."""
        text, tail = element.text or "", element.tail or ""
        children: tuple[XmlNode, ...] = ()
        if len(element):
            children = tuple([cls.copy_of(child) for child in element])
            text = text if text.strip() else ""
        if tail and not tail.strip():
            tail = ""
        return cls(str(element.tag), attributes_of(element), text, children, tail)

    @property
    def name(self) -> str:
        """Local name without namespace."""
        return self.tag.rpartition("}")[2]

    def child(self, name: str) -> XmlNode | None:
        """Return the first child with this local name, or None."""
        return next((child for child in self.children if child.name == name), None)

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield a path and a value for every attribute and every text in this tree.

        Paths look like ``video/encoder/@type``; empty elements yield nothing, since Opencast writes them at will.
        """
        path = f"{prefix}/{self.name}" if prefix else self.name
        for name, value in self.attributes:
            yield f"{path}/@{name.rpartition('}')[2]}", value
        if self.text:
            yield path, self.text
        for child in self.children:
            yield from child.leaves(path)

    def render(self, namespace: str) -> str:
        """Return this tree as XML.

        :param namespace: the default namespace at the place where the text is put.
        """
        own, _, local = self.tag.rpartition("}")
        own = own.removeprefix("{")
        declared: Attributes = () if own == namespace else (("xmlns", own),)
        content = escape_text(self.text) + "".join([child.render(own) for child in self.children])
        return render_tag(local, declared + self.attributes, content) + escape_text(self.tail)


def attributes_of(element: etree._Element, known: frozenset[str] = frozenset()) -> Attributes:
    """Return the attributes of an element, without the ``known`` ones, in the order of the document."""
    pairs = element.items()
    if not pairs:
        return ()
    return tuple([(str(name), str(value)) for name, value in pairs if name not in known])


def render_attributes(attributes: Attributes) -> str:
    """Return attributes with a leading blank each; a prefix is declared where a name has a namespace."""
    return "".join([_attribute(index, name, value) for index, (name, value) in enumerate(attributes)])


def render_tag(name: str, attributes: Attributes, content: str) -> str:
    """Return an element with rendered content; none gives an empty-element tag, as Opencast writes it."""
    start = name + render_attributes(attributes)
    return f"<{start}>{content}</{name}>" if content else f"<{start}/>"


def _attribute(index: int, name: str, value: str) -> str:
    """Return one attribute with its leading blank, declaring a prefix when its name needs one."""
    namespace, _, local = name.rpartition("}")
    namespace = namespace.removeprefix("{")
    quoted = f'"{escape_attribute(value)}"'
    if not namespace:
        return f" {local}={quoted}"
    if namespace == _XML_NAMESPACE:
        return f" xml:{local}={quoted}"
    return f' xmlns:a{index}="{escape_attribute(namespace)}" a{index}:{local}={quoted}'
