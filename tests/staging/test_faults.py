"""Enumerated proof: whatever call to the file system fails, nothing wrong, torn or left over results.

Each operation runs once on a sound disk to count its calls. Then it runs once for each call, each kind of error and
both ways of failing (the call did nothing; or it did its work and the answer was lost, as on a network file system),
and the invariants are checked after the failed run and after the next, sound one.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from opencast.errors import OpencastError
from opencast.staging.disk import Disk

from tests.staging.doubles import Fault, FaultyDisk, incoming, open_descriptors
from tests.staging.operations import OPERATIONS, Operation, assert_nothing_wrong, calls_of, fresh, store_on

pytestmark = pytest.mark.usefixtures("no_waiting_for_the_disk")

#: One of each class: may pass, full, refused for good, not possible in this way. A lost answer is always the first.
CODES = [errno.EIO, errno.ENOSPC, errno.EPERM, errno.EXDEV]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
@pytest.mark.parametrize("lost_answer", [False, True], ids=["call fails", "answer is lost"])
def test_no_failing_call_leaves_anything_wrong(tmp_path: Path, operation: Operation, lost_answer: bool) -> None:
    calls = calls_of(operation, tmp_path / "counted")
    assert calls > 5, "the operation goes through the disk"

    for number in range(1, calls + 1):
        for code in CODES[:1] if lost_answer else CODES:
            fault = Fault(number, code, lost_answer)
            site = fresh(tmp_path / "site")
            path = site.archived_path()
            source = (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime)
            disk = FaultyDisk(fault)
            try:
                operation.run(site, disk)
            except OpencastError as error:
                assert str(error), f"{fault} is named"
            where = f"{fault} ({disk.calls[number - 1] if number <= len(disk.calls) else 'not reached'})"
            try:
                assert_nothing_wrong(site, source)
                assert open_descriptors(tmp_path) == [], "no descriptor stays open"
                operation.run(site, Disk())
                operation.check(site)
                assert_nothing_wrong(site, source)
                store_on(site, Disk()).sweep()
                assert incoming(site.staging) == [], "nothing is left after the next run"
            except (AssertionError, OpencastError) as error:
                raise AssertionError(f"after {where}: {error}") from error


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_failing_call_of_a_sound_looking_disk_is_a_named_error(tmp_path: Path, operation: Operation) -> None:
    """No ``OSError`` escapes: the Airflow layer decides by the named errors whether to try again."""
    calls = calls_of(operation, tmp_path / "counted")
    escaped = []
    for number in range(1, calls + 1):
        site = fresh(tmp_path / "site")
        try:
            operation.run(site, FaultyDisk(Fault(number, errno.EIO)))
        except OpencastError:
            pass
        except OSError as error:
            escaped.append(f"call {number}: {error}")
    assert escaped == []
