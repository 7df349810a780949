"""A lock keeps other workers out, and goes with its holder."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest
from opencast.errors import ConfigurationError, StagingBusy, StorageFailure
from opencast.staging.disk import Disk
from opencast.staging.locks import LockFile

from tests.staging.doubles import FaultyDisk
from tests.staging.processes import in_child, wait_for


@pytest.fixture
def locks(tmp_path: Path) -> LockFile:
    return LockFile(tmp_path / "lock", Disk(), sleep=lambda seconds: None, max_wait=1.0)


def test_a_held_lock_is_not_given_twice(locks: LockFile) -> None:
    with locks.hold("a"), locks.try_hold("a") as free:
        assert not free


def test_another_name_is_another_lock(locks: LockFile) -> None:
    with locks.hold("a"), locks.try_hold("b") as free:
        assert free


def test_a_lock_is_free_again_after_its_holder(locks: LockFile) -> None:
    with locks.hold("a"):
        pass
    with locks.try_hold("a") as free:
        assert free


def test_a_lock_is_free_again_after_an_error_of_its_holder(locks: LockFile) -> None:
    with pytest.raises(ValueError), locks.hold("a"):
        raise ValueError
    with locks.try_hold("a") as free:
        assert free


def test_closing_another_view_of_the_file_does_not_lose_the_lock(locks: LockFile) -> None:
    """POSIX locks of the older kind would be lost here."""
    with locks.hold("a"):
        with locks.try_hold("b"):
            pass
        with locks.try_hold("a") as free:
            assert not free


def test_who_waits_too_long_is_told_so(locks: LockFile) -> None:
    with locks.hold("a"), pytest.raises(StagingBusy) as caught, locks.hold("a"):
        pass

    assert caught.value.retriable


def test_a_lock_dies_with_its_process(tmp_path: Path, locks: LockFile) -> None:
    held = tmp_path / "held"

    def hold_for_ever() -> None:
        with locks.hold("a"):
            held.touch()
            time.sleep(60)

    child = in_child(hold_for_ever)
    wait_for(held)
    with locks.try_hold("a") as free:
        assert not free
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    with locks.try_hold("a") as free:
        assert free


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_a_matter_of_configuration(tmp_path: Path, code: int) -> None:
    locks = LockFile(tmp_path / "lock", FaultyDisk(try_lock=code))

    with pytest.raises(ConfigurationError), locks.hold("a"):
        pass


def test_another_error_of_the_lock_may_pass(tmp_path: Path) -> None:
    locks = LockFile(tmp_path / "lock", FaultyDisk(try_lock=errno.EIO))

    with pytest.raises(StorageFailure), locks.hold("a"):
        pass
