"""Harvest one repository: everything that a minute's, a night's or a back-fill's harvest consists of."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opencast.errors import ConfigurationError
from opencast.harvest import formats, reconciliation
from opencast.harvest.attempt import Attempt
from opencast.harvest.catalogue_writer import CatalogueWriter
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.datestamps import Granularity
from opencast.harvest.formats import Harvested
from opencast.harvest.items import rules_of
from opencast.harvest.list_harvest import ListHarvest, Traits
from opencast.harvest.page_writer import PageWriter
from opencast.harvest.record_writer import RecordWriter
from opencast.harvest.report import HarvestReport
from opencast.harvest.stream_state import Mode, StreamState
from opencast.harvest.windows import Window
from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.harvesting import Repository

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HarvestOptions:
    """How a harvest runs.

    :param clock: our time, aware.
    :param read_ahead: whether the next pages are asked for while others are written.
    """

    clock: Callable[[], datetime] = utc_now
    read_ahead: bool = True


def harvest(
    database: Database,
    name: str,
    client: OaiPmhClient,
    *,
    mode: Mode = Mode.INCREMENTAL,
    window: Window | None = None,
    options: HarvestOptions | None = None,
) -> HarvestReport:
    """Harvest one repository into the catalogue.

    It goes on from the last page that was written, whatever ended the harvest before.

    :param name: the repository's.
    :param client: asks the repository; stays open.
    :param window: for :attr:`Mode.WINDOW`: the datestamps to harvest.
    :raises ConfigurationError: there is no such repository, or its settings do not fit it.
    :raises RepositoryBusy: it is being harvested already.
    :raises OpencastError: it could not be harvested; what was written stays, and the next harvest goes on from there.
    """
    if (mode is Mode.WINDOW) != (window is not None):
        raise ConfigurationError("A window of datestamps is given for a back-fill, and only for that.")
    options = options or HarvestOptions()
    with Attempt(database, name, mode, client.transport, options.clock) as attempt:
        _Harvest(database, client, attempt, mode, window, options).run()
    return attempt.tally.report(name, mode)


class _Harvest:
    """One harvest of one repository."""

    def __init__(
        self,
        database: Database,
        client: OaiPmhClient,
        attempt: Attempt,
        mode: Mode,
        window: Window | None,
        options: HarvestOptions,
    ) -> None:
        self._database = database
        self._client = client
        self._attempt = attempt
        self._tally = attempt.tally
        self._repository = attempt.repository
        self._mode = mode
        self._window = window
        self._options = options
        self._clock = options.clock

    def run(self) -> None:
        """Harvest all chosen formats."""
        self._describe()
        with self._database.session() as session:
            chosen, is_opencast = formats.choose(session, self._repository)
        traits = self._traits(is_opencast)
        for place, harvested in enumerate(chosen):
            self._harvest_format(harvested, traits, announced=place == 0)
            self._remember(traits)

    # --- what the repository is --------------------------------------------------------------------------------------

    def _describe(self) -> None:
        now = self._clock()
        if self._mode is Mode.INCREMENTAL and formats.is_described(self._repository, now):
            return
        identify, offered = formats.ask(self._client)
        with self._database.session() as session:
            self._repository = session.get_one(Repository, self._repository.id)
            formats.describe(session, self._repository, identify, offered, now)

    def _traits(self, is_opencast: bool) -> Traits:
        repository = self._repository
        wanted = repository.check_borders
        return Traits(
            granularity=Granularity.of(repository.granularity),
            overlap=timedelta(seconds=repository.overlap_seconds),
            orders_by_datestamp=is_opencast,
            check_borders=wanted == "always" or (wanted == "auto" and is_opencast),
            stamps_by_day=repository.stamps_by_day,
            counts_unreliable=repository.counts_unreliable,
            lateness=timedelta(seconds=repository.lateness_seconds),
        )

    def _remember(self, traits: Traits) -> None:
        """Write down what the lists have taught about the repository."""
        with self._database.session() as session:
            repository = session.get_one(Repository, self._repository.id)
            repository.stamps_by_day = traits.stamps_by_day
            repository.counts_unreliable = traits.counts_unreliable
            repository.lateness_seconds = int(traits.lateness.total_seconds())

    # --- lists -------------------------------------------------------------------------------------------------------

    def _harvest_format(self, harvested: Harvested, traits: Traits, *, announced: bool) -> None:
        passes: set[int] = set()
        is_certain = not self._repository.ignore_deleted
        for set_spec in self._repository.sets or [""]:
            state, one_list = self._open_list(harvested, set_spec, traits, announced=announced)
            passes.add(state.pass_id or 0)
            is_complete = one_list.run(state)
            is_certain = is_certain and is_complete and state.mode == Mode.FULL
        if is_certain and len(passes) == 1:
            self._reconcile(harvested, passes.pop(), announced=announced)

    def _open_list(
        self, harvested: Harvested, set_spec: str, traits: Traits, *, announced: bool
    ) -> tuple[StreamState, ListHarvest]:
        """Prepare the harvest of a list: go on with a pass that was broken off, or begin one."""
        granularity = traits.granularity
        with self._database.session() as session:
            window = str(self._window) if self._window else ""
            state = StreamState.load(session, harvested.id, set_spec, window)
            resumed = state.is_resumable(self._mode)
            pass_id = state.pass_id if resumed and state.pass_id is not None else self._tally.run_id
            one_list = ListHarvest(
                self._database,
                self._client,
                prefix=harvested.format.prefix,
                traits=traits,
                writer=self._writer(harvested, set_spec, pass_id, announced=announced),
                lease=self._attempt.lease,
                tally=self._tally,
                clock=self._clock,
                read_ahead=self._options.read_ahead,
            )
            if resumed:
                self._tally.find("resumed: the harvest goes on where an earlier one ended")
            else:
                borders = self._window.borders(granularity) if self._window else (None, None)
                one_list.begin(session, state, self._mode, borders)
        return state, one_list

    def _writer(self, harvested: Harvested, set_spec: str, pass_id: int, *, announced: bool) -> PageWriter:
        repository = self._repository
        records = RecordWriter(harvested.id, set_spec, pass_id, ignore_deleted=repository.ignore_deleted)
        return PageWriter(
            repository.id,
            harvested.id,
            records,
            catalogue=CatalogueWriter(repository.id, rules_of(repository)) if harvested.is_source else None,
            track_types=repository.track_types,
            announced=announced,
        )

    def _reconcile(self, harvested: Harvested, pass_id: int, *, announced: bool) -> None:
        """Find out what became of the records that a pass over everything did not meet."""
        with self._database.reading() as session:
            missing = reconciliation.find_missing(session, harvested.id, pass_id)
        if not missing.is_plausible:
            self._tally.find(
                f"mass-vanishing: {missing.count} of {missing.total} records were not listed any more; nothing was "
                "marked as deleted"
            )
            return
        writer = self._writer(harvested, "", pass_id, announced=announced)
        for page in reconciliation.ask_for(self._client, harvested, missing, self._repository.sets, self._clock):
            now = self._clock()
            with self._database.session() as session:
                self._attempt.lease.renew(session, now)
                outcome = writer.write(session, page.records, now)
                self._tally.count([page], outcome)
                self._tally.save(session)
