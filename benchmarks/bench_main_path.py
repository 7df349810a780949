"""Measure the migration of whole mediapackages between two simulators, without Airflow.

    python -m benchmarks.bench_main_path library --events 200 --megabytes 5
    python -m benchmarks.bench_main_path library --events 60 --megabytes 2 --shared 0.5
    python -m benchmarks.bench_main_path memory --gigabytes 2

``library`` moves a generated library and, before it, the same files with curl: one process that downloads, one that
uploads; ``memory`` watches the resident memory of the process that moves one large event. The simulators run in
processes of their own and share the machine's cores with what is measured. Each measure prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.migration.library import take_inventory
from opencast.migration.mediapackage import Progress
from opencast.migration.options import Options
from opencast.migration.workbench import Workbench
from opencast.settings import Settings
from opencast.store.database import Database
from opencast.store.ledger import Kind, State

from benchmarks.bench_staging import GB, curl, simulator, videos

KEY = "benchmark/run"
#: Mediapackages that are worked on at the same time, as a worker with this many slots does.
WORKERS = 4


def bench_between(folder: Path, source: str, target: str, database: Database) -> Workbench:
    """Return a workbench between two simulators."""
    settings = Settings(data_folder=folder / "data", staging_reserve_gb=0)
    servers = [Opencast(Server(url, "admin", "opencast")) for url in (source, target)]
    return Workbench(settings, Options(imports_in_flight=64), database, *servers)


def migrate(bench: Workbench, identifier: str) -> None:
    """Migrate one mediapackage, looking at the target often: the pauses of Airflow's trigger are not measured."""
    migrator = bench.mediapackage_migrator(identifier, KEY)
    progress = migrator.begin()
    while progress is Progress.WAITING:
        time.sleep(0.02)
        progress = migrator.advance()
    if progress is Progress.IMPORTED:
        migrator.complete()


def library(folder: Path, events: int, size: int, shared: float) -> dict[str, Any]:
    """Move a generated library."""
    generated = ("--library", "generated", "--events", str(events), "--event-bytes", str(size))
    with (
        simulator(folder / "source", *generated, "--shared-fraction", str(shared)) as source,
        simulator(folder / "target", "--library", "empty") as target,
    ):
        database = Database(f"sqlite:///{folder}/store.db")
        database.upgrade()
        with bench_between(folder, source, target, database) as bench:
            files = videos(bench.source.client)
            by_curl = curl(folder / "curl", files, target)
            take_inventory(bench.source, bench.inventory)
            bench.planner().plan(KEY, {}, bench.options)
            items = [item for item in bench.plans.items(KEY) if item.is_work]
            for item in items:
                if item.kind is Kind.SERIES:
                    bench.series_migrator().migrate(item.identifier)
            before = bench.source.client.requests, bench.target.client.requests
            begin = time.perf_counter()
            work = [item.identifier for item in items if item.kind is Kind.MEDIAPACKAGE]
            with ThreadPoolExecutor(WORKERS) as pool:
                list(pool.map(lambda identifier: migrate(bench, identifier), work))
            seconds = time.perf_counter() - begin
            requests = bench.source.client.requests - before[0], bench.target.client.requests - before[1]
            entries = list(bench.ledger.entries(Kind.MEDIAPACKAGE))
            unique = sum(found.digest.size for found in bench.store.objects())
    media = sum(file.size or 0 for file in files)
    return {
        "events": len(work),
        "done": sum(entry.state is State.DONE for entry in entries),
        "media_bytes": media,
        "unique_bytes": unique,
        "read_per_unique_byte": sum(entry.traffic.read for entry in entries) / unique,
        "written_per_byte_of_each_event": sum(entry.traffic.written for entry in entries)
        / sum(entry.traffic.total for entry in entries),
        "seconds": seconds,
        "curl_seconds": sum(by_curl),
        "rate_to_curl": sum(by_curl) / seconds,
        "events_per_minute": len(work) / seconds * 60,
        "requests_to_source_per_event": requests[0] / len(work),
        "requests_to_target_per_event": requests[1] / len(work),
    }


def memory(folder: Path, size: int) -> dict[str, Any]:
    """Move one large event and watch the resident memory."""
    generated = ("--library", "generated", "--events", "1", "--event-bytes", str(size), "--sparse")
    with (
        simulator(folder / "source", *generated) as source,
        simulator(folder / "target", "--library", "empty") as target,
    ):
        database = Database(f"sqlite:///{folder}/store.db")
        database.upgrade()
        with bench_between(folder, source, target, database) as bench:
            event = next(bench.source.events.all()).identifier
            idle = resident()
            with watched() as peak:
                migrate(bench, event)
            entry = bench.ledger.entry(Kind.MEDIAPACKAGE, event)
    return {
        "media_bytes": size,
        "state": None if entry is None else entry.state.value,
        "idle_mb": idle / 1e6,
        "peak_above_idle_mb": (peak[0] - idle) / 1e6,
    }


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) * 1024


@contextmanager
def watched() -> Iterator[list[int]]:
    """Keep the largest resident memory, looked at twenty times a second, in the list's only place."""
    peak, end = [resident()], threading.Event()

    def watch() -> None:
        while not end.wait(0.05):
            peak[0] = max(peak[0], resident())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield peak
    end.set()
    thread.join()


def main() -> int:
    """Run one measure and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("measure", choices=["library", "memory"])
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument(
        "--shared", type=float, default=0.0, help="part of the events whose video another event has, too"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-main-path-"))
    try:
        if options.measure == "library":
            result = library(folder, options.events, int(options.megabytes * 1e6), options.shared)
        else:
            result = memory(folder, int(options.gigabytes * GB))
    finally:
        shutil.rmtree(folder)
    print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
