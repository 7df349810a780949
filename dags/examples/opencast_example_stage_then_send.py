"""
### Example: read the source at one time, fill the target at another

**What.** Shows the operators for DAGs of your own. `stage` brings the files of some events into staging; `send` brings
them to the target, imports and verifies them, without reading media from the source again. Between the two a DAG of
yours may wait for a person, a time of day, or another system.

**Parameters.** `events` are ids of events. Source and target are the connections `opencast_source` and
`opencast_target`; what else can be chosen are the fields of `opencast_migrate`, see `CHOICES`.

**Safe to re-run?** Yes. What is staged is not read again, and what was verified is compared only.

**Not done.** Series, themes, agents and playlists: run `opencast_migrate` for those.
"""

from airflow.sdk import DAG, Param, get_current_context, task
from opencast.operators.mediapackages import SendMediaPackageOperator, StageMediaPackageOperator
from opencast.operators.params import RETRIES, Tag

CHOICES = {"source": "opencast_source", "target": "opencast_target", "imports_in_flight": 4}


@task
def choose_events() -> list[dict[str, str]]:
    """Return an operator's arguments for each event."""
    return [{"identifier": event} for event in get_current_context()["params"]["events"]]


with DAG(
    "opencast_example_stage_then_send",
    schedule=None,
    doc_md=__doc__,
    tags=[Tag.OPENCAST, Tag.MIGRATION, Tag.EXAMPLE],
    params={"events": Param([], type="array", items={"type": "string"}, title="Events")},
    default_args=RETRIES,
    max_active_runs=1,
):
    events = choose_events()
    stage = StageMediaPackageOperator.partial(task_id="stage", choices=CHOICES).expand_kwargs(events)
    send = SendMediaPackageOperator.partial(task_id="send", choices=CHOICES).expand_kwargs(events)
    stage >> send
