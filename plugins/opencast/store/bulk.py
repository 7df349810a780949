"""Insert or update many rows with one statement, for SQLite and PostgreSQL.

SQLAlchemy's own way takes each value of each row through several calls; a harvest writes tens of thousands of rows a
second, so this sends them straight to the driver: to SQLite as the values of one statement, to PostgreSQL by ``COPY``.
Column types convert the values all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import JSON, Connection, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase

from opencast.store.base import UtcDateTime
from opencast.store.binary_copy import BinaryCopy

#: SQLite binds at most 32,766 values, PostgreSQL's protocol 65,535.
_MAX_VALUES = 30_000
#: From so many rows on, PostgreSQL takes less time by ``COPY``.
_WORTH_COPYING = 20

_Convert = Callable[[Any], Any]


def may_be_repeated(connection: Connection) -> None:
    """Say of the transaction that its commit need not wait for the disk, because its work is done again if it is lost.

    It is never lost in part, and the next ordinary commit saves it as well. SQLite's log works like that by itself.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


class BulkInsert:
    """A statement that inserts rows of a table, or updates those whose key is there already.

    :param columns: what the rows hold, in this order; every column without a database default. None in a column of
        JSON is stored as no value.
    :param key: columns of a unique constraint; empty for a plain insert.
    :param changed: columns to set on a row that exists; empty: it is left as it is.
    :param returning: columns to give back of every row that was inserted or updated.
    """

    def __init__(
        self,
        table: type[DeclarativeBase],
        columns: Sequence[str],
        *,
        key: Sequence[str] = (),
        changed: Sequence[str] = (),
        returning: Sequence[str] = (),
    ) -> None:
        self._table: Table = table.__table__  # type: ignore[assignment]  # a mapped class always has a table
        self._columns = tuple(columns)
        self._key = tuple(key)
        self._changed = tuple(changed)
        self._returning = tuple(returning)
        self._copy = BinaryCopy(self._table, self._columns)
        self._statements: dict[tuple[str, int], str] = {}
        self._conversions: dict[str, tuple[tuple[int, _Convert], ...]] = {}

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Write rows; no key may occur twice in them.

        :returns: the ``returning`` columns of the rows, in no particular order.
        """
        if len(rows) >= _WORTH_COPYING and self._copy.is_possible(connection):
            return self._by_copy(connection, rows)
        size = _MAX_VALUES // len(self._columns)
        results: list[Any] = []
        for begin in range(0, len(rows), size):
            some = rows[begin : begin + size]
            values = tuple(self._converted(connection.dialect, some))
            result = connection.exec_driver_sql(self._statement(connection.dialect, len(some)), values)
            if self._returning:
                results.extend(result.all())
        return results

    def _by_copy(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Any]:
        if not self._key and not self._returning:
            self._copy.into(connection, self._table.name, rows)
            return []
        quote = connection.dialect.identifier_preparer.quote
        between = self._copy.into_temporary(connection, rows)
        source = f"SELECT {', '.join(map(quote, self._columns))} FROM {quote(between)}"  # noqa: S608
        result = connection.exec_driver_sql(self._written(connection.dialect, source))
        return list(result.all()) if self._returning else []

    def _converted(self, dialect: Dialect, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Give all values in one list; those whose types need it are converted, each different one once."""
        conversions = self._conversions.get(dialect.name)
        if conversions is None:
            conversions = self._conversions[dialect.name] = tuple(self._find_conversions(dialect))
        values = list(chain.from_iterable(rows))
        width = len(self._columns)
        for place, convert in conversions:
            known: dict[Any, Any] = {}
            column = values[place::width]
            for number, value in enumerate(column):
                if isinstance(value, list):
                    column[number] = convert(value)
                elif value is not None:
                    if value not in known:
                        known[value] = convert(value)
                    column[number] = known[value]
            values[place::width] = column
        return values

    def _find_conversions(self, dialect: Dialect) -> Iterable[tuple[int, _Convert]]:
        """Find the columns of times and JSON; drivers take everything else as it is."""
        for place, name in enumerate(self._columns):
            kind = self._table.c[name].type
            if isinstance(kind, UtcDateTime):
                yield place, kind.writer(dialect)
            elif isinstance(kind, JSON) and (processor := kind.dialect_impl(dialect).bind_processor(dialect)):
                yield place, processor

    def _statement(self, dialect: Dialect, count: int) -> str:
        statement = self._statements.get((dialect.name, count))
        if statement is None:
            if len(self._statements) > 200:
                self._statements.clear()
            mark = "?" if dialect.paramstyle == "qmark" else "%s"
            row = f"({', '.join([mark] * len(self._columns))})"
            statement = self._written(dialect, f"VALUES {', '.join([row] * count)}")
            self._statements[dialect.name, count] = statement
        return statement

    def _written(self, dialect: Dialect, source: str) -> str:
        """Write the statement around the rows' source."""
        quote = dialect.identifier_preparer.quote
        parts = [f"INSERT INTO {quote(self._table.name)} ({', '.join(map(quote, self._columns))})", source]
        if self._key:
            parts.append(f"ON CONFLICT ({', '.join(map(quote, self._key))})")
            sets = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in self._changed)
            parts.append(f"DO UPDATE SET {sets}" if sets else "DO NOTHING")
        if self._returning:
            parts.append(f"RETURNING {', '.join(map(quote, self._returning))}")
        return " ".join(parts)
