"""Every DAG file can be parsed, is documented, and holds exactly the DAGs that are listed here."""

from __future__ import annotations

from typing import Any

import pytest
from opencast.migration.options import Options
from opencast.operators.params import Tag

from tests.airflow_home import ROOT

#: DAG ids by file; a file that is missing here fails the test, and so does a DAG that is not in its file.
DAGS = {
    "oaipmh_clean_up.py": {"oaipmh_clean_up"},
    "oaipmh_clean_up_all.py": {"oaipmh_clean_up_all"},
    "oaipmh_follow_changes.py": {"oaipmh_follow_changes"},
    "oaipmh_harvest.py": {"oaipmh_harvest"},
    "oaipmh_harvest_all.py": {"oaipmh_harvest_all"},
    "opencast_audit.py": {"opencast_audit"},
    "opencast_clean_staging.py": {"opencast_clean_staging"},
    "opencast_example_stage_then_send.py": {"opencast_example_stage_then_send"},
    "opencast_follow.py": {"opencast_follow"},
    "opencast_migrate.py": {"opencast_migrate"},
    "opencast_migrate_by_creation_date.py": {"opencast_migrate_by_creation_date", "opencast_migrate_by_creation_month"},
}
SECTIONS = ("**What.**", "**Parameters.**", "**Safe to re-run?**", "**Not done.**")


def test_every_file_holds_the_dags_that_are_listed(dagbag: Any) -> None:
    assert dagbag.import_errors == {}
    found: dict[str, set[str]] = {path.name: set() for path in (ROOT / "dags").rglob("*.py")}
    for dag in dagbag.dags.values():
        found[dag.fileloc.rpartition("/")[2]].add(dag.dag_id)
    assert found == DAGS


@pytest.mark.parametrize("dag_id", sorted(set().union(*DAGS.values())))
def test_every_dag_is_documented_tagged_and_retries(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert all(section in (dag.doc_md or "") for section in SECTIONS)
    assert set(dag.tags) <= {tag.value for tag in Tag}
    assert all(task.retries >= 2 for task in dag.tasks), "a busy scheduler loses task instances now and then"


@pytest.mark.parametrize("dag_id", ["opencast_migrate", "opencast_migrate_by_creation_month", "opencast_follow"])
def test_a_run_may_have_as_many_imports_in_flight_as_its_form_says(dagbag: Any, dag_id: str) -> None:
    """Airflow counts deferred tasks in the limit of a task: it must leave room for all that wait for the target."""
    task = dagbag.dags[dag_id].get_task("migrate_mediapackage")
    assert task.max_active_tis_per_dagrun > Options().imports_in_flight


@pytest.mark.parametrize("path", sorted((ROOT / "dags").rglob("*.py")), ids=lambda path: path.name)
def test_dag_files_are_thin(path: Any) -> None:
    assert len(path.read_text().splitlines()) <= 80
