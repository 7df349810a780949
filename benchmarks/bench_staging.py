"""Measure staging: bytes, memory, room and speed, each beside its physical limit.

    python benchmarks/bench_staging.py link --megabytes 2000       # all on one file system: media bytes written
    python benchmarks/bench_staging.py sparse --gigabytes 20       # memory while a sparse file is checked
    python benchmarks/bench_staging.py copy --megabytes 2000       # mounted source on another folder: bytes, room
    python benchmarks/bench_staging.py http --events 1 --megabytes 4000
    python benchmarks/bench_staging.py http --events 500 --megabytes 4 --workers 4
    python benchmarks/bench_staging.py zip --gigabytes 4.4          # a zip with 64-bit sizes, read by Python's reader

``http`` starts two simulators (a source and a target, each a process of its own), moves the library by download and
upload, and does the same with curl: one process that downloads all files and one that uploads them. Events are moved
``--workers`` at a time, as the tasks of a run do it. The simulators share the machine's cores with what is measured,
in both cases. curl checks nothing and forces nothing to the disk; computing the md5 that every file is checked by takes
the time given beside it, at about 0.65 GB/s.

Each measure prints one JSON object; ``--folder`` says where files are made (and removed again).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from opencast.api.client import Client  # noqa: E402
from opencast.api.files import FilesService  # noqa: E402
from opencast.api.server import Server  # noqa: E402
from opencast.model.mediapackage import MediaPackage  # noqa: E402
from opencast.staging.link import LinkRoute  # noqa: E402
from opencast.staging.mounts import Mount  # noqa: E402
from opencast.staging.routes import SentFile  # noqa: E402
from opencast.staging.source import Fetcher, SourceFile, StagedObject  # noqa: E402
from opencast.staging.store import ObjectStore  # noqa: E402
from opencast.staging.upload import UploadRoute  # noqa: E402
from opencast.staging.zip_stream import ZipEntry, ZipStream  # noqa: E402

GB = 1e9
SERVER = "http://source.test"
ARCHIVED = "mh_default_org/mp1/0"


# --- measuring -------------------------------------------------------------------------------------------------------


@dataclass
class Measure:
    """What one block of work cost this process."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    disk_bytes_written: int = 0
    calls_bytes_written: int = 0
    peak_memory_growth: int = 0
    figures: dict[str, Any] = field(default_factory=dict)


def process_io() -> dict[str, int]:
    """What the kernel counted for this process: wchar and write_bytes among others."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return {key: int(value) for key, value in (line.split(": ") for line in lines)}


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def measured() -> Iterator[Measure]:
    """Measure time, CPU, bytes written and how far the peak of memory rises."""
    measure = Measure()
    io, used, start = process_io(), cpu(), time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield measure
    measure.seconds = time.perf_counter() - start
    measure.cpu_seconds = cpu() - used
    after = process_io()
    measure.disk_bytes_written = after["write_bytes"] - io["write_bytes"]
    measure.calls_bytes_written = after["wchar"] - io["wchar"]
    measure.peak_memory_growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024


class HighWater:
    """The most bytes that lay below a folder, looked at four times a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.bytes = 0

    def __enter__(self) -> HighWater:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.25):
            self.bytes = max(self.bytes, room(self._folder))


def room(folder: Path) -> int:
    """Bytes on the disk below a folder, each inode once."""
    inodes = {}
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            inodes[status.st_ino] = status.st_blocks * 512
    return sum(inodes.values())


def make_file(path: Path, size: int) -> None:
    """A file of bytes that no file system can compress or share."""
    path.parent.mkdir(parents=True, exist_ok=True)
    block = os.urandom(1 << 20)
    with path.open("wb") as target:
        written = 0
        while written < size:
            written += target.write((written.to_bytes(8) + block)[: min(len(block), size - written)])
        os.fsync(target.fileno())


class FolderRepository:
    """The target's ``/files`` for measures without a server."""

    def base_uri(self) -> str:
        """Any address: nothing is asked of it."""
        return "http://target.test/files"

    def put(self, *what: object) -> str:
        """Fail: a link is not sent over HTTP."""
        raise AssertionError(f"{what} was to be sent to the target")

    def matches(self, *what: object) -> bool:
        """Fail: the checksum is beside the link."""
        raise AssertionError(f"the target was asked for {what}")

    def delete(self, *what: object) -> bool:
        """Fail: a measure removes its folders itself."""
        raise AssertionError(f"the target was to remove {what}")


class NoServer:
    """Fails the measure when something is asked of the source over HTTP."""

    def open_download(self, url: str, **_: object) -> Any:
        """Fail."""
        raise AssertionError(f"{url} was asked of the server")


