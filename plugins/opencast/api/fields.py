"""Read values out of JSON objects of a server, whose types are not to be relied on.

Opencast writes absent values as ``""``, as null or not at all, and some numbers as texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opencast.errors import InvalidAnswer
from opencast.model.moment import parse_moment

Json = Mapping[str, Any]


def a_list(value: Any, *, what: str) -> list[Any]:
    """Give a value that must be a list.

    :param what: what it is, for the error message.
    :raises InvalidAnswer: it is none.
    """
    if not isinstance(value, list):
        raise InvalidAnswer(f"{what}: a list was expected and {_kind(value)} came.")
    return value


def an_object(value: Any, *, what: str) -> Json:
    """Give a value that must be a JSON object.

    :param what: what it is, for the error message.
    :raises InvalidAnswer: it is none.
    """
    if not isinstance(value, dict):
        raise InvalidAnswer(f"{what}: an object was expected and {_kind(value)} came.")
    return value


def objects(value: Any, *, what: str) -> list[Json]:
    """Give a value that must be a list of JSON objects.

    :raises InvalidAnswer: it is none.
    """
    return [an_object(entry, what=what) for entry in a_list(value, what=what)]


def text(source: Json, name: str) -> str:
    """Give a text; empty when it is missing or no text at all."""
    value = source.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def required(source: Json, name: str, *, what: str) -> str:
    """Give a text that must be there.

    :raises InvalidAnswer: it is missing or empty.
    """
    value = text(source, name)
    if not value:
        raise InvalidAnswer(f"{what} has no {name}.")
    return value


def texts(source: Json, name: str) -> tuple[str, ...]:
    """Give a list of texts; empty when it is missing. A single text counts as a list of one."""
    value = source.get(name)
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def integer(source: Json, name: str) -> int | None:
    """Give a whole number, also from a text or a floating point number; None when it is missing or none."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value) if isinstance(value, float) else int(value)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) else None


def flag(source: Json, name: str) -> bool:
    """Give a boolean; False when it is missing."""
    return source.get(name) in {True, "true"}


def moment(source: Json, name: str) -> datetime | None:
    """Give a point in time, aware, in UTC; None when it is missing or none."""
    value = source.get(name)
    return parse_moment(value) if isinstance(value, str) else None


def mapping(source: Json, name: str) -> dict[str, str]:
    """Give an object of texts; empty when it is missing."""
    value = source.get(name)
    return {str(key): text(value, key) for key in value} if isinstance(value, dict) else {}


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")
