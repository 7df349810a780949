"""What the tests of the harvest share: a store, clocks that are set by hand, and a harvester before a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.harvester import HarvestOptions, harvest
from opencast.harvest.report import HarvestReport
from opencast.harvest.stream_state import Mode
from opencast.harvest.transport import Transport
from opencast.store.catalogue import MatterhornRecord, MediaItem, Playlist, PlaylistItem, Series, Track
from opencast.store.database import Database
from opencast.store.harvesting import HarvestRun, HarvestStream, Record, RecordContent, Repository
from sqlalchemy import ColumnElement, create_engine, make_url, select
from sqlalchemy.orm import DeclarativeBase

from tests.harvest.in_process import InProcess
from tests.harvest.oai_server import OaiServer
from tests.harvest.recordings import FORMATS

Table = TypeVar("Table", bound=DeclarativeBase)

URL = "http://127.0.0.1/oaipmh/default"


@dataclass
class Clock:
    """A clock that only moves when it is told to."""

    now: datetime = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Site:
    """A harvesting installation before one repository."""

    database: Database
    clock: Clock
    server: OaiServer
    read_ahead: bool = False
    waits: list[float] = field(default_factory=list)

    def client(self, **endpoint: Any) -> OaiPmhClient:
        settings = Endpoint(URL, **{"max_tries": 3, **endpoint})
        transport = Transport(settings, sender=InProcess(self.server.reply))
        return OaiPmhClient(settings, sleep=self.waits.append, transport=transport, jitter=lambda: 0.0)

    def harvest(self, mode: Mode = Mode.INCREMENTAL, *, name: str = "repo", **arguments: Any) -> HarvestReport:
        options = HarvestOptions(clock=self.clock, read_ahead=self.read_ahead)
        return harvest(self.database, name, self.client(), mode=mode, options=options, **arguments)

    def add(self, name: str = "repo", **settings: Any) -> int:
        with self.database.session() as session:
            repository = Repository(name=name, url=URL, **settings)
            session.add(repository)
            session.flush()
            return repository.id

    def settings(self, name: str = "repo", **changes: Any) -> Repository:
        with self.database.session() as session:
            repository = session.scalars(select(Repository).where(Repository.name == name)).one()
            for field_name, value in changes.items():
                setattr(repository, field_name, value)
        return repository

    def playlist(self, name: str = "lectures", **values: Any) -> int:
        with self.database.session() as session:
            playlist = Playlist(name=name, title=name.title(), feed_token=f"token-of-{name}", **values)
            session.add(playlist)
            session.flush()
            return playlist.id

    def series(self, identifier: str, *, repository_id: int = 1, **values: Any) -> Series:
        with self.database.session() as session:
            query = select(Series).where(Series.repository_id == repository_id, Series.identifier == identifier)
            series = session.scalars(query).one_or_none()
            if series is None:
                series = Series(repository_id=repository_id, identifier=identifier)
                session.add(series)
            for field_name, value in values.items():
                setattr(series, field_name, value)
        return series

    # --- looking -----------------------------------------------------------------------------------------------------

    def rows(self, table: type[Table], *conditions: ColumnElement[bool]) -> list[Table]:
        with self.database.reading() as session:
            return list(session.scalars(select(table).where(*conditions).order_by(*table.__mapper__.primary_key)))

    def records(self) -> dict[str, str]:
        """What the catalogue holds of each record: ``alive``, ``deleted`` or ``unreadable``."""
        kinds = {True: "deleted", False: "alive"}
        return {row.identifier: "unreadable" if row.error else kinds[row.deleted] for row in self.rows(Record)}

    def contents(self) -> dict[str, bytes]:
        with self.database.reading() as session:
            query = select(Record.identifier, RecordContent.xml).join(RecordContent)
            return {identifier: xml for identifier, xml in session.execute(query)}

    @property
    def repository(self) -> Repository:
        return self.rows(Repository)[0]

    @property
    def stream(self) -> HarvestStream:
        return self.rows(HarvestStream)[0]

    @property
    def runs(self) -> list[HarvestRun]:
        return self.rows(HarvestRun)

    @property
    def matterhorn(self) -> list[MatterhornRecord]:
        return self.rows(MatterhornRecord)

    @property
    def tracks(self) -> list[Track]:
        return self.rows(Track)

    @property
    def items(self) -> list[MediaItem]:
        return self.rows(MediaItem)

    @property
    def places(self) -> list[PlaylistItem]:
        return self.rows(PlaylistItem)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated store, as bytes: migrating a new one for each test would take longer than the tests."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.dispose()  # the last connection moves the write-ahead log into the file
    return path.read_bytes()


#: URL of a PostgreSQL server's database ``postgres``: with it, the tests of the harvest run there instead of on SQLite.
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL")


@pytest.fixture
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    if POSTGRESQL:
        yield from _postgresql_database(request.getfixturevalue("empty_postgresql"))
        return
    path = tmp_path / "store.db"
    path.write_bytes(request.getfixturevalue("empty_store"))
    yield Database(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def empty_postgresql() -> str:
    """A migrated store to make copies of."""
    name = f"empty_{uuid.uuid4().hex}"
    _administer(f"CREATE DATABASE {name}")
    database = Database(_url_of(name))
    database.upgrade()
    database.dispose()
    return name


def _postgresql_database(template: str) -> Iterator[Database]:
    name = f"test_{uuid.uuid4().hex}"
    _administer(f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(_url_of(name))
    yield database
    database.dispose()
    _administer(f"DROP DATABASE {name} WITH (FORCE)")


def _administer(statement: str) -> None:
    engine = create_engine(str(POSTGRESQL), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _url_of(name: str) -> str:
    return make_url(str(POSTGRESQL)).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(database: Database, clock: Clock) -> Site:
    """An installation with the repository ``repo``, before a server like Opencast."""
    site = Site(database, clock, OaiServer(now=clock))
    site.add(overlap_seconds=30)
    return site


@pytest.fixture
def new_site(database: Database, clock: Clock) -> Callable[..., Site]:
    """Make an installation before a server with other properties, and without a repository."""

    def make(**server: Any) -> Site:
        if not server.get("opencast", True):
            server.setdefault("formats", {"oai_dc": FORMATS["oai_dc"]})
        return Site(database, clock, OaiServer(now=server.pop("now", clock), **server))

    return make
