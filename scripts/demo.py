"""The demo: two Opencast simulators, Airflow, a migration, a report.

``up`` starts what does not run yet, migrates, and says where to look; ``airflow`` starts Airflow alone; ``clean`` ends
what was started here and removes what it made.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scripts.airflow_server import ROOT, AirflowServer
from scripts.processes import Processes, Started, free_port

FOLDER = ROOT / ".demo"
MIGRATE = "opencast_migrate"
HARVEST = "oaipmh_harvest"
#: Name of the source's OAI-PMH repository in the catalogue; the types of its tracks that become media items.
REPOSITORY, TRACK_TYPES = "demo", ("presentation/source", "presenter/preview")
#: A playlist, and the series whose recordings go there.
PLAYLIST, SERIES = "lectures", "a-series-uml"
#: Account of the simulators, as a fresh Opencast has it.
LOGIN, PASSWORD = "admin", "opencast"
#: The library of the source: what a real Opencast 17 answered, see tests/data/recordings.
SOURCE = ["--library", "recorded", "--oai-records", "72", "--oai-open"]
TARGET = ["--library", "empty"]


def main(arguments: list[str]) -> int:
    """Run one command."""
    commands = {"up": up, "airflow": airflow, "clean": clean}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m scripts.demo {'|'.join(commands)}", file=sys.stderr)
        return 2
    return commands[arguments[0]]()


def up() -> int:
    """Start everything, migrate the library, print the report's summary and where to look."""
    began = time.monotonic()
    processes = Processes(FOLDER)
    taken: set[int] = set()
    source = _simulator(processes, "source", 8181, SOURCE, taken)
    target = _simulator(processes, "target", 8182, TARGET, taken)
    server = _airflow(processes)
    _connect(server, "opencast_source", source.url, "The demo's source: a simulated Opencast 17")
    _connect(server, "opencast_target", target.url, "The demo's target: a simulated Opencast 17, empty at first")
    server.wait_for_dag(MIGRATE)
    print(f"\nMigrating from {source.url} to {target.url} ...", flush=True)
    run_id = server.trigger(MIGRATE, {"include_failed": True})
    state = server.wait_for_run(MIGRATE, run_id, timeout=900)
    _print_report(MIGRATE, run_id)
    harvested = _harvest(server, source.url)
    seconds = time.monotonic() - began
    print(f"\nThe migration's run ended as {state}, the harvest's as {harvested}, after {seconds:.0f} s. Look at")
    print(f"  Airflow           {server.url}")
    print(f"  the run           {server.run_address(MIGRATE, run_id)}")
    print(f"  a harvested feed  {server.url}/opencast/feeds/{PLAYLIST}.rss")
    print(f"  source, target    {source.url}  {target.url}  ({LOGIN} / {PASSWORD})")
    print("  `make demo` again finds nothing left to do; `make clean` ends and removes everything.")
    return 0 if state == harvested == "success" else 1


def _harvest(server: AirflowServer, source: str) -> str:
    """Harvest the source's OAI-PMH repository once, print what the catalogue holds, and return the run's state."""
    print(f"\nHarvesting {source}/oaipmh/default ...", flush=True)
    if f'"{REPOSITORY}"' not in _catalogue(server, "repository", "list"):
        _catalogue(server, "repository", "add", REPOSITORY, f"{source}/oaipmh/default", "--track-types", *TRACK_TYPES)
        _catalogue(server, "playlist", "add", PLAYLIST, "--title", "Lectures", "--public")
        _catalogue(server, "series", "set-playlist", REPOSITORY, SERIES, PLAYLIST)
        _catalogue(server, "series", "set-permissions", REPOSITORY, SERIES, "--public")
    server.wait_for_dag(HARVEST)
    # The schedule stays off: it would start a run every minute.
    server.pause(HARVEST, paused=False)
    run_id = server.trigger(HARVEST, {"repositories": [REPOSITORY]})
    state = server.wait_for_run(HARVEST, run_id, timeout=300)
    server.pause(HARVEST, paused=True)
    print(f"  The catalogue holds {_holdings(server)}.")
    return state


