"""
### Example: migrate exactly the events that a harvest found new or changed

**What.** Starts when a repository's asset gets an event, collects the ids of the new and changed records, and triggers
`opencast_follow` for exactly these events. In a repository of Opencast a record's identifier is the event's id. Copy it
for consumers of your own: the event's `extra` is all that it needs.

**Parameters.** `repository` is the name of the repository whose events are migrated; empty: of all of them.

**Safe to re-run?** Yes: `opencast_follow` migrates what is new or has changed, once.

**Not done.** Deleted records start nothing: no DAG of this package removes an event from the target. Paused until
somebody switches it on; changes that were announced before that come along with the next ones.
"""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param
from opencast.operators.changed_events import CollectChangedEventsOperator
from opencast.operators.harvest import CHANGES
from opencast.operators.params import RETRIES, Tag

with DAG(
    "oaipmh_follow_changes",
    schedule=CHANGES,
    catchup=False,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.HARVEST, Tag.EXAMPLE],
    params={
        "repository": Param(
            default=None,
            type=["null", "string"],
            title="Repository",
            description_md="Name of the repository whose changed events are migrated; empty: all.",
        )
    },
    default_args=RETRIES,
    max_active_runs=1,
    is_paused_upon_creation=True,
):
    collect_changed_events = CollectChangedEventsOperator(task_id="collect_changed_events")
    migrate_changed_events = TriggerDagRunOperator(
        task_id="migrate_changed_events",
        trigger_dag_id="opencast_follow",
        conf={"events": collect_changed_events.output},
    )
    collect_changed_events >> migrate_changed_events
