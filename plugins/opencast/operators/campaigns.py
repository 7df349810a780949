"""The task that starts the next run of a campaign."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

from opencast.migration.campaign import NextRun
from opencast.operators.migration import MigrationOperator, plan_key

#: Longest id of a run that Airflow keeps.
_MAX_RUN_ID = 250


class StartNextRunOperator(MigrationOperator):
    """Start the run that goes on with what this one has left, unless too much failed."""

    def work(self, context: Context) -> None:
        """Start the next run, or skip and say why there is none.

        :raises DagRunTriggerException: Airflow's way to start a run out of a task.
        """
        if not self.has_plan(context):
            raise AirflowSkipException("There is no plan: a task before this one failed.")
        with self.workbench(context) as bench:
            following = bench.desk.after(plan_key(context), bench.options, lambda wave: _next_key(context, wave))
            mode = bench.options.mode.value
            period = bench.options.period
        if following.key is None:
            raise AirflowSkipException(following.reason)
        self.log.info("%s They are left to the run %s.", following.reason, following.key)
        dag_id, _, run_id = following.key.partition("/")
        raise DagRunTriggerException(
            trigger_dag_id=dag_id,
            dag_run_id=run_id,
            conf=_conf(context, following, mode, period),
            reset_dag_run=False,
            # A run that is cleared finds the one that it started at its first time.
            skip_when_already_exists=True,
            wait_for_completion=False,
            allowed_states=["success"],
            failed_states=["failed"],
            poke_interval=60,
            deferrable=False,
        )


def _next_key(context: Context, wave: int) -> str:
    """Return dag id and run id of the run with this number: the first run's id with the number behind it."""
    run = context["dag_run"]
    first = str(context["params"].get("continues") or f"{run.dag_id}/{run.run_id}").partition("/")[2]
    again = f"_{run.clear_number}" if run.clear_number else ""
    suffix = f"__{wave}{again}"
    return f"{run.dag_id}/{first[: _MAX_RUN_ID - len(suffix)]}{suffix}"


def _conf(context: Context, following: NextRun, mode: str, period: str) -> dict[str, Any]:
    """Return the params of the next run: those of this one, and whose plan it goes on with."""
    given = {name: value for name, value in dict(context["params"]).items() if value is not None}
    own = {
        "mode": mode,
        "campaign": following.campaign,
        "continues": following.root_key,
        "wave": following.wave,
    }
    return {**given, **own, **({"period": period} if period else {})}
