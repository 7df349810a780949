"""The recorded answers of real servers (17 and 15.11), and all mediapackages in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

_DATA = Path(__file__).parent.parent / "data"
_BLOBS = _DATA / "blobs"
FOLDERS = {17: _DATA / "recordings", 15: _DATA / "recordings-15"}
MEDIAPACKAGE = "{http://mediapackage.opencastproject.org}mediapackage"
_PLAIN = re.compile(r'<mediapackage xmlns="http://mediapackage\.opencastproject\.org".*?</mediapackage>', re.DOTALL)


@dataclass(frozen=True)
class RecordedPackage:
    """A mediapackage somewhere in a recorded exchange.

    :param where: generation, file, and place in it.
    :param node: its element.
    :param text: its characters when it stands there as a text of its own with the usual namespace declaration.
    """

    where: str
    node: etree._Element
    text: str | None

    def __str__(self) -> str:
        return self.where


def exchange(name: str, generation: int = 17) -> dict[str, Any]:
    """Return one recorded exchange, such as ``events/ev-fast/assets``."""
    loaded: dict[str, Any] = json.loads((FOLDERS[generation] / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def body(name: str, generation: int = 17) -> bytes:
    """Return the bytes of a recorded answer."""
    response = exchange(name, generation)["response"]
    if "blob" in response:
        return (_BLOBS / str(response["blob"])).read_bytes()
    return str(response["text"]).encode()


def names(pattern: str) -> list[tuple[int, str]]:
    """Return generation and name of all exchanges that match a pattern of :meth:`pathlib.Path.glob`."""
    return [
        (generation, str(path.relative_to(folder).with_suffix("")))
        for generation, folder in FOLDERS.items()
        for path in sorted(folder.glob(f"{pattern}.json"))
    ]


@cache
def mediapackages() -> tuple[RecordedPackage, ...]:
    """Return every mediapackage in XML of all exchanges: in requests, in answers, and as text inside of these."""
    found: list[RecordedPackage] = []
    for generation, name in names("**/*"):
        one = exchange(name, generation)
        sent = one["request"].get("form")
        sources = [one["response"].get("text")] + (list(sent.values()) if isinstance(sent, dict) else [])
        for number, text in enumerate(sources):
            if text and "<" in text and "mediapackage" in text:
                found.extend(_packages(text, f"{generation}/{name}#{number}"))
    return tuple(found)


def _packages(text: str, where: str) -> Iterator[RecordedPackage]:
    """Yield the packages in a text that is XML, or JSON with XML in its strings, or neither."""
    if text.lstrip().startswith("<"):
        yield from _in_xml(text, where)
    elif text.lstrip().startswith(("{", "[")):
        for string in _strings(json.loads(text)):
            if "<mediapackage" in string:
                yield from _in_xml(string, f"{where} in JSON")


def _in_xml(text: str, where: str) -> Iterator[RecordedPackage]:
    try:
        root = etree.fromstring(text.encode())
    except etree.XMLSyntaxError:
        return  # An error page, or the broken XML of a request that was meant to be refused.
    plain = _PLAIN.findall(text)
    nodes = list(root.iter(MEDIAPACKAGE))
    for number, node in enumerate(nodes):
        yield RecordedPackage(f"{where}/{number}", node, plain[number] if len(plain) == len(nodes) else None)
    for node in root.iter():
        if isinstance(node.tag, str) and "<mediapackage" in (node.text or ""):
            yield from _in_xml(str(node.text), f"{where} in text of {etree.QName(node).localname}")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
