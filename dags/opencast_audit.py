"""
### Compare two Opencasts completely, or check what one of them has published

**What.** Reads everything on both servers and writes five lists: the same, different, only on the source, only on the
target, unreadable; with the first difference of each object. Series, events (recorded and scheduled) with their
archive, publications, access lists, comments and workflow properties, capture agents, themes and playlists are
compared. Of one server it checks that every publication exists, that its files answer, and that everything that the
player shows is archived. It changes nothing on either server.

**Parameters.** Source and target are Airflow connections of the type *Opencast*; without a target only the
publications of the source are checked. `verify` *bytes* reads every file.

**Safe to re-run?** Yes, at any time; each run has a report of its own. A task that is tried again looks at its part
once more.

**Not done.** What only the target has is listed and is no failure. Elements that never come along (live, streaming
servers) are not compared. The report is linked from the task `report`.
"""

import pendulum
from airflow.sdk import DAG
from opencast.operators.audit import audit_params, audit_tasks
from opencast.operators.params import RETRIES, Tag

with DAG(
    "opencast_audit",
    schedule="@weekly",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.MIGRATION],
    params=audit_params(),
    default_args=RETRIES,
    max_active_runs=1,
    is_paused_upon_creation=True,
):
    audit_tasks()
