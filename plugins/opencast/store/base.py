"""The declarative base and the column types that every table of the store uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; naive values are refused, because they would silently mean the machine's own zone.

    SQLite has no time zones: it keeps UTC without the offset, and gets it back on reading.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC.

        :raises ValueError: for a naive value.
        """
        return None if value is None else self._bound(value, dialect)

    def _bound(self, value: datetime, dialect: Dialect) -> datetime:
        if value.tzinfo is None:
            raise ValueError(f"The naive time {value.isoformat()} cannot be stored; give it a time zone.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        result: datetime = value
        return result.replace(tzinfo=UTC) if result.tzinfo is None else result.astimezone(UTC)

    def writer(self, dialect: Dialect) -> Callable[[datetime], datetime | str]:
        """Give what writes values for a driver, for statements that do not go through SQLAlchemy.

        SQLAlchemy's own way to SQLite's text takes six times as long.
        """
        if dialect.name == "sqlite":
            return lambda value: self._bound(value, dialect).isoformat(" ", "microseconds")
        return lambda value: self._bound(value, dialect)


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed, because SQLite can only alter what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def utc_now() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)
