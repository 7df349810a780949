"""``kill -9`` at any moment: what is visible is whole, and the next run ends as if nothing had happened.

The process dies by its own hand before the n-th call to the file system, for every n: these are all the states that
others can see.
"""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from opencast.staging.disk import Disk
from opencast.staging.source import Fetcher
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FakeServer, FaultyDisk, assert_store_is_sound, contents, incoming
from tests.staging.operations import (
    OPERATIONS,
    VIDEO,
    WEB,
    Operation,
    assert_nothing_wrong,
    calls_of,
    fresh,
    staged_whole,
    store_on,
)
from tests.staging.processes import DEADLINE, end_of, in_child, wait_for

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")


def kill_at(last: int, call: int) -> None:
    if call == last:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_killed_run_leaves_nothing_wrong_and_the_next_one_goes_on(tmp_path: Path, operation: Operation) -> None:
    calls = calls_of(operation, tmp_path / "counted")

    for number in range(1, calls + 1):
        site = fresh(tmp_path / "site")
        path = site.archived_path()
        source = (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime)
        disk = FaultyDisk()
        disk.before = partial(kill_at, number)

        assert end_of(in_child(partial(operation.run, site, disk))) == -signal.SIGKILL
        try:
            assert_nothing_wrong(site, source)
            operation.run(site, Disk())
            operation.check(site)
            assert_nothing_wrong(site, source)
            store_on(site, Disk()).sweep()
            assert incoming(site.staging) == [], "nothing is left after the next run"
        except AssertionError as error:
            raise AssertionError(f"killed before call {number}: {error}") from error


def test_a_waiting_worker_takes_over_when_the_one_that_downloads_is_killed(site: Site) -> None:
    first_reads, second_waits = site.folder / "first reads", site.folder / "second waits"

    def download_for_ever() -> None:
        def hang() -> None:
            first_reads.touch()
            time.sleep(DEADLINE)

        Fetcher(ObjectStore(site.staging, reserve_bytes=0), FakeServer({WEB.url: VIDEO}, before=hang)).fetch(WEB)

    def wait_and_download() -> None:
        def pause(seconds: float) -> None:
            second_waits.touch()
            time.sleep(0.005)

        store = ObjectStore(site.staging, reserve_bytes=0, sleep=pause)
        assert Fetcher(store, FakeServer({WEB.url: VIDEO})).fetch(WEB).how == "download"

    first = in_child(download_for_ever)
    wait_for(first_reads)
    second = in_child(wait_and_download)
    wait_for(second_waits)
    os.kill(first, signal.SIGKILL)

    assert end_of(first) == -signal.SIGKILL
    assert end_of(second) == 0
    staged_whole(site)
    assert incoming(site.staging) == []


def test_two_processes_that_stage_the_same_object_read_it_once(site: Site) -> None:
    log, second_waits = site.folder / "reads", site.folder / "second waits"

    def first_work() -> None:
        def note() -> None:
            log.write_text("first\n")
            wait_for(second_waits)

        Fetcher(ObjectStore(site.staging, reserve_bytes=0), FakeServer({WEB.url: VIDEO}, before=note)).fetch(WEB)

    def second_work() -> None:
        def pause(seconds: float) -> None:
            second_waits.touch()
            time.sleep(0.005)

        def note() -> None:
            log.write_text("both\n")

        store = ObjectStore(site.staging, reserve_bytes=0, sleep=pause)
        assert Fetcher(store, FakeServer({WEB.url: VIDEO}, before=note)).fetch(WEB).how == "present"

    first = in_child(first_work)
    wait_for(log)
    second = in_child(second_work)

    assert (end_of(first), end_of(second)) == (0, 0)
    assert log.read_text() == "first\n"
    staged_whole(site)


def test_many_processes_on_the_same_files_end_with_one_of_each(site: Site) -> None:
    files = [site.archived(bytes([number]) * 5000, mp=f"mp{number % 3}", element=f"el{number}") for number in range(6)]

    def work(link: bool) -> None:
        store = ObjectStore(site.staging, reserve_bytes=0, sleep=lambda seconds: time.sleep(0.001))
        for file in files * 3:
            Fetcher(store, FakeServer(), site.mounts, link=link).fetch(file)
            store.sweep()

    children = [in_child(partial(work, link)) for link in (True, False, True, False)]

    assert [end_of(child) for child in children] == [0, 0, 0, 0]
    assert_store_is_sound(site.staging)
    assert len(contents(site.staging / "objects")) == len(files)
    assert incoming(site.staging) == []
