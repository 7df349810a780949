"""A row that must be there before it can be locked."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from opencast.store.base import Base

RowT = TypeVar("RowT", bound=Base)


def locked_row(session: Session, table: type[RowT], key: str, **first: Any) -> RowT:
    """Return a row that no other transaction can change until this one ends; it is made when there is none.

    :param key: value of the primary key, which is one text column.
    :param first: the values of a new row.
    """
    column = table.__mapper__.primary_key[0].name
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(dialect.insert(table).values({column: key, **first}).on_conflict_do_nothing())
    return session.get_one(table, key, with_for_update=True)
