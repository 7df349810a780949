"""Measure the harvest: records a second, memory, an empty harvest, an idle clean-up, and who loses what.

The last line is JSON. With ``--store postgresql`` a PostgreSQL is started for it, from its programs and with psycopg2.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from opencast.harvest.cleaning import clean_up  # noqa: E402
from opencast.harvest.client import OaiPmhClient  # noqa: E402
from opencast.harvest.endpoint import Endpoint  # noqa: E402
from opencast.harvest.harvester import harvest  # noqa: E402
from opencast.harvest.page import parse  # noqa: E402
from opencast.harvest.report import HarvestReport  # noqa: E402
from opencast.harvest.stream_state import Mode  # noqa: E402
from opencast.store.catalogue import Playlist, Series  # noqa: E402
from opencast.store.database import Database  # noqa: E402
from opencast.store.harvesting import Repository  # noqa: E402
from sickle import Sickle  # noqa: E402

from benchmarks.harvest_server import serving  # noqa: E402

POSTGRES = Path("/usr/lib/postgresql")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds something took, and its result."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def installed(database: Database, url: str, **settings: Any) -> Database:
    """Make a store with one repository."""
    database.upgrade()
    with database.session() as session:
        session.add(Repository(name="measured", url=url, **settings))
    return database


def harvested(database: Database, url: str, mode: Mode = Mode.INCREMENTAL) -> HarvestReport:
    """Harvest the repository."""
    with OaiPmhClient(Endpoint(url)) as client:
        return harvest(database, "measured", client, mode=mode)


# --- records a second ------------------------------------------------------------------------------------------------


def rate(database: Callable[[str], Database], count: int, page_size: int) -> dict[str, Any]:
    """Compare a bare parse, plain sickle, and harvests with and without catalogue, over the same pages."""
    figures: dict[str, Any] = {"records": count, "page_size": page_size}
    with serving(count, page_size) as url:
        client = OaiPmhClient(Endpoint(url))
        # The first round makes the server's pages; it is not measured.
        bodies = [client.transport.send({"verb": "ListRecords", "metadataPrefix": "measured"}).body]
        for first in range(page_size, count, page_size):
            bodies.append(client.transport.send({"verb": "ListRecords", "resumptionToken": f"{first}-{count}"}).body)
        figures["bytes_per_record"] = sum(map(len, bodies)) // count
        figures["parse_only_per_s"] = round(count / timed(lambda: [parse(body) is None for body in bodies])[0])
        seconds, found = timed(lambda: sum(1 for _ in Sickle(url).ListRecords(metadataPrefix="measured")))
        assert found == count
        figures["plain_sickle_per_s"] = round(count / seconds)
        for name, settings in (
            ("harvest_with_catalogue_per_s", {"check_borders": "never"}),
            ("the_same_checking_page_borders_per_s", {}),
        ):
            store = installed(database(name), url, **settings)
            begun = time.process_time()
            seconds, report = timed(partial(harvested, store, url))
            assert report.new == count, report
            figures[name] = round(count / seconds)
            figures[name.replace("_per_s", "_cpu_us")] = (time.process_time() - begun) / count * 1e6
        seconds, report = timed(lambda: harvested(store, url, Mode.FULL))
        assert (report.new, report.changed) == (0, 0), report
        figures["harvest_of_everything_unchanged_per_s"] = round(count / seconds)
    return {**figures, **records_only(database, count, page_size)}


def records_only(database: Callable[[str], Database], count: int, page_size: int) -> dict[str, Any]:
    """Harvest the same records in a format that is kept and not catalogued: one parse and one upsert each."""
    with serving(count, page_size) as url:
        store = installed(database("records_only"), url, check_borders="never")
        harvested(store, url)
        with store.session() as session:
            repository = session.get_one(Repository, 1)
            session.execute(Repository.metadata.tables["metadata_format"].delete())
            repository.described = None
        with OaiPmhClient(Endpoint(url)) as client:
            formats = client.ListMetadataFormats
            client.ListMetadataFormats = lambda: [one.__class__(one.prefix) for one in formats()]
            begun = time.process_time()
            seconds, report = timed(lambda: harvest(store, "measured", client))
            used = time.process_time() - begun
        assert report.new == count, report
        return {"records_only_per_s": round(count / seconds), "records_only_cpu_us": used / count * 1e6}


@contextmanager
def postgresql() -> Iterator[Callable[[str], Database]]:
    """Start a PostgreSQL server for the measurement, and give databases of it."""
    programs = max(POSTGRES.iterdir()) / "bin"
    folder = Path(tempfile.mkdtemp(prefix="bench-harvest-pg-"))
    folder.chmod(0o777)
    as_user: list[str | Path] = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    subprocess.run([*as_user, programs / "initdb", "-D", data, "-A", "trust"], check=True, stdout=subprocess.DEVNULL)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    start = [*as_user, programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)

    def make(name: str) -> Database:
        subprocess.run(["createdb", "-h", folder, "-U", "postgres", name], check=True)
        return Database(f"postgresql+psycopg2://postgres@/{name}?host={folder}")

    try:
        yield make
    finally:
        stop = [*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqlite() -> Iterator[Callable[[str], Database]]:
    """Give SQLite databases in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-harvest-") as folder:
        yield lambda name: Database(f"sqlite:///{folder}/{name}.db")


