"""Harvest drives migration: a harvest's asset event starts a migration of exactly the events that changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import airflow.models.dagrun
import pytest
from opencast.api.opencast import Opencast
from opencast.errors import NotFound
from opencast.harvest import management
from opencast.harvest.repository_settings import RepositorySettings
from opencast.store.database import Database
from sqlalchemy import select

from tests.airflow_home import ROOT
from tests.dags.test_oaipmh import states
from tests.migration.pair import server
from tests.simulator import Simulator, clock
from tests.simulator.oaipmh import OaiContents, OaiRecord

FIRST, SECOND, OTHER = "a-ev-no-media", "a-ev-archive-only", "a-ev-fast"


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger's first pause guards against a race of a real scheduler; here there is none."""
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


@pytest.fixture
def servers(
    airflow_database: None,
    simulators: Callable[..., Simulator],
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> tuple[Simulator, Simulator]:
    """A source with an open OAI-PMH repository, and an empty target."""
    source, target = simulators("recorded", oai_records=0, oai_open=True), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    monkeypatch.setenv("OPENCAST_CONFIG_FOLDER", str(tmp_path))
    store = Database(f"sqlite:///{tmp_path}/data/store.db")
    store.upgrade()
    management.add_repository(store, RepositorySettings(name="source", url=f"{source.url}/oaipmh/default"))
    return source, target


def publish(simulator: Simulator, event: str, title: str) -> None:
    """Put a record of an event into the source's OAI-PMH repository, or a newer one."""
    package = (
        f'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="{event}" start="2024-01-01T10:00:00Z">'
        f"<title>{title}</title><media/><metadata/><attachments/><publications/></mediapackage>"
    )
    moment = clock.now() + timedelta(seconds=len(simulator.state.workflows))
    simulator.state.oai.put(OaiRecord("default", event, "mh_default_org", moment, lambda: OaiContents(package)))


def run_dag(dag_id: str, **conf: Any) -> Any:
    """Run a DAG as its file has it: a parsed one keeps the params of a run."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=ROOT / "dags" / f"{dag_id}.py").dags[dag_id].test(run_conf=conf)


def harvest() -> None:
    run = run_dag("oaipmh_harvest", repositories=["source"])
    assert states(run)["harvest_repository"] == ["success"]


def asset_events(after: int) -> list[Any]:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = select(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        query = query.where(AssetModel.name == "oaipmh_source", AssetEvent.id > after).order_by(AssetEvent.id)
        return list(session.scalars(query))


def started_by(events: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next run started by these asset events, as the scheduler starts it."""
    create = airflow.models.dagrun.get_or_create_dagrun

    def with_events(**arguments: Any) -> Any:
        run = create(**arguments)
        run.consumed_asset_events.extend(arguments["session"].merge(event) for event in events)
        arguments["session"].commit()
        return run

    monkeypatch.setattr(airflow.models.dagrun, "get_or_create_dagrun", with_events)


def triggered_confs() -> list[dict[str, Any]]:
    """What the runs of opencast_follow that other runs have triggered were given, oldest first."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType

    with create_session() as session:
        query = select(DagRun).where(DagRun.dag_id == "opencast_follow").order_by(DagRun.id)
        runs = session.scalars(query.where(DagRun.triggered_by == DagRunTriggeredByType.OPERATOR))
        return [dict(run.conf or {}) for run in runs]


def is_there(target: Simulator, event: str) -> bool:
    try:
        Opencast(server(target)).assets.episode_xml(event)
    except NotFound:
        return False
    return True


def test_exactly_the_events_that_a_harvest_found_are_migrated(
    servers: tuple[Simulator, Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = servers
    last = max((event.id for event in asset_events(0)), default=0)
    before = len(triggered_confs())
    # The first run serializes the DAG that is triggered later; nothing is migrated by it.
    run_dag("opencast_follow", events=[OTHER], mode="plan")
    publish(source, FIRST, "First")
    publish(source, SECOND, "Second")
    harvest()
    events = asset_events(last)
    assert [event.extra["records"]["new"] for event in events] == [[FIRST, SECOND]]

    with monkeypatch.context() as patched:
        started_by(events, patched)
        run = run_dag("oaipmh_follow_changes")
    assert states(run) == {"collect_changed_events": ["success"], "migrate_changed_events": ["success"]}
    confs = triggered_confs()[before:]
    assert [conf["events"] for conf in confs] == [[FIRST, SECOND]]

    migration = run_dag("opencast_follow", **confs[0])
    assert states(migration)["migrate_mediapackage"] == ["success", "success"]
    assert [is_there(target, event) for event in (FIRST, SECOND, OTHER)] == [True, True, False]


def test_a_changed_event_is_migrated_again_and_the_others_are_left(servers: tuple[Simulator, Simulator]) -> None:
    source, _ = servers
    last = max((event.id for event in asset_events(0)), default=0)
    publish(source, FIRST, "First")
    publish(source, SECOND, "Second")
    harvest()
    run_dag("opencast_follow", events=[FIRST, SECOND])

    opencast = Opencast(server(source))
    opencast.assets.snapshot(opencast.assets.episode_xml(SECOND))
    publish(source, SECOND, "Second, edited")
    harvest()
    event = asset_events(last)[-1]
    assert event.extra["records"] == {"new": [], "changed": [SECOND], "deleted": []}
    again = run_dag("opencast_follow", events=event.extra["records"]["changed"])
    assert states(again)["migrate_mediapackage"] == ["success"]
