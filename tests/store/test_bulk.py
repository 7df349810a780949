"""Many rows are written with one statement, converted as the columns want it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from opencast.store.base import UtcDateTime
from opencast.store.bulk import BulkInsert
from opencast.store.database import Database
from opencast.store.membership import one_of
from sqlalchemy import JSON, BigInteger, Connection, select
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
    content: Mapped[bytes | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    count: Mapped[int | None]


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLUMNS = ("name", "at", "data", "flag")
INSERT = BulkInsert(Thing, COLUMNS, key=("name",), changed=("at", "flag"), returning=("name", "id"))


@pytest.fixture
def connection(store: Database) -> Iterator[Connection]:
    Other.metadata.create_all(store.engine)
    with store.engine.connect() as connection:
        yield connection


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
    keep = BulkInsert(Thing, COLUMNS, key=("name",))
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


def test_many_rows_come_back_as_they_were(connection: Connection) -> None:
    """PostgreSQL takes many rows in another way than a few."""
    columns = ("name", "at", "data", "flag", "content", "size", "count")
    insert = BulkInsert(Thing, columns, key=("name",), changed=columns[1:])
    early = datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=UTC)
    written: list[tuple[object, ...]] = [
        (
            f"ü'\"\\\t{number:03}",
            early + timedelta(seconds=number),
            [{"a": "ß"}, number],
            number % 2 == 0,
            bytes([number, 0, 255]),
            2**40 * -number,
            -number,
        )
        for number in range(60)
    ]
    written.append(("none", None, None, False, None, None, None))
    insert.execute(connection, [(row[0], NOON, ["old"], False, b"old", 1, 1) for row in written[:30]])
    insert.execute(connection, written)
    query = select(*(getattr(Thing, name) for name in columns))
    assert sorted(map(tuple, connection.execute(query))) == sorted(written)


def test_two_writes_in_one_transaction_do_not_mix(connection: Connection) -> None:
    first = [(f"a{number}", NOON, None, True) for number in range(50)]
    second = [(f"b{number}", NOON, None, True) for number in range(50)]
    names = [dict(map(tuple, INSERT.execute(connection, some))).keys() for some in (first, second)]
    assert names == [{row[0] for row in first}, {row[0] for row in second}]


def test_rows_without_a_key_are_added_in_their_order(connection: Connection) -> None:
    add = BulkInsert(Thing, COLUMNS)
    add.execute(connection, [(f"{number:02}", NOON, None, True) for number in reversed(range(40))])
    found = list(connection.scalars(select(Thing.name).order_by(Thing.id)))
    assert found == [f"{number:02}" for number in reversed(range(40))]


@pytest.mark.parametrize("values", [[], ["01"], ["01", 'it\'s "quoted"', "ü", "not there"]])
def test_a_column_is_compared_with_a_list_of_texts(connection: Connection, values: list[str]) -> None:
    there = ("01", "02", 'it\'s "quoted"', "ü")
    INSERT.execute(connection, [(name, None, None, False) for name in there])
    query = select(Thing.name).where(one_of(Thing.name, "some"))
    assert set(connection.scalars(query, {"some": values})) == set(values) & set(there)


def test_a_column_is_compared_with_a_list_of_numbers(connection: Connection) -> None:
    ids = dict(map(tuple, INSERT.execute(connection, [(name, None, None, False) for name in "abc"])))
    query = select(Thing.name).where(one_of(Thing.id, "some")).order_by(Thing.name)
    assert list(connection.scalars(query, {"some": [ids["a"], ids["c"], 99_999]})) == ["a", "c"]