# --- the others ------------------------------------------------------------------------------------------------------


#: Records after which every cache of the database is full.
_WARM = 200_000


def memory(database: Callable[[str], Database], count: int) -> dict[str, Any]:
    """Harvest a large repository and watch this process's memory."""
    with serving(count, 500, large=False) as url:
        store = installed(database("memory"), url)
        begun = installed(database("warm"), url)
        harvested_part(begun, url, _WARM)
        begun.dispose()  # its caches are not the other one's
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds, report = timed(lambda: harvested(store, url))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert report.new == count, report
    return {
        "records": count,
        "seconds": seconds,
        "records_per_s": round(count / seconds),
        f"peak_after_{_WARM}_records_mb": before / 1024,
        "growth_for_all_records_mb": (after - before) / 1024,
    }


def harvested_part(database: Database, url: str, count: int) -> None:
    """Harvest only so many records, to have everything loaded and warm."""
    from opencast.harvest.windows import Window

    until = datetime(2020, 1, 1) + timedelta(seconds=count)  # the server's records are a second apart
    window = Window.read("2020-01-01", f"{until:%Y-%m-%dT%H:%M:%SZ}")
    with OaiPmhClient(Endpoint(url)) as client:
        harvest(database, "measured", client, mode=Mode.WINDOW, window=window)


def empty(database: Callable[[str], Database]) -> dict[str, Any]:
    """Harvest when there is nothing new."""
    with serving(1000, 50) as url:
        store = installed(database("empty"), url)
        harvested(store, url)
        seconds = []
        for _ in range(20):
            took, report = timed(lambda: harvested(store, url))
            assert (report.requests, report.records) == (1, 0), report
            seconds.append(took)
    return {"requests": 1, "median_ms": sorted(seconds)[10] * 1000, "slowest_ms": max(seconds) * 1000}


def idle(database: Callable[[str], Database], count: int) -> dict[str, Any]:
    """Clean up when there is nothing to do."""
    with serving(count, 500) as url:
        store = installed(database("idle"), url, check_borders="never")
        with store.session() as session:
            session.add(Playlist(name="all", title="All", feed_token="x"))
            session.flush()
            session.add_all(
                Series(repository_id=1, identifier=f"series-{number}", playlist_id=1)
                for number in range(count // 30 + 1)
            )
        harvested(store, url)
    seconds = []
    for _ in range(5):
        took, report = timed(lambda: clean_up(store))
        assert (report.read, report.new_items) == (0, 0), report
        seconds.append(took)
    return {"records": count, "media_items": count, "median_ms": sorted(seconds)[2] * 1000}


def main() -> None:
    """Run one measure and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("measure", choices=["rate", "memory", "empty", "idle", "conformance"])
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--page", type=int, default=100)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    if options.measure == "conformance":
        from benchmarks.harvest_conformance import compare

        print(json.dumps(compare()))
        return
    with (sqlite if options.store == "sqlite" else postgresql)() as database:
        if options.measure == "rate":
            figures = rate(database, options.records, options.page)
        elif options.measure == "memory":
            figures = memory(database, options.records)
        else:
            figures = empty(database) if options.measure == "empty" else idle(database, options.records)
    rounded = {name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"store": options.store, **rounded}))


if __name__ == "__main__":
    main()
