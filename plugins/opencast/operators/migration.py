"""The tasks of a migration: each takes what Airflow gives, calls a use case, and turns its outcome into a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from opencast.errors import CampaignClosed, ObjectBusy, ObjectsFailed, OpencastError, ScheduleConflict
from opencast.hooks.opencast import OpencastHook
from opencast.hooks.store import open_store
from opencast.links.report import ReportLink
from opencast.migration.mediapackage import MediaPackageMigrator, Progress
from opencast.migration.options import Mode, Options, ScheduleConflicts
from opencast.migration.preflight import require
from opencast.migration.verification import Verdict
from opencast.migration.windows import RunTimes
from opencast.migration.workbench import Workbench
from opencast.operators.profiles import with_profile
from opencast.operators.use_case import UseCaseOperator, tried_again_only_if_it_helps
from opencast.settings import load_settings
from opencast.store.base import utc_now
from opencast.store.ledger import MIGRATE, Kind, ObjectKey, Outcome, State
from opencast.store.plans import has_plan
from opencast.store.readings import Unreadable
from opencast.triggers.importing import SLOT, ImportTrigger

#: Characters of a title in a task's name.
_TITLE_LENGTH = 80
#: Under this key ``PreflightOperator`` says which way of the files works best.
ROUTE = "route"
#: Choices that the run's partition may change.
_FOR_RUN = {"period", "created_from", "created_to"}


class MigrationOperator(UseCaseOperator):
    """Base of the tasks of a migration; the run's params are its options.

    :param choices: the options by name, for a DAG whose params are others; see ``opencast.migration.options``.
    """

    def __init__(self, *, choices: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def options(self, context: Context) -> Options:
        """Read the params, and in a partitioned DAG the run's partition.

        :raises InvalidFilter: a param that cannot be used.
        """
        params = self.choices if self.choices is not None else with_profile(context["params"], Options)
        options = Options.from_params(params).for_run(run_times(context), utc_now())
        options.selection()
        return options

    def workbench(self, context: Context) -> Workbench:
        """Open both servers, the store and staging."""
        options = self.options(context)
        settings = load_settings()
        bench = Workbench(
            settings,
            options,
            open_store(settings),
            OpencastHook(options.source).get_conn(),
            OpencastHook(options.target).get_conn(),
            is_alive=partial(is_alive, context),
        )
        bench.keep_limits(plan_key(context))
        return bench

    def has_plan(self, context: Context) -> bool:
        """Tell whether the run has got a plan; asked without any server, which may be what failed before."""
        return has_plan(open_store(load_settings()), plan_key(context))


def run_times(context: Context) -> RunTimes:
    """Return what Airflow says about the time that a run is for."""
    run = context["dag_run"]
    return RunTimes(run.partition_key, run.partition_date, context.get("data_interval_start"))


def plan_key(context: Context) -> str:
    """Return the key of this run's plan, ``<dag id>/<run id>``."""
    run = context["dag_run"]
    return f"{run.dag_id}/{run.run_id}"


def is_alive(context: Context, key: str) -> bool:
    """Ask Airflow whether the run of a plan's key is waiting or running."""
    dag_id, _, run_id = key.partition("/")
    states = ["queued", "running"]
    return bool(context["ti"].get_dr_count(dag_id=dag_id, run_ids=[run_id], states=states))


class PreflightOperator(MigrationOperator):
    """Check both servers, the way of the files and the folders before anything is written."""

    def work(self, context: Context) -> list[str]:
        """Make all checks and show them; fail when one did not pass."""
        with self.workbench(context) as bench:
            preflight = bench.preflight()
            checks = preflight.run()
        for check in checks:
            self.log.info("%s", check)
        require(checks)
        at_once, wanted = load_settings().mediapackages_at_once, self.options(context).imports_in_flight
        if at_once < wanted:
            self.log.warning(
                "One run has at most %d mediapackages on their way, not %d: see the setting mediapackages_at_once.",
                at_once,
                wanted,
            )
        context["ti"].xcom_push(key=ROUTE, value=preflight.way)
        return [str(check) for check in checks]


class TakeInventoryOperator(MigrationOperator):
    """Read what the source holds into the store."""

    def work(self, context: Context) -> dict[str, Any]:
        """Take the inventory, or use that of another run, and return its numbers."""
        with self.workbench(context) as bench:
            options = bench.options
            if options.continues:
                self.log.info("The run goes on with the plan of %s.", options.continues)
                return {}
            max_age = timedelta(minutes=options.inventory_max_age_minutes)
            return asdict(bench.library(plan_key(context)).take(options.inventory, max_age))


