"""A file of the source comes into the store in the cheapest way that is safe, and once."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from opencast.errors import ChecksumMismatch, SizeMismatch, SourceChanged, UnexpectedContent, UnsafePath
from opencast.staging.digest import Digest
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore

from tests.staging.conftest import SERVER, Site
from tests.staging.doubles import FakeServer, FaultyDisk, assert_store_is_sound, contents, incoming, md5


class Memory(dict[str, Digest]):
    """The ledger's memory of files without a checksum."""

    def put(self, url: str, digest: Digest) -> None:
        self[url] = digest


def inode(path: Path) -> tuple[int, int]:
    return path.stat().st_dev, path.stat().st_ino


# --- mounted storage -------------------------------------------------------------------------------------------------


def test_a_file_on_the_same_file_system_is_linked_and_nothing_is_written(site: Site, fetcher: Fetcher) -> None:
    file = site.archived(b"video")

    staged = fetcher.fetch(file)

    assert staged.how == "link"
    assert inode(staged.path) == inode(site.archived_path())
    assert (staged.bytes_read, staged.bytes_written) == (5, 0)
    assert (staged.md5, staged.size, staged.checksum_from) == (md5(b"video"), 5, "source")


def test_linking_changes_neither_mode_nor_owner_nor_time_of_the_source(site: Site, fetcher: Fetcher) -> None:
    file = site.archived(b"video")
    path = site.archived_path()
    path.chmod(0o440)
    os.utime(path, (1000, 1000))
    before = path.stat()

    fetcher.fetch(file)

    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid, after.st_mtime) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
        before.st_mtime,
    )


def test_without_the_option_a_file_is_copied(site: Site, store: ObjectStore, server: FakeServer) -> None:
    file = site.archived(b"video")

    staged = Fetcher(store, server, site.mounts, link=False).fetch(file)

    assert staged.how in {"copy", "reflink"}
    assert inode(staged.path) != inode(site.archived_path())
    assert staged.path.read_bytes() == b"video"


def test_a_file_of_another_file_system_is_copied_and_the_report_says_so(
    site: Site, server: FakeServer, other_file_system: Path
) -> None:
    store = ObjectStore(other_file_system, reserve_bytes=0)
    data = os.urandom(3_000_000)
    file = site.archived(data)

    staged = Fetcher(store, server, site.mounts, link=True).fetch(file)

    assert staged.how == "copy"
    assert (staged.bytes_read, staged.bytes_written) == (len(data), len(data))
    assert staged.path.read_bytes() == data
    assert any("not linked" in note for note in staged.notes)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP])
def test_where_a_link_is_refused_the_file_is_copied(site: Site, server: FakeServer, code: int) -> None:
    store = ObjectStore(site.staging, reserve_bytes=0, disk=FaultyDisk(link=code))
    file = site.archived(b"video")

    staged = Fetcher(store, server, site.mounts, link=True).fetch(file)

    assert staged.how in {"copy", "reflink"}
    assert os.strerror(code) in staged.notes[0]
    assert_store_is_sound(site.staging)
    assert incoming(site.staging) == []


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_the_kernel_cannot_copy_the_bytes_are_read_and_written(site: Site, server: FakeServer, code: int) -> None:
    disk = FaultyDisk(link=errno.EXDEV, clone=errno.EOPNOTSUPP, copy_range=code)
    store = ObjectStore(site.staging, reserve_bytes=0, disk=disk)
    data = os.urandom(2_500_000)

    staged = Fetcher(store, server, site.mounts, link=True).fetch(site.archived(data))

    assert staged.how == "copy"
    assert staged.path.read_bytes() == data
    assert "write" in disk.calls


def test_blocks_are_shared_where_the_file_system_can(site: Site, server: FakeServer) -> None:
    class SharingDisk(FaultyDisk):
        def clone(self, source: int, target: int) -> None:
            os.pwrite(target, os.pread(source, 1000, 0), 0)

    store = ObjectStore(site.staging, reserve_bytes=0, disk=SharingDisk(link=errno.EXDEV))

    staged = Fetcher(store, server, site.mounts, link=True).fetch(site.archived(b"video"))

    assert staged.how == "reflink"
    assert staged.bytes_written == 0
    assert_store_is_sound(site.staging)


