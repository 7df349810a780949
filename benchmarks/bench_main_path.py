"""Measure the migration of whole mediapackages between two simulators, without Airflow.

    python -m benchmarks.bench_main_path library --events 200 --megabytes 5
    python -m benchmarks.bench_main_path library --events 60 --megabytes 2 --shared 0.5
    python -m benchmarks.bench_main_path previous --events 50 --megabytes 2
    python -m benchmarks.bench_main_path memory --gigabytes 2

``library`` moves a generated library and, before it, the same files with curl: one process that downloads, one that
uploads. ``previous`` counts the bytes of the previous generation's way beside ours; its packages are made and counted,
but not imported. ``memory`` watches the resident memory of the process that moves one large event. The simulators run
in processes of their own and share the machine's cores with what is measured. Each measure prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
from opencast.store.ledger import Entry, Kind, State, Traffic

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


@dataclass(frozen=True)
class Moved:
    """What moving a whole library took."""

    work: list[str]
    entries: list[Entry]
    unique: int
    seconds: float

    @property
    def figures(self) -> dict[str, Any]:
        """What became of the mediapackages, and how often each unique byte was read."""
        return {
            "events": len(self.work),
            "done": sum(entry.state is State.DONE for entry in self.entries),
            "unique_bytes": self.unique,
            "read_per_unique_byte": sum(entry.traffic.read for entry in self.entries) / self.unique,
        }


@contextmanager
def pair(folder: Path, *source_options: str) -> Iterator[tuple[Workbench, str]]:
    """Start a source with a generated library and an empty target; give a workbench between them, and the target."""
    with (
        simulator(folder / "source", "--library", "generated", *source_options) as source,
        simulator(folder / "target", "--library", "empty") as target,
    ):
        database = Database(f"sqlite:///{folder}/store.db")
        database.upgrade()
        with bench_between(folder, source, target, database) as bench:
            yield bench, target


def move(bench: Workbench) -> Moved:
    """Read, plan and migrate the whole library; the seconds are those of the mediapackages."""
    take_inventory(bench.source, bench.inventory)
    bench.planner().plan(KEY, {}, bench.options)
    items = [item for item in bench.plans.items(KEY) if item.is_work]
    for item in items:
        if item.kind is Kind.SERIES:
            bench.series_migrator().migrate(item.identifier)
    work = [item.identifier for item in items if item.kind is Kind.MEDIAPACKAGE]
    begin = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda identifier: migrate(bench, identifier), work))
    seconds = time.perf_counter() - begin
    entries = list(bench.ledger.entries(Kind.MEDIAPACKAGE))
    return Moved(work, entries, sum(found.digest.size for found in bench.store.objects()), seconds)


def library(folder: Path, events: int, size: int, shared: float) -> dict[str, Any]:
    """Move a generated library."""
    options = ("--events", str(events), "--event-bytes", str(size), "--shared-fraction", str(shared))
    with pair(folder, *options) as (bench, target):
        files = videos(bench.source.client)
        by_curl = curl(folder / "curl", files, target)
        before = bench.source.client.requests, bench.target.client.requests
        moved = move(bench)
        requests = bench.source.client.requests - before[0], bench.target.client.requests - before[1]
    traffic = sum((entry.traffic for entry in moved.entries), Traffic())
    return {
        **moved.figures,
        "media_bytes": sum(file.size or 0 for file in files),
        "written_per_byte_of_each_event": traffic.written / traffic.total,
        "seconds": moved.seconds,
        "curl_seconds": sum(by_curl),
        "rate_to_curl": sum(by_curl) / moved.seconds,
        "events_per_minute": len(moved.work) / moved.seconds * 60,
        "requests_to_source_per_event": requests[0] / len(moved.work),
        "requests_to_target_per_event": requests[1] / len(moved.work),
    }


def previous(folder: Path, events: int, size: int) -> dict[str, Any]:
    """Count the bytes of the previous generation's way and of ours, over the same library."""
    with pair(folder, "--events", str(events), "--event-bytes", str(size)) as (bench, _):
        old = previous_way(bench.source, folder / "previous")
        moved = move(bench)
    sent = sum(entry.traffic.written for entry in moved.entries)
    return {
        **moved.figures,
        "sent_per_unique_byte": sent / moved.unique,
        **{f"previous_{name}_per_unique_byte": value / moved.unique for name, value in old.items()},
    }


def previous_way(source: Opencast, folder: Path) -> dict[str, int]:
    """Download every file of the archive and of each publication, and zip it, event by event; in bytes."""
    read = zipped = 0
    for event in source.events.all():
        package = source.assets.episode(event.identifier)
        elements = [*package.elements, *(element for one in package.publications for element in one.elements)]
        folder.mkdir()
        with zipfile.ZipFile(folder / "event.zip", "w") as archive:
            for number, element in enumerate(elements):
                path = folder / str(number)
                with source.client.open_download(element.url or "") as answer, path.open("wb") as target:
                    for chunk in answer.iter():
                        target.write(chunk)
                archive.write(path)
                read += path.stat().st_size
        zipped += (folder / "event.zip").stat().st_size
        shutil.rmtree(folder)
    return {"read": read, "sent": zipped, "staged": read + zipped}


def memory(folder: Path, size: int) -> dict[str, Any]:
    """Move one large event and watch the resident memory."""
    with pair(folder, "--events", "1", "--event-bytes", str(size), "--sparse") as (bench, _):
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
    parser.add_argument("measure", choices=["library", "previous", "memory"])
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
        elif options.measure == "previous":
            result = previous(folder, options.events, int(options.megabytes * 1e6))
        else:
            result = memory(folder, int(options.gigabytes * GB))
    finally:
        shutil.rmtree(folder)
    print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
