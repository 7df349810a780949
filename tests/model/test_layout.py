"""The order of a document's parts is remembered, and new parts find their place."""

from __future__ import annotations

import pytest
from opencast.errors import InvalidMediaPackage
from opencast.model.layout import Unknown, Writer, boolean, integer


def written(layout: tuple[str, ...] | None, values: dict[str, str]) -> list[str]:
    writer = Writer(Unknown(layout=layout))
    for key in ("a", "b", "c", "d"):
        writer.text(key, values.get(key))
    return [part for part in writer.content().replace("/>", "").split("<") if part]


def test_parts_stand_in_opencasts_order_when_nothing_was_read() -> None:
    assert written(None, {"c": "", "a": ""}) == ["a", "c"]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (("a", "b", "c"), ["a", "b", "c"]),
        (("c", "a", "b"), ["c", "a", "b"]),
        (("c", "x", "a"), ["c", "a", "b"]),
        ((), ["a", "b", "c"]),
        (("b",), ["a", "b", "c"]),
        (("c", "b"), ["a", "c", "b"]),
    ],
)
def test_parts_stand_where_the_source_had_them_and_new_ones_behind_their_neighbour(
    layout: tuple[str, ...], expected: list[str]
) -> None:
    assert written(layout, {"a": "", "b": "", "c": ""}) == expected


def test_a_part_that_was_taken_away_is_not_written() -> None:
    assert written(("b", "a"), {"a": ""}) == ["a"]


@pytest.mark.parametrize(
    ("layout", "always", "expected"),
    [
        (None, True, "<x/>"),
        (None, False, ""),
        ((), True, ""),
        (("x",), False, "<x/>"),
    ],
)
def test_an_empty_container_is_written_when_the_source_had_it_or_else_when_opencast_always_writes_it(
    layout: tuple[str, ...] | None, always: bool, expected: str
) -> None:
    writer = Writer(Unknown(layout=layout))
    writer.container("x", "", always=always)
    assert writer.content() == expected


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-1", -1), (" 34997\n", 34997), ("9" * 18, 10**18 - 1)])
def test_whole_numbers_are_read(text: str, number: int) -> None:
    assert integer(text, where="size") == number


@pytest.mark.parametrize("text", ["", "1.0", "1e3", "0x1", "1_0", "٣", "9" * 20, "NaN"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(InvalidMediaPackage, match="size is"):
        integer(text, where="size")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), (" false ", False), ("0", False)])
def test_truth_values_of_xml_schema_are_read(text: str, value: bool) -> None:
    assert boolean(text, where="live") is value


@pytest.mark.parametrize("text", ["", "True", "yes", "2"])
def test_other_truth_values_are_refused(text: str) -> None:
    with pytest.raises(InvalidMediaPackage, match="live is"):
        boolean(text, where="live")