def archived_file(folder: Path) -> SourceFile:
    """The description of ``cam.mp4`` in an archive below a folder, without md5: it is computed by the measure."""
    size = (folder / "archive" / ARCHIVED / "cam.mp4").stat().st_size
    return SourceFile(f"{SERVER}/assets/assets/mp1/cam/0/cam.mp4", None, size, "cam")


def mounted_fetcher(folder: Path, *, link: bool) -> tuple[ObjectStore, Fetcher]:
    """A store, and a fetcher that knows the archive below the folder."""
    store = ObjectStore(folder / "staging", reserve_bytes=0)
    mount = Mount(f"{SERVER}/assets/assets", folder / "archive", "archive")
    return store, Fetcher(store, NoServer(), [mount], link=link)


# --- the measures ----------------------------------------------------------------------------------------------------


def link(folder: Path, size: int) -> Measure:
    """Source, staging and target on one file system."""
    source = folder / "archive" / ARCHIVED / "cam.mp4"
    make_file(source, size)
    (folder / "files" / "mediapackage").mkdir(parents=True)
    store, fetcher = mounted_fetcher(folder, link=True)
    route = LinkRoute(folder / "files", store, FolderRepository())
    with measured() as measure:
        staged = fetcher.fetch(archived_file(folder))
        sent = route.send("mp1", "cam", "cam.mp4", staged)
    target = folder / "files" / "mediapackage" / "mp1" / "cam" / "cam.mp4"
    measure.figures = {
        "media_bytes": size,
        "staged": staged.how,
        "sent": sent.how,
        "one_inode": source.stat().st_ino == staged.path.stat().st_ino == target.stat().st_ino,
        "media_bytes_written": staged.bytes_written + sent.bytes_written,
    }
    return measure


def sparse(folder: Path, size: int) -> Measure:
    """Memory while a large file is read."""
    source = folder / "archive" / ARCHIVED / "cam.mp4"
    source.parent.mkdir(parents=True)
    with source.open("wb") as target:
        target.truncate(size)
    _, fetcher = mounted_fetcher(folder, link=True)
    with measured() as measure:
        staged = fetcher.fetch(archived_file(folder))
    measure.figures = {"media_bytes": size, "staged": staged.how, "cpu_seconds_per_gb": measure.cpu_seconds / size * GB}
    return measure


def copy(folder: Path, size: int) -> Measure:
    """A mounted source whose files may not be linked."""
    make_file(folder / "archive" / ARCHIVED / "cam.mp4", size)
    store, fetcher = mounted_fetcher(folder, link=False)
    with HighWater(store.root) as water, measured() as measure:
        staged = fetcher.fetch(archived_file(folder))
    measure.figures = {
        "media_bytes": size,
        "staged": staged.how,
        "read_per_unique_byte": staged.bytes_read / size,
        "written_per_unique_byte": staged.bytes_written / size,
        "high_water_per_unique_byte": max(water.bytes, room(store.root)) / size,
        "megabytes_per_second": size / 1e6 / measure.seconds,
    }
    return measure


def zip64(folder: Path, size: int) -> Measure:
    """A zip with an entry beyond 4 GiB and one that begins behind it, read by another implementation."""

    class Zeros:
        def __init__(self, length: int) -> None:
            self.length = length

        def chunks(self, count: int, /) -> Iterator[bytes]:
            block = bytes(count)
            for start in range(0, self.length, count):
                yield block[: min(count, self.length - start)]

    stream = ZipStream([ZipEntry("mp/a.mp4", size, Zeros(size)), ZipEntry("mp/b.mp4", 1000, Zeros(1000))])
    path = folder / "large.zip"
    with measured() as measure, path.open("wb") as target:
        while chunk := stream.read(4 << 20):
            target.write(chunk)
    with zipfile.ZipFile(path) as archive:
        sizes = [entry.file_size for entry in archive.infolist()]
        intact = archive.testzip() is None
    measure.figures = {
        "entries": sizes,
        "intact": intact,
        "length_as_announced": path.stat().st_size == stream.size,
        "overhead": stream.size / size - 1,
        "cpu_seconds_per_gb": measure.cpu_seconds / size * GB,
    }
    return measure


@contextmanager
def simulator(storage: Path, *options: str) -> Iterator[str]:
    """Run a simulator in a process of its own; give its url."""
    command = [sys.executable, "-m", "tests.simulator", "--storage", str(storage), "--port", "0", *options]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("simulator ready: "):
                yield line.removeprefix("simulator ready: ").strip()
                return
        raise RuntimeError("The simulator ended before it was ready.")
    finally:
        process.terminate()
        process.wait(30)


