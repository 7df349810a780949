"""Compare what was expected with what a server holds, and name each difference for an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencast.model.identifiers import printable, shown

if TYPE_CHECKING:
    from opencast.model.element import Element
    from opencast.model.stream import Stream

_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two objects. Its text is one printable line, whatever the values hold.

    :param path: where it is, such as ``track 'cam' checksum``.
    :param expected: the value that should be there, as text.
    :param actual: the value that is there, as text.
    """

    path: str
    expected: str
    actual: str

    def __str__(self) -> str:
        path, expected, actual = (printable(part) for part in (self.path, self.expected, self.actual))
        return f"{path}: expected {expected}, found {actual}"


def compare_elements(expected: Element, actual: Element, *, ignore: frozenset[str] = frozenset()) -> list[Difference]:
    """Return how two elements differ, the most telling difference first; none means equal.

    What the expected element does not know (size, checksum, duration) cannot differ. Where the file lies is no
    property of an element: URLs are not compared.

    :param ignore: names out of ``kind, id, flavor, ref, mimetype, tags, size, checksum, duration, transport, live,
        master, logical_name, properties, streams`` that are not compared.
    """
    where = f"{expected.kind.value} {shown(expected.id or '')}"
    found = []
    for name, wanted, got in _facts(expected, actual):
        if name not in ignore and wanted != got:
            found.append(Difference(f"{where} {name}", wanted or _NOTHING, got or _NOTHING))
    if "streams" not in ignore:
        found.extend(_compare_streams(where, expected.streams, actual.streams))
    return found


def excerpts(expected: str, actual: str) -> tuple[str, str]:
    """Return quoted forms of two different texts, cut around the first place where they differ."""
    at = next((i for i, pair in enumerate(zip(expected, actual, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        at = min(len(expected), len(actual))
    begin = max(0, at - 20) if max(len(expected), len(actual)) > 60 else 0
    lead = "… " if begin else ""
    return lead + shown(expected[begin:]), lead + shown(actual[begin:])


def _facts(expected: Element, actual: Element) -> Iterator[tuple[str, str, str]]:
    """Yield name and both values, as texts, of everything that is compared besides the streams."""
    yield "kind", expected.kind.value, actual.kind.value
    yield "id", _text(expected.id), _text(actual.id)
    yield "flavor", _text(expected.flavor), _text(actual.flavor)
    yield "checksum", *_known(_checksum(expected), _checksum(actual))
    yield "size", *_known(_text(expected.size), _text(actual.size))
    yield "mimetype", _text(expected.mimetype), _text(actual.mimetype)
    yield "tags", ", ".join(sorted(set(expected.tags))), ", ".join(sorted(set(actual.tags)))
    yield "ref", _text(expected.ref), _text(actual.ref)
    yield "duration", *_known(_text(expected.duration), _text(actual.duration))
    yield "transport", _text(expected.transport), _text(actual.transport)
    yield "live", _text(expected.is_live), _text(actual.is_live)
    yield "master", _text(expected.master is True), _text(actual.master is True)
    yield "logical_name", _text(expected.logical_name), _text(actual.logical_name)
    yield "properties", _pairs(expected), _pairs(actual)


def _known(expected: str, actual: str) -> tuple[str, str]:
    return (expected, actual) if expected else ("", "")


def _checksum(element: Element) -> str:
    checksum = element.checksum
    return "" if checksum is None else f"{checksum.value.strip().lower()} ({checksum.type.strip().lower()})"


def _pairs(element: Element) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(element.properties))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _compare_streams(where: str, expected: tuple[Stream, ...], actual: tuple[Stream, ...]) -> Iterator[Difference]:
    wanted, got = _numbered(expected), _numbered(actual)
    if wanted.keys() != got.keys():
        yield Difference(f"{where} streams", _stream_names(expected), _stream_names(actual))
        return
    for key, facts in wanted.items():
        others = got[key]
        for path in sorted(facts.keys() | others.keys()):
            if not _same_value(facts.get(path), others.get(path)):
                name = " ".join(filter(None, (where, key[0], key[1], path)))
                yield Difference(name, facts.get(path, _NOTHING), others.get(path, _NOTHING))


def _numbered(streams: tuple[Stream, ...]) -> dict[tuple[str, str, int], dict[str, str]]:
    """Return the facts of each stream by kind, id and a number that tells streams without id apart."""
    found: dict[tuple[str, str, int], dict[str, str]] = {}
    for stream in streams:
        same = sum(1 for kind, identifier, _ in found if (kind, identifier) == (stream.kind, stream.id or ""))
        found[stream.kind, stream.id or "", same] = stream.facts()
    return found


def _stream_names(streams: tuple[Stream, ...]) -> str:
    return ", ".join(f"{stream.kind} {stream.id or ''}".strip() for stream in streams) or _NOTHING


def _same_value(one: str | None, other: str | None) -> bool:
    """Tell whether two values are equal as texts or as numbers (``1.2E7`` and ``12000000.0``)."""
    if one == other:
        return True
    try:
        return one is not None and other is not None and float(one) == float(other)
    except ValueError:
        return False
