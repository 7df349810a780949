"""The DAGs of the harvest as Airflow runs them, against an OAI-PMH server of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from opencast.harvest import management
from opencast.harvest.repository_settings import RepositorySettings
from opencast.store.catalogue import MediaItem
from opencast.store.database import Database
from opencast.store.harvesting import Record, Repository
from sqlalchemy import select

from tests.harvest.oai_server import OaiServer
from tests.harvest.recordings import Recording

LECTURE = Recording(title="Sorting", series="algo", series_title="Algorithms")
HARVESTS = ("oaipmh_harvest", "oaipmh_harvest_all")


@pytest.fixture
def server() -> OaiServer:
    return OaiServer(now=lambda: datetime.now(UTC))


@pytest.fixture
def url(server: OaiServer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = server.reply(dict(parse_qsl(urlsplit(self.path).query)))
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/oai"
    http.shutdown()
    http.server_close()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    monkeypatch.setenv("OPENCAST_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("OPENCAST_CONFIG_FOLDER", str(tmp_path))
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    return database


def states(run: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for instance in sorted(run.get_task_instances(), key=lambda ti: ti.map_index):
        found.setdefault(instance.task_id, []).append(str(instance.state))
    return found


def rows(store: Database, table: Any) -> list[Any]:
    with store.reading() as session:
        return list(session.scalars(select(table)))


def events(name: str) -> list[dict[str, Any]]:
    """The events of a repository's asset, as Airflow keeps them."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = select(AssetEvent).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        found = session.scalars(query.where(AssetModel.name == f"oaipmh_{name}").order_by(AssetEvent.id))
        return [dict(event.extra) for event in found]


