"""Fixtures for DAGs: Airflow's database once a session, and connections to simulators."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.airflow_home import ROOT
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Make Airflow's tables."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def dagbag(airflow_database: None) -> object:
    """Parse every DAG file of this checkout; anew for each test, because ``dag.test`` keeps the params of a run."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=ROOT / "dags")


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, Simulator], None]:
    """Set connections: ``connect("opencast_source", simulator)``; staging, store and reports go to ``tmp_path``."""
    monkeypatch.setenv("OPENCAST_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("OPENCAST_STAGING_RESERVE_GB", "0")

    def set_connection(identifier: str, simulator: Simulator, password: str = "opencast") -> None:
        connection = {"conn_type": "opencast", "host": simulator.url, "login": "admin", "password": password}
        monkeypatch.setenv(f"AIRFLOW_CONN_{identifier.upper()}", json.dumps(connection))

    return set_connection
