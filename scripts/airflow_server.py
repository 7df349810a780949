"""Airflow on this machine: its environment, its components, and its REST API."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from scripts.processes import Processes, free_port

ROOT = Path(__file__).resolve().parents[1]

#: Airflow's daemons. The log servers of scheduler and triggerer are left out: they would listen on every address, and
#: on one machine the API server reads the log files itself.
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


class AirflowServer:
    """Airflow with SQLite and the LocalExecutor in one folder.

    :param folder: holds Airflow's home and this package's data.
    """

    def __init__(self, folder: Path, processes: Processes) -> None:
        self._folder = folder
        self._processes = processes
        running = processes.find("api-server")
        self.port = int(running.url.rpartition(":")[2]) if running else free_port(8080)
        self.url = f"http://127.0.0.1:{self.port}"
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def components(self) -> list[str]:
        """The processes without which nothing goes on."""
        return list(COMPONENTS)

    def environment(self) -> dict[str, str]:
        """Return the environment of all components.

        SQLite takes one writer at a time: with the default of 32 tasks at once Airflow's daemons stop with "database
        is locked". The secret must be the same in all components.
        """
        own = {
            "AIRFLOW_HOME": str(self._folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret(),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "OPENCAST_DATA_FOLDER": str(self._folder / "data"),
            "PYTHONUNBUFFERED": "1",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "OPENCAST_"))}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        return inherited | own

    def start(self) -> None:
        """Start what does not run yet, and wait until the API answers."""
        missing = {name: arguments for name, arguments in COMPONENTS.items() if self._processes.find(name) is None}
        if not missing:
            return
        environment = self.environment()
        airflow = str(Path(sys.executable).with_name("airflow"))
        migrate = self._processes.start("db-migrate", [airflow, "db", "migrate"], environment=environment, cwd=ROOT)
        while migrate.is_alive():
            time.sleep(0.2)
        for name, arguments in missing.items():
            self._processes.start(name, [airflow, *arguments], environment=environment, cwd=ROOT, url=self.url)
        self._wait("Airflow's API", lambda: self._session.get(f"{self.url}/api/v2/version", timeout=5).ok, 180)

    def log_in(self) -> None:
        """Get a token for the calls below."""
        token = self._session.get(f"{self.url}/auth/token", timeout=30)
        token.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until a DAG can be triggered."""
        self._wait(f"the DAG {dag_id}", lambda: self._session.get(self._api(f"dags/{dag_id}"), timeout=10).ok, 120)

    def set_connection(self, connection: dict[str, Any]) -> None:
        """Create a connection, or change the one that is there."""
        identifier = connection["connection_id"]
        answer = self._session.post(self._api("connections"), json=connection, timeout=30)
        if answer.status_code == 409:
            answer = self._session.patch(self._api(f"connections/{identifier}"), json=connection, timeout=30)
        answer.raise_for_status()

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Switch a DAG's schedule off or on; a run that was triggered needs it on."""
        answer = self._session.patch(self._api(f"dags/{dag_id}"), json={"is_paused": paused}, timeout=30)
        answer.raise_for_status()

    def trigger(self, dag_id: str, conf: dict[str, Any], *, partition_key: str | None = None) -> str:
        """Trigger a DAG as the form does, and return the id of the run."""
        body = {"logical_date": None, "conf": conf, "partition_key": partition_key}
        answer = self._session.post(self._api(f"dags/{dag_id}/dagRuns"), json=body, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def wait_for_run(self, dag_id: str, run_id: str, timeout: float) -> str:
        """Wait until a run has ended, telling what it does, and return its state."""
        deadline = time.monotonic() + timeout
        told: set[str] = set()
        while time.monotonic() < deadline:
            run = self._get(f"dags/{dag_id}/dagRuns/{run_id}")
            for task in self.tasks(dag_id, run_id):
                line = f"{task['task_id']} {task.get('rendered_map_index') or ''}: {task['state']}"
                if task["state"] in {"success", "failed", "skipped", "upstream_failed"} and line not in told:
                    told.add(line)
                    print(f"    {line}", flush=True)
            if run["state"] in {"success", "failed"}:
                return str(run["state"])
            time.sleep(2)
        raise SystemExit(f"The run {run_id} of {dag_id} has not ended after {timeout:.0f} s; look at {self.url}.")

    def first_run(self, dag_id: str) -> str:
        """Return the id of a DAG's first run."""
        answer = self._get(f"dags/{dag_id}/dagRuns?order_by=run_after&limit=1")
        return str(answer["dag_runs"][0]["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, the newest first."""
        answer = self._get(f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=100")
        found: list[dict[str, Any]] = answer["dag_runs"]
        return found

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        answer = self._get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")
        instances: list[dict[str, Any]] = answer["task_instances"]
        return instances

    def run_address(self, dag_id: str, run_id: str) -> str:
        """Return the page of a run."""
        return f"{self.url}/dags/{dag_id}/runs/{quote(run_id, safe='')}"

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._session.get(self._api(path), timeout=30)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def _api(self, path: str) -> str:
        return f"{self.url}/api/v2/{path}"

    def _secret(self) -> str:
        path = self._folder / "jwt-secret"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(64))
        return path.read_text()

    def _wait(self, what: str, answered: Any, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                if answered():
                    return
            except requests.RequestException:
                pass  # not listening yet
            for name in self.components:
                known = self._processes.known(name)
                if known is not None and not known.is_alive():
                    raise SystemExit(f"Airflow's {name} has ended; see {self._processes.log(name)}.")
            time.sleep(0.5)
        raise SystemExit(f"{what} did not answer within {timeout:.0f} s; see {self._processes.folder / 'logs'}.")
