"""The operators in a DAG of one's own: the shipped example runs, and each operator does only what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from opencast.api.opencast import Opencast
from opencast.operators.mediapackages import (
    MigrateMediaPackageOperator,
    SendMediaPackageOperator,
    StageMediaPackageOperator,
)
from opencast.staging.store import ObjectStore
from opencast.store.database import Database
from opencast.store.imports import Imports, StagedNeeds
from opencast.store.ledger import Ledger

from tests.dags.test_opencast_migrate import states
from tests.migration.pair import server
from tests.simulator import Simulator

EVENT, OTHER = "a-ev-two-streams", "a-ev-no-series"


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


@pytest.fixture
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="recorded"), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


def execute(operator: type[Any], **choices: Any) -> Any:
    """Execute one operator in the run of a DAG of somebody's own, that has other params than the migration's."""
    run = SimpleNamespace(
        dag_id="somebodys_own", run_id="run", run_type="manual", partition_key=None, partition_date=None
    )
    instance = SimpleNamespace(try_number=1, max_tries=0, get_dr_count=lambda **_: 0)
    context = {"dag_run": run, "params": {"semester": "2024"}, "ti": instance}
    return operator(task_id="work", identifier=EVENT, choices=choices).execute(context)


def media_requests(simulator: Simulator) -> list[str]:
    return [r.path for r in simulator.requests.all() if r.method == "GET" and r.path.endswith((".mp4", ".mkv"))]


def writes(simulator: Simulator) -> list[str]:
    return [f"{r.method} {r.path}" for r in simulator.requests.all() if r.method not in {"GET", "HEAD"}]


def test_the_example_stages_and_sends(dagbag: Any, servers: tuple[Simulator, Simulator]) -> None:
    done = dagbag.dags["opencast_example_stage_then_send"].test(run_conf={"events": [EVENT, OTHER]})
    assert states(done) == {
        "choose_events": ["success"],
        "stage": ["success", "success"],
        "send": ["success", "success"],
    }
    target = Opencast(server(servers[1]))
    assert [target.assets.episode(event).id for event in (EVENT, OTHER)] == [EVENT, OTHER]


def test_media_are_read_from_the_source_while_staging_only(dagbag: Any, servers: tuple[Simulator, Simulator]) -> None:
    execute(StageMediaPackageOperator)
    before = len(media_requests(servers[0]))
    done = dagbag.dags["opencast_example_stage_then_send"].test(run_conf={"events": [EVENT]})
    assert done.state == "success"
    assert len(media_requests(servers[0])) == before > 0


def test_staging_writes_nothing_to_the_target_and_keeps_the_files(
    servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    value = execute(StageMediaPackageOperator)
    assert writes(servers[1]) == []
    store = ObjectStore(tmp_path / "data" / "staging", reserve_bytes=0)
    staged = {(found.digest.md5, found.digest.size) for found in store.objects()}
    assert StagedNeeds(Database(f"sqlite:///{tmp_path}/data/store.db")).all() == staged, "no cleaning removes them"
    assert value["bytes_read"] >= value["bytes"] == sum(size for _, size in staged) > 100_000
    assert execute(StageMediaPackageOperator)["bytes_read"] == 0


def test_staging_takes_no_slot_of_the_target(servers: tuple[Simulator, Simulator], tmp_path: Path) -> None:
    execute(StageMediaPackageOperator)
    database = Database(f"sqlite:///{tmp_path}/data/store.db")
    names = (f"{simulator.url}#mh_default_org" for simulator in servers)
    imports = Imports(Ledger(database, *names))
    assert imports.claim("another", "another/run", 1)
    assert not imports.claim(EVENT, "somebodys_own/run", 1), "it needs one as soon as it is sent"
    assert imports.owner(EVENT) is None, "any run may send it"


def test_sending_what_is_not_staged_fails_and_says_what_to_do(servers: tuple[Simulator, Simulator]) -> None:
    with pytest.raises(AirflowFailException, match="Run StageMediaPackageOperator before"):
        execute(SendMediaPackageOperator)
    assert writes(servers[1]) == []
    assert media_requests(servers[0]) == []


def test_both_at_once_waits_without_a_worker_slot(
    simulators: Callable[..., Simulator], connect: Callable[..., None]
) -> None:
    source, target = simulators(library="recorded"), simulators(library="empty", operation_seconds=0.5)
    connect("opencast_source", source)
    connect("opencast_target", target)
    with pytest.raises(TaskDeferred) as deferred:
        execute(MigrateMediaPackageOperator)
    assert deferred.value.method_name == "resume"
    assert media_requests(source) != []


def test_choices_that_do_not_exist_fail_without_another_try(servers: tuple[Simulator, Simulator]) -> None:
    with pytest.raises(AirflowFailException, match="targets"):
        execute(MigrateMediaPackageOperator, targets="x")
    assert writes(servers[1]) == []
