"""Scheduled events in the DAG: a mapped task each, after the recordings; conflicts by option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.opencast import Opencast

from tests.dags.test_opencast_migrate import states
from tests.migration.pair import server
from tests.simulator import Simulator

EVENT = "a-sched-future"


@pytest.fixture
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="recorded"), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


def test_each_scheduled_event_gets_a_task_named_by_its_title(dagbag: Any, servers: tuple[Simulator, Simulator]) -> None:
    run = dagbag.dags["opencast_migrate"].test(run_conf={"events": [EVENT]})
    assert run.state == "success"
    names = {ti.rendered_map_index for ti in run.get_task_instances() if ti.task_id == "migrate_scheduled_event"}
    assert names == {"Scheduled a-sched-future"}
    assert Opencast(server(servers[1])).recordings.schedule(EVENT) is not None


@pytest.mark.parametrize(
    ("choice", "state", "run_state"), [("fail", "failed", "failed"), ("skip", "skipped", "success")]
)
def test_a_conflict_fails_the_run_or_is_only_named(
    dagbag: Any, servers: tuple[Simulator, Simulator], choice: str, state: str, run_state: str
) -> None:
    source, target = (Opencast(server(simulator)) for simulator in servers)
    plan = source.recordings.schedule(EVENT)
    assert plan is not None
    target.recordings.create(plan, b'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="foreign"/>')
    run = dagbag.dags["opencast_migrate"].test(run_conf={"events": [EVENT], "schedule_conflicts": choice})
    assert states(run)["migrate_scheduled_event"] == [state]
    assert run.state == run_state
