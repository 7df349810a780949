"""
### Bring what is new or changed from one Opencast to another, until the switch

**What.** The same tasks as `opencast_migrate`, on a schedule: events that the ledger does not know, events with a newer
snapshot than the one that was migrated, series and schedules that were changed. What was migrated and has not changed
gets no task.

**Parameters.** Those of `opencast_migrate`; scheduled runs take the defaults of the form. The schedule is the setting
`follow_schedule`. `repeat_failed` is off: what failed is tried again when the source has changed it.

**Safe to re-run?** Yes, at any moment, as `opencast_migrate`; one run at a time.

**Not done.** An event that is deleted on the source stays on the target; a publication that is retracted there is
retracted here, too. Workflow properties that change without a new snapshot come with the next one: `opencast_audit`
names them until then. Paused until somebody switches it on.
"""

import pendulum
from airflow.sdk import DAG
from opencast.operators.flow import migration_tasks
from opencast.operators.params import RETRIES, Tag, follow_params
from opencast.settings import load_settings

with DAG(
    "opencast_follow",
    schedule=load_settings().follow_schedule,
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.MIGRATION],
    params=follow_params(),
    default_args=RETRIES,
    max_active_runs=1,
    is_paused_upon_creation=True,
):
    migration_tasks()
