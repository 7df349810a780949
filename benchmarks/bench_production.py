"""Measure whole migrations on the production set-up: PostgreSQL, every component of Airflow apart.

    python -m benchmarks.bench_production --events 1000               # LocalExecutor
    python -m benchmarks.bench_production --events 1000 --workers 2   # Celery with Redis and two workers

Two simulators, PostgreSQL, Redis and Airflow share the machine's cores. The target takes some seconds for an import,
but bears any number of them, so that Airflow is what is measured. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scripts.production_server import Production
from scripts.services import missing
from tests.production.receivers import Collector, collector

MIGRATE = "opencast_migrate"
LOOP = "opencast_airflow.scheduler.scheduler_loop_duration"
#: Imports on their way at the same time: so many that the pauses between looks at the target bound nothing.
IN_FLIGHT = 32
CAMPAIGN = "benchmark"
#: Each import takes some seconds, as on any real target: its task has to wait, and is started twice.
_TARGET = ("--library", "empty", "--operation-seconds", "0.5", "--running-workflows", "64")
_OTHERS = ("postgresql", "redis", "opencast-source", "opencast-target")
#: Seconds for which the idle set-up is watched.
_IDLE_S = 20


def measure(server: Production, metrics: Collector, events: int) -> dict[str, Any]:
    """Migrate a library of small events, run after run, and count."""
    server.start()
    server.log_in()
    generated = ("--library", "generated", "--events", str(events), "--event-bytes", "1000", "--lazy")
    addresses = server.start_simulators(*generated, target=_TARGET)
    for name, url in addresses.items():
        account = {"login": "admin", "password": "opencast", "extra": json.dumps({"auth": "basic"})}
        server.set_connection({
            "connection_id": f"opencast_{name}", "conn_type": "opencast", "host": url, **account
        })  # fmt: skip
    server.wait_for_dag(MIGRATE)
    idle = _idle(server)
    cpu, loops = server.cpu_seconds(), metrics.histograms.get(LOOP, (0, 0.0))
    begin = time.perf_counter()
    server.trigger(MIGRATE, {"campaign": CAMPAIGN, "imports_in_flight": IN_FLIGHT})
    _wait(server)
    seconds = time.perf_counter() - begin
    used = {name: value - cpu.get(name, 0.0) for name, value in server.cpu_seconds().items()}
    # The scheduler sends its figures every few seconds.
    time.sleep(6)
    count, total = metrics.histograms.get(LOOP, (0, 0.0))
    runs = server.runs(MIGRATE)
    instances = sum(server.count(f"dags/{MIGRATE}/dagRuns/{run['dag_run_id']}/taskInstances") for run in runs)
    # A mediapackage that has waited for the target is started a second time.
    starts = server.count(f"eventLogs?dag_id={MIGRATE}&event=running")
    airflow = sum(value for name, value in used.items() if name not in _OTHERS)
    return {
        "executor": "CeleryExecutor" if len(server.components) > 4 else "LocalExecutor",
        "events": events,
        "done": _done(server),
        "runs": len(runs),
        "seconds": seconds,
        "events_per_minute": events / seconds * 60,
        "task_instances_per_event": instances / events,
        "task_starts_per_event": starts / events,
        "task_starts_per_second": starts / seconds,
        "airflow_cpu_seconds_per_event": airflow / events,
        "airflow_cpu_seconds_per_task_start": airflow / starts if starts else 0.0,
        "postgresql_cpu_seconds_per_event": used["postgresql"] / events,
        "simulators_cpu_seconds_per_event": (used["opencast-source"] + used["opencast-target"]) / events,
        "busy_cores": sum(used.values()) / seconds,
        "idle_airflow_cores": idle,
        "scheduler_loops": count - loops[0],
        "scheduler_loop_ms": (total - loops[1]) / (count - loops[0]) if count > loops[0] else 0.0,
    }


def _idle(server: Production) -> float:
    """Return how many cores Airflow keeps busy without any run."""
    before = server.cpu_seconds()
    time.sleep(_IDLE_S)
    after = server.cpu_seconds()
    return sum(after[name] - before[name] for name in after if name not in _OTHERS) / _IDLE_S


def _wait(server: Production) -> None:
    """Wait until no run is left, and none is about to be started by another one."""
    while True:
        runs = server.runs(MIGRATE)
        if runs and all(run["state"] in {"success", "failed"} for run in runs):
            return
        time.sleep(2)


def _done(server: Production) -> int:
    rows = server.opencast("campaign", "show", CAMPAIGN)[1:]
    return sum(row["objects"] for row in rows if row["kind"] == "mediapackage" and row["outcome"] == "done")


def main(arguments: list[str]) -> int:
    """Make one measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=0, help="Celery workers; 0 takes the LocalExecutor")
    options = parser.parse_args(arguments)
    if missing():
        raise SystemExit(f"needs the packages {', '.join(missing())}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opencast-benchmark-")))
        folder.chmod(0o755)
        metrics = stack.enter_context(collector())
        endpoint = f"http://127.0.0.1:{metrics.port}"
        variables = {"AIRFLOW_OTEL_ON": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        settings = {"OTEL_METRIC_EXPORT_INTERVAL": "5000", "OPENCAST_IMPORT_POOL_SLOTS": str(2 * IN_FLIGHT)}
        settings["OPENCAST_MEDIAPACKAGES_AT_ONCE"] = str(IN_FLIGHT + 2)
        server = Production(folder, options.workers, variables, settings)
        stack.callback(server.remove)
        stack.callback(server.end)
        result = measure(server, metrics, options.events)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
