"""A source, a target, and everything between them, without Airflow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import ObjectBusy, OpencastError
from opencast.migration.batch import Batch, migrate_batch
from opencast.migration.library import take_inventory
from opencast.migration.mediapackage import MediaPackageMigrator, Progress
from opencast.migration.options import Options
from opencast.migration.workbench import Workbench
from opencast.settings import Settings
from opencast.store.database import Database
from opencast.store.ledger import Entry, Kind, ObjectKey, State
from opencast.store.plans import Action, Item

from tests.simulator import Simulator
from tests.simulator.dublincore import TERMS, Catalog, Value
from tests.simulator.records import Series

KEY = "dag/run"


@dataclass
class Pair:
    """Two simulators and a workbench between them; ``options`` may be changed between steps."""

    source: Simulator
    target: Simulator
    database: Database
    settings: Settings

    def bench(self, **options: Any) -> Workbench:
        """Open a workbench as a task does."""
        return Workbench(
            self.settings,
            Options.from_params(options),
            self.database,
            Opencast(server(self.source)),
            Opencast(server(self.target)),
            is_alive=lambda _: False,  # one run after another: those before have ended
        )

    def plan(self, key: str = KEY, **options: Any) -> dict[str, Item]:
        """Take the inventory, make the plan, and return its items by identifier."""
        with self.bench(**options) as bench:
            taken = take_inventory(bench.source, bench.inventory)
            bench.planner().plan(key, options, bench.options, taken.unreadable)
            return {item.identifier: item for item in bench.plans.items(key)}

    def migrate(self, identifier: str, key: str = KEY, **options: Any) -> Entry:
        """Migrate one mediapackage as its task does, and return what the ledger says."""
        with self.bench(**options) as bench:
            migrator = bench.mediapackage_migrator(identifier, key, identifier)
            try:
                finish(migrator, migrator.begin())
            except ObjectBusy as error:
                migrator.fail(error, skipped=True)
            except OpencastError as error:
                migrator.fail(error)
            entry = bench.ledger.entry(Kind.MEDIAPACKAGE, identifier)
            assert entry is not None
            return entry

    def migrate_series(self, identifier: str) -> tuple[str, ...]:
        """Migrate one series as its task does, and return what was written."""
        with self.bench() as bench:
            done = bench.series_migrator().migrate(identifier)
            key = ObjectKey(Kind.SERIES, identifier, KEY, done.title)
            bench.ledger.finish(key, State.DONE, source_version=done.fingerprint)
            return done.written

    def migrate_scheduled(self, identifier: str, key: str = KEY, **options: Any) -> Entry:
        """Migrate one scheduled event as its task does, and return what the ledger says."""
        with self.bench(**options) as bench:
            migrator = bench.scheduled_migrator(identifier, key, identifier)
            try:
                migrator.migrate()
            except ObjectBusy as error:
                migrator.fail(error, skipped=True)
            except OpencastError as error:
                migrator.fail(error)
            entry = bench.ledger.entry(Kind.SCHEDULED, identifier)
            assert entry is not None
            return entry

    def migrate_all(self, **options: Any) -> dict[str, Entry]:
        """Plan, migrate every series and event of the plan, and return the events' entries."""
        items = self.plan(**options).values()
        work = [item for item in items if item.action in {Action.MIGRATE, Action.UPDATE}]
        for kind in (Kind.AGENT, Kind.THEME):
            self.migrate_belongings(kind, **options)
        for item in work:
            if item.kind is Kind.SERIES:
                self.migrate_series(item.identifier)
        done = {
            item.identifier: self.migrate(item.identifier, **options) for item in work if item.kind is Kind.MEDIAPACKAGE
        }
        for item in work:
            if item.kind is Kind.SCHEDULED:
                done[item.identifier] = self.migrate_scheduled(item.identifier, **options)
        self.migrate_belongings(Kind.PLAYLIST, **options)
        return done

    def migrate_belongings(
        self,
        kind: Kind,
        key: str = KEY,
        *,
        will_retry: Callable[[OpencastError], bool] = lambda _: False,
        **options: Any,
    ) -> Batch:
        """Migrate the planned objects of one small kind as their task does."""
        with self.bench(**options) as bench:
            items = list(bench.plans.items(key, kind))
            return migrate_batch(bench.ledger, key, kind, items, bench.belonging_migrator(kind), will_retry=will_retry)

    def entry(self, kind: Kind, identifier: str) -> Entry:
        """Return what the ledger says of an object."""
        with self.bench() as bench:
            entry = bench.ledger.entry(kind, identifier)
            assert entry is not None
            return entry

    def writes(self) -> list[str]:
        """Return every request that the target got and that was not a reading one."""
        return [f"{r.method} {r.path}" for r in self.target.requests.all() if r.method not in {"GET", "HEAD"}]


def finish(migrator: MediaPackageMigrator, progress: Progress) -> None:
    """Wait for the imports as the trigger does, then verify."""
    deadline = time.monotonic() + 60
    while progress is Progress.WAITING:
        assert time.monotonic() < deadline, "the import takes too long"
        time.sleep(0.01)
        progress = migrator.advance()
    if progress is Progress.IMPORTED:
        migrator.complete()


def server(simulator: Simulator, **fields: Any) -> Server:
    """Return the address and login of a simulator."""
    values = {"url": simulator.url, "username": "admin", "password": "opencast", "max_tries": 2}
    return Server(**{**values, **fields})


def make_pair(source: Simulator, target: Simulator, folder: Path) -> Pair:
    """Put two simulators together."""
    database = Database(f"sqlite:///{folder}/store.db")
    database.upgrade()
    settings = Settings(data_folder=folder / "data", staging_reserve_gb=0)
    return Pair(source, target, database, settings)


def add_series(simulator: Simulator, identifier: str, title: str | None) -> None:
    """Put a series into a simulator as an old version may have written it."""
    catalog = Catalog([Value(TERMS, "identifier", identifier)])
    if title is not None:
        catalog.set("title", title)
    series = Series(identifier, "mh_default_org", catalog)
    simulator.state.series[identifier] = series
    simulator.state.series_index.load(identifier, series.document())
