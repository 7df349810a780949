"""
### Go through all records of the catalogue

**What.** Every night: reads the stored XML of every record again and brings the catalogue up to it, also after a change
of the track types. It touches most of the database. Runs older than 90 days and changes older than 30 days are removed.

**Parameters.** None.

**Safe to re-run?** Yes, at any moment.

**Not done.** No repository is asked for anything: that is `oaipmh_harvest_all`. Permissions, tags and places in
playlists of items that exist are never changed.
"""

import pendulum
from airflow.sdk import DAG
from opencast.operators.harvest import CleanUpCatalogueOperator
from opencast.operators.params import RETRIES, Tag

with DAG(
    "oaipmh_clean_up_all",
    schedule="45 3 * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.HARVEST, Tag.CLEAN_UP],
    default_args=RETRIES,
    max_active_runs=1,
):
    CleanUpCatalogueOperator(task_id="clean_up_catalogue", full=True)
