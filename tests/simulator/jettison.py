"""XML turned into JSON with the habits of the serialiser behind ``*.json`` of the older services.

Namespaces go, attributes become keys, an element that occurs once is an object and only a repeated one a list, an
empty element is ``""``, text that looks like a number or a boolean becomes one, except beside attributes (key ``$``).
Of all slashes only those of closing tags within a text are escaped.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree

from tests.simulator import xmlio

_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_DECIMAL = re.compile(r"-?\d+\.\d+")


def convert(document: str) -> str:
    """Give the JSON text of an XML document, wrapped in the name of its root."""
    root = xmlio.parse(document)
    text = json.dumps({xmlio.local(root): _value(root)}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/")


def _value(element: etree._Element) -> Any:
    attributes = {etree.QName(name).localname: _typed(str(value)) for name, value in element.attrib.items()}
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        text = element.text or ""
        if not attributes:
            return _typed(text)
        return {**attributes, "$": text} if text else attributes
    grouped: dict[str, list[Any]] = {}
    for child in children:
        grouped.setdefault(xmlio.local(child), []).append(_value(child))
    return {**attributes, **{name: values[0] if len(values) == 1 else values for name, values in grouped.items()}}


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text) and len(text) < 19:
        return int(text)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text
