"""Airflow with PostgreSQL on this machine: the services of docker-compose.yaml, each as a process."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from scripts.airflow_server import AirflowServer
from scripts.compose import ROOT, ComposeFile, Places, Service
from scripts.processes import Processes, Started, free_port
from scripts.services import PostgreSQL, Redis
from scripts.services import Service as Program

#: First ports to try; those of a demo beside it are left alone.
PORTS = {"api": 9080, "postgres": 9432, "redis": 9379, "health": 9974, "source": 9181, "target": 9182}
DAEMONS = ("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
#: Seconds for which a question to the API is repeated while a component comes back.
_PATIENCE = 120


class Production(AirflowServer):
    """Airflow with PostgreSQL, as the compose file describes it.

    :param folder: holds data, logs and secrets.
    :param workers: Celery workers; 0: the tasks run beside the scheduler.
    :param variables: of the compose file.
    :param settings: environment of all of Airflow's processes in addition, such as shorter time-outs for a test.
    """

    def __init__(
        self,
        folder: Path,
        workers: int = 0,
        variables: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._processes = Processes(folder)
        self._workers = workers
        self._settings = dict(settings or {})
        self._places = Places(folder, _ports(self._processes))
        executor = "CeleryExecutor" if workers else "LocalExecutor"
        self.compose = ComposeFile({"AIRFLOW_EXECUTOR": executor, **(variables or {})})
        self.url = self._places.api
        self._session = requests.Session()
        self._session.trust_env = False
        self._postgresql = PostgreSQL(folder, self._places.ports["postgres"])
        self._redis = Redis(folder, self._places.ports["redis"])

    @property
    def components(self) -> list[str]:
        """The processes without which nothing goes on."""
        return [*DAEMONS, *(f"airflow-worker-{number}" for number in range(1, self._workers + 1))]

    def environment(self) -> dict[str, str]:
        """Return the environment of Airflow's processes, before docker/entrypoint.sh adds the secrets."""
        return self._places.environment(self.compose.service("airflow-scheduler"))

    def start(self) -> None:
        """Start what does not run yet, in the order of the compose file, and wait until the API answers."""
        self._make_secrets()
        (self._folder / "airflow" / "logs").mkdir(parents=True, exist_ok=True)
        self._start_program(self._postgresql.service())
        for database in ("airflow", "opencast"):
            self._postgresql.create_database(database)
        if self._workers:
            self._start_program(self._redis.service())
        if all(self._processes.find(name) for name in self.components):
            return
        self.run_once("airflow-init")
        self.revive()
        self._wait("Airflow's API", lambda: self._session.get(f"{self.url}/api/v2/version", timeout=5).ok, 300)

    def revive(self) -> None:
        """Start the components that do not run, as ``restart: unless-stopped`` of the compose file does."""
        for name in self.components:
            if name in DAEMONS:
                self._start_service(name, name)
            else:
                # On one machine the host's name does not tell the workers apart.
                self._start_service("airflow-worker", name, "--celery-hostname", f"{name}@localhost")

    def kill(self, *names: str) -> None:
        """Kill components with everything that they have started, as when their machine is lost."""
        for name in names:
            self._processes.kill(name)

    def stop_database(self) -> None:
        """Stop PostgreSQL, which holds Airflow's tables and the store."""
        self._processes.end("postgresql")

    def start_database(self) -> None:
        """Start PostgreSQL again."""
        self._start_program(self._postgresql.service())

    def log_in(self) -> None:
        """Get a token with the administrator's password."""
        password = (self.secrets_folder / "admin_password").read_text()
        answer = self._session.post(
            f"{self.url}/auth/token", json={"username": "admin", "password": password}, timeout=60
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def start_simulators(self, *options: str, target: tuple[str, ...] = ()) -> dict[str, str]:
        """Start the two simulated Opencasts of the profile demo, and return their addresses.

        :param options: further options of the source.
        :param target: further options of the target.
        """
        for name, further in (("opencast-source", options), ("opencast-target", target)):
            key = name.removeprefix("opencast-")
            if self._processes.find(name) is None:
                service = self.compose.service(name)
                command = self._places.command(service)
                command = [_own_address(part, name, self._places.ports[key]) for part in command]
                self._launch(name, [sys.executable, *command[1:], *further], service)
            self._wait(name, lambda port=self._places.ports[key]: _answers(port), 120)
        return {key: f"http://127.0.0.1:{self._places.ports[key]}" for key in ("source", "target")}

    def run_once(self, name: str) -> None:
        """Run a service that comes to an end.

        :raises SystemExit: it failed.
        """
        started = self._start_service(name, name)
        while started.is_alive():
            time.sleep(0.2)
        log = self._processes.log(name).read_text(errors="replace")
        if f"{name} ended well" not in log:
            raise SystemExit(f"{name} failed:\n{log[-3000:]}")

    def check(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run the health check of a component as the compose file has it, and return how it ended."""
        service = self.compose.service("airflow-worker" if name not in DAEMONS else name)
        # A container has one worker and a host name of its own.
        command = [part.replace("celery@${HOSTNAME}", f"{name}@localhost") for part in self._places.check(service)]
        environment = self._environment(service) | {"HOSTNAME": socket.getfqdn()}
        return subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

    def count(self, path: str) -> int:
        """Return how many objects a list of the API has, such as ``eventLogs?event=running``."""
        return int(self._get(f"{path}{'&' if '?' in path else '?'}limit=1")["total_entries"])

    def components_health(self) -> dict[str, str]:
        """Return what Airflow says of its own components."""
        answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=30)
        answer.raise_for_status()
        return {name: str(state.get("status")) for name, state in answer.json().items()}

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time that each process has used so far, with that of all that it has started and lost."""
        return {name: started.cpu_seconds() for name in self._processes.names() if (started := self.known(name))}

    def known(self, name: str) -> Started | None:
        """Return a process that was started, such as ``airflow-worker-1``."""
        return self._processes.known(name)

    @property
    def secrets_folder(self) -> Path:
        """Folder of the secrets."""
        return self._folder / "secrets"

    def airflow(self, *arguments: str) -> str:
        """Run a command of Airflow with the settings of the set-up, and return what it prints.

        :raises SystemExit: it failed.
        """
        return self._command("airflow", *arguments)

    def opencast(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command of this package (``python -m opencast``), and return the objects that it prints.

        :raises SystemExit: it failed.
        """
        return [
            json.loads(line) for line in self._command("python", "-m", "opencast", "--json", *arguments).splitlines()
        ]

    def report(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return the report that a migration's run has written."""
        from opencast.migration.report import report_folder

        folder = report_folder(Path(self.environment()["OPENCAST_REPORT_FOLDER"]), f"{dag_id}/{run_id}")
        content: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return content

    def log(self, name: str) -> Path:
        """Return the file with a component's output."""
        return self._processes.log(name)

    def end(self) -> list[str]:
        """End everything, and return what was running."""
        return self._processes.end_all()

    def remove(self) -> None:
        """Remove what was made; everything must have ended."""
        self._postgresql.remove()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _get(self, path: str) -> dict[str, Any]:
        """Ask the API; while it does not answer, components that have ended are started again."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return super()._get(path)
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                self.revive()
                time.sleep(1)

    def _start_program(self, program: Program) -> None:
        if self._processes.find(program.name) is None:
            self._processes.start(
                program.name,
                program.command,
                environment={"PATH": "/usr/bin:/bin"},
                cwd=Path("/"),
                user=program.user,
                end_signal=program.end_signal,
            )
        deadline = time.monotonic() + 60
        while not program.answers():
            if time.monotonic() > deadline:
                raise SystemExit(f"{program.name} does not start; see {self.log(program.name)}.")
            time.sleep(0.2)

    def _start_service(self, service: str, name: str, *arguments: str) -> Started:
        running = self._processes.find(name)
        if running is not None:
            return running
        described = self.compose.service(service)
        entrypoint = ["bash", str(ROOT / "docker" / "entrypoint.sh")]
        command = [*entrypoint, *self._places.command(described), *arguments]
        if described.name in {"airflow-init", "demo"}:
            command = ["bash", "-c", '"$@" && echo "$0 ended well"', name, *command]
        return self._launch(name, command, described)

    def _launch(self, name: str, command: list[str], service: Service) -> Started:
        return self._processes.start(name, command, environment=self._environment(service), cwd=ROOT, url=self.url)

    def _environment(self, service: Service) -> dict[str, str]:
        environment = self._places.environment(service) | self._settings
        # The image has one Python; here it is the one that runs this script.
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
        return environment

    def _command(self, *command: str) -> str:
        environment = self._environment(self.compose.service("airflow-scheduler"))
        whole = ["bash", str(ROOT / "docker" / "entrypoint.sh"), *command]
        done = subprocess.run(
            whole, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def _make_secrets(self) -> None:
        folder = self.secrets_folder
        subprocess.run([str(ROOT / "docker" / "make-secrets.sh"), str(folder)], check=True, capture_output=True)
        for name in ("postgresql", "redis"):
            # PostgreSQL and Redis are told the same passwords that the entrypoint reads.
            source = folder / {"postgresql": "postgres_password", "redis": "redis_password"}[name]
            copy = self._folder / f"{name}-password"
            if not copy.exists():
                copy.touch(mode=0o600)
                copy.write_text(source.read_text())


def _ports(processes: Processes) -> dict[str, int]:
    """Return the ports of what runs already, or free ones."""
    kept = processes.folder / "ports"
    if kept.exists():
        return {name: int(port) for name, port in (line.split() for line in kept.read_text().splitlines())}
    taken: set[int] = set()
    ports = {}
    for name, wanted in PORTS.items():
        ports[name] = free_port(wanted, taken)
        taken.add(ports[name])
    processes.folder.mkdir(parents=True, exist_ok=True)
    kept.write_text("".join(f"{name} {port}\n" for name, port in ports.items()))
    return ports


def _own_address(part: str, name: str, port: int) -> str:
    """Replace the address on which a simulator listens in its container."""
    return {name: "127.0.0.1", "8080": str(port)}.get(part, part)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/info/health", timeout=5).status_code < 500
    except requests.RequestException:
        return False
