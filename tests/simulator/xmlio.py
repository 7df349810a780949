"""Reading XML without surprises, and writing it the way JAXB does on one line."""

from __future__ import annotations

from lxml import etree

PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def parse(data: bytes | str) -> etree._Element:
    """Parse a document.

    :raises etree.XMLSyntaxError: when it is malformed or carries a document type.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(raw, parser)
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # lxml-stubs leave it out
        # lxml-stubs have the arguments of another exception.
        raise etree.XMLSyntaxError("document types are refused", 0, 0, 0)  # type: ignore[call-arg,arg-type]
    return root


def local(element: etree._Element) -> str:
    """Give a tag without its namespace; an empty string for comments and instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def text_of(element: etree._Element) -> str:
    """Give the stripped text directly inside an element."""
    return (element.text or "").strip()


def escape(value: str) -> str:
    """Escape text for element content."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def quote(value: str) -> str:
    """Escape text for an attribute in double quotes."""
    return escape(value).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def attributes(pairs: list[tuple[str, str | None]]) -> str:
    """Write attributes in the given order, leaving out those without a value."""
    return "".join(f' {name}="{quote(value)}"' for name, value in pairs if value is not None)


def leaf(tag: str, value: str | None, prefix: str = "") -> str:
    """Write ``<tag>value</tag>``; nothing at all for None."""
    return "" if value is None else f"<{prefix}{tag}>{escape(value)}</{prefix}{tag}>"


def copy_of(element: etree._Element, prefix: str) -> str:
    """Write an element and what is in it again, with one prefix for all tags and without indentation."""
    tag = prefix + local(element)
    opening = tag + attributes([(etree.QName(name).localname, str(value)) for name, value in element.attrib.items()])
    inner = "".join(copy_of(child, prefix) for child in element if isinstance(child.tag, str))
    if not inner:
        inner = escape(text_of(element))
    return f"<{opening}>{inner}</{tag}>" if inner else f"<{opening}/>"