def videos(reader: Client) -> list[SourceFile]:
    """The archived tracks of a server's whole library."""
    found: list[SourceFile] = []
    for event in reader.get_json("/api/events", params={"limit": 100_000}):
        package = MediaPackage.parse(reader.get_xml(f"/assets/episode/{event['identifier']}"))
        for track in package.tracks:
            md5 = None if track.checksum is None else track.checksum.value
            found.append(SourceFile(track.url or "", md5, track.size, f"{track.id} of {package.id}"))
    return found


def http(folder: Path, events: int, size: int, workers: int) -> Measure:
    """Download and upload, by the product and by curl."""
    generated = ("--library", "generated", "--events", str(events), "--event-bytes", str(size))
    with (
        simulator(folder / "source", *generated) as source,
        simulator(folder / "target", "--library", "empty") as target,
        Client(Server(source, "admin", "opencast")) as reader,
        Client(Server(target, "admin", "opencast")) as writer,
    ):
        files = videos(reader)
        total = sum(file.size or 0 for file in files)
        by_curl = curl(folder / "curl", files, target)
        store = ObjectStore(folder / "staging", reserve_bytes=0)
        fetcher, route = Fetcher(store, reader), UploadRoute(store, FilesService(writer))

        def move(number: int) -> tuple[StagedObject, SentFile]:
            one = fetcher.fetch(files[number])
            return one, route.send("mp1", f"el-{number}", "cam.mp4", one)

        with (
            ThreadPoolExecutor(workers) as pool,
            HighWater(store.root) as water,
            measured() as measure,
        ):
            staged, sent = zip(*pool.map(move, range(len(files))), strict=True)
        hashing = md5_seconds([one.path for one in staged])
    unique = sum(size for _, size in {(one.md5, one.size) for one in staged})
    measure.figures = {
        "files": len(files),
        "media_bytes": total,
        "read_per_unique_byte": sum(one.bytes_read for one in staged) / unique,
        "staged_per_unique_byte": sum(one.bytes_written for one in staged) / unique,
        "sent_per_byte": sum(one.bytes_written for one in sent) / total,
        "high_water_per_unique_byte": max(water.bytes, room(store.root)) / unique,
        "workers": workers,
        "curl_down_seconds": by_curl[0],
        "curl_up_seconds": by_curl[1],
        "md5_seconds": hashing,
        "rate_to_curl": sum(by_curl) / measure.seconds,
        "rate_to_curl_and_md5": (sum(by_curl) + hashing) / measure.seconds,
        "cpu_seconds_per_gb": measure.cpu_seconds / total * GB,
    }
    return measure


def md5_seconds(paths: list[Path]) -> float:
    """Time to compute the md5 of files that are in memory already, one after the other."""
    start = time.perf_counter()
    for path in paths:
        with path.open("rb") as source:
            hashlib.file_digest(source, "md5")
    return time.perf_counter() - start


def curl(folder: Path, files: list[SourceFile], target: str) -> tuple[float, float]:
    """Download and upload with one curl process each; seconds of both."""
    folder.mkdir()
    login = 'user = "admin:opencast"\nsilent\nfail\n'
    down, up = [], []
    for number, file in enumerate(files):
        path = folder / f"{number}.mp4"
        down.append(f'{login}url = "{file.url}"\noutput = "{path}"\n')
        place = f"{target}/files/mediapackage/curl/el-{number}"
        up.append(f'{login}url = "{place}"\nform = "file=@{path};filename=cam.mp4"\noutput = "/dev/null"\n')
    seconds = []
    for name, steps in (("down", down), ("up", up)):
        settings = folder / f"{name}.cfg"
        settings.write_text("next\n".join(steps))
        start = time.perf_counter()
        subprocess.run(["curl", "--config", str(settings)], check=True)
        seconds.append(time.perf_counter() - start)
    shutil.rmtree(folder)
    return seconds[0], seconds[1]


def main() -> None:
    """Run one measure and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("measure", choices=["link", "sparse", "copy", "zip", "http"])
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--gigabytes", type=float, default=None)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="events that are moved at the same time")
    parser.add_argument("--folder", type=Path, default=None, help="on the file system to be measured")
    options = parser.parse_args()
    size = int(options.gigabytes * GB if options.gigabytes else options.megabytes * 1e6)
    folder = Path(tempfile.mkdtemp(prefix="bench-staging-", dir=options.folder))
    try:
        if options.measure == "http":
            measure = http(folder, options.events, size, options.workers)
        else:
            measure = {"link": link, "sparse": sparse, "copy": copy, "zip": zip64}[options.measure](folder, size)
    finally:
        shutil.rmtree(folder)
    result = vars(measure) | {"measure": options.measure}
    result |= result.pop("figures")
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}))


if __name__ == "__main__":
    main()