def _holdings(server: AirflowServer) -> str:
    """Count what the catalogue holds."""
    from opencast.store.catalogue import MediaItem, Series, Track
    from opencast.store.database import Database
    from opencast.store.harvesting import Record
    from sqlalchemy import func, select

    database = Database(f"sqlite:///{server.environment()['OPENCAST_DATA_FOLDER']}/store.db")
    with database.reading() as session:
        counts = [
            f"{session.scalar(select(func.count()).select_from(table))} {name}"
            for table, name in ((Record, "records"), (Series, "series"), (Track, "tracks"), (MediaItem, "media items"))
        ]
    return ", ".join(counts)


def _catalogue(server: AirflowServer, *command: str) -> str:
    """Run a command of ``python -m opencast`` over the demo's store, and return its JSON."""
    arguments = [sys.executable, "-m", "opencast", "--json", *command]
    result = subprocess.run(arguments, cwd=ROOT, env=server.environment(), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return result.stdout


def airflow() -> int:
    """Start Airflow alone, for your own servers."""
    server = _airflow(Processes(FOLDER))
    server.wait_for_dag(MIGRATE)
    print(f"\nAirflow runs at {server.url}. Set the connections opencast_source and opencast_target there")
    print(f"(Admin > Connections, type Opencast), then trigger {MIGRATE}. `make clean` ends it.")
    return 0


def clean() -> int:
    """End what was started here, and remove what it made."""
    ended = Processes(FOLDER).end_all()
    print(f"Ended: {', '.join(ended) or 'nothing was running'}.")
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def _airflow(processes: Processes) -> AirflowServer:
    server = AirflowServer(FOLDER, processes)
    print(f"Airflow at {server.url} ...", flush=True)
    server.start()
    server.log_in()
    return server


def _simulator(processes: Processes, name: str, port: int, library: list[str], taken: set[int]) -> Started:
    running = processes.find(name)
    if running is None:
        port = free_port(port, taken)
        taken.add(port)
        command = [sys.executable, "-m", "tests.simulator", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--storage", str(FOLDER / name), *library, "--operation-seconds", "0.3", "--index-lag", "0.5"]
        url = f"http://127.0.0.1:{port}"
        running = processes.start(
            name, command, environment=dict(os.environ) | {"PYTHONUNBUFFERED": "1"}, cwd=ROOT, url=url
        )
        _wait_until_ready(processes, running)
    print(f"Opencast simulator ({name}) at {running.url}", flush=True)
    return running


def _wait_until_ready(processes: Processes, started: Started) -> None:
    log = processes.log(started.name)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if f"simulator ready: {started.url}" in log.read_text(errors="replace"):
            return
        if not started.is_alive():
            break
        time.sleep(0.1)
    raise SystemExit(f"The simulator {started.name} did not start; see {log}.")


def _connect(server: AirflowServer, identifier: str, url: str, description: str) -> None:
    connection: dict[str, Any] = {
        "connection_id": identifier,
        "conn_type": "opencast",
        "description": description,
        "host": url,
        "login": LOGIN,
        "password": PASSWORD,
        "extra": json.dumps({"auth": "basic"}),
    }
    server.set_connection(connection)


def _print_report(dag_id: str, run_id: str) -> None:
    from opencast.migration.report import OUTCOMES, report_folder

    folder = report_folder(FOLDER / "data" / "reports", f"{dag_id}/{run_id}")
    path = folder / "report.json"
    if not path.exists():
        print("The run has no report: a check before the start failed; see the log of its task preflight.")
        return
    report = json.loads(path.read_text())
    print("\nThe report:")
    for line in sorted(report["objects"], key=lambda line: (OUTCOMES.index(line["outcome"]), line["kind"])):
        reason = f": {line['reason']}" if line["reason"] else ""
        print(f"  {line['outcome']:8} {line['kind']:13} {line['identifier']:24} {line['title'][:40]}{reason}")
    totals = report["totals"]
    counts = ", ".join(f"{count} {name}" for name, count in totals["outcomes"].items())
    print(f"  {counts}; {totals['bytes_total']} bytes in unique files, {totals['bytes_read']} read from the source, ")
    print(f"  {totals['bytes_written']} written to the target. As a page: {Path(folder) / 'report.html'}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
