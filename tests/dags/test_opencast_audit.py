"""The audit as Airflow runs it: its tasks, its report, and what makes it fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dags.test_opencast_migrate import states
from tests.simulator import Simulator


@pytest.fixture
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="recorded"), simulators(library="recorded")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


@pytest.fixture
def dag(dagbag: Any) -> Any:
    return dagbag.dags["opencast_audit"]


def _report(tmp_path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(next((tmp_path / "data" / "reports").rglob("report.json")).read_text())
    return document


def test_an_audit_of_equal_servers_succeeds(dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path) -> None:
    run = dag.test(run_conf={"events_per_task": 4})
    assert run.state == "success", states(run)
    assert len(states(run)["audit_events"]) > 1
    assert set(_report(tmp_path)["counts"]["comparison"]) == {"same"}
    assert [r for s in servers for r in s.requests.all() if r.method not in {"GET", "HEAD"}] == []


def test_findings_fail_the_run_after_the_report(dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path) -> None:
    servers[1].remove_event("a-ev-fast")
    run = dag.test()
    assert run.state == "failed"
    assert states(run)["report"] == ["failed"]
    assert _report(tmp_path)["counts"]["comparison"]["only on source"] == 1


def test_findings_need_not_fail_the_run(dag: Any, servers: tuple[Simulator, Simulator]) -> None:
    servers[1].remove_event("a-ev-fast")
    assert dag.test(run_conf={"fail_on_findings": False}).state == "success"


def test_one_server_can_be_checked_alone(dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path) -> None:
    assert dag.test(run_conf={"target": ""}).state == "success"
    assert set(_report(tmp_path)["counts"]) == {"publications of source"}


def test_a_profile_sets_what_the_form_left_alone(
    dag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    dag.test(run_conf={"profile": "audit-only"})
    assert _report(tmp_path)["params"]["verify"] == "bytes"


def test_an_audit_that_cannot_begin_fails(
    dag: Any, simulators: Callable[..., Simulator], connect: Callable[..., None]
) -> None:
    connect("opencast_source", simulators(library="empty"))
    connect("opencast_target", simulators(library="empty"), password="wrong")
    run = dag.test()
    assert run.state == "failed"
    assert states(run)["begin_audit"] == ["failed"]
