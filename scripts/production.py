"""The production set-up without Docker: the services of docker-compose.yaml as processes of this machine.

    python -m scripts.production up                      # LocalExecutor
    python -m scripts.production up --workers 2          # CeleryExecutor with Redis and two workers
    python -m scripts.production demo [--workers 2]      # with two simulated Opencasts and a migration between them
    python -m scripts.production clean

PostgreSQL and Redis come from the system's packages. Everything listens on 127.0.0.1, on ports and in a folder of its
own, and is ended by its process id.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import requests

from scripts.airflow_server import AirflowServer
from scripts.compose import ROOT, ComposeFile, Places, Service
from scripts.processes import Processes, Started, free_port
from scripts.services import PostgreSQL, Redis, missing
from scripts.services import Service as Program

FOLDER = ROOT / ".production"
MIGRATE = "opencast_migrate"
#: First ports to try; those of a demo beside it are left alone.
PORTS = {"api": 9080, "postgres": 9432, "redis": 9379, "health": 9974, "source": 9181, "target": 9182}
DAEMONS = ("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")


class Production(AirflowServer):
    """Airflow with PostgreSQL, as the compose file describes it.

    :param folder: holds data, logs and secrets.
    :param workers: Celery workers; 0: the tasks run beside the scheduler.
    :param variables: of the compose file.
    """

    def __init__(self, folder: Path, workers: int = 0, variables: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._processes = Processes(folder)
        self._workers = workers
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
        for name in DAEMONS:
            self._start_service(name, name)
        for number in range(1, self._workers + 1):
            name = f"airflow-worker-{number}"
            # On one machine the host's name does not tell the workers apart.
            self._start_service("airflow-worker", name, "--celery-hostname", f"{name}@localhost")
        self._wait("Airflow's API", lambda: self._session.get(f"{self.url}/api/v2/version", timeout=5).ok, 300)

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

    def components_health(self) -> dict[str, str]:
        """Return what Airflow says of its own components."""
        answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=30)
        answer.raise_for_status()
        return {name: str(state.get("status")) for name, state in answer.json().items()}

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
        service = self.compose.service("airflow-scheduler")
        environment = self._environment(service)
        command = ["bash", str(ROOT / "docker" / "entrypoint.sh"), "airflow", *arguments]
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode:
            raise SystemExit(f"airflow {' '.join(arguments)} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def end(self) -> list[str]:
        """End everything, and return what was running."""
        return self._processes.end_all()

    def remove(self) -> None:
        """Remove what was made; everything must have ended."""
        self._postgresql.remove()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start_program(self, program: Program) -> None:
        if self._processes.find(program.name) is None:
            self._processes.start(
                program.name, program.command, environment={"PATH": "/usr/bin:/bin"}, cwd=Path("/"), user=program.user
            )
        self._wait(program.name, program.answers, 60)

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
        environment = self._places.environment(service)
        # The image has one Python; here it is the one that runs this script.
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
        return environment

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


def up(server: Production) -> int:
    """Start everything, and say where to look."""
    server.start()
    server.log_in()
    server.wait_for_dag(MIGRATE)
    print(f"\nAirflow runs at {server.url}; log in as admin, the password is in {FOLDER / 'secrets/admin_password'}.")
    print("`python -m scripts.production clean` ends and removes everything.")
    return 0


def demo(server: Production) -> int:
    """Start everything with two simulated Opencasts, and migrate between them."""
    began = time.monotonic()
    server.start()
    server.log_in()
    server.start_simulators()
    server.wait_for_dag(MIGRATE)
    server.run_once("demo")
    run_id = server.first_run(MIGRATE)
    state = server.wait_for_run(MIGRATE, run_id, timeout=900)
    print(f"\nThe migration's run ended as {state} after {time.monotonic() - began:.0f} s in all: {server.url}")
    return 0 if state == "success" else 1


def clean(server: Production) -> int:
    """End what was started here, and remove what it made."""
    print(f"Ended: {', '.join(server.end()) or 'nothing was running'}.")
    server.remove()
    return 0


def main(arguments: list[str]) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("up", "demo", "clean"))
    parser.add_argument("--workers", type=int, default=0, help="Celery workers; 0 takes the LocalExecutor")
    options = parser.parse_args(arguments)
    absent = missing()
    if absent and options.command != "clean":
        raise SystemExit(f"On Debian and Ubuntu: apt-get install {' '.join(absent)}")
    return {"up": up, "demo": demo, "clean": clean}[options.command](Production(FOLDER, options.workers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