def test_a_mounted_file_with_other_bytes_than_its_md5_never_becomes_an_object(
    site: Site, fetcher: Fetcher, server: FakeServer
) -> None:
    file = site.archived(b"video")
    site.archived_path().write_bytes(b"VIDEO")
    server.files[file.url] = b"VIDEO"

    with pytest.raises(ChecksumMismatch):
        fetcher.fetch(file)

    assert_store_is_sound(site.staging)
    assert incoming(site.staging) == []
    assert contents(site.archive).popitem()[1] == b"VIDEO", "the source is only read"


def test_a_stale_mount_is_passed_over_in_favour_of_the_server(site: Site, fetcher: Fetcher, server: FakeServer) -> None:
    file = site.archived(b"video")
    server.files[file.url] = b"video"
    site.archived_path().write_bytes(b"an older backup")

    staged = fetcher.fetch(file)

    assert staged.how == "download"
    assert "md5" in staged.notes[0]
    assert server.requests == [(file.url, 0)], "the download begins at the start, not where a copy stopped"


def test_a_missing_mounted_file_is_downloaded_and_the_report_says_so(
    site: Site, fetcher: Fetcher, server: FakeServer
) -> None:
    file = site.archived(b"video")
    site.archived_path().unlink()
    server.files[file.url] = b"video"

    staged = fetcher.fetch(file)

    assert staged.how == "download"
    assert "not taken from mounted storage" in staged.notes[0]


@pytest.mark.parametrize("link", [True, False])
def test_a_source_file_that_changes_while_it_is_read_is_refused(site: Site, server: FakeServer, link: bool) -> None:
    file = site.archived(b"video")
    path = site.archived_path()

    class Racing(FaultyDisk):
        def read(self, fd: int, count: int) -> bytes:
            self.write_to_source()
            return super().read(fd, count)

        def copy_range(self, source: int, target: int, count: int) -> int:
            self.write_to_source()
            return super().copy_range(source, target, count)

        def write_to_source(self) -> None:
            path.write_bytes(b"grown while read")
            os.utime(path, (2000, 2000))

    store = ObjectStore(site.staging, reserve_bytes=0, disk=Racing())
    with pytest.raises(SourceChanged) as caught:
        Fetcher(store, server, site.mounts, link=link).fetch(file)

    assert caught.value.retriable
    assert incoming(site.staging) == []
    assert list(store.objects()) == []


def test_a_source_file_that_is_replaced_before_it_is_linked_is_refused(site: Site, server: FakeServer) -> None:
    file = site.archived(b"video")

    class Racing(FaultyDisk):
        def link(self, source: str | Path, target: str | Path, *, at: int | None = None, to: int | None = None) -> None:
            site.archived_path().unlink()
            site.archived_path().write_bytes(b"video")
            super().link(source, target, at=at, to=to)

    store = ObjectStore(site.staging, reserve_bytes=0, disk=Racing())
    with pytest.raises(SourceChanged):
        Fetcher(store, server, site.mounts, link=True).fetch(file)


def test_a_url_that_would_leave_the_mount_is_not_even_downloaded(fetcher: Fetcher, server: FakeServer) -> None:
    url = f"{SERVER}/static/mh_default_org/%2e%2e/%2e%2e/secret"
    server.files[url] = b"secret"

    with pytest.raises(UnsafePath):
        fetcher.fetch(SourceFile(url, md5(b"secret"), 6, "track"))
    assert server.requests == []


# --- once ------------------------------------------------------------------------------------------------------------


def test_equal_bytes_of_two_events_are_fetched_once(site: Site, fetcher: Fetcher) -> None:
    first = fetcher.fetch(site.archived(b"video", mp="mp1"))
    second = fetcher.fetch(site.archived(b"video", mp="mp2"))

    assert second.how == "present"
    assert (second.bytes_read, second.bytes_written) == (0, 0)
    assert second.path == first.path


