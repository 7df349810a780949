"""The cleaning of staging as Airflow runs it: what an open import needs stays, and a dry run removes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opencast.staging.store import ObjectStore
from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.imports import Imports
from opencast.store.ledger import Ledger
from opencast.store.tables import ImportJob

NOW = {"older_than_hours": 0}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("OPENCAST_DATA_FOLDER", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    database = Database(f"sqlite:///{tmp_path}/data/store.db")
    database.upgrade()
    return database


@pytest.fixture
def store(tmp_path: Path, database: Database) -> ObjectStore:
    return ObjectStore(tmp_path / "data" / "staging", reserve_bytes=0)


@pytest.fixture
def imports(database: Database) -> Imports:
    return Imports(Ledger(database, "source", "target"))


def names(store: ObjectStore) -> set[str]:
    return {str(found.digest) for found in store.objects()}


def run(dagbag: Any, **conf: Any) -> dict[str, Any]:
    """Run the DAG, and return what its task says."""
    result = dagbag.dags["opencast_clean_staging"].test(run_conf=conf)
    assert result.state == "success"
    value: dict[str, Any] = result.get_task_instances()[0].xcom_pull(task_ids="clean_staging")
    return value


def test_what_no_import_needs_is_removed(dagbag: Any, store: ObjectStore, imports: Imports) -> None:
    needed, done = store.put([b"needed"]).digest, store.put([b"sent already"]).digest
    imports.claim("event", "dag/run", 8)
    imports.refer("event", [(needed.md5, needed.size)])
    result = run(dagbag, **NOW)
    assert names(store) == {str(needed)}
    assert (result["removed"], result["kept_needed"], result["bytes_freed"]) == (1, 1, done.size)


def test_a_dry_run_removes_nothing_and_counts_the_same(dagbag: Any, store: ObjectStore) -> None:
    store.put([b"sent already"])
    result = run(dagbag, dry_run=True, **NOW)
    assert (result["removed"], result["bytes_freed"], result["dry_run"]) == (1, 12, True)
    assert len(names(store)) == 1


def test_what_was_staged_a_moment_ago_stays(dagbag: Any, store: ObjectStore) -> None:
    store.put([b"young"])
    assert run(dagbag)["kept_young"] == 1


def test_an_import_that_nobody_goes_on_with_gives_its_files_up(
    dagbag: Any, store: ObjectStore, imports: Imports, database: Database
) -> None:
    digest = store.put([b"of a killed import"]).digest
    imports.claim("event", "dag/run", 8)
    imports.refer("event", [(digest.md5, digest.size)])
    with database.session() as session:
        job = session.query(ImportJob).one()
        job.touched = utc_now() - timedelta(days=8)
    assert run(dagbag, give_up_after_days=9, **NOW)["kept_needed"] == 1
    assert run(dagbag, give_up_after_days=7, **NOW)["removed"] == 1
    assert names(store) == set()
