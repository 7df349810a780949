"""Write Java properties, the form in which workflow and agent properties are posted."""

from __future__ import annotations

from collections.abc import Mapping

_ESCAPES = {
    "\\": "\\\\",
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    "\f": "\\f",
    "=": "\\=",
    ":": "\\:",
    "#": "\\#",
    "!": "\\!",
}


def to_lines(properties: Mapping[str, str]) -> str:
    r"""Write one ``key=value`` line for each property, in ASCII, sorted by key.

    Some services read the lines as Latin-1 although they were sent in UTF-8 (``LocalHashMap`` of ``POST
    /workflow/start``), so every other character is written as ``\uXXXX`` (``java.util.Properties.load``).
    """
    return "".join(f"{_key(key)}={_value(value)}\n" for key, value in sorted(properties.items()))


def _key(text: str) -> str:
    # A blank would end the key.
    return _escaped(text).replace(" ", "\\ ")


def _value(text: str) -> str:
    # Blanks in front would be taken for a part of the separator.
    written = _escaped(text)
    blanks = len(written) - len(written.lstrip(" "))
    return "\\ " * blanks + written[blanks:]


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character) or _ascii(character) for character in text)


def _ascii(character: str) -> str:
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
