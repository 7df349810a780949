"""Turn the search service's JSON of a mediapackage back into XML (Opencast 16 and later have no XML there)."""

from __future__ import annotations

from typing import Any

from lxml import etree

from opencast.api import jettison
from opencast.errors import InvalidAnswer
from opencast.model.layout import NAMESPACE

#: Keys that are attributes in XML, by element; all other keys are elements.
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "mediapackage": frozenset({"id", "start", "duration"}),
    "track": frozenset({"id", "type", "ref", "transport"}),
    "catalog": frozenset({"id", "type", "ref"}),
    "attachment": frozenset({"id", "type", "ref"}),
    "publication": frozenset({"id", "channel"}),
    "audio": frozenset({"id"}),
    "video": frozenset({"id"}),
    "subtitle": frozenset({"id"}),
    "checksum": frozenset({"type"}),
    "encoder": frozenset({"type", "version", "name", "vendor"}),
    "scantype": frozenset({"type", "order"}),
    "property": frozenset({"key"}),
}
#: The only numbers that XML writes with a fraction; the JSON writes all numbers so.
_FRACTIONS = frozenset({"bitrate", "framerate", "peakleveldb", "rmsleveldb", "rmspeakdb"})
_TEXT = "$"
#: A mediapackage is six levels deep; a document that goes on and on is none.
_DEEPEST = 12


def to_xml(package: Any) -> bytes:
    """Write the ``mediapackage`` of a search result as XML.

    Numbers come back as integers where XML has integers. Texts that look like numbers, such as the title ``007``, were
    changed by the server and cannot be told from numbers.

    :param package: the JSON object.
    :raises InvalidAnswer: it is none, or nested too deeply, or holds characters that XML cannot have.
    """
    if not isinstance(package, dict):
        raise InvalidAnswer("A mediapackage of the search service is no JSON object.")
    root = etree.Element(f"{{{NAMESPACE}}}mediapackage")
    try:
        _fill(root, "mediapackage", package, _DEEPEST)
    except ValueError as error:
        raise InvalidAnswer(f"A mediapackage of the search service cannot be written as XML: {error}.") from None
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _fill(node: etree._Element, name: str, value: Any, depth: int) -> None:
    if not isinstance(value, dict):
        node.text = _text(name, value) or None
        return
    if not depth:
        raise ValueError("it is nested too deeply")
    attributes = _ATTRIBUTES.get(name, frozenset())
    for key, inner in value.items():
        if key == _TEXT:
            node.text = _text(name, inner)
        elif key in attributes:
            node.set(key, _text(key, inner))
        else:
            for entry in jettison.as_list(inner) or [""]:
                _fill(etree.SubElement(node, f"{{{NAMESPACE}}}{key}"), key, entry, depth - 1)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and name not in _FRACTIONS:
        return str(int(value))
    if isinstance(value, int) and name in _FRACTIONS:
        return str(float(value))
    return "" if value is None or isinstance(value, list) else str(value)
