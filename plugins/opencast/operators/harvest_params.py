"""What the DAGs of the harvest share: their trigger form and the chain of tasks."""

from __future__ import annotations

from airflow.sdk import Param

from opencast.harvest.stream_state import Mode
from opencast.operators.harvest import CHANGES, ChooseRepositoriesOperator, HarvestRepositoryOperator


def harvest_params(mode: Mode) -> dict[str, Param]:
    """Give the trigger form of a harvest.

    :param mode: what a run does that nobody has filled the form for.
    """
    window = "Back-fill of a window of datestamps"
    moment = "A day such as `2024-01-31`, or a time such as `2024-01-31T12:00:00Z`."
    return {
        "repositories": Param(
            default=None,
            type=["null", "array"],
            items={"type": "string"},
            title="Repositories",
            description_md="Names, one in each line; empty: the active ones, and of these only the due ones where the "
            "schedule says so.",
        ),
        "mode": Param(
            default=mode.value,
            type="string",
            enum=[Mode.INCREMENTAL.value, Mode.FULL.value],
            title="What is fetched",
            description_md="**incremental**: what changed since the last harvest; **full**: all records.",
        ),
        "datestamp_from": Param(
            default=None,
            type=["null", "string"],
            title="From datestamp",
            description_md=f"{moment} Only records with datestamps from here on.",
            section=window,
        ),
        "datestamp_until": Param(
            default=None,
            type=["null", "string"],
            title="Until datestamp",
            description_md=f"{moment} A day is included.",
            section=window,
        ),
    }


def harvest_tasks(*, only_due: bool) -> None:
    """Add the tasks of a harvest to the DAG whose ``with`` block this is called in: one for each repository.

    :param only_due: whether repositories are left out whose time has not come.
    """
    choose = ChooseRepositoriesOperator(task_id="choose_repositories", only_due=only_due)
    HarvestRepositoryOperator.partial(
        task_id="harvest_repository", map_index_template="{{ task.repository }}", outlets=[CHANGES]
    ).expand_kwargs(choose.output)
