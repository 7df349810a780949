"""Open the store: SQLite with WAL by default, PostgreSQL in production."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from opencast.errors import ConfigurationError, StoreError

#: Seconds that a writer waits for another one before it gives up.
BUSY_TIMEOUT_S = 60
#: Key of PostgreSQL's advisory lock around schema migrations ("opencast" in ASCII, cut to 63 bits).
_MIGRATION_LOCK = 0x6F70656E63617374 & 0x7FFFFFFFFFFFFFFF


class Database:
    """One engine for one process.

    :param url: SQLAlchemy URL; ``sqlite:////path/file.db`` or ``postgresql+psycopg2://…``.
    :raises ConfigurationError: when the URL cannot be read.
    """

    def __init__(self, url: str) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise ConfigurationError(
                "The store's URL cannot be read.", advice="Give an SQLAlchemy URL, such as sqlite:////data/store.db."
            ) from error
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        if self.is_sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = _sqlite_engine(self._url) if self.is_sqlite else _server_engine(self._url)
        self._reader = self.engine.execution_options(opencast_read_only=True)

    def __repr__(self) -> str:
        return f"Database({self._url.render_as_string(hide_password=True)})"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that writes; commit at its end, roll back on an error.

        On SQLite the write lock is taken at once: a read that becomes a write later would fail with
        "database is locked" however long it waited.

        :raises StoreError: the database does not answer, or went away in the middle; nothing was written.
        """
        with self._answering(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads and never waits for a writer.

        :raises StoreError: the database does not answer, or went away in the middle.
        """
        with self._answering(), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Name what a database is in that is restarted or out of reach: an error that passes by itself."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            problem = str(error.orig).strip().splitlines()
            raise StoreError(f"The store {self!r} does not answer: {problem[0] if problem else error}.") from error

    def upgrade(self) -> None:
        """Bring the schema to the newest version, once, however many processes ask for it at the same time.

        :raises StoreError: when the database cannot be reached or its schema cannot be changed.
        """
        if self._version() == _newest_version():
            return
        # Each task opens the store, and hardly any has to change it: alembic is left alone until then.
        from opencast.store.upgrading import bring_up_to_date

        try:
            with self._migration_lock(), self.engine.connect() as connection:
                bring_up_to_date(connection)
                connection.commit()
        except OperationalError as error:
            raise StoreError(
                f"The store {self!r} cannot be opened.",
                advice="Check that the database is running and that the account may create tables.",
            ) from error

    def _version(self) -> str | None:
        """Return the version of the schema; None where there is none yet, or none to be had."""
        try:
            with self._reader.connect() as connection:
                version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
                return version
        except SQLAlchemyError:
            return None  # an upgrade makes the table, or names what is wrong

    @contextmanager
    def _migration_lock(self) -> Iterator[None]:
        if self.is_sqlite:
            if not self._url.database or self._url.database == ":memory:":
                yield
                return
            with Path(self._url.database + ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            return
        with self.engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _newest_version() -> str:
    """Return the newest version of the schema: each is named as its file."""
    return max(file.stem for file in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def _server_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    if url.get_driver_name() == "psycopg2":

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            # Large values, such as the XML of records, are packed by LZ4 where the server was built with it: the old
            # way takes more time than everything else about writing them.
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config(name, 'lz4', false) FROM pg_settings "
                    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
                )
            connection.commit()

    return engine


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # The driver's own implicit BEGIN is switched off: _on_begin below says which kind is wanted.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # Ids of records come in no order: their indexes are rather kept in memory (kB) than read again and again, and
        # their pages rather written once for many transactions (pages of 4 kB).
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.execute("PRAGMA wal_autocheckpoint=4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("opencast_read_only", False)
        connection.exec_driver_sql("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")

    return engine
