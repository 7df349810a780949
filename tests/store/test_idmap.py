"""Ids that the target chose are remembered for each source and target by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from opencast.store.database import Database
from opencast.store.idmap import IdMaps
from opencast.store.ledger import Kind, Ledger


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    return database


def test_an_id_is_found_again_and_may_change(database: Database) -> None:
    ids = IdMaps(Ledger(database, "source", "target"))
    assert ids.target(Kind.THEME, "1") is None
    ids.put(Kind.THEME, "1", "17")
    ids.put(Kind.THEME, "2", "18")
    ids.put(Kind.THEME, "1", "19")
    assert ids.target(Kind.THEME, "1") == "19"
    assert ids.all(Kind.THEME) == {"1": "19", "2": "18"}


def test_kinds_and_servers_are_kept_apart(database: Database) -> None:
    ids = IdMaps(Ledger(database, "source", "target"))
    ids.put(Kind.THEME, "1", "17")
    assert ids.target(Kind.AGENT, "1") is None
    assert IdMaps(Ledger(database, "source", "other")).all(Kind.THEME) == {}
