"""
### Harvest everything of every OAI-PMH repository

**What.** Every night: one task for each active repository, which asks for all records. It finds what incremental
harvests cannot see: records that a repository skipped between two pages, records that it stamped late, and records that
it does not list any more. These last ones are asked for one by one, and marked as deleted only if they are not there.

**Parameters.** None for the schedule. By hand: certain repositories, or the records of a window of datestamps.

**Safe to re-run?** Yes, at any moment; it goes on from the last page that was written. Records that have not changed
are not written again.

**Not done.** When more than half of a repository's records seem to have vanished, nothing is marked as deleted; the
harvest says so.
"""

import pendulum
from airflow.sdk import DAG
from opencast.harvest.stream_state import Mode
from opencast.operators.harvest_params import harvest_params, harvest_tasks
from opencast.operators.params import RETRIES, Tag

with DAG(
    "oaipmh_harvest_all",
    schedule="15 1 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.HARVEST],
    params=harvest_params(Mode.FULL),
    default_args=RETRIES,
    max_active_runs=1,
):
    harvest_tasks(only_due=False)
