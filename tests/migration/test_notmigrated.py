"""What stays behind is in every plan, with numbers where the source tells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.migration.notmigrated import LossCounter
from opencast.model.event import EventRow

from tests.migration.pair import KEY, Pair, server


def losses(pair: Pair, **options: Any) -> dict[str, str]:
    """Return the numbers in the plan's list."""
    pair.plan(**options)
    with pair.bench() as bench:
        head = bench.plans.head(KEY)
        assert head is not None
        return {loss["what"]: loss["count"] for loss in head.notes["not_migrated"]}


def test_the_source_is_asked_for_its_numbers(pairs: Callable[..., Pair]) -> None:
    pair = pairs(source={"annotations": 12, "user_actions": 3456})
    found = losses(pair)
    assert found["Users, groups and roles"] == "2 users, 0 groups"
    assert found["Templates of access lists"] == "0 templates"
    assert found["Scheduler roles of capture agents"] == "3 agents"
    assert found["Creation dates and creators of themes"] == "1 themes"
    assert found["Jobs and workflow history"] == f"{len(pair.source.state.workflows)} workflows"
    assert found["Annotations"] == "12 annotations"
    assert found["Statistics and user tracking"] == "3456 actions of users"


def test_snapshots_are_counted_of_the_selected_events(pair: Pair) -> None:
    versions = {row.identifier: row.archive_version for row in Opencast(server(pair.source)).events.all()}
    found = losses(pair, events=["a-ev-fast", "a-ev-two-streams"])
    older = (versions["a-ev-fast"] or 0) + (versions["a-ev-two-streams"] or 0)
    assert found["Older snapshots"] == f"up to {older} of 2 selected events"


def test_live_events_are_counted() -> None:
    counter = LossCounter()
    counter.see(EventRow("a", publication_status=("engage-live", "engage-player")))
    counter.see(EventRow("b", publication_status=("engage-player",)))
    assert counter.live == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_number_that_cannot_be_had_fails_no_plan(pair: Pair, status: int) -> None:
    pair.source.faults.add("/admin-ng/(users|acl)", status=status)
    found = losses(pair)
    assert found["Users, groups and roles"] == "0 groups"
    assert found["Templates of access lists"] == ""


def test_a_server_without_admin_interface_is_not_asked_for_accounts(pairs: Callable[..., Pair]) -> None:
    pair = pairs(library="empty", source={"version": "1.6.2"})
    assert {loss.what: loss.count for loss in LossCounter().losses(Opencast(server(pair.source)))}[
        "Users, groups and roles"
    ] == ""  # fmt: skip
    assert pair.source.requests.all(prefix="/admin-ng") == []


def test_the_report_shows_the_list_with_its_numbers(pair: Pair) -> None:
    pair.plan(events=["a-ev-fast"])
    with pair.bench() as bench:
        report = bench.reporter().write(KEY)
    page = (report.folder / "report.html").read_text()
    assert "Users, groups and roles (2 users, 0 groups): <span" in page
    assert "Annotations (0 annotations): <span" in page
    assert "Dates of playlists: <span" in page
