"""Processes that share nothing with the test but the file system."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

DEADLINE = 60.0


def in_child(work: Callable[[], object]) -> int:
    """Start a process that shares nothing but the file system; answer its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def end_of(child: int) -> int:
    """Answer a process's exit code, or the negative number of the signal that ended it."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def wait_for(path: Path) -> None:
    end = time.monotonic() + DEADLINE
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.005)