class PlanMigrationOperator(MigrationOperator):
    """Turn filters, inventory and ledger into a plan.

    :param inventory: what ``TakeInventoryOperator`` returned.
    """

    template_fields: Sequence[str] = ("inventory",)

    def __init__(self, *, inventory: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inventory = inventory

    def work(self, context: Context) -> dict[str, dict[str, int]]:
        """Write the plan and return how much it does."""
        unreadable = [Unreadable(*map(str, parts)) for parts in (self.inventory or {}).get("unreadable", [])]
        with self.workbench(context) as bench:
            if bench.options.continues:
                summary = bench.planner().go_on(plan_key(context), bench.options)
            else:
                params = _plain({
                    **context["params"],
                    **with_profile(context["params"], Options),
                }) | bench.options.model_dump(mode="json", include=_FOR_RUN)
                summary = bench.planner().plan(plan_key(context), params, bench.options, unreadable)
        self.log.info("The plan: %s", summary)
        return summary.counts


class SelectWorkOperator(MigrationOperator):
    """Return the objects of one kind that this run works on, each for a mapped task.

    :param kind: a value of ``opencast.store.ledger.Kind``.
    """

    def __init__(self, *, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def work(self, context: Context) -> list[dict[str, str]]:
        """Return identifier and title of each; nothing when the run only plans."""
        if not self.has_plan(context):
            raise AirflowSkipException("There is no plan: a task before this one failed.")
        with self.workbench(context) as bench:
            if bench.options.mode is Mode.PLAN:
                return []
            items = [item for item in bench.plans.wave(plan_key(context), Kind(self.kind)) if item.is_work]
        return [
            {"identifier": item.identifier, "title": (item.title or item.identifier)[:_TITLE_LENGTH]} for item in items
        ]


class MigrateSeriesOperator(MigrationOperator):
    """Migrate one series: Dublin Core, access list, properties, theme and further elements; written on difference only.

    Its value is what was written.

    :param identifier: id of the series.
    :param title: shown as the name of the mapped task.
    """

    def __init__(self, *, identifier: str, title: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.identifier = identifier
        self.title = title

    def work(self, context: Context) -> list[str]:
        """Write what differs, verify, and return what was written."""
        with self.workbench(context) as bench:
            key = ObjectKey(Kind.SERIES, self.identifier, plan_key(context), self.title)
            ledger = bench.ledger
            if not ledger.begin_alone(key):
                raise ObjectBusy(f"Another run is working on series {self.identifier}.")
            try:
                done = bench.series_migrator().migrate(self.identifier)
            except Exception as error:
                if not will_retry(error, context):
                    ledger.finish(key, State.FAILED, reason=str(error))
                raise
            ledger.step(key, MIGRATE, Outcome.DONE, reason=", ".join(done.written))
            notes = done.notes if done.written else (*done.notes, "The target held the same already.")
            ledger.finish(key, State.DONE, notes=notes, source_version=done.fingerprint)
        self.log.info("Written: %s", ", ".join(done.written) or "nothing")
        return list(done.written)


class MigrateScheduledOperator(MigrationOperator):
    """Migrate one scheduled event.

    :param identifier: id of the event.
    :param title: shown as the name of the mapped task.
    """

    def __init__(self, *, identifier: str, title: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.identifier = identifier
        self.title = title

    def work(self, context: Context) -> None:
        """Make the target's scheduled event equal to the source's, and verify it."""
        with self.workbench(context) as bench:
            migrator = bench.scheduled_migrator(self.identifier, plan_key(context), self.title)
            try:
                verdict = migrator.migrate()
            except ObjectBusy as error:
                migrator.fail(error, skipped=True)
                raise AirflowSkipException(str(error)) from error
            except Exception as error:
                if will_retry(error, context):
                    raise
                left_out = isinstance(error, ScheduleConflict) and _leaves_conflicts_out(bench.options)
                migrator.fail(error, skipped=left_out)
                if left_out:
                    raise AirflowSkipException(str(error)) from error
                raise
        for note in verdict.notes:
            self.log.info("%s", note)


class MigrateMediaPackageOperator(MigrationOperator):
    """Migrate one mediapackage; deferred while the target works.

    Id and title are no templates: they come from a server, which must not be able to write Jinja.

    :param identifier: id of the mediapackage.
    :param title: shown as the name of the mapped task.
    :param route: the way of the files that the preflight found (``PreflightOperator``, key ``route``); without it, a
        run with the param ``route`` *auto* tries the ways in each task.
    """

    template_fields: Sequence[str] = ("route",)

    def __init__(self, *, identifier: str, title: str = "", route: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.identifier = identifier
        self.title = title
        self.route = route

    def options(self, context: Context) -> Options:
        """Read the params, with the way that the preflight found."""
        return super().options(context).by_way(self.route)

    def work(self, context: Context) -> str:
        """Stage, send and start the first import run, then wait without a worker slot."""
        return self._go(context, MediaPackageMigrator.begin)

    def resume(self, context: Context, event: Mapping[str, Any]) -> str:
        """Go on when the trigger has seen something: a free slot, the end of the imports, or a failure."""
        self.log.info("The trigger says: %s", event.get("what"))
        step = MediaPackageMigrator.begin if event.get("what") == SLOT else MediaPackageMigrator.advance
        with tried_again_only_if_it_helps():
            return self._go(context, step)

    def _go(self, context: Context, step: Callable[[MediaPackageMigrator], Progress]) -> str:
        with self.workbench(context) as bench:
            migrator = bench.mediapackage_migrator(self.identifier, plan_key(context), self.title)
            try:
                progress = step(migrator)
                if progress is Progress.IMPORTED:
                    self._tell(migrator.complete())
            except (ObjectBusy, CampaignClosed) as error:
                migrator.fail(error, skipped=True)
                raise AirflowSkipException(str(error)) from error
            except Exception as error:
                if not will_retry(error, context):
                    migrator.fail(error)
                raise
            if progress in {Progress.WAITING, Progress.NO_SLOT, Progress.NO_ROOM}:
                slots = migrator.others if progress is Progress.NO_ROOM else None
                self.defer(
                    trigger=ImportTrigger.of(bench, self.identifier, plan_key(context), progress, slots),
                    method_name="resume",
                )
        return progress.value

    def _tell(self, verdict: Verdict) -> None:
        self.log.info("Verified: the target holds the same.")
        for note in verdict.notes:
            self.log.info("%s", note)


class VerifyMigrationOperator(MigrationOperator):
    """Look at the whole run once more, from the target's own list of events."""

    def work(self, context: Context) -> dict[str, int]:
        """Mark what is not in the target's list as failed, and count."""
        if not self.has_plan(context):
            raise AirflowSkipException("There is no plan: a task before this one failed.")
        with self.workbench(context) as bench:
            if not bench.parties.target.is_admin:
                raise AirflowSkipException("This account may not see the target's list; each archive was compared.")
            counts = bench.closing().check(plan_key(context))
            bench.ways.clear_shared()
        return counts


class ReportOperator(MigrationOperator):
    """Write the run's report, and fail the run when an object failed."""

    operator_extra_links = (ReportLink(),)

    def work(self, context: Context) -> dict[str, Any]:
        """Write the report; its folder and totals are returned, and shown in the log."""
        if not self.has_plan(context):
            raise ObjectsFailed(
                "The run ended before it had a plan; nothing was written.",
                advice="See the log of the first task that failed.",
            )
        key = plan_key(context)
        with self.workbench(context) as bench:
            report = bench.reporter().write(key)
        self.log.info("%s", report.totals)
        self.log.info("The report: %s", report.folder / "report.html")
        context["ti"].xcom_push(key="report", value={"folder": str(report.folder), **asdict(report.totals)})
        if report.totals.failed:
            raise ObjectsFailed(
                f"{report.totals.failed} objects were not migrated; see {report.folder / 'report.html'}."
            )
        return {"folder": str(report.folder), **asdict(report.totals)}


def _leaves_conflicts_out(options: Options) -> bool:
    return options.schedule_conflicts is ScheduleConflicts.SKIP


def will_retry(error: Exception, context: Context) -> bool:
    """Tell whether Airflow is going to try the task again."""
    if isinstance(error, OpencastError) and not error.retriable:
        return False
    ti = context["ti"]
    return bool(ti.try_number <= ti.max_tries)


def _plain(params: Any) -> dict[str, Any]:
    return {str(name): value for name, value in dict(params).items()}
