"""The whole DAG with a target account that may ingest, but is no administrator."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opencast.migration.restricted import NEEDED_ROLES

from tests.dags.test_opencast_migrate import report, states
from tests.migration.test_zipped import install
from tests.simulator import Simulator, User


def test_archives_are_brought_and_what_cannot_be_brought_is_named(
    dagbag: Any,
    simulators: Callable[..., Simulator],
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    user = User("ingest", "pw", "Ingest", ("ROLE_USER", "ROLE_ANONYMOUS", *NEEDED_ROLES))
    source, target = simulators(library="recorded"), simulators(library="empty", users=(user,))
    install(target)
    connect("opencast_source", source)
    connection = {"conn_type": "opencast", "host": target.url, "login": "ingest", "password": "pw"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENCAST_TARGET", json.dumps(connection))
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)
    dag = dagbag.dags["opencast_migrate"]
    run = dag.test(run_conf={"events": ["a-ev-no-series", "a-ev-two-streams"], "include_themes": False})
    found = states(run)
    assert found["migrate_mediapackage"] == ["success", "success"]
    assert found["verify"] == ["skipped"]
    lines = {(line["kind"], line["identifier"]): line for line in report(tmp_path)["objects"]}
    assert lines["mediapackage", "a-ev-two-streams"]["outcome"] == "done"
    assert any("does not travel in a zip" in note for note in lines["mediapackage", "a-ev-two-streams"]["notes"])
    series = lines["series", "a-series-algorithms"]
    assert (series["outcome"], run.state) == ("failed", "failed"), "such an account cannot write series"
    assert "ROLE_ADMIN" in series["reason"]
