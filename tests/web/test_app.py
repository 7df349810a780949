"""The report page: only for those who may see the DAG, only reports, and no script of a server's making."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from opencast.migration.report import report_folder
from opencast.web.app import app


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TestClient:
    monkeypatch.setenv("OPENCAST_REPORT_FOLDER", str(tmp_path))
    return TestClient(app)


@pytest.fixture
def allowed(client: TestClient) -> Any:
    """Let everybody in, as the check of the rights would for an administrator."""
    report = next(route for route in app.routes if isinstance(route, APIRoute) and route.path == "/report")
    dependency = report.dependencies[0].dependency
    assert dependency is not None
    app.dependency_overrides[dependency] = lambda: None
    yield client
    app.dependency_overrides.clear()


def write(folder: Path, name: str, text: str) -> None:
    path = report_folder(folder, "d/r+1") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_without_a_login_nothing_is_shown(client: TestClient) -> None:
    assert client.get("/report", params={"dag_id": "d", "run_id": "r+1"}).status_code == 401


def test_the_report_of_a_run_is_shown(allowed: TestClient, tmp_path: Path) -> None:
    write(tmp_path, "report.html", "<p>good</p>")
    answer = allowed.get("/report", params={"dag_id": "d", "run_id": "r+1"})
    assert (answer.status_code, answer.text) == (200, "<p>good</p>")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_run_without_a_report_says_so(allowed: TestClient) -> None:
    answer = allowed.get("/report", params={"dag_id": "d", "run_id": "other"})
    assert "no report yet" in answer.text


def test_the_other_forms_can_be_had(allowed: TestClient, tmp_path: Path) -> None:
    write(tmp_path, "report.csv", "kind,identifier\n")
    answer = allowed.get("/report", params={"dag_id": "d", "run_id": "r+1", "form": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert allowed.get("/report", params={"dag_id": "d", "run_id": "r+1", "form": "json"}).status_code == 404


@pytest.mark.parametrize("run_id", ["../../etc", "..", "/etc/passwd", "x/../../y", ""])
def test_no_run_id_leaves_the_folder_of_the_reports(allowed: TestClient, tmp_path: Path, run_id: str) -> None:
    (tmp_path.parent / "report.html").write_text("outside")
    answer = allowed.get("/report", params={"dag_id": "..", "run_id": run_id})
    assert "outside" not in answer.text
