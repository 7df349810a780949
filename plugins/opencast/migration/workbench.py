"""Put together what a task of a migration needs: two servers, the store, staging, and the way to the target."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import TracebackType

from opencast.api.opencast import Opencast
from opencast.migration.agents import AgentMigrator
from opencast.migration.belongings import BelongingsPlanner
from opencast.migration.campaign import CampaignDesk
from opencast.migration.closing import Closing
from opencast.migration.companions import Companions
from opencast.migration.gate import Gate
from opencast.migration.library import LibraryReader
from opencast.migration.limits import Limits
from opencast.migration.means import Means
from opencast.migration.mediapackage import MediaPackageMigrator
from opencast.migration.migrated import Migrated
from opencast.migration.oaipmh import Repositories
from opencast.migration.options import Options, Way
from opencast.migration.planning import Planner
from opencast.migration.playlists import PlaylistMigrator
from opencast.migration.preflight import Parties, Preflight, Staging, identify
from opencast.migration.probes import Prober
from opencast.migration.report import Reporter
from opencast.migration.schedule_planning import SchedulePlanner
from opencast.migration.scheduled import ScheduledEventMigrator, ScheduleMeans
from opencast.migration.series import SeriesMigrator
from opencast.migration.servers import Party
from opencast.migration.source_package import SourcePackages
from opencast.migration.source_storage import SourceStorage, source_mounts
from opencast.migration.theme_files import ThemeFiles
from opencast.migration.themes import ThemeMigrator
from opencast.migration.throttle import CurrentLimits, SourceThrottle, TargetWatch
from opencast.migration.transfer import RememberedDigests, RememberedFiles
from opencast.migration.ways import LateRoute, Ways
from opencast.migration.zipped import ZippedMediaPackageMigrator, must_travel_as_zip
from opencast.model.workflow import WorkflowState
from opencast.settings import Settings
from opencast.staging.clean import clean
from opencast.staging.locks import LockFile
from opencast.staging.routes import Route
from opencast.staging.source import Fetcher
from opencast.staging.store import ObjectStore
from opencast.staging.upload import UploadRoute
from opencast.store.campaigns import Campaigns
from opencast.store.database import Database
from opencast.store.idmap import IdMaps
from opencast.store.imports import Imports, StagedNeeds
from opencast.store.inventory import Inventory
from opencast.store.ledger import Kind, Ledger, ObjectKey
from opencast.store.pace import Allowances, TargetPaces
from opencast.store.plans import Plans
from opencast.store.readings import Readings
from opencast.store.sent_files import SentFiles
from opencast.store.waves import Waves

#: Seconds within which a file may have been staged by a task that has not said yet that it needs it.
_YOUNG_S = 30.0


class Workbench:
    """Everything for one migration, made when it is first needed.

    :param source: the server that is only read.
    :param target: the server that is written to.
    :param is_alive: tells of ``<dag id>/<run id>`` whether that run is waiting or running.
    :param names: of source and target in the store, where they are known, so that the servers need not be asked.
    """

    def __init__(
        self,
        settings: Settings,
        options: Options,
        database: Database,
        source: Opencast,
        target: Opencast,
        *,
        is_alive: Callable[[str], bool] = lambda _: True,
        names: tuple[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.options = options
        self.database = database
        self.source = source
        self.target = target
        self._is_alive = is_alive
        self._names = names
        self._throttle: SourceThrottle | None = None

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

    def keep_limits(self, plan_key: str) -> None:
        """Keep the rates of the source and watch the target, as the campaign of a run says at each moment."""
        campaigns = Campaigns(self.database)

        def limits() -> Limits:
            campaign = campaigns.of_run(plan_key)
            return Limits.of(self.options, None if campaign is None else campaign.limits)

        current = CurrentLimits(limits)
        source, target = self.source.client, self.target.client
        self._throttle = SourceThrottle(Allowances(self.database), current, source.base_url)
        source.watched_by(self._throttle)
        slow = self.settings.slow_answer_seconds
        target.watched_by(TargetWatch(TargetPaces(self.database), current, target.base_url, slow))

    @cached_property
    def parties(self) -> Parties:
        """Who the two servers say that they are."""
        return identify(self.source, self.target)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of these two servers."""
        source, target = self._names or (self.parties.source.name, self.parties.target.name)
        return Ledger(self.database, source, target)

    @cached_property
    def imports(self) -> Imports:
        """The imports in flight between these two servers."""
        return Imports(self.ledger)

    @cached_property
    def ids(self) -> IdMaps:
        """The ids that the target has chosen itself."""
        return IdMaps(self.ledger)

    @cached_property
    def inventory(self) -> Inventory:
        """The inventory of the source."""
        return Inventory(self.database, self.ledger.source)

    @cached_property
    def plans(self) -> Plans:
        """The plans between these two servers."""
        return Plans(self.database, self.ledger.pair_id)

    @cached_property
    def desk(self) -> CampaignDesk:
        """Keeps the campaigns between these two servers."""
        waves = Waves(self.database, self.ledger.pair_id)
        return CampaignDesk(self.ledger, self.plans, waves, self._is_alive)

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
        return Fetcher(
            self.store,
            self.source.client,
            source_mounts(self.settings, self.parties.source),
            link=self.settings.link_source,
            known=RememberedDigests(self.imports),
            meter=self._throttle,
            make_room=self._make_room,
        )

    def _make_room(self) -> bool:
        """Remove staged files that no open work needs; answer whether there were any."""
        needs = StagedNeeds(self.database)
        result = clean(self.store, lambda digest: needs.has(digest.md5, digest.size), min_age=_YOUNG_S)
        return result.bytes_freed > 0 or result.leftovers > 0

    @cached_property
    def ways(self) -> Ways:
        """The ways of files to the target."""
        return Ways(self.settings, self.store, self.target, lambda: RememberedFiles(SentFiles(self.ledger)))

    @cached_property
    def route(self) -> Route:
        """Brings staged files to the target; with ``auto`` each way is tried once, and the best one is kept."""
        if self.options.route is Way.AUTO:
            self.options = self.options.by_way(self.ways.choose(Way.AUTO))
        return self.ways.route(self.options.route)

    def preflight(self) -> Preflight:
        """Return the checks before the start."""

        def staging(source: Party) -> Staging:
            return Staging(self.store, SourceStorage(self.settings, self.source, source, self.store), self.ways)

        return Preflight(self.source, self.target, self.settings, self.options.route, staging)

    def planner(self) -> Planner:
        """Return the maker of plans."""
        schedules = SchedulePlanner(self.source, self.ledger)
        belongings = BelongingsPlanner(self.source, self.target, self.ledger)
        repositories = Repositories(self.target)
        store = (self.inventory, self.ledger, self.plans)
        return Planner(self.source, schedules, belongings, repositories, *store, self.desk, self.settings.lists)

    def library(self, reader: str) -> LibraryReader:
        """Return the reader of the source's library.

        :param reader: ``<dag id>/<run id>`` of the run that wants to read.
        """
        readings = Readings(self.database, self.ledger.source)
        return LibraryReader(self.source, self.inventory, readings, reader)

    def gate(self, plan_key: str) -> Gate:
        """Return the gate that the mediapackages of a run wait at."""
        workflows = self.target.workflows

        def count() -> int:
            return workflows.count(WorkflowState.RUNNING) + workflows.count(WorkflowState.INSTANTIATED)

        campaigns, paces = Campaigns(self.database), TargetPaces(self.database)
        return Gate(campaigns, paces, plan_key, self.options, self.target.client.base_url, count)

    def series_migrator(self) -> SeriesMigrator:
        """Return the migrator of series."""
        return SeriesMigrator(self.source.series, self.target.series, lambda theme: self.ids.target(Kind.THEME, theme))

    def belonging_migrator(self, kind: Kind) -> Callable[[str], Migrated]:
        """Return what migrates one object of a small kind by its identifier."""
        if kind is Kind.AGENT:
            return self.agent_migrator().migrate
        if kind is Kind.THEME:
            return self.theme_migrator().migrate
        if kind is Kind.PLAYLIST:
            return self.playlist_migrator().migrate
        raise ValueError(f"objects of the kind {kind.value} are not small")

    def agent_migrator(self) -> AgentMigrator:
        """Return the migrator of capture agents."""
        return AgentMigrator(self.source.agents, self.target.agents)

    def theme_migrator(self) -> ThemeMigrator:
        """Return the migrator of themes."""
        files = ThemeFiles(self.source, self.target, self.fetcher, self.imports)
        # A lock file of its own: while a theme is worked on, its files are locked one by one in the store's.
        locks = LockFile(self.store.root / "themes-lock", self.store.disk)
        return ThemeMigrator(self.source.themes, self.target.themes, files, self.ids, locks.hold)

    def playlist_migrator(self) -> PlaylistMigrator:
        """Return the migrator of playlists."""
        return PlaylistMigrator(self.source.playlists, self.target.playlists, self.target.events.exists)

    @cached_property
    def packages(self) -> SourcePackages:
        """Reads the source's mediapackages as they are to be migrated."""
        return SourcePackages(self.source, self.target, with_api=self.options.external_api)

    def mediapackage_migrator(self, identifier: str, plan_key: str, title: str = "") -> MediaPackageMigrator:
        """Return the migrator of one mediapackage."""
        means = Means(
            source=self.source,
            target=self.target,
            source_party=self.parties.source,
            target_party=self.parties.target,
            ledger=self.ledger,
            imports=self.imports,
            gate=self.gate(plan_key),
            options=self.options,
            fetcher=self.fetcher,
            route=LateRoute(lambda: self.route),
            companions=Companions(self.source, self.target, self.options),
            packages=self.packages,
        )
        key = ObjectKey(Kind.MEDIAPACKAGE, identifier, plan_key, title)
        if must_travel_as_zip(means, key, is_chosen=self.options.route is Way.ZIP):
            return ZippedMediaPackageMigrator(means, key, self.ways.zip_route(), self.settings.zip_workflow)
        return MediaPackageMigrator(means, key)

    def scheduled_migrator(self, identifier: str, plan_key: str, title: str = "") -> ScheduledEventMigrator:
        """Return the migrator of one scheduled event; its few files go to the scheduler by upload."""
        means = ScheduleMeans(
            source=self.source,
            target=self.target,
            ledger=self.ledger,
            imports=self.imports,
            options=self.options,
            fetcher=self.fetcher,
            route=UploadRoute(self.store, self.target.files),
            prober=Prober(self.source, self.target, self.options.verify),
            companions=Companions(self.source, self.target, self.options),
        )
        return ScheduledEventMigrator(means, ObjectKey(Kind.SCHEDULED, identifier, plan_key, title))

    def closing(self) -> Closing:
        """Return the look back over a run."""
        return Closing(self.source, self.target, self.ledger)

    def reporter(self) -> Reporter:
        """Return the writer of reports."""
        return Reporter(self.ledger, self.plans, self.settings.reports)