@pytest.mark.parametrize("dag_id", HARVESTS)
def test_tasks_and_edges_of_a_harvest(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert set(dag.task_ids) == {"choose_repositories", "harvest_repository"}
    assert dag.task_dict["choose_repositories"].downstream_task_ids == {"harvest_repository"}
    assert dag.task_dict["harvest_repository"].is_mapped


def test_schedules(dagbag: Any) -> None:
    dags = {dag_id: dag for dag_id, dag in dagbag.dags.items() if dag_id.startswith("oaipmh_")}
    assert dags["oaipmh_harvest"].schedule == "* * * * *"
    assert dags["oaipmh_clean_up"].schedule == "*/5 * * * *"
    assert all(not dag.catchup for dag in dags.values())


def test_no_consumer_of_the_harvest_has_its_assets_among_its_outlets(dagbag: Any) -> None:
    """It would start itself for ever."""
    dag = dagbag.dags["oaipmh_follow_changes"]
    assert all(not task.outlets for task in dag.tasks)


def test_due_repositories_are_harvested_each_by_a_task_of_its_own(
    dagbag: Any, store: Database, server: OaiServer, url: str
) -> None:
    server.put("ev-1", LECTURE)
    for name in ("first", "second"):
        management.add_repository(store, RepositorySettings(name=name, url=url))
    dag = dagbag.dags["oaipmh_harvest"]
    assert states(dag.test()) == {"choose_repositories": ["success"], "harvest_repository": ["success", "success"]}
    assert len(rows(store, Record)) == 2
    run = dag.test()
    assert states(run)["harvest_repository"] == ["skipped"], "nothing is due any more"


def test_one_repositorys_error_fails_its_own_task_only(
    dagbag: Any, store: Database, server: OaiServer, url: str
) -> None:
    server.put("ev-1", LECTURE)
    server.formats = {"oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/"}
    management.add_repository(store, RepositorySettings(name="wrong", url=url, prefixes=["lom"]))
    management.add_repository(store, RepositorySettings(name="right", url=url))
    run = dagbag.dags["oaipmh_harvest"].test()
    assert states(run)["harvest_repository"] == ["failed", "success"]
    assert len(rows(store, Record)) == 1


def test_an_event_of_the_repositorys_asset_carries_the_ids(
    dagbag: Any, store: Database, server: OaiServer, url: str
) -> None:
    server.put("ev-1", LECTURE)
    management.add_repository(store, RepositorySettings(name="told", url=url))
    dag = dagbag.dags["oaipmh_harvest"]
    dag.test(run_conf={"repositories": ["told"]})
    server.delete("ev-1")
    server.put("ev-2", LECTURE)
    dag.test(run_conf={"repositories": ["told"]})
    dag.test(run_conf={"repositories": ["told"]})
    assert [event["records"] for event in events("told")] == [
        {"new": ["ev-1"], "changed": [], "deleted": []},
        {"new": ["ev-2"], "changed": [], "deleted": ["ev-1"]},
    ]


def test_a_window_of_datestamps_is_back_filled_by_params(
    dagbag: Any, store: Database, server: OaiServer, url: str
) -> None:
    for year in (2020, 2021, 2022):
        server.put(f"ev-{year}", LECTURE, at=datetime(year, 5, 1, tzinfo=UTC))
    management.add_repository(store, RepositorySettings(name="windowed", url=url))
    conf = {"repositories": ["windowed"], "datestamp_from": "2021-01-01", "datestamp_until": "2021-12-31"}
    dagbag.dags["oaipmh_harvest"].test(run_conf=conf)
    assert [row.identifier for row in rows(store, Record)] == ["ev-2021"]


def test_the_nightly_harvest_fetches_everything(dagbag: Any, store: Database, server: OaiServer, url: str) -> None:
    server.put("ev-1", LECTURE)
    management.add_repository(store, RepositorySettings(name="nightly", url=url))
    dagbag.dags["oaipmh_harvest"].test()
    server.forget("ev-1")
    assert states(dagbag.dags["oaipmh_harvest_all"].test())["harvest_repository"] == ["success"]
    assert [row.deleted for row in rows(store, Record)] == [True]


def test_a_repository_that_is_being_harvested_is_skipped(
    dagbag: Any, store: Database, server: OaiServer, url: str
) -> None:
    management.add_repository(store, RepositorySettings(name="busy", url=url))
    with store.session() as session:
        repository = session.scalars(select(Repository)).one()
        repository.lease_owner, repository.lease_until = "elsewhere/1/x", datetime(2999, 1, 1, tzinfo=UTC)
    run = dagbag.dags["oaipmh_harvest"].test(run_conf={"repositories": ["busy"]})
    assert states(run)["harvest_repository"] == ["skipped"]


@pytest.mark.parametrize("dag_id", ["oaipmh_clean_up", "oaipmh_clean_up_all"])
def test_clean_ups_make_what_is_missing(dagbag: Any, store: Database, server: OaiServer, url: str, dag_id: str) -> None:
    server.put("ev-1", LECTURE)
    management.add_repository(store, RepositorySettings(name="cleaned", url=url))
    dagbag.dags["oaipmh_harvest"].test()
    management.add_playlist(store, "algorithms")
    management.set_playlist(store, "cleaned", "algo", "algorithms")
    assert states(dagbag.dags[dag_id].test()) == {"clean_up_catalogue": ["success"]}
    assert [item.title for item in rows(store, MediaItem)] == ["Sorting"]


def test_the_file_of_repositories_is_used(
    dagbag: Any, store: Database, server: OaiServer, url: str, tmp_path: Path
) -> None:
    (tmp_path / "repositories.yaml").write_text(f"repositories:\n  - name: filed\n    url: {url}\n")
    run = dagbag.dags["oaipmh_harvest"].test()
    assert states(run)["harvest_repository"] == ["success"]
    assert [row.name for row in rows(store, Repository)] == ["filed"]


def test_a_wrong_file_fails_the_run_with_file_line_and_key(
    dagbag: Any, store: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "repositories.yaml").write_text("repositories:\n  - name: filed\n    url: nonsense\n")
    run = dagbag.dags["oaipmh_harvest"].test()
    assert states(run)["choose_repositories"] == ["failed"]


# --- what consumers get ----------------------------------------------------------------------------------------------


def extra(repository: str = "a", **records: list[str]) -> dict[str, Any]:
    return {"repository": repository, "records": {"new": [], "changed": [], "deleted": [], **records}}


@pytest.mark.parametrize(
    ("extras", "repository", "expected"),
    [
        ([extra(new=["1"], changed=["2"])], None, ["1", "2"]),
        ([extra(new=["1"]), extra(deleted=["1"])], None, []),
        ([extra(deleted=["1"]), extra(new=["1"])], None, ["1"]),
        ([extra(new=["1"]), extra("b", new=["2"])], "b", ["2"]),
        ([extra(new=["1"]), extra(changed=["1"])], None, ["1"]),
        ([], None, []),
    ],
)
def test_the_events_that_are_left_as_new_or_changed(
    extras: list[dict[str, Any]], repository: str | None, expected: list[str]
) -> None:
    from opencast.operators.changed_events import changed_events

    assert changed_events(extras, repository) == expected


def test_an_event_that_stands_under_asset_and_alias_is_counted_once() -> None:
    from opencast.operators.changed_events import CollectChangedEventsOperator
    from opencast.operators.harvest import CHANGES, repository_asset

    event = SimpleNamespace(extra=extra(new=["1", "2"]), timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    operator = CollectChangedEventsOperator(task_id="collect_changed_events")
    triggering = {repository_asset("a"): [event], CHANGES: [event]}
    context: Any = {"params": {"repository": None}, "triggering_asset_events": triggering}
    assert operator.execute(context) == ["1", "2"]
    by_asset: Any = {"params": {}, "triggering_asset_events": {repository_asset("a"): [event]}}
    assert operator.execute(by_asset) == ["1", "2"]


def test_without_changed_events_nothing_is_migrated() -> None:
    from airflow.sdk.exceptions import AirflowSkipException
    from opencast.operators.changed_events import CollectChangedEventsOperator
    from opencast.operators.harvest import CHANGES

    event = SimpleNamespace(extra=extra(deleted=["1"]), timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    context: Any = {"params": {"repository": None}, "triggering_asset_events": {CHANGES: [event]}}
    with pytest.raises(AirflowSkipException):
        CollectChangedEventsOperator(task_id="collect_changed_events").execute(context)


def test_the_example_hands_exactly_the_changed_events_to_the_migration(dagbag: Any) -> None:
    dag = dagbag.dags["oaipmh_follow_changes"]
    migrate = dag.task_dict["migrate_changed_events"]
    assert migrate.trigger_dag_id == "opencast_follow"
    assert migrate.upstream_task_ids == {"collect_changed_events"}
    assert "events" in dagbag.dags["opencast_follow"].params
    assert list(migrate.conf) == ["events"]


# --- the hook --------------------------------------------------------------------------------------------------------


def test_the_hook_gives_a_client_and_its_test_button_says_what_is_there(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opencast.hooks.oaipmh import OaiPmhHook

    connection = {"conn_type": "generic", "host": url, "login": "ada", "password": "s3cret"}
    monkeypatch.setenv("AIRFLOW_CONN_OAI_LECTURES", json.dumps(connection))
    hook = OaiPmhHook("oai_lectures")
    assert hook.get_conn().Identify().name == "Test"
    assert hook.test_connection() == (
        True,
        "Test: YYYY-MM-DDThh:mm:ssZ, formats oai_dc, matterhorn, matterhorn-inlined.",
    )
    monkeypatch.setenv("AIRFLOW_CONN_OAI_LECTURES", json.dumps({**connection, "host": "http://127.0.0.1:9/"}))
    worked, said = OaiPmhHook("oai_lectures").test_connection()
    assert not worked
    assert "s3cret" not in said


def test_a_missing_connection_is_an_error_of_configuration() -> None:
    from opencast.errors import ConfigurationError
    from opencast.hooks.oaipmh import OaiPmhHook

    with pytest.raises(ConfigurationError, match="no connection 'nothing'"):
        OaiPmhHook("nothing").get_conn()
