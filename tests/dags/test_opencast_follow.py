"""Following a source: only what is new or changed gets a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.opencast import Opencast

from tests.dags.test_opencast_migrate import states
from tests.migration.pair import server
from tests.simulator import Simulator

EVENTS = ["a-ev-no-media", "a-ev-archive-only"]


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trigger's first pause guards against a race of a real scheduler; here there is none."""
    monkeypatch.setattr("opencast.triggers.importing.pause", lambda options: 0.05)


@pytest.fixture
def servers(simulators: Callable[..., Simulator], connect: Callable[..., None]) -> tuple[Simulator, Simulator]:
    source, target = simulators(library="recorded"), simulators(library="empty")
    connect("opencast_source", source)
    connect("opencast_target", target)
    return source, target


def test_it_is_paused_until_somebody_switches_it_on(dagbag: Any) -> None:
    assert dagbag.dags["opencast_follow"].is_paused_upon_creation
    assert dagbag.dags["opencast_audit"].is_paused_upon_creation


def test_only_what_is_new_or_has_a_newer_snapshot_gets_a_task(
    dagbag: Any, servers: tuple[Simulator, Simulator]
) -> None:
    source = Opencast(server(servers[0]))
    first = dagbag.dags["opencast_follow"].test(run_conf={"events": EVENTS})
    assert states(first)["migrate_mediapackage"] == ["success", "success"]
    again = dagbag.dags["opencast_follow"].test(run_conf={"events": EVENTS})
    assert states(again)["migrate_mediapackage"] == ["skipped"]
    source.assets.snapshot(source.assets.episode_xml(EVENTS[1]))
    changed = dagbag.dags["opencast_follow"].test(run_conf={"events": EVENTS})
    assert states(changed)["migrate_mediapackage"] == ["success"]


def test_what_failed_waits_until_the_source_changes_it(dagbag: Any) -> None:
    assert dagbag.dags["opencast_follow"].params["repeat_failed"] is False
    assert dagbag.dags["opencast_migrate"].params["repeat_failed"] is True
