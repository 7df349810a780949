"""Insert or update many rows with one statement, for SQLite and PostgreSQL.

SQLAlchemy's own way takes each value of each row through several calls; a harvest writes tens of thousands of rows a
second, so this sends tuples straight to the driver. Column types convert the values all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, Table
from sqlalchemy.engine import Dialect

from opencast.store.base import Base, UtcDateTime

#: SQLite binds at most 32,766 values, PostgreSQL's protocol 65,535.
_MAX_VALUES = 30_000
#: Values that one statement with a list compares at most.
MAX_LIST = 1000

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
        table: type[Base],
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
        self._statements: dict[tuple[str, int], str] = {}
        self._conversions: dict[str, tuple[tuple[int, _Convert], ...]] = {}

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Write rows; no key may occur twice in them.

        :returns: the ``returning`` columns of the rows, in no particular order.
        """
        converted = self._converted(connection.dialect, rows)
        size = _MAX_VALUES // len(self._columns)
        results: list[Any] = []
        for begin in range(0, len(converted), size):
            some = converted[begin : begin + size]
            values = tuple([value for row in some for value in row])
            result = connection.exec_driver_sql(self._statement(connection.dialect, len(some)), values)
            if self._returning:
                results.extend(result.all())
        return results

    def _converted(self, dialect: Dialect, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Convert the values whose types need it; most of them repeat, so each is converted once."""
        conversions = self._conversions.get(dialect.name)
        if conversions is None:
            conversions = self._conversions[dialect.name] = tuple(self._find_conversions(dialect))
        converted = [list(row) for row in rows]
        for place, convert in conversions:
            known: dict[Any, Any] = {}
            for row in converted:
                value = row[place]
                if isinstance(value, list):
                    row[place] = convert(value)
                elif value is not None:
                    if value not in known:
                        known[value] = convert(value)
                    row[place] = known[value]
        return converted

    def _find_conversions(self, dialect: Dialect) -> Iterable[tuple[int, _Convert]]:
        """Find the columns of times and JSON; drivers take everything else as it is."""
        for place, name in enumerate(self._columns):
            kind = self._table.c[name].type
            processor = kind.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None and isinstance(kind, (UtcDateTime, JSON)):
                yield place, processor

    def _statement(self, dialect: Dialect, count: int) -> str:
        statement = self._statements.get((dialect.name, count))
        if statement is None:
            if len(self._statements) > 200:
                self._statements.clear()
            statement = self._statements[dialect.name, count] = self._written(dialect, count)
        return statement

    def _written(self, dialect: Dialect, count: int) -> str:
        quote = dialect.identifier_preparer.quote
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        row = f"({', '.join([mark] * len(self._columns))})"
        parts = [
            f"INSERT INTO {quote(self._table.name)} ({', '.join(map(quote, self._columns))})",
            f"VALUES {', '.join([row] * count)}",
        ]
        if self._key:
            parts.append(f"ON CONFLICT ({', '.join(map(quote, self._key))})")
            sets = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in self._changed)
            parts.append(f"DO UPDATE SET {sets}" if sets else "DO NOTHING")
        if self._returning:
            parts.append(f"RETURNING {', '.join(map(quote, self._returning))}")
        return " ".join(parts)
