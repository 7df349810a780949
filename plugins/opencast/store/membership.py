"""Ask for the rows whose column is one of many values, with one parameter however many they are.

SQLAlchemy's ``in_`` writes a parameter for each value and the statement anew for each number of them, which costs a
harvest more than the database's own work.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, TypeDecorator, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _Values(TypeDecorator[list[Any]]):
    """A list of texts or whole numbers as one parameter: JSON for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Write it as the database takes it."""
        return json.dumps(list(value)) if dialect.name == "sqlite" else list(value)


class _OneOf(FunctionElement[bool]):
    name = "one_of"
    type = Boolean()
    inherit_cache = True


def one_of(column: Any, parameter: str) -> ColumnElement[bool]:
    """Give the condition that a column is one of the values of a parameter.

    :param column: of texts or whole numbers.
    :param parameter: name of the statement's parameter, which takes a list.
    """
    return _OneOf(column, bindparam(parameter, type_=_Values()))


@compiles(_OneOf, "sqlite")
def _for_sqlite(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608


@compiles(_OneOf, "postgresql")
def _for_postgresql(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({values})"
