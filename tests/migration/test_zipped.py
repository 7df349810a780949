"""The route zip: the archive of a mediapackage in one request, also for an account that is no administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import OpencastError, StorageFailure
from opencast.migration.import_runs import ImportRuns
from opencast.migration.mediapackage import MediaPackageMigrator, Progress
from opencast.migration.options import Options
from opencast.migration.preflight import Check
from opencast.migration.restricted import NEEDED_ROLES
from opencast.migration.workbench import Workbench
from opencast.migration.zipped import ZippedImportRuns, ZippedMediaPackageMigrator
from opencast.model.mediapackage import compare_elements
from opencast.settings import config_folder
from opencast.store.ledger import Entry, Kind, State

from tests.migration.pair import KEY, Pair, finish, server
from tests.simulator import Simulator, User
from tests.simulator.settings import ADMIN_ROLES
from tests.simulator.workflows import definition as definitions

WORKFLOW = "opencast-airflow-import"
EVENT = "a-ev-two-streams"
RESTRICTED = ("ROLE_USER", "ROLE_ANONYMOUS", *NEEDED_ROLES)


def install(simulator: Simulator) -> None:
    """Install the import workflow that is shipped, as an administrator would."""
    shipped = definitions.parse((config_folder() / f"{WORKFLOW}.xml").read_text())
    simulator.state.definitions[shipped.id] = shipped


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    users = (
        User("admin", "opencast", "Administrator", ADMIN_ROLES, in_memory=True),
        User("ingest", "pw", "Ingest", RESTRICTED),
    )
    pair = pairs(target={"users": users})
    install(pair.target)
    return pair


def restricted(pair: Pair, **options: Any) -> Workbench:
    """Open a workbench with the target account that is no administrator."""
    return Workbench(
        pair.settings,
        Options.from_params(options),
        pair.database,
        Opencast(server(pair.source)),
        Opencast(server(pair.target, username="ingest", password="pw")),
    )


def migrate(bench: Workbench, event: str) -> Entry:
    with bench:
        migrator = bench.mediapackage_migrator(event, KEY, event)
        try:
            finish(migrator, migrator.begin())
        except OpencastError as error:
            migrator.fail(error)
        entry = bench.ledger.entry(Kind.MEDIAPACKAGE, event)
        assert entry is not None
        return entry


def same_archive(pair: Pair, event: str) -> list[Any]:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    before, after = source.assets.episode(event), target.assets.episode(event)
    assert [element.id for element in after.elements] == [element.id for element in before.elements]
    return [
        difference
        for element in before.elements
        for difference in compare_elements(element, after.element(element.id or "") or element)
    ]


def left(pair: Pair) -> list[Any]:
    return [path for path in (pair.target.storage / "files").rglob("*") if path.is_file()]


def test_the_archive_arrives_whole_and_publications_are_named_as_left_out(pair: Pair) -> None:
    entry = pair.migrate(EVENT, route="zip")
    assert entry.state is State.DONE, entry.reason
    assert same_archive(pair, EVENT) == []
    assert any("engage-player does not travel in a zip" in note for note in entry.notes)
    assert entry.traffic.written > 0
    assert left(pair) == []


def test_everything_travels_in_one_request(pair: Pair) -> None:
    pair.migrate(EVENT, route="zip")
    posts = [r.path for r in pair.target.requests.all() if r.method == "POST"]
    assert [path for path in posts if path.startswith(("/ingest", "/files", "/workflow"))] == [
        f"/ingest/addZippedMediaPackage/{WORKFLOW}"
    ]


@pytest.mark.parametrize("event", ["a-ev-names", "a-ev-no-series", "a-ev-no-media", "a-ev-archive-only"])
def test_every_kind_of_event_travels(pair: Pair, event: str) -> None:
    entry = pair.migrate(event, route="zip")
    assert entry.state is State.DONE, entry.reason
    assert same_archive(pair, event) == []


def test_a_second_run_sends_nothing(pair: Pair) -> None:
    pair.migrate(EVENT, route="zip")
    before = len(pair.target.requests.all(prefix="/ingest"))
    entry = pair.migrate(EVENT, key="dag/second", route="zip")
    assert entry.state is State.DONE
    assert len(pair.target.requests.all(prefix="/ingest")) == before


def test_an_import_that_was_begun_goes_on_the_same_way(pair: Pair) -> None:
    with pair.bench(route="zip") as bench:
        assert bench.mediapackage_migrator(EVENT, KEY).begin() in {Progress.WAITING, Progress.IMPORTED}
    with pair.bench(route="upload") as bench:
        migrator = bench.mediapackage_migrator(EVENT, KEY)
        assert isinstance(migrator, ZippedMediaPackageMigrator)
        finish(migrator, migrator.begin())
    assert len(pair.target.requests.all(prefix="/ingest")) == 1
    with pair.bench(route="upload") as bench:
        assert type(bench.mediapackage_migrator(EVENT, KEY)) is MediaPackageMigrator


def test_a_zip_that_arrived_before_a_crash_is_found_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.bench(route="zip") as bench:
        migrator = bench.mediapackage_migrator(EVENT, KEY)
        with monkeypatch.context() as patch:
            patch.setattr(ImportRuns, "_note_started", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                migrator.begin()
    pair.target.wait_for_workflows()
    entry = pair.migrate(EVENT, route="zip")
    assert entry.state is State.DONE
    assert len(pair.target.requests.all(prefix="/ingest")) == 1


def test_staged_files_that_vanished_are_staged_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.bench(route="zip") as bench:
        migrator = bench.mediapackage_migrator(EVENT, KEY)
        with monkeypatch.context() as patch:
            patch.setattr(ZippedImportRuns, "_request", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                migrator.begin()
        for found in list(bench.store.objects()):
            bench.store.remove(found.digest)
        with pytest.raises(StorageFailure, match="is gone"):
            migrator.begin()
        finish(migrator, migrator.begin())
    assert same_archive(pair, EVENT) == []


def test_without_the_workflow_nothing_else_is_taken_for_it(pair: Pair) -> None:
    del pair.target.state.definitions[WORKFLOW]
    entry = pair.migrate(EVENT, route="zip")
    assert entry.state is State.FAILED
    assert "does not know the workflow" in entry.reason


def test_an_account_that_may_only_ingest_brings_the_archive(pair: Pair) -> None:
    entry = migrate(restricted(pair), EVENT)
    assert entry.state is State.DONE, entry.reason
    assert same_archive(pair, EVENT) == []
    assert any("checksums of the archived files only" in note for note in entry.notes)
    refused = [r for r in pair.target.requests.all() if r.status in {401, 403} and "/assets/assets/" not in r.path]
    assert refused == [], "it asks for nothing that it may not have"


def test_a_zip_takes_the_workflow_properties_of_the_source_along(pair: Pair) -> None:
    """They travel as fields of the form; one that the ingest service takes for the workflow's id stays behind."""
    kept = {"publishToEngage": "true", "note": "a=b & +%41 ü"}
    Opencast(server(pair.source)).assets.set_workflow_properties(EVENT, kept | {"workflowDefinitionId": "fast"})
    entry = migrate(restricted(pair), EVENT)
    assert entry.state is State.DONE, entry.reason
    arrived = Opencast(server(pair.target)).assets.workflow_properties(EVENT)
    assert {name: arrived.get(name) for name in kept} == kept
    assert "workflowDefinitionId" not in arrived
    assert pair.target.state.workflows[max(pair.target.state.workflows)].template == WORKFLOW