def test_two_workers_that_stage_the_same_object_download_it_once(site: Site, server: FakeServer) -> None:
    url = f"{SERVER}/static/x/cam.mp4"
    server.files[url] = b"video"
    first_reads, second_waits = threading.Event(), threading.Event()

    def hold_the_first_back() -> None:
        first_reads.set()
        assert second_waits.wait(30)

    server.before = hold_the_first_back
    file = SourceFile(url, md5(b"video"), 5, "track")
    results: list[str] = []

    def work(sleep: Callable[[float], None]) -> None:
        results.append(Fetcher(ObjectStore(site.staging, reserve_bytes=0, sleep=sleep), server).fetch(file).how)

    first = threading.Thread(target=work, args=(lambda seconds: None,))
    first.start()
    assert first_reads.wait(30)
    second = threading.Thread(target=work, args=(lambda seconds: second_waits.set(),))
    second.start()
    first.join(30)
    second.join(30)

    assert sorted(results) == ["download", "present"]
    assert len(server.requests) == 1


def test_a_file_without_checksum_is_read_once_over_restarts(store: ObjectStore, server: FakeServer) -> None:
    url = f"{SERVER}/static/x/cam.mp4"
    server.files[url] = b"video"
    known = Memory()
    file = SourceFile(url, None, None, "track")

    first = Fetcher(store, server, known=known).fetch(file)
    second = Fetcher(store, server, known=known).fetch(file)

    assert (first.how, first.checksum_from) == ("download", "tool")
    assert (second.how, second.checksum_from, second.md5) == ("present", "tool", md5(b"video"))
    assert len(server.requests) == 1


def test_a_signature_never_reaches_the_memory(store: ObjectStore, server: FakeServer) -> None:
    url = f"{SERVER}/static/x/cam.mp4?policy=abc&signature=secret"
    server.files[url] = b"video"
    known = Memory()

    Fetcher(store, server, known=known).fetch(SourceFile(url, None, None, "track"))

    assert list(known) == [f"{SERVER}/static/x/cam.mp4"]


def test_a_mounted_file_without_checksum_gets_the_tools_own(site: Site, fetcher: Fetcher) -> None:
    file = replace(site.archived(b"video"), md5=None, size=None)

    staged = fetcher.fetch(file)

    assert (staged.how, staged.md5, staged.checksum_from) == ("link", md5(b"video"), "tool")


def test_without_checksum_the_size_decides(site: Site, fetcher: Fetcher, server: FakeServer) -> None:
    file = replace(site.archived(b"video"), md5=None, size=6)
    server.files[file.url] = b"video"

    with pytest.raises(SizeMismatch):
        fetcher.fetch(file)


@pytest.mark.parametrize("size", [0, -1, None])
def test_a_size_of_zero_or_less_means_unknown(site: Site, fetcher: Fetcher, size: int | None) -> None:
    staged = fetcher.fetch(replace(site.archived(b"video"), size=size))

    assert staged.size == 5


def test_a_wrong_size_beside_a_right_md5_is_noted_and_remembered(
    site: Site, store: ObjectStore, server: FakeServer
) -> None:
    known = Memory()
    file = replace(site.archived(b"video"), size=99)
    fetcher = Fetcher(store, server, site.mounts, link=True, known=known)

    staged = fetcher.fetch(file)

    assert (staged.size, staged.how) == (5, "link")
    assert any("99" in note for note in staged.notes)
    assert fetcher.fetch(file).how == "present"


def test_an_empty_file_with_the_right_md5_is_a_file(site: Site, fetcher: Fetcher) -> None:
    staged = fetcher.fetch(site.archived(b"", name="empty.txt"))

    assert (staged.size, staged.path.read_bytes()) == (0, b"")


def test_an_empty_answer_without_checksum_is_refused(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.files["http://source.test/x.mp4"] = b""

    with pytest.raises(UnexpectedContent):
        web_fetcher.fetch(SourceFile("http://source.test/x.mp4", None, None, "track"))
