"""Statements that insert rows or update those that are there already, for SQLite and PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from opencast.store.base import Base

#: Values that one statement with a list compares at most; SQLite binds 32,766.
MAX_LIST = 1000

Insert = sqlite.Insert | postgresql.Insert


def upsert(connection: Connection, table: type[Base], key: tuple[str, ...], changed: tuple[str, ...]) -> Insert:
    """Give the statement that inserts rows, and sets columns of those whose key is there already.

    :param key: columns of a unique constraint.
    :param changed: columns to set on a row that exists; none: it is left as it is.
    """
    statement: Insert = _upsert(connection.dialect.name, table, key, changed)
    return statement


@cache
def _upsert(dialect: str, table: type[Base], key: tuple[str, ...], changed: tuple[str, ...]) -> Any:
    statement: Insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    values = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=list(key), set_=values)
