"""What staging does, as operations that can be run on any disk, with the invariants that hold at every moment."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opencast.staging.clean import clean
from opencast.staging.disk import Disk
from opencast.staging.link import LinkRoute
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore

from tests.staging.conftest import SERVER, Site
from tests.staging.doubles import FakeRepository, FakeServer, FaultyDisk, assert_store_is_sound, contents, md5

VIDEO = b"a short video " * 2000
WEB = SourceFile(f"{SERVER}/static/o/c/mp1/el1/web.mp4", md5(VIDEO), len(VIDEO), "web")


@dataclass(frozen=True)
class Operation:
    """What is done on a site, with any disk; and what must be there when it went well."""

    name: str
    run: Callable[[Site, Disk], object]
    check: Callable[[Site], None]

    def __str__(self) -> str:
        return self.name


def store_on(site: Site, disk: Disk) -> ObjectStore:
    return ObjectStore(site.staging, reserve_bytes=0, disk=disk, sleep=lambda seconds: None)


def fetch(site: Site, disk: Disk, file: SourceFile, *, link: bool) -> None:
    server = FakeServer({WEB.url: VIDEO, archived(site).url: VIDEO}, breaks=[10_000])
    Fetcher(store_on(site, disk), server, site.mounts, link=link, sleep=lambda seconds: None).fetch(file)


def archived(site: Site) -> SourceFile:
    return SourceFile(f"{SERVER}/assets/assets/mp1/el1/3/cam.mp4", md5(VIDEO), len(VIDEO), "cam")


def no_kernel_help(disk: Disk) -> Disk:
    """A file system that neither links, nor shares blocks, nor copies by itself."""
    if isinstance(disk, FaultyDisk):
        disk.always |= {"link": errno.EXDEV, "clone": errno.EOPNOTSUPP, "copy_range": errno.EXDEV}
    return disk


def send(site: Site, disk: Disk) -> None:
    staged = Fetcher(store_on(site, Disk()), FakeServer(), site.mounts, link=True).fetch(archived(site))
    route = LinkRoute(site.files, store_on(site, disk), FakeRepository(site.files))
    route.send("mp1", "el1", "cam.mp4", staged)


def send_over_leftovers(site: Site, disk: Disk) -> None:
    folder = site.files / "mediapackage" / "mp1" / "el1"
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "old.mp4").write_bytes(b"old")
        (folder / "old.mp4.md5").write_bytes(md5(b"old").encode())
    send(site, disk)


def remove_sent(site: Site, disk: Disk) -> None:
    if not (site.staging / "removed").exists():
        send(site, Disk())
        (site.staging / "removed").mkdir()
    LinkRoute(site.files, store_on(site, disk), FakeRepository(site.files)).remove_sent("mp1", ["el1"])


def clean_all(site: Site, disk: Disk) -> None:
    if not (site.staging / "cleaned").exists():
        fetch(site, Disk(), archived(site), link=True)
        (site.staging / "cleaned").mkdir()
    store = store_on(site, disk)
    clean(store, lambda digest: False, min_age=0)
    store.sweep()


def staged_whole(site: Site) -> None:
    name = f"{md5(VIDEO)}-{len(VIDEO)}"
    assert contents(site.staging / "objects") == {f"{name[:2]}/{name}": VIDEO}


def sent_whole(site: Site) -> None:
    assert contents(site.files) == {
        "mediapackage/mp1/el1/cam.mp4": VIDEO,
        "mediapackage/mp1/el1/cam.mp4.md5": md5(VIDEO).encode(),
    }


def nothing_sent(site: Site) -> None:
    assert list((site.files / "mediapackage").iterdir()) == []


def nothing_staged(site: Site) -> None:
    assert contents(site.staging / "objects") == {}


OPERATIONS = [
    Operation("link from the archive", lambda site, disk: fetch(site, disk, archived(site), link=True), staged_whole),
    Operation("copy in the kernel", lambda site, disk: fetch(site, disk, archived(site), link=False), staged_whole),
    Operation(
        "copy by reading and writing",
        lambda site, disk: fetch(site, no_kernel_help(disk), archived(site), link=True),
        staged_whole,
    ),
    Operation("resumed download", lambda site, disk: fetch(site, disk, WEB, link=False), staged_whole),
    Operation(
        "put",
        lambda site, disk: store_on(site, disk).put([VIDEO], md5=md5(VIDEO), size=len(VIDEO)),
        staged_whole,
    ),
    Operation("link into the target", send, sent_whole),
    Operation("link over leftovers", send_over_leftovers, sent_whole),
    Operation("copy into the target", lambda site, disk: send(site, no_kernel_help(disk)), sent_whole),
    Operation("remove what was sent", remove_sent, nothing_sent),
    Operation("clean", clean_all, nothing_staged),
]


def fresh(folder: Path) -> Site:
    if folder.exists():
        shutil.rmtree(folder)
    site = Site(folder).make()
    site.archived(VIDEO)
    ObjectStore(site.staging)
    return site


def calls_of(operation: Operation, folder: Path) -> int:
    site, disk = fresh(folder), FaultyDisk()
    operation.run(site, disk)
    operation.check(site)
    return len(disk.calls)


def assert_nothing_wrong(site: Site, source: tuple[bytes, int, float]) -> None:
    """The invariants that hold at every moment, also in the middle."""
    assert_store_is_sound(site.staging)
    path = site.archived_path()
    assert (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime) == source, "the source is only read"
    for sum_file in (site.files / "mediapackage").rglob("*.md5"):
        data = sum_file.with_suffix("").read_bytes()
        assert sum_file.read_text() == md5(data), "what is complete for Opencast is whole"
