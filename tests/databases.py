"""A PostgreSQL server for the tests, started when the first one asks for it, ended with the session."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.processes import free_port
from scripts.services import PostgreSQL

_numbers = itertools.count(1)


@contextmanager
def postgresql_server() -> Iterator[PostgreSQL]:
    """Start a server of our own."""
    folder = Path(tempfile.mkdtemp(prefix="opencast-tests-"))
    folder.chmod(0o755)
    server = PostgreSQL(folder, free_port(55432))
    service = server.service()
    process = subprocess.Popen(
        service.command,
        cwd="/",
        user=service.user,
        group=service.user,
        stdin=subprocess.DEVNULL,
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not service.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield server
    finally:
        # Ends the connections, too.
        process.send_signal(service.end_signal)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: PostgreSQL) -> str:
    """Make an empty database and return its URL."""
    name = f"store{next(_numbers)}"
    server.create_database(name)
    return server.url(name)
