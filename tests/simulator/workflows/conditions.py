"""Variables and conditions of workflow operations: ``${name}``, ``${name!'default'}``, AND, OR, NOT, comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable

_VARIABLE = re.compile(r"\$\{([^}!]+)(?:!'([^']*)'|!([^}]*))?\}")
_TOKEN = re.compile(r"\s*(?:('(?:[^'])*')|(==|!=|<=|>=|<|>|\(|\))|([^\s()'<>=!]+))")


class InvalidCondition(ValueError):
    """A condition cannot be understood."""


def replace_variables(text: str | None, lookup: Callable[[str], str | None]) -> str | None:
    """Put in the values of variables; an unknown one without default stays as it is."""

    def value(match: re.Match[str]) -> str:
        found = lookup(match.group(1).strip())
        default = match.group(2) if match.group(2) is not None else match.group(3)
        return found if found is not None else default if default is not None else match.group(0)

    return None if text is None else _VARIABLE.sub(value, text)


def holds(condition: str) -> bool:
    """Evaluate a condition in which the variables were replaced.

    :raises InvalidCondition: when it is malformed.
    """
    tokens = [next(part for part in match if part) for match in _TOKEN.findall(condition)]
    result, rest = _disjunction(tokens)
    if rest:
        raise InvalidCondition(condition)
    return result


def _disjunction(tokens: list[str]) -> tuple[bool, list[str]]:
    result, tokens = _conjunction(tokens)
    while tokens and tokens[0].upper() == "OR":
        right, tokens = _conjunction(tokens[1:])
        result = result or right
    return result, tokens


def _conjunction(tokens: list[str]) -> tuple[bool, list[str]]:
    result, tokens = _negation(tokens)
    while tokens and tokens[0].upper() == "AND":
        right, tokens = _negation(tokens[1:])
        result = result and right
    return result, tokens


def _negation(tokens: list[str]) -> tuple[bool, list[str]]:
    if not tokens:
        raise InvalidCondition("something is missing")
    if tokens[0].upper() == "NOT":
        result, tokens = _negation(tokens[1:])
        return not result, tokens
    if tokens[0] == "(":
        result, tokens = _disjunction(tokens[1:])
        if not tokens or tokens[0] != ")":
            raise InvalidCondition("a bracket is not closed")
        return result, tokens[1:]
    if len(tokens) > 2 and tokens[1] in ("==", "!=", "<=", ">=", "<", ">"):
        return _compare(tokens[0], tokens[1], tokens[2]), tokens[3:]
    return tokens[0].strip("'").lower() == "true", tokens[1:]


def _compare(left: str, operator: str, right: str) -> bool:
    one: str | float = left.strip("'")
    other: str | float = right.strip("'")
    try:
        one, other = float(one), float(other)
    except ValueError:
        one, other = left.strip("'"), right.strip("'")
    if operator in ("==", "!="):
        return (one == other) is (operator == "==")
    smaller, equal = str(one) < str(other), one == other
    if isinstance(one, float) and isinstance(other, float):
        smaller = one < other
    return {"<": smaller, "<=": smaller or equal, ">": not (smaller or equal), ">=": not smaller}[operator]
