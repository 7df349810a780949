"""
### Move what the filters select from one Opencast to another

**What.** Reads the source's library, plans, and migrates each series and each mediapackage in a task of its own:
ids, metadata, access lists, archive, publications with their URL paths. Nothing is transcoded, nothing is installed on
the target, the source is only read. Each object is verified against the target's own answers before it counts as done.

**Parameters.** Source and target are Airflow connections of the type *Opencast*. `mode` *plan* shows what would be
done and stops. All filters that are set must hold together; a filter that matches nothing fails the run.

**Safe to re-run?** Yes, at any moment. What was verified gets no task again; what failed or was interrupted goes on
where it was. An object that fails does not stop the others: the report names it, and the run fails at its end.

**Not done.** See the list at the end of every report. The report is linked from the task `report` and from the run.
"""

from airflow.sdk import DAG, TriggerRule
from opencast.operators.migration import (
    MigrateMediaPackageOperator,
    MigrateSeriesOperator,
    PlanMigrationOperator,
    PreflightOperator,
    ReportOperator,
    SelectWorkOperator,
    TakeInventoryOperator,
    VerifyMigrationOperator,
)
from opencast.operators.params import RETRIES, Tag, migration_params, tasks_at_once

with DAG(
    "opencast_migrate",
    schedule=None,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.MIGRATION],
    params=migration_params(),
    default_args=RETRIES,
    max_active_runs=1,
    is_paused_upon_creation=False,
):
    preflight = PreflightOperator(task_id="preflight")
    take_inventory = TakeInventoryOperator(task_id="take_inventory")
    plan = PlanMigrationOperator(task_id="plan", inventory=take_inventory.output)
    select_series = SelectWorkOperator(task_id="select_series", kind="series")
    migrate_series = MigrateSeriesOperator.partial(
        task_id="migrate_series", map_index_template="{{ task.title }}", max_active_tis_per_dagrun=tasks_at_once()
    ).expand_kwargs(select_series.output)
    select_mediapackages = SelectWorkOperator(
        task_id="select_mediapackages", kind="mediapackage", trigger_rule=TriggerRule.ALL_DONE
    )
    migrate_mediapackage = MigrateMediaPackageOperator.partial(
        task_id="migrate_mediapackage", map_index_template="{{ task.title }}", max_active_tis_per_dagrun=tasks_at_once()
    ).expand_kwargs(select_mediapackages.output)
    verify = VerifyMigrationOperator(task_id="verify", trigger_rule=TriggerRule.ALL_DONE)
    report = ReportOperator(task_id="report", trigger_rule=TriggerRule.ALL_DONE)

    preflight >> take_inventory >> plan >> select_series >> migrate_series >> select_mediapackages
    select_mediapackages >> migrate_mediapackage >> verify >> report
