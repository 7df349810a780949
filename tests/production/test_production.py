"""The whole production set-up on one machine: PostgreSQL, Redis, two Celery workers, every component apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.production import MIGRATE, Production
from scripts.services import missing

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=f"needs the packages {', '.join(missing())}"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Production]:
    """The set-up with two Celery workers, and the demo's two simulated Opencasts."""
    folder = Path(tempfile.mkdtemp(prefix="opencast-production-"))
    folder.chmod(0o755)
    server = Production(folder, workers=2)
    try:
        server.start()
        server.log_in()
        server.start_simulators()
        server.wait_for_dag(MIGRATE)
        yield server
    finally:
        server.end()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def test_every_component_is_healthy(server: Production) -> None:
    health = server.components_health()
    assert {health[name] for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")} == {"healthy"}


def test_the_demo_migrates_the_library_and_the_workers_share_the_tasks(server: Production) -> None:
    server.run_once("demo")
    run_id = server.first_run(MIGRATE)
    assert server.wait_for_run(MIGRATE, run_id, timeout=600) == "success"
    tasks = server.tasks(MIGRATE, run_id)
    assert len([task for task in tasks if task["task_id"] == "migrate_mediapackage"]) >= 9
    assert {task["pool"] for task in tasks if task["task_id"] == "migrate_mediapackage"} == {"opencast_imports"}


def test_a_back_fill_from_the_command_line_finds_what_is_done_already(server: Production) -> None:
    dag_id = "opencast_migrate_by_creation_month"
    server.wait_for_dag(dag_id)
    server.pause(dag_id, paused=False)
    server.airflow(
        "backfill", "create", "--dag-id", dag_id, "--from-date", "2026-10-01", "--to-date", "2026-11-30",
        "--run-backwards", "--dag-run-conf", json.dumps({"include_failed": True, "unfinished_period": "take"}),
    )  # fmt: skip
    runs = server.runs(dag_id)
    assert {run["run_type"] for run in runs} == {"backfill"}, "a run has started by itself"
    assert sorted(run["partition_key"] for run in runs) == ["2026-10", "2026-11"]
    for run in runs:
        assert server.wait_for_run(dag_id, run["dag_run_id"], timeout=400) == "success"
        mapped = [task for task in server.tasks(dag_id, run["dag_run_id"]) if task["map_index"] >= 0]
        assert mapped == []
    key = server.trigger(dag_id, {"include_failed": True}, partition_key="2026-09")
    assert server.wait_for_run(dag_id, key, timeout=300) == "success"
    server.pause(dag_id, paused=True)


def test_secrets_are_among_the_arguments_of_no_process(server: Production) -> None:
    folder = server.secrets_folder
    arguments = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert not [path.name for path in folder.iterdir() if path.read_text() in arguments]
