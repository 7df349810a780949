"""
### Remove staged files that no open migration needs

**What.** Goes through the staging folder and removes files that were sent already, or that belong to imports which
nobody has tried again for days; and what killed workers left half written. Files are hard links or copies: nothing is
removed from the source or the target. A migration that runs out of room does the same by itself, so this DAG only
gives the room back when nothing is running.

**Parameters.** `dry_run` counts and removes nothing. `older_than_hours` keeps files for further events that may hold
the same ones. `give_up_after_days` says how long the files of a failed import wait for its next try.

**Safe to re-run?** Yes, at any moment, also while migrations run: what an import needs, or fetches just now, stays.

**Not done.** Reports, the store and the servers are not touched. Files that another program put into the staging
folder stay.
"""

from airflow.sdk import DAG
from opencast.operators.params import RETRIES, Tag
from opencast.operators.staging import CleanStagingOperator, clean_params
from pendulum import datetime

with DAG(
    "opencast_clean_staging",
    schedule="@daily",
    start_date=datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.CLEAN_UP],
    params=clean_params(),
    default_args=RETRIES,
    max_active_runs=1,
):
    CleanStagingOperator(task_id="clean_staging")
