"""Flavors: the two-part names by which Opencast tells the elements of a mediapackage apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from opencast.errors import InvalidFlavor
from opencast.model.identifiers import shown

_WILDCARD = "*"


@dataclass(frozen=True, order=True, slots=True)
class Flavor:
    """A flavor such as ``presenter/source``.

    :param type: the part before the slash, lower case.
    :param subtype: the part after the slash, lower case; may hold ``+``.
    """

    type: str
    subtype: str

    @classmethod
    def parse(cls, text: str) -> Flavor:
        """Read a flavor as Opencast does: both parts trimmed and in lower case.

        :raises InvalidFlavor: not exactly one slash, or an empty part.
        """
        return _parse(text)

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}"

    def matches(self, pattern: Flavor | str) -> bool:
        """Tell whether this flavor and a pattern match; ``*`` stands for a whole part, in either of the two.

        :raises InvalidFlavor: the pattern is a text that is no flavor.
        """
        other = pattern if isinstance(pattern, Flavor) else _parse(pattern)
        return _part_matches(self.type, other.type) and _part_matches(self.subtype, other.subtype)


def _part_matches(one: str, other: str) -> bool:
    return one == other or _WILDCARD in {one, other}


@lru_cache(maxsize=4096)
def _parse(text: str) -> Flavor:
    parts = [part.strip().lower() for part in text.split("/")]
    if len(parts) != 2 or not all(parts):
        raise InvalidFlavor(f"{shown(text)} is no flavor: it must be two names with one slash between them.")
    return Flavor(*parts)