def test_a_second_run_of_that_account_sends_nothing_either(pair: Pair) -> None:
    migrate(restricted(pair), EVENT)
    entry = migrate(restricted(pair), EVENT)
    assert entry.state is State.DONE
    assert "The target held the same files already; nothing was written." in entry.notes
    assert len(pair.target.requests.all(prefix="/ingest")) == 1


def test_that_account_notices_other_bytes_in_the_targets_archive(pair: Pair) -> None:
    with restricted(pair) as bench:
        migrator = bench.mediapackage_migrator(EVENT, KEY, EVENT)
        progress = migrator.begin()
        pair.target.wait_for_workflows()
        pair.target.faults.add(r"/assets/assets/.*/1/.*\.mp4$", status=200, body=b"not what the checksum was asked for")
        while progress is Progress.WAITING:
            progress = migrator.advance()
        with pytest.raises(OpencastError, match="holds other bytes than were sent"):
            migrator.complete()


def checks(bench: Workbench) -> dict[str, Check]:
    with bench:
        return {check.name: check for check in bench.preflight().run()}


def test_the_preflight_lets_that_account_pass_and_says_what_it_cannot_do(pair: Pair) -> None:
    found = checks(restricted(pair))
    assert [name for name, check in found.items() if not check.ok] == []
    assert "ingest" in found["target: login"].message
    assert found["target: way of the files"].message.startswith("zip is used.")


@pytest.mark.parametrize("missing", sorted(NEEDED_ROLES))
def test_a_role_that_is_missing_is_named_with_what_it_is_for(pairs: Callable[..., Pair], missing: str) -> None:
    roles = tuple(role for role in RESTRICTED if role != missing)
    pair = pairs(target={"users": (User("ingest", "pw", "Ingest", roles),)})
    install(pair.target)
    found = checks(restricted(pair))["target: login"]
    assert not found.ok
    assert missing in found.advice
    assert NEEDED_ROLES[missing] in found.advice


def test_that_account_is_refused_another_way(pair: Pair) -> None:
    assert not checks(restricted(pair, route="upload"))["target: login"].ok
