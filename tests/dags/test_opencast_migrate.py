"""The DAG as Airflow runs it: its tasks and edges, a whole migration, and what happens when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance

from tests.simulator import Simulator, User


def states(run: Any) -> dict[str, list[str]]:
    """Return the states of a run's task instances, by task."""
    found: dict[str, list[str]] = {}
    instances: list[TaskInstance] = run.get_task_instances()
    for instance in sorted(instances, key=lambda ti: ti.map_index):
        found.setdefault(instance.task_id, []).append(str(instance.state))
    return found


@pytest.fixture
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="recorded"), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


@pytest.fixture
def dag(dagbag: Any) -> Any:
    return dagbag.dags["opencast_migrate"]


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger's first pause guards against a race of a real scheduler; here there is none."""
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


def report(tmp_path: Path) -> dict[str, Any]:
    path = next((tmp_path / "data" / "reports").rglob("report.json"))
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_a_run_migrates_verifies_and_reports(dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path) -> None:
    run = dag.test(run_conf={"events": ["a-ev-fast", "a-ev-no-series"]})
    found = states(run)
    assert run.state == "success"
    assert found["migrate_mediapackage"] == ["success", "success"]
    assert found["migrate_series"] == ["success"]
    lines = {line["identifier"]: line for line in report(tmp_path)["objects"]}
    assert lines["a-ev-fast"]["outcome"] == "done"
    assert lines["a-ev-fast"]["bytes_total"] > 100_000
    page = next((tmp_path / "data" / "reports").rglob("report.html")).read_text()
    assert "Published by fast, title edited" in page


def test_mapped_tasks_are_named_by_titles(dag: Any, servers: tuple[Simulator, Simulator]) -> None:
    run = dag.test(run_conf={"events": ["a-ev-fast"]})
    names = {ti.rendered_map_index for ti in run.get_task_instances() if ti.task_id == "migrate_mediapackage"}
    assert names == {"Published by fast, title edited"}


def test_mode_plan_writes_nothing_and_makes_no_mapped_task(
    dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    run = dag.test(run_conf={"mode": "plan"})
    assert run.state == "success"
    assert states(run)["migrate_mediapackage"] == ["skipped"]
    assert {r.path.rpartition("/")[0] for r in servers[1].requests.all() if r.method not in {"GET", "HEAD"}} <= {
        r.path.rpartition("/")[0] for r in servers[1].requests.all(prefix="/files/")
    }
    assert "planned" in report(tmp_path)["totals"]["outcomes"]


def test_one_failed_object_fails_the_run_after_the_report_and_stops_no_other(
    dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    for path in (servers[0].storage / "archive").rglob("*.mp4"):
        if "a-ev-archive-only" in path.parts:
            size = path.stat().st_size
            path.unlink()
            path.write_bytes(bytes(size))  # another length would be taken for a transfer that broke off
    run = dag.test(run_conf={"events": ["a-ev-archive-only", "a-ev-no-series"]})
    assert run.state == "failed", states(run)
    assert sorted(states(run)["migrate_mediapackage"]) == ["failed", "success"]
    assert states(run)["report"] == ["failed"]
    outcomes = {line["identifier"]: line["outcome"] for line in report(tmp_path)["objects"]}
    assert (outcomes["a-ev-archive-only"], outcomes["a-ev-no-series"]) == ("failed", "done")


def test_a_failed_preflight_fails_the_run_before_anything_else(
    dag: Any, simulators: Callable[..., Simulator], connect: Callable[..., None]
) -> None:
    source, target = simulators(library="recorded"), simulators(library="empty", users=(User("admin", "opencast"),))
    connect("opencast_source", source)
    connect("opencast_target", target)
    run = dag.test()
    found = states(run)
    assert run.state == "failed"
    assert found["preflight"] == ["failed"]
    assert found["take_inventory"] == ["upstream_failed"]
    assert found["report"] == ["failed"]
    assert [r for r in target.requests.all() if r.method == "POST"] == []


def test_no_password_is_in_what_airflow_keeps(
    dag: Any, simulators: Callable[..., Simulator], connect: Callable[..., None], tmp_path: Path
) -> None:
    secret = "geheim-4711"
    users = (User("admin", secret, "Administrator", ("ROLE_ADMIN",)),)
    connect("opencast_source", simulators(library="recorded", users=users), password=secret)
    connect("opencast_target", simulators(library="empty", users=users), password=secret)
    dag.test(run_conf={"events": ["a-ev-no-series"]})
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        assert secret not in str([row.value for row in session.query(XComModel).all()])
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file() and "objects" not in path.parts:
            assert secret.encode() not in path.read_bytes()
