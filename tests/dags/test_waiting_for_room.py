"""A task whose files do not fit into staging is deferred until another import has ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opencast.store.database import Database
from opencast.store.imports import Imports
from opencast.store.ledger import Ledger

from tests.dags.test_opencast_migrate import report, states
from tests.simulator import Simulator

VIDEO = 300_000


def test_a_task_waits_for_room_without_a_worker_slot(
    dagbag: Any,
    simulators: Callable[..., Simulator],
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    source = simulators(library="generated", events=1, event_bytes=VIDEO)
    target = simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    monkeypatch.setenv("OPENCAST_STAGING_BUDGET_GB", str((VIDEO + 2000) / 1e9))
    monkeypatch.setattr("opencast.migration.workbench._YOUNG_S", 0.0)
    database = Database(f"sqlite:///{tmp_path}/data/store.db")
    database.upgrade()
    other = Imports(Ledger(database, f"{source.url}#mh_default_org", f"{target.url}#mh_default_org"))
    assert other.claim("another-event", "another/run", 8)
    paused: list[str] = []

    def pause(_: Any) -> float:
        """The other import ends, and somebody gives staging more room, while the task is deferred."""
        paused.append("deferred")
        other.release("another-event")
        monkeypatch.setenv("OPENCAST_STAGING_BUDGET_GB", "1")
        return 0.01

    monkeypatch.setattr("opencast.triggers.importing.pause", pause)
    run = dagbag.dags["opencast_migrate"].test()
    assert states(run)["migrate_mediapackage"] == ["success"]
    assert run.state == "success"
    assert paused[0] == "deferred"
    assert [line["outcome"] for line in report(tmp_path)["objects"] if line["kind"] == "mediapackage"] == ["done"]
