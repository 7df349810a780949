"""Runs that follow each other, as Airflow starts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Simulator

MIGRATE = "opencast_migrate"


@pytest.fixture(autouse=True)
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="generated", events=5, event_bytes=1000), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


def queued_runs() -> list[Any]:
    """Return the runs that a task has started and that no scheduler has taken."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(DagRun).where(DagRun.dag_id == MIGRATE, DagRun.state == "queued").order_by(DagRun.id)
        runs = list(session.scalars(query))
        for run in runs:
            session.expunge(run)
        return runs


def outcomes(tmp_path: Path, run_id: str) -> dict[str, int]:
    """Count the mediapackages of a run's report by outcome."""
    counts: dict[str, int] = {}
    for path in (tmp_path / "data" / "reports").rglob("report.json"):
        report = json.loads(path.read_text())
        if report["run_id"] == run_id:
            for line in report["objects"]:
                if line["kind"] == "mediapackage":
                    counts[line["outcome"]] = counts.get(line["outcome"], 0) + 1
    return counts


def test_a_run_starts_the_next_one_until_nothing_is_left(
    dagbag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    known = {run.run_id for run in queued_runs()}
    run = dagbag.dags[MIGRATE].test(run_conf={"wave_size": 2})
    assert run.state == "success"
    assert outcomes(tmp_path, run.run_id) == {"done": 2, "waiting": 3}
    done = 2
    while following := [queued for queued in queued_runs() if queued.run_id not in known]:
        (queued,) = following
        known.add(queued.run_id)
        assert queued.conf["continues"].startswith(f"{MIGRATE}/")
        before = run.run_id
        run = dagbag.dags[MIGRATE].test(run_conf=queued.conf)
        # dag.test gives every run an id of its own; the scheduler would use the queued one.
        assert run.state == "success" and run.run_id != before
        done += outcomes(tmp_path, run.run_id)["done"]
    assert done == 5
    assert len(servers[1].state.event_index.all()) == 5
