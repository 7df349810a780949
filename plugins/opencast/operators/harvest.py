"""The tasks of the harvest: each calls one use case, and turns its outcome into a state and an asset event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Asset, AssetAlias, Context
from airflow.sdk.exceptions import AirflowSkipException

from opencast.errors import RepositoryBusy
from opencast.harvest.announcements import event_of, mark_announced
from opencast.harvest.cleaning import clean_up
from opencast.harvest.management import active_repositories, due_repositories
from opencast.harvest.service import HarvestService
from opencast.harvest.stream_state import Mode
from opencast.harvest.windows import Window
from opencast.hooks.oaipmh import open_harvest
from opencast.operators.use_case import UseCaseOperator
from opencast.settings import load_settings
from opencast.store.base import utc_now

#: Every change of every repository; its events are those of the repositories' own assets.
CHANGES = AssetAlias("oaipmh_changes")


def repository_asset(name: str) -> Asset:
    """Give the asset of a repository, whose events carry the ids of what is new, changed and deleted.

    :param name: the repository's.
    """
    return Asset(name=f"oaipmh_{name}", uri=f"x-oaipmh://{name}")


class HarvestTask(UseCaseOperator):
    """Base of the tasks of the harvest."""

    def harvest(self) -> HarvestService:
        """Open the store."""
        return open_harvest(load_settings())


class ChooseRepositoriesOperator(HarvestTask):
    """Choose the repositories of a run, for one mapped task each.

    :param only_due: of the active repositories, take those whose time has come; otherwise all.
    :param names: these repositories instead, whether they are due or not.
    """

    template_fields: Sequence[str] = ("names",)

    def __init__(self, *, only_due: bool = True, names: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.only_due = only_due
        self.names = names

    def work(self, context: Context) -> list[dict[str, str]]:
        """Return what the mapped tasks expand over."""
        database = self.harvest().database
        names = _names(self.names) or _names(context["params"].get("repositories"))
        if not names:
            names = due_repositories(database, utc_now()) if self.only_due else active_repositories(database)
        self.log.info("Harvesting %s.", ", ".join(names) or "nothing: no repository is due")
        return [{"repository": name} for name in names]


class HarvestRepositoryOperator(HarvestTask):
    """Harvest one repository, tell its sinks, and give an event to its asset.

    It gives events only where ``outlets=[CHANGES]`` is among its arguments, which a mapped task must have as well.

    When it is being harvested already, an incremental harvest is skipped, because the next one is due soon; any other
    is tried again.

    :param repository: its name.
    :param mode: ``incremental``, ``full`` or ``window``; the run's param ``mode`` wins.
    :param begin: first datestamp of a window; the run's param ``datestamp_from`` wins.
    :param end: last one; the run's param ``datestamp_until`` wins.
    """

    template_fields: Sequence[str] = ("repository", "mode", "begin", "end")

    def __init__(
        self,
        *,
        repository: str,
        mode: str = Mode.INCREMENTAL,
        begin: str | None = None,
        end: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.repository = repository
        self.mode = mode
        self.begin = begin
        self.end = end

    def work(self, context: Context) -> dict[str, Any]:
        """Harvest; the report is returned, and shown in the log."""
        params = context["params"]
        begin = params.get("datestamp_from") or self.begin
        end = params.get("datestamp_until") or self.end
        window = Window.read(begin, end) if begin or end else None
        mode = Mode.WINDOW if window else Mode(params.get("mode") or self.mode)
        harvest = self.harvest()
        try:
            report = harvest.harvest(self.repository, mode=mode, window=window)
        except RepositoryBusy as error:
            if mode is Mode.INCREMENTAL:
                raise AirflowSkipException(str(error)) from error
            raise
        self.log.info("%s", report)
        for delivery in harvest.deliver(self.repository):
            if delivery.error:
                self.log.warning("The sink %s did not take everything: %s", delivery.sink, delivery.error)
        self._announce(context, harvest)
        return report.values()

    def _announce(self, context: Context, harvest: HarvestService) -> None:
        if CHANGES not in self.outlets:
            # The changes wait for a task that announces them.
            return
        repository = harvest.repository(self.repository)
        event = event_of(harvest.database, repository)
        if event is None:
            return
        context["outlet_events"][CHANGES].add(repository_asset(self.repository), extra=event)
        mark_announced(harvest.database, repository, event["changes"][1])


class CleanUpCatalogueOperator(HarvestTask):
    """Make what the catalogue should hold and does not, and tell the sinks.

    :param full: whether to go through all records.
    """

    def __init__(self, *, full: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.full = full

    def work(self, context: Context) -> dict[str, Any]:
        """Clean up; the report is returned, and shown in the log."""
        harvest = self.harvest()
        report = clean_up(harvest.database, full=self.full)
        self.log.info("%s", report)
        for reason in report.skipped:
            self.log.warning("%s", reason)
        for name in active_repositories(harvest.database):
            harvest.deliver(name)
        return report.values()


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        value = value.split()
    return [str(name).strip() for name in value or () if str(name).strip()]
