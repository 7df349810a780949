"""
### Migrate what was created in one day or month

**What.** The same tasks as *opencast_migrate*, restricted to the events that were created in the run's partition, with
their series: `opencast_migrate_by_creation_date` goes day by day, `opencast_migrate_by_creation_month` month by month.
Move a decade with *Trigger > Backfill*, forwards or backwards, or with
`airflow backfill create --dag-id opencast_migrate_by_creation_month --from-date 2015-01-01 --to-date 2024-12-31`.

**Parameters.** As for *opencast_migrate*. Days and months are those of the setting `timezone`; windows are half-open,
so each event is in exactly one. What has no usable creation date is in the period `undated`: trigger a run with the
param *Period*. A period in which nothing was created is no error; one that is not over fails, unless
*A period that is not over* says `take`.

**Safe to re-run?** Yes: a partition that was migrated has nothing left to do, however often it is repeated. The DAG
must be unpaused for a back-fill; no run starts by itself.

**Not done.** See the list at the end of every report.
"""

import pendulum
from airflow.sdk import DAG
from opencast.migration.windows import FIRST_MOMENT, Granularity
from opencast.operators.flow import migration_tasks
from opencast.operators.params import RETRIES, Tag
from opencast.operators.period_params import partition_params
from opencast.settings import load_settings
from opencast.timetables.periods import PeriodTimetable

DAG_IDS = {
    "opencast_migrate_by_creation_date": Granularity.DAY,
    "opencast_migrate_by_creation_month": Granularity.MONTH,
}

for dag_id, granularity in DAG_IDS.items():
    with DAG(
        dag_id,
        schedule=PeriodTimetable(granularity, timezone=load_settings().timezone),
        start_date=pendulum.instance(FIRST_MOMENT),
        catchup=False,
        doc_md=__doc__,
        tags=[Tag.OPENCAST, Tag.MIGRATION],
        params=partition_params(granularity),
        default_args=RETRIES,
        max_active_runs=4,
        is_paused_upon_creation=True,
    ):
        migration_tasks()
