"""
### Harvest the OAI-PMH repositories that are due

**What.** Every minute: one task for each repository whose interval is over. It asks for what changed since the last
harvest, minus an overlap, and writes each page in one transaction together with the place where the list goes on.
Records become series, tracks, media items and places in playlists; the repository's sinks are told, and its asset
`oaipmh_<name>` gets an event with the ids of what is new, changed and deleted.

**Parameters.** None for the schedule. By hand: certain repositories, due or not; everything instead of what changed; or
the records of a window of datestamps.

**Safe to re-run?** Yes, at any moment. A harvest goes on from the last page that was written; a repository is never
harvested twice at the same time. One repository's error does not stop the others, and after errors it is left alone
for longer and longer.

**Not done.** Records that the repository skips or deletes without a trace are found by `oaipmh_harvest_all`.
"""

import pendulum
from airflow.sdk import DAG
from opencast.harvest.stream_state import Mode
from opencast.operators.harvest_params import harvest_params, harvest_tasks
from opencast.operators.params import RETRIES, Tag

with DAG(
    "oaipmh_harvest",
    schedule="* * * * *",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.HARVEST],
    params=harvest_params(Mode.INCREMENTAL),
    default_args=RETRIES,
    # A repository that takes an hour must not keep the others waiting.
    max_active_runs=4,
):
    harvest_tasks(only_due=True)
