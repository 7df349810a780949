"""Old, protected and busy sources as Airflow moves them, from the form to the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.dags.test_belongings import outcomes, quick_polls
from tests.simulator import Simulator
from tests.simulator.delivery import Delivery
from tests.simulator.driver import publication_of

__all__ = ["quick_polls"]

QUIET, OAI = "a-ev-archive-only", "a-ev-oaipmh"
#: Published to the player, and not to the External API.
PLAYED = "a-ev-fast"
SHARED = "a-ev-same-media"


@pytest.fixture
def migrate(dagbag: Any, connect: Callable[..., None]) -> Callable[..., Any]:
    """Run ``opencast_migrate`` between two simulators."""

    def run(source: Simulator, target: Simulator, **params: Any) -> Any:
        connect("opencast_source", source)
        connect("opencast_target", target)
        return dagbag.dags["opencast_migrate"].test(run_conf=params)

    return run


def _failed(data: Path) -> dict[str, str]:
    return {key[1]: line["reason"] for key, line in outcomes(data).items() if line["outcome"] == "failed"}


def test_a_protected_library_comes_with_its_repository_and_the_external_api_on_request(
    simulators: Callable[..., Simulator], migrate: Callable[..., Any], tmp_path: Path
) -> None:
    source = simulators(delivery=Delivery(host="127.0.0.2", signed=("/static/",)))
    target = simulators(library="empty")
    run = migrate(source, target, events=[OAI, PLAYED], external_api=True)
    assert _failed(tmp_path / "data") == {}
    assert run.state == "success"
    assert target.state.oai.get("mh_default_org", "default", OAI) is not None
    for event in (OAI, PLAYED):
        latest = target.state.events[event].latest
        assert latest is not None
        engage, api = (publication_of(latest.load().package, channel) for channel in ("engage-player", "api"))
        assert {element.url for element in api.elements} <= {element.url for element in engage.elements}
        assert api.elements


def test_what_is_busy_on_the_source_is_left_for_a_later_run_and_says_so(
    simulators: Callable[..., Simulator], migrate: Callable[..., Any], tmp_path: Path
) -> None:
    source, target = simulators(), simulators(library="empty")
    events = {PLAYED: "PAUSED", OAI: "RUNNING", SHARED: "FAILED", "a-ev-two-streams": "STOPPED"}
    for event, state in events.items():
        source.state.event_index.update(event, partial(_with_state, state=state))
    run = migrate(source, target, events=[*events, QUIET])
    assert run.state == "success"
    lines = outcomes(tmp_path / "data")
    assert {event: lines["mediapackage", event]["outcome"] for event in events} == dict.fromkeys(events, "skipped")
    assert "paused" in lines["mediapackage", PLAYED]["reason"]
    assert "being processed" in lines["mediapackage", OAI]["reason"]
    assert "include_failed" in lines["mediapackage", SHARED]["reason"]
    assert set(target.state.events) == {QUIET}


def _with_state(document: Any, state: str) -> Any:
    return replace(document, workflow_id=document.workflow_id or 1, workflow_state=state)


def test_a_library_of_the_oldest_source_arrives_as_a_whole(
    simulators: Callable[..., Simulator], migrate: Callable[..., Any], tmp_path: Path
) -> None:
    source, target = simulators("recorded-15", 1), simulators(library="empty")
    run = migrate(source, target, include_failed=True)
    assert _failed(tmp_path / "data") == {}
    assert run.state == "success"
    recorded = {event for event, held in source.state.events.items() if held.scheduling is None and held.latest}
    assert set(target.state.events) == recorded
    assert set(target.state.series) == set(source.state.series)
    page = next((tmp_path / "data" / "reports").rglob("report.html")).read_text()
    assert "Scheduled events: <span" in page
