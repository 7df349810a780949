"""Undo what Jettison does to lists: Opencast's JSON of XML documents has no arrays for zero or one entry.

An element that may be repeated comes as a list when it occurs twice or more, as itself when it occurs once, and not at
all, or with an empty text in place of its parent, when it does not occur (``OpencastJSONProvider``; also the
``mediapackage`` of the search service). Texts that look like numbers or booleans lose their type, so documents with
free text are better read from their XML twins.
"""

from __future__ import annotations

from typing import Any


def as_list(value: Any) -> list[Any]:
    """Give the entries of a repeatable element: none for nothing, one for one, all for a list."""
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def entries(document: Any, *path: str) -> list[Any]:
    """Walk down a document and give the entries of the last element.

    ``entries({"agents": {"agent": {...}}}, "agents", "agent")`` gives one entry, ``entries({"agents": ""}, "agents",
    "agent")`` none.

    :param path: keys from the outside to the inside; whatever is missing on the way means that there is no entry.
    """
    for key in path:
        if not isinstance(document, dict):
            return []
        document = document.get(key)
    return as_list(document)
