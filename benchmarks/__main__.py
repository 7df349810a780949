"""Run the measurements and write docs/benchmarks.md from their results.

python -m benchmarks             # all of them, an hour
python -m benchmarks main_path   # those whose name holds this word; the others keep their last result
python -m benchmarks --write     # only write the document anew
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Measurement:
    """One measurement.

    :param name: names its result.
    :param title: heading in the document.
    :param command: arguments of ``python``, without the interpreter.
    :param meaning: what the figures say, and the goal.
    """

    name: str
    title: str
    command: str
    meaning: str


MEASUREMENTS = (
    Measurement(
        "main_path_200",
        "200 events of 5 MB, whole mediapackages",
        "-m benchmarks.bench_main_path library --events 200 --megabytes 5",
        "Wall time of four workers beside one `curl` down and one `curl` up of the same videos in the same run. curl "
        "neither checks a byte nor imports anything; the migration runs two or three workflows for each event and "
        "verifies. `requests_to_target_per_event` includes the looks at running workflows, fifty a second here.",
    ),
    Measurement(
        "main_path_shared",
        "A library in which half of the media is shared",
        "-m benchmarks.bench_main_path library --events 60 --megabytes 2 --shared 0.5",
        "`read_per_unique_byte`: bytes read from the source for each unique byte of the whole library. Goal: 1.00.",
    ),
    Measurement(
        "main_path_previous",
        "The previous generation's way, in bytes",
        "-m benchmarks.bench_main_path previous --events 50 --megabytes 2",
        "The previous tools download every file of the archive and of each publication, zip them, and upload the zip. "
        "`staged` is what is written to the worker's disk on the way. Ours reads, stages and sends each unique byte "
        "once. The bytes of catalogs and policies count on both sides.",
    ),
    Measurement(
        "main_path_memory",
        "Memory for a 2 GB file",
        "-m benchmarks.bench_main_path memory --gigabytes 2",
        "Peak of the worker's resident memory above its idle size. Goal: below 150 MB.",
    ),
    Measurement(
        "staging_link",
        "All on one file system, by hard links",
        "benchmarks/bench_staging.py link --megabytes 2000",
        "Media bytes written, by the kernel's own count. Goal: 0.",
    ),
    Measurement(
        "staging_sparse",
        "Memory for a 20 GB file",
        "benchmarks/bench_staging.py sparse --gigabytes 20",
        "`peak_memory_growth` in bytes. Goal: flat.",
    ),
    Measurement(
        "staging_copy",
        "Mounted source on another file system",
        "benchmarks/bench_staging.py copy --megabytes 2000",
        "Read, written and high-water mark of staging for each unique byte. Goal: 1.00 each.",
    ),
    Measurement(
        "staging_http_4gb",
        "One file of 4 GB over HTTP",
        "benchmarks/bench_staging.py http --events 1 --megabytes 4000",
        "Ratio to `curl` down plus `curl` up. Goal: 0.9. Every byte is also checked by md5, which curl does not do: "
        "`rate_to_curl_and_md5` adds the time of that to curl's.",
    ),
    Measurement(
        "staging_http_500",
        "500 files of 4 MB over HTTP",
        "benchmarks/bench_staging.py http --events 500 --megabytes 4 --workers 4",
        "As above, where the cost of each file counts; four at a time, as the tasks of a run do it.",
    ),
    Measurement(
        "scale_plan",
        "Plan for 100,000 events",
        "-m benchmarks.bench_scale plan --events 100000",
        "Reading a library of 100,000 events in 10,000 series into the store, and planning it, before anything moves. "
        "Goal: below 600 seconds together, and below 300 MB.",
    ),
    Measurement(
        "scale_again",
        "Once more over 10,000 finished events",
        "-m benchmarks.bench_scale again --events 10000",
        "A second run over a library of which all is done. Goal: no byte to the target, no mapped task, seconds.",
    ),
    Measurement(
        "production_local",
        "1,000 small events on PostgreSQL with the LocalExecutor",
        "-m benchmarks.bench_production --events 1000",
        "Whole runs of `opencast_migrate` in Airflow, from the trigger to the last report, 32 imports at the same time "
        "into a target that bears any number of them, so that Airflow is what is measured. `busy_cores` close to "
        "the number of cores says that the CPU is what bounds it. CPU seconds are the kernel's, of all components, and "
        "include what they use without any task (`idle_airflow_cores`).",
    ),
    Measurement(
        "production_celery",
        "1,000 small events on PostgreSQL with two Celery workers",
        "-m benchmarks.bench_production --events 1000 --workers 2",
        "As above; both workers, the simulators and the databases share the same cores.",
    ),
    Measurement(
        "harvest_rate_sqlite",
        "Harvest of 30,000 records of Opencast into SQLite",
        "benchmarks/bench_harvest.py rate --store sqlite",
        "Records of 2.3 kB a second, from a server of this machine. `records_only` parses each record once, strictly, "
        "and upserts it; goal: 20,000. `harvest_with_catalogue` also writes series, matterhorn records and tracks. "
        "Beside them plain sickle, which iterates over the same pages and stores nothing. `cpu_us` is the CPU time for "
        "a record in microseconds, of both threads together: it says more than the seconds on a machine that is busy.",
    ),
    Measurement(
        "harvest_rate_postgresql",
        "Harvest of 30,000 records of Opencast into PostgreSQL",
        "benchmarks/bench_harvest.py rate --store postgresql",
        "The same. The database server has the same cores.",
    ),
    Measurement(
        "harvest_memory",
        "Harvest of a million records",
        "benchmarks/bench_harvest.py memory --records 1000000",
        "Growth of the process's peak memory after a harvest of 200,000 records, when all caches are full. Goal: flat.",
    ),
    Measurement(
        "harvest_empty",
        "Harvest when there is nothing new",
        "benchmarks/bench_harvest.py empty",
        "Goal: one request, well under a second.",
    ),
    Measurement(
        "harvest_idle_clean_up_sqlite",
        "Clean-up over 100,000 records with nothing to do, SQLite",
        "benchmarks/bench_harvest.py idle --records 100000",
        "Goal: below one second.",
    ),
    Measurement(
        "harvest_idle_clean_up_postgresql",
        "Clean-up over 100,000 records with nothing to do, PostgreSQL",
        "benchmarks/bench_harvest.py idle --records 100000 --store postgresql",
        "Goal: below one second.",
    ),
    Measurement(
        "harvest_conformance",
        "Conversations with repositories that misbehave",
        "benchmarks/bench_harvest.py conformance",
        "Who loses what, in numbers; the table is in [harvest-conformance.md](harvest-conformance.md).",
    ),
)


def main(arguments: list[str]) -> int:
    """Run what was asked for, then write the document."""
    if "--write" not in arguments:
        for measurement in MEASUREMENTS:
            if not arguments or any(word in measurement.name for word in arguments):
                measure(measurement)
    DOCUMENT.write_text(document())
    print(DOCUMENT.relative_to(ROOT))
    return 0


def measure(measurement: Measurement) -> None:
    """Run one measurement in a process of its own, and keep its last line."""
    print(f"{measurement.title} ...", flush=True)
    command = [sys.executable, *measurement.command.split()]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "figures": json.loads(output.strip().splitlines()[-1]),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{measurement.name}.json").write_text(json.dumps(result, indent=1) + "\n")


def document() -> str:
    """Return the document of all results."""
    parts = [
        "<!-- Generated by `make bench`. -->\n",
        "# Benchmarks\n",
        "Made by `make bench`; `make bench ARGS=<word>` repeats those whose name holds the word. The simulators share "
        "the machine's cores with what is measured. Machines are noisy: read the ratios, which were taken in one run, "
        "rather than the seconds.\n",
    ]
    for measurement in MEASUREMENTS:
        path = RESULTS / f"{measurement.name}.json"
        if path.exists():
            parts.append(section(measurement, json.loads(path.read_text())))
    return "\n".join(parts)


def section(measurement: Measurement, result: dict[str, Any]) -> str:
    """Return one result as a section."""
    rows = "\n".join(f"| {name} | {shown(value)} |" for name, value in result["figures"].items())
    return (
        f"## {measurement.title}\n\n{measurement.meaning}\n\n    python {measurement.command}\n\n"
        f"{result['date']}, {result['machine']}:\n\n| figure | value |\n|---|---|\n{rows}\n"
    )


def shown(value: Any) -> str:
    """Return a figure as people read it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
