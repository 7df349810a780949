"""Values of JSON objects whose types are not to be relied on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from opencast.api import fields
from opencast.errors import InvalidAnswer


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", ""),
        (None, ""),
        (2024, "2024"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        ([], ""),
        ({}, ""),
    ],
)
def test_a_text_is_always_a_text(value: Any, text: str) -> None:
    assert fields.text({"a": value}, "a") == text
    assert fields.text({}, "a") == ""


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (5.0, 5), ("5", 5), ("", None), (None, None), ("x", None), (True, None), (float("inf"), None), ([], None)],
)
def test_a_number_is_whole_or_missing(value: Any, number: int | None) -> None:
    assert fields.integer({"a": value}, "a") == number


@pytest.mark.parametrize(
    ("value", "texts"), [(["a", "b"], ("a", "b")), ("a", ("a",)), ("", ()), (None, ()), (["a", 1], ("a",)), ({}, ())]
)
def test_texts_are_always_a_tuple(value: Any, texts: tuple[str, ...]) -> None:
    assert fields.texts({"a": value}, "a") == texts


def test_flags_moments_and_mappings_have_a_value_for_nothing() -> None:
    source = {"f": True, "g": "true", "m": "2021-03-10T09:00:00+01:00", "o": {"k": 1, "l": None}, "bad": 5}
    assert (fields.flag(source, "f"), fields.flag(source, "g"), fields.flag(source, "x")) == (True, True, False)
    assert fields.moment(source, "m") == datetime(2021, 3, 10, 8, tzinfo=UTC)
    assert fields.moment(source, "bad") is None
    assert fields.mapping(source, "o") == {"k": "1", "l": ""}
    assert fields.mapping(source, "bad") == {}


@pytest.mark.parametrize("value", [None, "x", 5, True, {}])
def test_a_list_that_is_none_is_named(value: Any) -> None:
    with pytest.raises(InvalidAnswer, match="the rows"):
        fields.a_list(value, what="the rows")


@pytest.mark.parametrize("value", [None, "x", 5, []])
def test_an_object_that_is_none_is_named(value: Any) -> None:
    with pytest.raises(InvalidAnswer, match="the row"):
        fields.an_object(value, what="the row")
    with pytest.raises(InvalidAnswer, match="the row"):
        fields.objects([value], what="the row")


def test_what_must_be_there_is_missed() -> None:
    assert fields.required({"id": "x"}, "id", what="It") == "x"
    with pytest.raises(InvalidAnswer, match="It has no id"):
        fields.required({"id": ""}, "id", what="It")
