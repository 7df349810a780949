"""The store holds each content once, under its digest, and never shows a torn one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opencast.errors import (
    ChecksumMismatch,
    ConfigurationError,
    SizeMismatch,
    StagingError,
    StagingFull,
    StorageFailure,
    StorageRefused,
    UnsafePath,
)
from opencast.staging.digest import Digest
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FaultyDisk, assert_store_is_sound, digest, incoming, md5


def test_an_object_is_found_under_its_md5_and_size(store: ObjectStore) -> None:
    stored = store.put([b"some ", b"bytes"])

    assert stored.digest == digest(b"some bytes")
    assert stored.path.read_bytes() == b"some bytes"
    found = store.find(md5(b"some bytes"), 10)
    assert found is not None and found.path == stored.path


def test_an_object_is_found_by_md5_alone_when_the_size_is_unknown(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])

    found = store.find(md5(b"some bytes"))
    assert found is not None and found.digest == stored.digest


def test_an_unknown_object_is_not_found(store: ObjectStore) -> None:
    store.put([b"some bytes"])

    assert store.find(md5(b"others"), 6) is None
    assert store.find(md5(b"some bytes"), 11) is None
    assert store.find(md5(b"others")) is None


def test_the_same_bytes_are_one_inode(store: ObjectStore) -> None:
    first = store.put([b"same"])
    second = store.put([b"sa", b"me"])

    assert first.path == second.path
    assert [found.digest for found in store.objects()] == [digest(b"same")]
    assert second.path.stat().st_nlink == 1


def test_nothing_temporary_stays_after_an_object_was_stored(store: ObjectStore, site: Site) -> None:
    store.put([b"some bytes"])

    assert incoming(site.staging) == []


@pytest.mark.parametrize(
    "bad", ["../../etc/passwd", "", "g" * 32, "a" * 31, "a" * 33, "a" * 32 + "/x", "a" * 31 + "\n"]
)
def test_an_md5_that_is_none_never_becomes_a_path(store: ObjectStore, bad: str) -> None:
    with pytest.raises(UnsafePath):
        store.find(bad, 1)
    with pytest.raises(UnsafePath):
        Digest(bad, 1)


def test_an_md5_in_upper_case_is_the_same_object(store: ObjectStore) -> None:
    store.put([b"some bytes"])

    assert store.find(md5(b"some bytes").upper(), 10) is not None


def test_bytes_with_another_md5_than_promised_are_refused(store: ObjectStore, site: Site) -> None:
    with pytest.raises(ChecksumMismatch):
        store.put([b"other bytes"], md5=md5(b"promised"))

    assert list(store.objects()) == []
    assert incoming(site.staging) == []


def test_bytes_of_another_size_than_promised_are_refused(store: ObjectStore, site: Site) -> None:
    with pytest.raises(SizeMismatch):
        store.put([b"four"], size=5)

    assert list(store.objects()) == []
    assert incoming(site.staging) == []


def test_large_content_keeps_its_digest_although_a_thread_computes_it(store: ObjectStore) -> None:
    chunk = os.urandom(1 << 20)

    stored = store.put([chunk] * 20)

    assert stored.digest == digest(chunk * 20)
    assert_store_is_sound(store.root)


def test_a_write_that_takes_only_some_bytes_is_gone_on_with(site: Site) -> None:
    class ShortWrites(FaultyDisk):
        def write(self, fd: int, data: bytes | memoryview) -> int:
            return os.write(fd, data[:3])

    store = ObjectStore(site.staging, reserve_bytes=0, disk=ShortWrites())

    assert store.put([b"eleven bytes"]).path.read_bytes() == b"eleven bytes"


def test_a_file_is_on_the_disk_before_its_name_is(site: Site) -> None:
    disk = FaultyDisk()
    store = ObjectStore(site.staging, reserve_bytes=0, disk=disk)
    disk.calls.clear()

    store.put([b"some bytes"])

    assert disk.calls.index("sync") < disk.calls.index("rename")
    assert disk.calls[disk.calls.index("rename") :].count("sync_folder") == 1


def test_stored_files_can_be_read_by_the_target_whatever_the_umask(site: Site) -> None:
    before = os.umask(0o077)
    try:
        store = ObjectStore(site.staging, reserve_bytes=0)
        stored = store.put([b"some bytes"])
    finally:
        os.umask(before)

    assert stored.path.stat().st_mode & 0o777 == 0o644


def test_an_object_that_was_changed_in_place_counts_as_missing_and_is_replaced(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])
    stored.path.write_bytes(b"shorter")

    assert store.find(stored.digest.md5, stored.digest.size) is None
    store.put([b"some bytes"])
    assert_store_is_sound(store.root)


def test_verify_reads_the_bytes_again(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])

    assert store.verify(stored.digest)
    stored.path.write_bytes(b"SOME bytes")
    assert not store.verify(stored.digest)
    assert not store.verify(digest(b"never stored"))


def test_only_a_damaged_object_is_dropped(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])

    assert not store.drop_damaged(stored.digest)
    stored.path.write_bytes(b"SOME bytes")
    assert store.drop_damaged(stored.digest)
    assert list(store.objects()) == []


def test_foreign_files_in_the_store_are_left_alone(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])
    (stored.path.parent / "README").write_text("not an object")

    assert [found.digest for found in store.objects()] == [stored.digest]


def test_removing_an_object_leaves_its_other_names(store: ObjectStore, tmp_path: Path) -> None:
    stored = store.put([b"some bytes"])
    os.link(stored.path, tmp_path / "elsewhere")

    assert store.remove(stored.digest) is True
    assert (tmp_path / "elsewhere").read_bytes() == b"some bytes"
    assert store.remove(stored.digest) is False


def test_an_object_that_a_worker_is_fetching_is_not_removed(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])

    with store.lock(stored.digest.md5):
        assert store.remove(stored.digest) is None
    assert stored.path.exists()


def test_an_object_that_is_linked_elsewhere_frees_nothing(store: ObjectStore, tmp_path: Path) -> None:
    stored = store.put([b"some bytes"])
    assert stored.own_bytes == 10
    os.link(stored.path, tmp_path / "elsewhere")

    found = store.find(stored.digest.md5, 10)
    assert found is not None and found.own_bytes == 0
    assert store.own_bytes() == 0


def test_the_age_of_an_object_is_not_the_age_of_its_source(store: ObjectStore) -> None:
    stored = store.put([b"some bytes"])
    os.utime(stored.path, (0, 0))

    found = store.find(stored.digest.md5, 10)
    assert found is not None and found.age < 3600


# --- room ------------------------------------------------------------------------------------------------------------


def test_a_file_that_would_exceed_the_budget_waits(site: Site) -> None:
    store = ObjectStore(site.staging, budget_bytes=15, reserve_bytes=0)
    store.put([b"0123456789"], size=10)

    with pytest.raises(StagingFull) as caught:
        store.put([b"abcdefghij"], size=10)

    assert caught.value.retriable
    assert incoming(site.staging) == []


def test_the_budget_has_room_again_when_an_object_was_removed(site: Site) -> None:
    store = ObjectStore(site.staging, budget_bytes=15, reserve_bytes=0)
    first = store.put([b"0123456789"], size=10)
    store.remove(first.digest)

    assert store.put([b"abcdefghij"], size=10).digest.size == 10


def test_the_budget_counts_what_other_workers_have_announced(site: Site) -> None:
    store = ObjectStore(site.staging, budget_bytes=100, reserve_bytes=0)
    other = ObjectStore(site.staging, budget_bytes=100, reserve_bytes=0)

    with other.lock("a" * 32), other.create("a" * 32, 95), pytest.raises(StagingFull):
        store.put([b"0123456789"], size=10)


def test_the_budget_does_not_count_what_is_linked_elsewhere(site: Site, tmp_path: Path) -> None:
    store = ObjectStore(site.staging, budget_bytes=15, reserve_bytes=0)
    first = store.put([b"0123456789"], size=10)
    os.link(first.path, tmp_path / "in the target")

    # another worker, that has not counted yet
    ObjectStore(site.staging, budget_bytes=15, reserve_bytes=0).put([b"abcdefghij"], size=10)


def test_a_file_larger_than_the_whole_budget_does_not_wait_for_ever(site: Site) -> None:
    store = ObjectStore(site.staging, budget_bytes=15, reserve_bytes=0)

    with pytest.raises(StagingError) as caught:
        store.put([b"x" * 16], size=16)

    assert not caught.value.retriable


def test_bytes_stay_free_on_the_file_system(site: Site) -> None:
    class SmallDisk(FaultyDisk):
        def free_bytes(self, path: Path) -> int:
            return 1000

    store = ObjectStore(site.staging, reserve_bytes=900, disk=SmallDisk())
    store.put([b"x" * 100], size=100)

    with pytest.raises(StagingFull):
        store.put([b"y" * 101], size=101)


def test_a_file_of_unknown_size_asks_for_room_while_it_grows(site: Site) -> None:
    class FillingDisk(FaultyDisk):
        free = 1000

        def free_bytes(self, path: Path) -> int:
            return self.free

    disk = FillingDisk()
    store = ObjectStore(site.staging, reserve_bytes=900, disk=disk)

    def endless() -> Iterator[bytes]:
        yield b"x"
        disk.free = 0
        while True:
            yield b"x" * (1 << 20)

    with pytest.raises(StagingFull):
        store.put(endless())
    assert incoming(site.staging) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_waits_and_leaves_nothing(site: Site, code: int) -> None:
    store = ObjectStore(site.staging, reserve_bytes=0, disk=FaultyDisk(write=code))

    with pytest.raises(StagingFull):
        store.put([b"some bytes"])

    assert incoming(site.staging) == []
    assert list(store.objects()) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_that_refuses_is_an_error_that_waiting_does_not_mend(site: Site, code: int) -> None:
    store = ObjectStore(site.staging, reserve_bytes=0, disk=FaultyDisk(create=code))

    with pytest.raises(StorageRefused) as caught:
        store.put([b"some bytes"])

    assert not caught.value.retriable
    assert "incoming" in str(caught.value), "the message names the file"


@pytest.mark.parametrize("call", ["create", "write", "sync", "rename", "sync_folder"])
def test_an_io_error_leaves_no_wrong_object(site: Site, call: str) -> None:
    ObjectStore(site.staging)
    store = ObjectStore(site.staging, reserve_bytes=0, disk=FaultyDisk(**{call: errno.EIO}))

    with pytest.raises(StorageFailure) as caught:
        store.put([b"some bytes"])

    assert caught.value.retriable
    assert_store_is_sound(site.staging)


def test_a_file_system_without_locks_is_refused_with_advice(site: Site) -> None:
    store = ObjectStore(site.staging, reserve_bytes=0, disk=FaultyDisk(try_lock=errno.ENOLCK))

    with pytest.raises(ConfigurationError, match="locking"):
        store.put([b"some bytes"])


# --- leftovers -------------------------------------------------------------------------------------------------------


def test_sweep_removes_what_killed_workers_left(store: ObjectStore, site: Site) -> None:
    (site.staging / "incoming" / f"{'a' * 32}.10.part").write_bytes(b"half")
    (site.staging / "incoming" / f"{'b' * 32}.0.link").write_bytes(b"linked")
    (site.staging / "incoming" / "put-1234.0.part").write_bytes(b"")

    assert store.sweep() == 3
    assert incoming(site.staging) == []


def test_sweep_leaves_what_a_living_worker_writes(store: ObjectStore, site: Site) -> None:
    with store.lock("a" * 32), store.create("a" * 32, 10):
        assert ObjectStore(site.staging).sweep() == 0
        assert incoming(site.staging) == [f"{'a' * 32}.10.part"]


def test_sweep_can_leave_young_ones_for_downloads_to_go_on(store: ObjectStore, site: Site) -> None:
    (site.staging / "incoming" / f"{'a' * 32}.10.part").write_bytes(b"half")

    assert store.sweep(min_age=3600) == 0
    assert incoming(site.staging) == [f"{'a' * 32}.10.part"]


def test_a_leftover_that_is_linked_elsewhere_is_never_opened_for_writing(
    store: ObjectStore, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "of the source").write_bytes(b"precious")
    os.link(tmp_path / "of the source", site.staging / "incoming" / f"{'a' * 32}.10.part")

    with store.lock("a" * 32):
        assert store.reopen("a" * 32) is None
