"""Put together what a task of a migration needs: two servers, the store, staging, and the way to the target."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from opencast.api.opencast import Opencast
from opencast.migration.closing import Closing
from opencast.migration.mediapackage import Means, MediaPackageMigrator
from opencast.migration.options import Options
from opencast.migration.planning import Planner
from opencast.migration.preflight import Parties, Preflight, identify
from opencast.migration.report import Reporter
from opencast.migration.series import SeriesMigrator
from opencast.migration.transfer import RememberedDigests
from opencast.settings import Settings
from opencast.staging.routes import Route
from opencast.staging.source import Fetcher
from opencast.staging.store import ObjectStore
from opencast.staging.upload import UploadRoute
from opencast.store.database import Database
from opencast.store.imports import Imports
from opencast.store.inventory import Inventory
from opencast.store.ledger import Kind, Ledger, ObjectKey
from opencast.store.plans import Plans


class Workbench:
    """Everything for one migration, made when it is first needed.

    :param source: the server that is only read.
    :param target: the server that is written to.
    """

    def __init__(
        self, settings: Settings, options: Options, database: Database, source: Opencast, target: Opencast
    ) -> None:
        self.settings = settings
        self.options = options
        self.database = database
        self.source = source
        self.target = target

    def __enter__(self) -> Workbench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sessions to both servers."""
        self.source.client.close()
        self.target.client.close()

    @cached_property
    def parties(self) -> Parties:
        """Who the two servers say that they are."""
        return identify(self.source, self.target)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of these two servers."""
        return Ledger(self.database, self.parties.source.name, self.parties.target.name)

    @cached_property
    def imports(self) -> Imports:
        """The imports in flight between these two servers."""
        return Imports(self.ledger)

    @cached_property
    def inventory(self) -> Inventory:
        """The inventory of the source."""
        return Inventory(self.database, self.parties.source.name)

    @cached_property
    def plans(self) -> Plans:
        """The plans between these two servers."""
        return Plans(self.database, self.ledger.pair_id)

    @cached_property
    def store(self) -> ObjectStore:
        """The staging store."""
        return ObjectStore(
            self.settings.staging,
            budget_bytes=self.settings.staging_budget_bytes,
            reserve_bytes=int(self.settings.staging_reserve_gb * 1e9),
        )

    @cached_property
    def fetcher(self) -> Fetcher:
        """Brings files of the source into the staging store."""
        return Fetcher(self.store, self.source.client, known=RememberedDigests(self.imports))

    @cached_property
    def route(self) -> Route:
        """Brings staged files to the target."""
        return UploadRoute(self.store, self.target.files)

    def preflight(self) -> Preflight:
        """Return the checks before the start."""
        return Preflight(self.source, self.target, self.settings, lambda: self.route)

    def planner(self) -> Planner:
        """Return the maker of plans."""
        return Planner(self.source.series, self.inventory, self.ledger, self.plans)

    def series_migrator(self) -> SeriesMigrator:
        """Return the migrator of series."""
        return SeriesMigrator(self.source.series, self.target.series, lambda _theme: None)

    def mediapackage_migrator(self, identifier: str, plan_key: str, title: str = "") -> MediaPackageMigrator:
        """Return the migrator of one mediapackage."""
        means = Means(
            source=self.source,
            target=self.target,
            source_party=self.parties.source,
            target_party=self.parties.target,
            ledger=self.ledger,
            imports=self.imports,
            options=self.options,
            fetcher=self.fetcher,
            route=self.route,
        )
        return MediaPackageMigrator(means, ObjectKey(Kind.MEDIAPACKAGE, identifier, plan_key, title))

    def closing(self) -> Closing:
        """Return the look back over a run."""
        return Closing(self.source, self.target, self.ledger)

    def reporter(self) -> Reporter:
        """Return the writer of reports."""
        return Reporter(self.ledger, self.plans, self.settings.reports)
