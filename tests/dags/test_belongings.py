"""A whole library as Airflow moves it: agents, themes, playlists and comments too, and one broken object of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance

from tests.simulator import Simulator
from tests.simulator.agents import Agent

ORDER = ["migrate_agents", "migrate_themes", "migrate_series", "migrate_mediapackage", "migrate_playlists", "report"]


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger's first pause guards against a race of a real scheduler; here there is none."""
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


def states(run: Any) -> dict[str, str]:
    """Return the states of the tasks that are not mapped."""
    instances: list[TaskInstance] = run.get_task_instances()
    return {instance.task_id: str(instance.state) for instance in instances if instance.map_index == -1}


def outcomes(data: Path) -> dict[tuple[str, str], dict[str, Any]]:
    path = next((data / "reports").rglob("report.json"))
    return {(line["kind"], line["identifier"]): line for line in json.loads(path.read_text())["objects"]}


def test_the_tasks_come_in_the_order_in_which_objects_need_each_other(dagbag: Any) -> None:
    dag = dagbag.dags["opencast_migrate"]
    for before, after in pairwise(ORDER):
        assert after in {task.task_id for task in dag.get_task(before).get_flat_relatives(upstream=False)}


def test_a_broken_agent_fails_the_run_and_nothing_else(
    dagbag: Any, simulators: Callable[..., Simulator], connect: Callable[..., None], tmp_path: Path
) -> None:
    source, target = simulators(library="recorded"), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    source.agents.load(Agent("..", "mh_default_org", "idle", "http://ca"))
    dag = dagbag.dags["opencast_migrate"]
    run = dag.test(run_conf={"include_failed": True})
    found = states(run)
    assert (run.state, found["migrate_agents"], found["report"]) == ("failed", "failed", "failed")
    assert (found["migrate_themes"], found["migrate_playlists"]) == ("success", "success")
    lines = outcomes(tmp_path / "data")
    assert [key for key, line in lines.items() if line["outcome"] == "failed"] == [("agent", "..")]
    assert "cannot be asked for the capture agent '..'" in lines["agent", ".."]["reason"]
    assert lines["theme", "1302"]["bytes_total"] == 45082
    assert len(target.playlists.all("mh_default_org")) == 2
    assert len(target.comments.of("a-ev-fast")) == 1
    assert target.state.series["a-series-algorithms"].properties["theme"] != "1302"
