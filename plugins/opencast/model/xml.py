"""Read and write XML the careful way: what a server sends is hostile until it is parsed here.

Reading refuses document types, entities, oversized and malformed input. Writing produces the same characters as the
Java serialiser behind Opencast's REST services (prolog, quoting, escapes), so that a document that is read and
written again stays the same, byte for byte.
"""

from __future__ import annotations

import re

from lxml import etree

from opencast.errors import InvalidXml

#: Largest document that is parsed unless the caller allows another size, in bytes.
MAX_BYTES = 32 * 1024 * 1024
#: First line of every document that Opencast's REST services write.
PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

# Characters that XML 1.0 (section 2.2) does not allow, not even as a character reference.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_SPECIAL = re.compile("[&<>\r]")
_ATTRIBUTE_SPECIAL = re.compile('[&<>"\t\n\r]')
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def parse_xml(data: bytes, *, what: str, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Parse one document strictly and return its root element.

    Comments and processing instructions are dropped, CDATA sections become text. Nothing outside of ``data`` is
    read: no external entity, no document type, no network. A document type is refused even when it is harmless,
    because Opencast never writes one.

    :param data: the document, in any encoding that it declares (UTF-8 without declaration).
    :param what: what this is and of which object, for the error message, such as ``mediapackage of a-ev-1``.
    :param max_bytes: largest accepted size in bytes.
    :raises InvalidXml: empty, too large, not well-formed, with control characters, a document type or entities.
    """
    if len(data) > max_bytes:
        raise InvalidXml(f"The XML of {what} has {len(data)} bytes, more than the {max_bytes} that are accepted.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InvalidXml(f"The XML of {what} is not well-formed: {_reason(error)}.") from error
    if root.getroottree().docinfo.internalDTD:
        raise InvalidXml(f"The XML of {what} declares a document type, which is never accepted.")
    return root


def _reason(error: etree.XMLSyntaxError) -> str:
    """Return what is wrong on one line, without characters that cannot be printed."""
    return "".join(character for character in str(error.msg) if character.isprintable())


def check_characters(text: str, *, what: str) -> str:
    """Return ``text`` when XML can hold it.

    :param what: where the text is to be written, for the error message.
    :raises InvalidXml: a control character, a lone surrogate or a noncharacter, which no XML 1.0 parser accepts.
    """
    found = _FORBIDDEN.search(text)
    if found:
        raise InvalidXml(f"{what} holds the character U+{ord(found.group()):04X}, which XML does not allow.")
    return text


def escape_text(text: str) -> str:
    """Return character data with the escapes that Opencast uses between tags."""
    if _TEXT_SPECIAL.search(text) is None:
        return text
    return _TEXT_SPECIAL.sub(lambda found: _ENTITIES[found.group()], text)


def escape_attribute(text: str) -> str:
    """Return an attribute's value with the escapes that Opencast uses between double quotes."""
    if _ATTRIBUTE_SPECIAL.search(text) is None:
        return text
    return _ATTRIBUTE_SPECIAL.sub(lambda found: _ENTITIES[found.group()], text)


def text_node(name: str, text: str) -> str:
    """Return an element that holds only text; empty text gives an empty-element tag."""
    return f"<{name}>{escape_text(text)}</{name}>" if text else f"<{name}/>"


def document(body: str, *, what: str) -> bytes:
    """Return a whole document in UTF-8: the prolog as Opencast writes it, then ``body`` without a line break.

    :param what: the object that is written, for the error message.
    :raises InvalidXml: a character that XML cannot hold.
    """
    return (PROLOG + check_characters(body, what=what)).encode("utf-8")
