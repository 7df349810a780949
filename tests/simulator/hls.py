"""What distribution does to HLS that was encoded as files: playlists refer to their neighbours by relative paths."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from lxml import etree

from tests.simulator.mediapackage import NAMESPACE, Element
from tests.simulator.xmlio import local

_URI = re.compile(r'URI="([^"]+)"')


class NoPlayableSet(ValueError):
    """Playlists and media of one flavor are no complete set."""


def is_playlist(element: Element) -> bool:
    """Tell a playlist by its name."""
    return element.kind == "track" and element.file_name.lower().endswith(".m3u8")


def fix_references(published: list[tuple[Element, Path]]) -> None:
    """Rewrite the playlists among files that were just published, flavor by flavor, and name their tracks anew.

    :param published: elements with their published URLs, and their files.
    :raises NoPlayableSet: a flavor with a playlist has fewer than two files, no media, or was rewritten before.
    """
    sets: dict[str | None, list[tuple[Element, Path]]] = defaultdict(list)
    for element, path in published:
        if element.kind == "track":
            sets[element.flavor].append((element, path))
    for members in sets.values():
        if any(is_playlist(element) for element, _ in members):
            _fix(members)


def _fix(members: list[tuple[Element, Path]]) -> None:
    if len(members) < 2:
        raise NoPlayableSet("Not enough files in a playlist")
    if all(is_playlist(element) for element, _ in members):
        raise NoPlayableSet("No playable media segment in mediapackage")
    names = {_logical_name(element): f"../{path.parent.name}/{path.name}" for element, path in members}
    for element, path in members:
        if is_playlist(element):
            lines = path.read_text().splitlines()
            path.write_text("".join(_rewritten(line, names) + "\n" for line in lines))
    for element, _ in members:
        _set_logical_name(element, names[_logical_name(element)])


def _rewritten(line: str, names: dict[str, str]) -> str:
    if not line.strip():
        return ""
    if line.startswith("#"):
        found = _URI.search(line) if line.startswith(("#EXT-X-MAP:", "#EXT-X-MEDIA:")) else None
        return line.replace(found[1], names[found[1]], 1) if found and found[1] in names else line
    line = line.strip()
    if line in names:
        return names[line]
    folder, _, name = line.rpartition("/")
    if name not in names:
        return line
    if folder.startswith(".."):
        # Joining both paths leads out of the folder, which the library for paths answers with null.
        raise NoPlayableSet("Cannot rewrite a playlist that was rewritten before")
    return f"{folder}/{names[name]}" if folder else names[name]


def _logical_name(element: Element) -> str:
    return element.detail("logicalname") or str(element.url)


def _set_logical_name(element: Element, name: str) -> None:
    child = etree.Element(f"{{{NAMESPACE}}}logicalname")
    child.text = name
    element.details = [*(detail for detail in element.details if local(detail) != "logicalname"), child]
