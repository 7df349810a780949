"""What a server of any version holds, read the way of its version (contract 7.6; tags 1.6.2 to 6.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.api.holdings import BareHoldings, Holdings, OldHoldings, UnreadableEvent
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import NotFound, Throttled
from opencast.model.acl import Acl

from tests.simulator import Simulator

SCHEDULED = {"c-sched-future", "c-sched-past"}


@pytest.fixture
def servers(simulators: Callable[..., Simulator]) -> Callable[[int], tuple[Simulator, Opencast]]:
    """Give servers of a generation with the library that was recorded of 15."""

    def make(generation: int) -> tuple[Simulator, Opencast]:
        simulator = simulators("recorded-15", generation)
        return simulator, Opencast(Server(simulator.url, "admin", "opencast", max_tries=1))

    return make


@pytest.mark.parametrize(
    ("generation", "kind"), [(1, OldHoldings), (3, OldHoldings), (4, BareHoldings), (5, BareHoldings), (6, Holdings)]
)
def test_each_version_is_read_in_its_own_way(servers: Any, generation: int, kind: type[Holdings]) -> None:
    assert type(servers(generation)[1].holdings) is kind


@pytest.mark.parametrize("generation", [1, 3, 5])
def test_the_access_list_in_force_is_the_same_in_every_version(servers: Any, generation: int) -> None:
    old, new = servers(generation)[1], servers(15)[1]
    rows = [row for row in new.events.all() if row.identifier not in SCHEDULED]
    assert rows
    for row in rows:
        assert old.holdings.acl(row.identifier).same_as(new.events.acl(row.identifier)), row.identifier


def test_without_a_policy_of_its_own_an_old_event_has_that_of_its_series(servers: Any) -> None:
    simulator, old = servers(3)
    event = "c-ev-fast"
    contents = simulator.state.events[event].latest.load()
    series = old.holdings.acl("c-ev-fast")
    contents.package.elements = [e for e in contents.package.elements if e.flavor != "security/xacml+episode"]
    assert old.holdings.acl(event).entries
    contents.package.elements = [e for e in contents.package.elements if e.flavor != "security/xacml+series"]
    assert old.holdings.acl(event) == Acl()
    assert series.entries


def test_old_packages_are_tagged_as_the_asset_manager_would(servers: Any) -> None:
    package = servers(3)[1].holdings.find("c-ev-two-streams")
    assert all("archive" in element.tags for element in package.elements)
    assert all("archive" in publication.tags for publication in package.publications)


@pytest.mark.parametrize("generation", [1, 4, 9])
def test_what_is_not_there_is_not_found(servers: Any, generation: int) -> None:
    holdings = servers(generation)[1].holdings
    assert holdings.find("nobody") is None
    with pytest.raises(NotFound):
        holdings.row("nobody")


@pytest.mark.parametrize("generation", [3, 5])
def test_an_event_that_cannot_be_read_costs_itself_only(servers: Any, generation: int) -> None:
    simulator, old = servers(generation)
    simulator.faults.add("^/a.*/c-ev-fast/", body=b"no catalog", headers={"Content-Length": "10"})
    rows = list(old.holdings.rows())
    assert [row.identifier for row in rows if isinstance(row, UnreadableEvent)] == ["c-ev-fast"]
    assert len(rows) > 4


def test_a_server_that_fails_is_no_unreadable_event(servers: Any) -> None:
    simulator, old = servers(3)
    simulator.faults.add("^/archive/archive/", status=503)
    with pytest.raises(Throttled, match="503"):
        list(old.holdings.rows())
