"""
### Move what the filters select from one Opencast to another

**What.** Reads the source's library, plans, and migrates each series and each mediapackage in a task of its own:
ids, metadata, access lists, archive, publications with their URL paths, comments and workflow properties; capture
agents and themes in one task each before, playlists after. Nothing is transcoded, nothing is installed on the target,
the source is only read. Each object is verified against the target's own answers before it counts as done.

**Parameters.** Source and target are Airflow connections of the type *Opencast*. `mode` *plan* shows what would be
done and stops. All filters that are set must hold together; a filter that matches nothing fails the run.

**Safe to re-run?** Yes, at any moment. What was verified gets no task again; what failed or was interrupted goes on
where it was. An object that fails does not stop the others: the report names it, and the run fails at its end.

**Not done.** See the list at the end of every report. The report is linked from the task `report` and from the run.
"""

from airflow.sdk import DAG
from opencast.operators.flow import migration_tasks
from opencast.operators.params import RETRIES, Tag, migration_params

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
    migration_tasks()
