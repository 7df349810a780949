"""Compares two answers: status, headers, and bodies as the trees that they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

_LENGTH = "content-length"
#: Where a body holds the server's address, or what differs from answer to answer, only the length's presence counts.
_ADDRESS = b"server"


@dataclass(frozen=True, order=True)
class Difference:
    """Where two answers differ: ``status``, ``header <name>``, or a path into the body."""

    place: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.place}: expected {self.expected[:300]}, found {self.actual[:300]}"


@dataclass(frozen=True)
class Answer:
    """An answer to be compared; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def compare(expected: Answer, actual: Answer) -> list[Difference]:
    """Give all differences, the status first."""
    found = []
    if expected.status != actual.status:
        found.append(Difference("status", str(expected.status), str(actual.status)))
    found += _headers(expected, actual)
    return found + _bodies(expected.body, actual.body)


def _headers(expected: Answer, actual: Answer) -> Iterator[Difference]:
    """Compare the headers that were recorded, and the content type also when none was."""
    same_bodies = expected.body == actual.body and _ADDRESS not in expected.body
    for name in sorted({*expected.headers, "content-type"}):
        wanted, got = expected.headers.get(name, "nothing"), actual.headers.get(name, "nothing")
        if name == _LENGTH and not same_bodies and "nothing" not in (wanted, got):
            continue
        # A header that was sent twice is joined by a comma, with or without a blank.
        if wanted.replace(", ", ",") != got.replace(", ", ","):
            yield Difference(f"header {name}", wanted, got)


def _bodies(expected: bytes, actual: bytes) -> list[Difference]:
    if expected == actual:
        return []
    for read, walk in ((_json, _compare_json), (_xml, _compare_xml)):
        wanted, got = read(expected), read(actual)
        if wanted is not None and got is not None:
            found = list(walk("", wanted, got))
            # Equal trees may differ in the order of their keys, but not in how a value is written or escaped.
            same_bytes = sorted(expected) == sorted(actual)
            return found if found or same_bytes else [Difference("writing", *_around(expected, actual))]
    lines = expected.splitlines(), actual.splitlines()
    if sorted(lines[0]) == sorted(lines[1]):
        return [Difference("order of lines", *_around(expected, actual))]
    return [Difference("body", *_around(expected, actual))]


def _around(expected: bytes, actual: bytes) -> tuple[str, str]:
    """Give both from shortly before the first byte that differs."""
    pairs = zip(expected, actual, strict=False)
    first = next((at for at, (one, two) in enumerate(pairs) if one != two), min(len(expected), len(actual)))
    begin = max(first - 30, 0)
    return repr(expected[begin : first + 60]), repr(actual[begin : first + 60])


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _xml(body: bytes) -> Any:
    try:
        return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None


def _compare_json(place: str, expected: Any, actual: Any) -> Iterator[Difference]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            if key not in expected or key not in actual:
                yield Difference(f"{place}/{key}", _shown(expected, key), _shown(actual, key))
            else:
                yield from _compare_json(f"{place}/{key}", expected[key], actual[key])
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _compare_lists(place, expected, actual)
    elif isinstance(expected, str) and isinstance(actual, str) and expected != actual:
        yield from _compare_texts(place, expected, actual)
    elif expected != actual or type(expected) is not type(actual):
        yield Difference(place, json.dumps(expected), json.dumps(actual))


def _compare_lists(place: str, expected: list[Any], actual: list[Any]) -> Iterator[Difference]:
    if len(expected) != len(actual):
        yield Difference(f"{place} length", str(len(expected)), str(len(actual)))
    elif expected != actual and _sorted(expected) == _sorted(actual):
        yield Difference(f"{place} order", json.dumps(expected), json.dumps(actual))
    else:
        for number, (one, two) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare_json(f"{place}/{number}", one, two)


def _compare_texts(place: str, expected: str, actual: str) -> Iterator[Difference]:
    """Compare two strings, as XML where they hold such."""
    if expected.lstrip().startswith("<") and actual.lstrip().startswith("<"):
        wanted, got = _xml(expected.encode()), _xml(actual.encode())
        if wanted is not None and got is not None:
            found = list(_compare_xml(f"{place}!", wanted, got))
            yield from found or [Difference(f"{place} writing", *_around(expected.encode(), actual.encode()))]
            return
    yield Difference(place, expected, actual)


def _sorted(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def _shown(held: dict[str, Any], key: str) -> str:
    return json.dumps(held[key]) if key in held else "nothing"


def _compare_xml(place: str, expected: Any, actual: Any) -> Iterator[Difference]:
    here = f"{place}/{_name(expected)}"
    if _name(expected) != _name(actual):
        yield Difference(here, _name(expected), _name(actual))
        return
    for key in sorted({*expected.attrib, *actual.attrib}):
        if expected.get(key) != actual.get(key):
            yield Difference(f"{here}/@{key}", expected.get(key, "nothing"), actual.get(key, "nothing"))
    wanted, got = (expected.text or "").strip(), (actual.text or "").strip()
    if wanted != got:
        yield from _compare_texts(here, wanted, got)
    yield from _compare_children(here, list(expected), list(actual))


def _compare_children(place: str, expected: list[Any], actual: list[Any]) -> Iterator[Difference]:
    names = [_name(child) for child in expected], [_name(child) for child in actual]
    canonical = [etree.tostring(c, method="c14n") for c in expected], [etree.tostring(c, method="c14n") for c in actual]
    if canonical[0] == canonical[1]:
        return
    if sorted(canonical[0]) == sorted(canonical[1]):
        yield Difference(f"{place} order", " ".join(names[0]), " ".join(names[1]))
    elif names[0] != names[1]:
        yield Difference(f"{place} children", " ".join(names[0]), " ".join(names[1]))
    else:
        counts: dict[str, int] = {}
        for one, two in zip(expected, actual, strict=True):
            counts[_name(one)] = counts.get(_name(one), 0) + 1
            many = names[0].count(_name(one)) > 1
            inside = f"{place}[{counts[_name(one)]}]" if many else place
            yield from _compare_xml(inside, one, two)


def _name(element: Any) -> str:
    return re.sub(r"\{.*\}", "", str(element.tag))
