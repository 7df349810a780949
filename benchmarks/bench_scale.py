"""Measure what a library of a hundred thousand events costs before the first of them moves, and when all are done.

    python -m benchmarks.bench_scale plan --events 100000
    python -m benchmarks.bench_scale again --events 10000

``plan`` reads a generated library into an empty store and plans it; ``again`` plans a library once more whose events
are all in the ledger as done. The simulators run in processes of their own and share the machine's cores with what is
measured. Each measure prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.migration.library import LibraryReader
from opencast.migration.options import Options, Reading
from opencast.migration.series import fingerprint, read_series
from opencast.migration.workbench import Workbench
from opencast.settings import Settings
from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.ledger import Kind
from opencast.store.tables import LedgerEntry
from sqlalchemy import insert

from benchmarks.bench_staging import simulator

#: Events in a series: 10,000 series for 100,000 events.
IN_SERIES = 10


def opened(folder: Path, source: str, target: str) -> Workbench:
    """Return a workbench between two simulators, over a store of its own."""
    database = Database(f"sqlite:///{folder}/store.db")
    database.upgrade()
    settings = Settings(data_folder=folder / "data", staging_reserve_gb=0)
    servers = [Opencast(Server(url, "admin", "opencast")) for url in (source, target)]
    return Workbench(settings, Options(), database, *servers, is_alive=lambda _: False)


def plan(folder: Path, events: int) -> dict[str, Any]:
    """Read and plan a library that was never migrated, then read it once more, completely and in part."""
    with _servers(folder, events) as (source, target), opened(folder, source, target) as bench:
        idle = _peak()
        reading, taken = _timed(lambda: _library(bench, "first").take(Reading.COMPLETE, timedelta(0)))
        requests = bench.source.client.requests
        planning, summary = _timed(lambda: bench.planner().plan("benchmark/first", {}, bench.options))
        growth = _peak() - idle
        taking, _ = _timed(lambda: bench.planner().plan("benchmark/second", {"wave_size": 500}, bench.options))
        recent, _ = _timed(lambda: _library(bench, "second").take(Reading.RECENT, timedelta(0)))
        shared, _ = _timed(lambda: _library(bench, "third").take(Reading.COMPLETE, timedelta(hours=1)))
        return {
            "events": taken.events,
            "series": taken.series,
            "to_migrate": summary.work,
            "reading_seconds": reading,
            "requests_for_reading": requests,
            "planning_seconds": planning,
            "planning_once_more_seconds": taking,
            "reading_what_is_recent_seconds": recent,
            "sharing_a_reading_seconds": shared,
            "peak_memory_growth_megabytes": growth,
            "peak_memory_megabytes": idle + growth,
            "store_megabytes": (folder / "store.db").stat().st_size / 1e6,
        }


def again(folder: Path, events: int) -> dict[str, Any]:
    """Read and plan a library of which everything is done."""
    with _servers(folder, events) as (source, target), opened(folder, source, target) as bench:
        _library(bench, "first").take(Reading.COMPLETE, timedelta(0))
        _note_all_done(bench)
        reading, _ = _timed(lambda: _library(bench, "second").take(Reading.COMPLETE, timedelta(0)))
        before = bench.target.client.requests, bench.target.client.bytes_written, bench.source.client.requests
        seconds, summary = _timed(lambda: bench.planner().plan("benchmark/again", {}, bench.options))
        tasks = sum(1 for kind in Kind for _ in bench.plans.wave("benchmark/again", kind))
        return {
            "events": summary.counts["mediapackage"]["skip"],
            "series": summary.counts["series"]["skip"],
            "mapped_tasks": tasks,
            "bytes_written_to_target": bench.target.client.bytes_written - before[1],
            "requests_to_target": bench.target.client.requests - before[0],
            "requests_to_source_for_series": bench.source.client.requests - before[2],
            "reading_seconds": reading,
            "planning_seconds": seconds,
        }


def _note_all_done(bench: Workbench) -> None:
    """Write a ledger as a finished migration leaves it."""
    common = {"pair_id": bench.ledger.pair_id, "state": "done", "reason": "", "started": utc_now(), "notes": []}
    common |= {"plan_key": "benchmark/first", "bytes_total": 0, "bytes_read": 0, "bytes_written": 0}
    with bench.database.session() as session:
        rows = [
            {
                **common,
                "kind": Kind.MEDIAPACKAGE,
                "identifier": row.identifier,
                "title": row.title,
                "source_version": str(row.archive_version),
            }
            for row in bench.inventory.events()
        ]
        session.execute(insert(LedgerEntry), rows)
        for series in bench.inventory.series():
            found = read_series(bench.source.series, series.identifier)
            version = None if found is None else fingerprint(found, None)
            row = {**common, "kind": Kind.SERIES, "identifier": series.identifier, "title": series.title}
            session.execute(insert(LedgerEntry), [{**row, "source_version": version}])


@contextmanager
def _servers(folder: Path, events: int) -> Iterator[tuple[str, str]]:
    generated = ("--library", "generated", "--events", str(events), "--event-bytes", "1000", "--lazy")
    with (
        simulator(folder / "source", *generated, "--events-in-series", str(IN_SERIES)) as source,
        simulator(folder / "target", "--library", "empty") as target,
    ):
        yield source, target


def _library(bench: Workbench, reader: str) -> LibraryReader:
    return bench.library(f"benchmark/{reader}")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def _peak() -> float:
    """Return the largest resident memory of this process up to now, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main(arguments: list[str]) -> int:
    """Make one measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=("plan", "again"))
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="opencast-benchmark-") as folder:
        measure = {"plan": plan, "again": again}[options.measure]
        print(json.dumps(measure(Path(folder), options.events)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
