"""
### Make what the catalogue lacks

**What.** Every five minutes: finds, with a few joins, what the catalogue should hold and does not, and makes it. Above
all these are the media items of series that got their playlist after their recordings had been harvested; also records
that somebody changed in the database.

**Parameters.** None.

**Safe to re-run?** Yes, at any moment. With nothing to do it reads no record and writes nothing.

**Not done.** A change of a repository's track types concerns records that look complete: `oaipmh_clean_up_all` goes
through all of them. Items that somebody took out of a playlist are not put back.
"""

import pendulum
from airflow.sdk import DAG
from opencast.operators.harvest import CleanUpCatalogueOperator
from opencast.operators.params import RETRIES, Tag

with DAG(
    "oaipmh_clean_up",
    schedule="*/5 * * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.HARVEST, Tag.CLEAN_UP],
    default_args=RETRIES,
    max_active_runs=1,
):
    CleanUpCatalogueOperator(task_id="clean_up_catalogue")
