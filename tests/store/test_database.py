"""The store opens anywhere, migrates once, and its migrations build exactly the declared tables."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import opencast.store
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from opencast.errors import ConfigurationError, StoreError
from opencast.store import tables, upgrading
from opencast.store.base import Base
from opencast.store.database import Database
from sqlalchemy import select, text

from scripts.processes import free_port


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    return database


def test_migrations_build_what_the_tables_declare(database: Database) -> None:
    for module in pkgutil.iter_modules(opencast.store.__path__):
        if module.name != "env":  # alembic's own entry, which only runs inside alembic
            importlib.import_module(f"opencast.store.{module.name}")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_upgrade_may_run_in_several_processes_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    errors: list[BaseException] = []

    def upgrade() -> None:
        try:
            Database(url).upgrade()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_store_that_is_up_to_date_is_opened_at_once(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task opens it: none waits for another one, or asks alembic."""
    with store.engine.connect() as connection:
        newest = ScriptDirectory.from_config(upgrading.alembic_config()).get_current_head()
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == newest
    monkeypatch.setattr(upgrading, "bring_up_to_date", lambda _: pytest.fail("the schema was changed"))
    store.upgrade()


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    berlin = datetime(2021, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    with database.session() as session:
        session.add(
            tables.InventorySeries(source="s", identifier="a", title="A", created=berlin, seen=datetime.now(UTC))
        )
    with database.reading() as session:
        row = session.scalars(select(tables.InventorySeries)).one()
        assert row.created == datetime(2021, 12, 31, 22, 30, tzinfo=UTC)
        assert row.created.tzinfo is not None


def test_a_naive_time_is_refused(database: Database) -> None:
    from sqlalchemy.exc import StatementError

    with pytest.raises(StatementError, match="naive"), database.session() as session:
        session.add(tables.InventorySeries(source="s", identifier="a", title="A", seen=datetime(2021, 1, 1)))


def test_two_writers_wait_for_each_other(database: Database) -> None:
    """A counter raised by read-then-write from several threads loses nothing: the write lock is taken at the read."""
    with database.session() as session:
        session.add(tables.Pair(id=1, source="0", target="t"))

    def add() -> None:
        for _ in range(20):
            with database.session() as session:
                pair = session.get_one(tables.Pair, 1)
                pair.source = str(int(pair.source) + 1)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(tables.Pair, 1).source == "60"


def test_an_unreadable_url_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="SQLAlchemy URL"):
        Database("not a url")


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(f"sqlite:///{tmp_path}/folder.db").upgrade()


@pytest.mark.parametrize("kind", ["session", "reading"])
def test_a_database_that_is_away_is_an_error_that_passes_by_itself(kind: str) -> None:
    """A task that meets it is tried again; without a name it would look like a mistake of this program."""
    database = Database(f"postgresql+psycopg2://opencast:secret@127.0.0.1:{free_port(59990)}/store")
    with pytest.raises(StoreError, match=r"does not answer: .*refused") as caught, getattr(database, kind)() as session:
        session.execute(text("SELECT 1"))
    assert caught.value.retriable and "secret" not in str(caught.value)
