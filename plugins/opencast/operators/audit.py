"""The tasks of an audit, and their form."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Context, Param, TriggerRule
from airflow.sdk.exceptions import AirflowSkipException

from opencast.audit.bench import AuditBench, Part
from opencast.audit.options import AuditOptions, Side
from opencast.errors import FindingsFound
from opencast.hooks.opencast import OpencastHook
from opencast.hooks.store import open_store
from opencast.links.report import ReportLink
from opencast.migration.options import Verify
from opencast.operators.migration import plan_key
from opencast.operators.params import profile_param, tasks_at_once
from opencast.operators.profiles import with_profile
from opencast.operators.use_case import UseCaseOperator
from opencast.settings import load_settings


class AuditOperator(UseCaseOperator):
    """Base of the tasks of an audit; the run's params are its options."""

    def bench(self, context: Context) -> AuditBench:
        """Open the servers and the store.

        :raises InvalidFilter: a param that cannot be used.
        """
        options = AuditOptions.from_params(with_profile(context["params"], AuditOptions))
        settings = load_settings()
        target = None if options.target is None else OpencastHook(options.target).get_conn()
        source = OpencastHook(options.source).get_conn()
        return AuditBench(settings, options, open_store(settings), plan_key(context), source, target)


class BeginAuditOperator(AuditOperator):
    """Read what the servers hold."""

    def work(self, context: Context) -> list[dict[str, str]]:
        """Return the parts in which the events are looked at."""
        with self.bench(context) as bench:
            return [asdict(part) for part in bench.begin()]


class AuditObjectsOperator(AuditOperator):
    """Compare series, capture agents, themes and playlists."""

    def work(self, context: Context) -> int:
        """Return how many were compared."""
        with self.bench(context) as bench:
            return bench.audit_objects()


class AuditEventsOperator(AuditOperator):
    """Look at a part of the events.

    :param first: id of the first event; empty for the beginning.
    :param until: id of the first event that does not belong to the part; empty for the end.
    """

    def __init__(self, *, first: str, until: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = first
        self.until = until

    def work(self, context: Context) -> int:
        """Return how many findings there are."""
        with self.bench(context) as bench:
            return bench.audit_events(Part(self.first, self.until))


class CheckIndexesOperator(AuditOperator):
    """Compare what the players show with what is archived."""

    def work(self, context: Context) -> int:
        """Return how many findings there are."""
        with self.bench(context) as bench:
            return bench.check_indexes()


class ReportAuditOperator(AuditOperator):
    """Write the report, and fail when something was found that somebody has to look at."""

    operator_extra_links = (ReportLink(),)

    def work(self, context: Context) -> dict[str, Any]:
        """Return folder and numbers of the report.

        :raises FindingsFound: unless the run's params say that findings are no failure.
        """
        key = plan_key(context)
        with self.bench(context) as bench:
            if bench.audits.head(key) is None:
                raise AirflowSkipException("The audit did not begin: a task before this one failed.")
            report = bench.reporter().write(key)
            bench.audits.end(key)
            fails = bench.options.fail_on_findings
        self.log.info("%s", report)
        self.log.info("The report: %s", report.folder / "report.html")
        summary = {"folder": str(report.folder), "counts": report.counts, "trouble": report.trouble}
        context["ti"].xcom_push(key="report", value=summary)
        if report.trouble and fails:
            raise FindingsFound(f"{report.trouble} objects have to be looked at; see {report.folder / 'report.html'}.")
        return summary


def audit_tasks() -> None:
    """Add the tasks of an audit to the DAG whose ``with`` block this is called in."""
    begin = BeginAuditOperator(task_id="begin_audit")
    objects = AuditObjectsOperator(task_id="audit_objects")
    events = AuditEventsOperator.partial(
        task_id="audit_events",
        map_index_template="{{ task.first or 'first' }}",
        max_active_tis_per_dagrun=tasks_at_once(),
    ).expand_kwargs(begin.output)
    indexes = CheckIndexesOperator(task_id="check_player_indexes")
    report = ReportAuditOperator(task_id="report", trigger_rule=TriggerRule.ALL_DONE)
    # The state of a run is that of its last tasks: an audit that lost a part must not look like a good one.
    complete = EmptyOperator(task_id="complete", trigger_rule=TriggerRule.NONE_FAILED)

    begin >> [objects, events, indexes] >> report
    [objects, events, indexes, report] >> complete


def audit_params() -> dict[str, Param]:
    """Return the trigger form of an audit; each name is a field of ``opencast.audit.options.AuditOptions``."""
    return {
        "source": Param(
            "opencast_source",
            type="string",
            minLength=1,
            title="Source",
            examples=["opencast_source", "opencast_target"],
            description_md="Airflow connection of the Opencast that everything is compared with, or that is checked.",
        ),
        "target": Param(
            "opencast_target",
            type=["null", "string"],
            title="Target",
            examples=["opencast_target"],
            description_md="Airflow connection of the other Opencast. Empty: only the publications of the source are "
            "checked.",
        ),
        "check_publications": Param(
            Side.TARGET.value,
            type="string",
            enum=[side.value for side in Side],
            title="Check the publications of",
            description_md="Every publication of a channel exists, its files answer, and everything in the player's "
            "index is archived.",
        ),
        "verify": Param(
            Verify.SAMPLE.value,
            type="string",
            enum=[value.value for value in Verify],
            title="Compare files by",
            description_md="**sample**: checksums and sizes as the servers name them, small published files read; "
            "**bytes**: every file is read.",
        ),
        "fail_on_findings": Param(
            True,
            type="boolean",
            title="Findings fail the run",
            description_md="What only the target has is no failure.",
        ),
        "events_per_task": Param(
            AuditOptions.model_fields["events_per_task"].get_default(),
            type="integer",
            minimum=1,
            maximum=5000,
            title="Events looked at by one task",
        ),
        "profile": profile_param(),
    }
