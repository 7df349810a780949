"""Java properties, as ``java.util.Properties`` reads them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from opencast.api import properties

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def _load(text: str) -> dict[str, str]:
    """Read lines by the rules of java.util.Properties.load, without continued lines and comments."""
    loaded = {}
    for line in text.split("\n"):
        found = re.match(r"[ \t\f]*((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.DOTALL)
        if line and found:
            loaded[_unescape(found[1])] = _unescape(found[2])
    return loaded


def _unescape(text: str) -> str:
    names = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
    units = re.sub(
        r"\\(u[0-9a-fA-F]{4}|.)",
        lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 5 else names.get(found[1], found[1]),
        text,
        flags=re.DOTALL,
    )
    return units.encode("utf-16", "surrogatepass").decode("utf-16")


@given(st.dictionaries(TEXTS.filter(bool), TEXTS))
def test_what_is_written_is_what_java_reads(values: dict[str, str]) -> None:
    lines = properties.to_lines(values)
    assert lines.isascii()
    assert lines.count("\n") == len(values)
    assert _load(lines) == {key: value for key, value in values.items()}


def test_awkward_values_look_as_expected() -> None:
    assert properties.to_lines({"comment": "a=b & c"}) == "comment=a\\=b & c\n"
    assert properties.to_lines({"b": "x", "a key": "  ü\n"}) == "a\\ key=\\ \\ \\u00fc\\n\nb=x\n"
    assert properties.to_lines({"emoji": "🎓"}) == "emoji=\\ud83c\\udf93\n"
    assert properties.to_lines({}) == ""
