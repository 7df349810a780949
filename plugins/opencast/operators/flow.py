"""The chain of tasks that a migration consists of; every DAG that migrates is made of it."""

from __future__ import annotations

from airflow.sdk import TriggerRule, XComArg

from opencast.operators.belongings import MigrateBelongingsOperator
from opencast.operators.campaigns import StartNextRunOperator
from opencast.operators.migration import (
    ROUTE,
    MigrateMediaPackageOperator,
    MigrateScheduledOperator,
    MigrateSeriesOperator,
    PlanMigrationOperator,
    PreflightOperator,
    ReportOperator,
    SelectWorkOperator,
    TakeInventoryOperator,
    VerifyMigrationOperator,
)
from opencast.operators.params import tasks_at_once
from opencast.settings import load_settings


def migration_tasks() -> None:
    """Add the tasks of a migration to the DAG whose ``with`` block this is called in.

    What fails stops only what cannot do without it: an object that failed is named by the report, and the run fails
    with its last task.
    """
    settings = load_settings()
    preflight = PreflightOperator(task_id="preflight")
    take_inventory = TakeInventoryOperator(task_id="take_inventory")
    plan = PlanMigrationOperator(task_id="plan", inventory=take_inventory.output)
    migrate_agents = MigrateBelongingsOperator(task_id="migrate_agents", kind="agent")
    migrate_themes = MigrateBelongingsOperator(
        task_id="migrate_themes", kind="theme", trigger_rule=TriggerRule.ALL_DONE
    )
    select_series = SelectWorkOperator(task_id="select_series", kind="series", trigger_rule=TriggerRule.ALL_DONE)
    migrate_series = MigrateSeriesOperator.partial(
        task_id="migrate_series", map_index_template="{{ task.title }}", max_active_tis_per_dagrun=tasks_at_once()
    ).expand_kwargs(select_series.output)
    select_mediapackages = SelectWorkOperator(
        task_id="select_mediapackages", kind="mediapackage", trigger_rule=TriggerRule.ALL_DONE
    )
    migrate_mediapackage = MigrateMediaPackageOperator.partial(
        task_id="migrate_mediapackage",
        route=XComArg(preflight, key=ROUTE),
        pool=settings.import_pool or "default_pool",
        map_index_template="{{ task.title }}",
        # Airflow counts deferred tasks, too: these are the imports in flight, not the tasks at work.
        max_active_tis_per_dagrun=settings.mediapackages_at_once,
    ).expand_kwargs(select_mediapackages.output)
    select_scheduled = SelectWorkOperator(
        task_id="select_scheduled_events", kind="scheduled", trigger_rule=TriggerRule.ALL_DONE
    )
    migrate_scheduled = MigrateScheduledOperator.partial(
        task_id="migrate_scheduled_event",
        map_index_template="{{ task.title }}",
        max_active_tis_per_dagrun=tasks_at_once(),
    ).expand_kwargs(select_scheduled.output)
    migrate_playlists = MigrateBelongingsOperator(
        task_id="migrate_playlists", kind="playlist", trigger_rule=TriggerRule.ALL_DONE
    )
    verify = VerifyMigrationOperator(task_id="verify", trigger_rule=TriggerRule.ALL_DONE)
    start_next_run = StartNextRunOperator(task_id="start_next_run", trigger_rule=TriggerRule.ALL_DONE)
    report = ReportOperator(task_id="report", trigger_rule=TriggerRule.ALL_DONE)

    preflight >> take_inventory >> plan >> migrate_agents >> migrate_themes >> select_series >> migrate_series
    migrate_series >> select_mediapackages >> migrate_mediapackage >> select_scheduled >> migrate_scheduled
    migrate_scheduled >> migrate_playlists >> verify >> start_next_run >> report
