"""Many rows are written with one statement, converted as the columns want it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from opencast.store.base import UtcDateTime
from opencast.store.bulk import BulkInsert
from opencast.store.database import Database
from sqlalchemy import JSON, Connection, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Other(DeclarativeBase):
    """Tables of this test only."""


class Thing(Other):
    __tablename__ = "thing"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    data: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    flag: Mapped[bool] = mapped_column(default=False)


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = ("name", "at", "data", "flag")
INSERT = BulkInsert(Thing, COLUMNS, key=("name",), changed=("at", "flag"), returning=("name", "id"))  # type: ignore[arg-type]


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    Other.metadata.create_all(database.engine)
    return database.engine.connect()


def rows(connection: Connection) -> list[tuple[object, ...]]:
    query = select(Thing.name, Thing.at, Thing.data, Thing.flag).order_by(Thing.name)
    return [tuple(row) for row in connection.execute(query)]


def test_rows_come_back_as_they_were(connection: Connection) -> None:
    berlin = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    INSERT.execute(connection, [("a", NOON, ["ü"], True), ("b", berlin, None, False), ("c", None, [], False)])
    assert rows(connection) == [("a", NOON, ["ü"], True), ("b", NOON, None, False), ("c", None, [], False)]


def test_ids_are_given_back_for_new_and_old_rows(connection: Connection) -> None:
    first = dict(map(tuple, INSERT.execute(connection, [("a", None, None, False)])))
    both = dict(map(tuple, INSERT.execute(connection, [("b", None, None, False), ("a", NOON, None, True)])))
    assert both["a"] == first["a"] != both["b"]


def test_only_the_named_columns_are_changed(connection: Connection) -> None:
    INSERT.execute(connection, [("a", None, ["old"], False)])
    INSERT.execute(connection, [("a", NOON, ["new"], True)])
    assert rows(connection) == [("a", NOON, ["old"], True)]


def test_without_columns_to_change_a_row_stays_as_it_is(connection: Connection) -> None:
    keep = BulkInsert(Thing, COLUMNS, key=("name",))  # type: ignore[arg-type]
    keep.execute(connection, [("a", NOON, None, True)])
    keep.execute(connection, [("a", None, None, False)])
    assert rows(connection) == [("a", NOON, None, True)]


def test_more_rows_than_one_statement_takes(connection: Connection) -> None:
    many = [(f"{number:05}", NOON, None, False) for number in range(20_000)]
    assert len(INSERT.execute(connection, many)) == 20_000
    assert len(rows(connection)) == 20_000


def test_no_rows_are_no_statement(connection: Connection) -> None:
    assert INSERT.execute(connection, []) == []


def test_a_naive_time_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="naive"):
        INSERT.execute(connection, [("a", datetime(2026, 1, 1), None, False)])
