"""The back-up of docs/operating.md: a dump of the store can be restored over what came after it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from opencast.store.database import Database
from opencast.store.ledger import Kind, Ledger, ObjectKey, State
from sqlalchemy import make_url

from scripts.services import PostgreSQL
from tests.databases import new_database


def run(program: str, url: str, *arguments: str) -> None:
    address = make_url(url)
    place = ["-h", str(address.host), "-p", str(address.port), "-U", str(address.username)]
    environment = {**os.environ, "PGPASSWORD": str(address.password)}
    subprocess.run([program, *place, *arguments], env=environment, check=True, capture_output=True)


def note(database: Database, identifier: str) -> Ledger:
    ledger = Ledger(database, "https://old#org", "https://new#org")
    ledger.finish(ObjectKey(Kind.SERIES, identifier, "dag/run"), State.DONE)
    return ledger


def test_a_dump_brings_the_ledger_back_as_it_was(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = new_database(postgresql)
    database = Database(url)
    database.upgrade()
    note(database, "before")
    dump = str(tmp_path / "opencast.dump")
    run("pg_dump", url, "-Fc", "-f", dump, make_url(url).database or "")
    ledger = note(database, "after")
    database.dispose()
    run("pg_restore", url, "--clean", "--if-exists", "-d", make_url(url).database or "", dump)
    assert ledger.entry(Kind.SERIES, "before") is not None
    assert ledger.entry(Kind.SERIES, "after") is None
    database.upgrade()
