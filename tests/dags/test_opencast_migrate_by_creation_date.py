"""Migration by creation date under ``dag.test``: the period comes from params or from the date asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pendulum
import pytest

from tests.simulator import Simulator

DAY, MONTH = "opencast_migrate_by_creation_date", "opencast_migrate_by_creation_month"


@pytest.fixture(autouse=True)
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="generated", events=40, event_bytes=1000), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


def objects(tmp_path: Path) -> dict[str, str]:
    """Return the outcome of each mediapackage in the run's report."""
    (path,) = (tmp_path / "data" / "reports").rglob("report.json")
    lines = json.loads(path.read_text())["objects"]
    return {line["identifier"]: line["outcome"] for line in lines if line["kind"] == "mediapackage"}


def created_in(source: Simulator, begin: datetime, end: datetime) -> set[str]:
    documents = source.state.event_index.all()
    return {document.identifier for document in documents if document.created and begin <= document.created < end}


def a_month(source: Simulator) -> datetime:
    """Return the begin of a month in which something was created."""
    created = min(document.created for document in source.state.event_index.all() if document.created)
    return created.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def after(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def test_a_period_of_the_params_is_migrated_and_nothing_else(
    dagbag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    month = a_month(servers[0])
    run = dagbag.dags[MONTH].test(run_conf={"period": f"{month:%Y-%m}"})
    assert run.state == "success"
    wanted = created_in(servers[0], month, after(month))
    assert wanted and objects(tmp_path) == dict.fromkeys(wanted, "done")


def test_a_logical_date_asks_for_the_period_that_holds_it(
    dagbag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    month = a_month(servers[0])
    run = dagbag.dags[MONTH].test(logical_date=month + timedelta(days=13), run_conf={"mode": "plan"})
    assert run.state == "success"
    assert set(objects(tmp_path)) == created_in(servers[0], month, after(month))


def test_explicit_creation_dates_are_possible_too(
    dagbag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    month = a_month(servers[0])
    conf = {"created_from": f"{month:%Y-%m-%d}", "created_to": f"{after(month):%Y-%m-%d}", "mode": "plan"}
    run = dagbag.dags[DAY].test(run_conf=conf)
    assert run.state == "success"
    assert set(objects(tmp_path)) == created_in(servers[0], month, after(month))


def test_a_period_without_events_ends_well(dagbag: Any) -> None:
    assert dagbag.dags[DAY].test(run_conf={"period": "1999-01-01"}).state == "success"


@pytest.mark.parametrize("period", ["2024/02", "yesterday", "2024-13"])
def test_a_period_of_another_form_fails_before_anything_is_asked(
    dagbag: Any, servers: tuple[Simulator, Simulator], period: str
) -> None:
    run = dagbag.dags[MONTH].test(run_conf={"period": period})
    assert run.state == "failed"
    assert servers[1].requests.count == 0


def test_a_period_that_is_not_over_fails_and_does_nothing(
    dagbag: Any, servers: tuple[Simulator, Simulator], tmp_path: Path
) -> None:
    run = dagbag.dags[MONTH].test(logical_date=datetime.now(UTC))
    assert run.state == "failed"
    assert servers[1].requests.count == 0
    run = dagbag.dags[MONTH].test(logical_date=datetime.now(UTC), run_conf={"unfinished_period": "take"})
    assert run.state == "success"


def test_no_run_starts_by_itself_but_every_period_can_be_back_filled(dagbag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    for dag_id, labels in ((DAY, ["2024-02-28", "2024-02-29", "2024-03-01"]), (MONTH, ["2024-03"])):
        dag = DagSerialization.from_dict(DagSerialization.to_dict(dagbag.dags[dag_id]))
        assert dag.start_date is not None
        restriction = TimeRestriction(earliest=pendulum.instance(dag.start_date), latest=None, catchup=dag.catchup)
        assert dag.timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction) is None
        assert dag.timetable.periodic and dag.timetable.partitioned
        infos = dag.iter_dagrun_infos_between(datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
        assert [info.partition_key for info in infos] == labels
