"""Texts in the format of ``java.util.Properties``: key and value a line, escapes, comments."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class Malformed(ValueError):
    r"""An escape ``\uXXXX`` is broken."""


def load(text: str) -> dict[str, str]:
    """Read a text; the last of several values of a key wins.

    :raises Malformed: for a broken escape.
    """
    result = {}
    for line in _logical_lines(text):
        key, value = _split(line)
        result[_unescape(key)] = _unescape(value)
    return result


def dump(properties: dict[str, str]) -> str:
    """Write lines as the scheduler does: nothing is escaped."""
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def _logical_lines(text: str) -> list[str]:
    lines, pending = [], ""
    for raw in re.split(r"\r\n|\r|\n", text):
        line = raw.lstrip(" \t\f")
        if not pending and (not line or line[0] in "#!"):
            continue
        pending += line
        if (len(pending) - len(pending.rstrip("\\"))) % 2:
            pending = pending[:-1]
            continue
        lines.append(pending)
        pending = ""
    return [*lines, pending] if pending else lines


def _split(line: str) -> tuple[str, str]:
    found = re.match(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.DOTALL)
    return (found[1], found[2]) if found else (line, "")


def _unescape(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        escaped = found[1]
        if escaped == "u":
            raise Malformed("Malformed \\uxxxx encoding.")
        return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _SIMPLE.get(escaped, escaped)

    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
