"""``/search`` of both generations: what is published, and to whom it is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from tests.simulator import Simulator, User
from tests.simulator.driver import Driver

PUBLISH = [("publish-engage", {"download-source-flavors": "*/*", "check-availability": "false"}), ("snapshot", {})]


@pytest.mark.parametrize("generation", [17, 15])
def test_what_a_workflow_publishes_is_found_and_gone_when_it_is_deleted(
    simulators: Callable[..., Simulator], generation: int
) -> None:
    server = Driver(simulators("empty", generation))
    server.run(server.package("ev", title="A lecture"), PUBLISH)
    found = server.get("/search/episode.json?id=ev").json()
    hits = found["result"] if generation == 17 else [found["search-results"]["result"]]
    assert [hit["mediapackage"]["title"] for hit in hits] == ["A lecture"]
    server.session.delete(f"{server.url}/api/events/ev")
    found = server.get("/search/episode.json?id=ev").json()
    assert (found["total"] if generation == 17 else found["search-results"]["total"]) == 0


def test_solr_shows_nothing_an_object_or_a_list(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("recorded", 15))
    results = [server.get(f"/search/episode.json?{query}").json()["search-results"].get("result")
               for query in ("id=unknown", "limit=1", "limit=2")]  # fmt: skip
    assert [type(result) for result in results] == [type(None), dict, list]


def test_solr_holds_the_whole_package_as_a_text(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("recorded", 15))
    root = etree.fromstring(server.get("/search/episode.xml?id=c-ev-fast").content)
    text = root.findtext(".//{http://search.opencastproject.org}ocMediapackage")
    assert text is not None
    assert etree.fromstring(text.encode()).get("id") == "c-ev-fast"


@pytest.mark.parametrize(("asked", "given"), [("", "100"), ("0", "100"), ("-1", "2147483647"), ("5000", "5000")])
def test_solr_changes_the_limit_without_a_word(simulators: Callable[..., Simulator], asked: str, given: str) -> None:
    server = Driver(simulators("recorded", 15))
    assert etree.fromstring(server.get(f"/search/episode.xml?limit={asked}").content).get("limit") == given


def test_who_is_no_admin_gets_at_most_250_episodes_or_2000_of_solr(simulators: Callable[..., Simulator]) -> None:
    users = (User("alice", "alice", "Alice", ("ROLE_USER", "ROLE_ANONYMOUS")),)
    new, old = (Driver(simulators("recorded", generation, users=users)) for generation in (17, 15))
    for server in (new, old):
        server.session.auth = ("alice", "alice")
    assert new.get("/search/episode.json?limit=251").status_code == 400
    assert etree.fromstring(old.get("/search/episode.xml?limit=5000").content).get("limit") == "2000"


def test_without_login_only_what_everybody_may_see_is_there(simulators: Callable[..., Simulator]) -> None:
    for generation in (17, 15):
        server = Driver(simulators("recorded", generation))
        server.session.auth = None
        found = server.get("/search/episode.json").json()
        result = found["result"] if generation == 17 else [found["search-results"]["result"]]
        assert [hit["mediapackage"]["title"] for hit in result] == ["Awkward file names"]


def test_numbers_of_a_package_are_floats_since_16(simulators: Callable[..., Simulator]) -> None:
    hit = Driver(simulators("recorded")).get("/search/episode.json?id=a-ev-fast").json()["result"][0]
    assert isinstance(hit["mediapackage"]["duration"], float)


@pytest.mark.parametrize("path", ["episode.xml", "series.xml", "lucene.json", "episode"])
def test_the_older_paths_are_gone_since_16(simulators: Callable[..., Simulator], path: str) -> None:
    assert Driver(simulators("recorded")).get(f"/search/{path}").status_code == 404


@pytest.mark.parametrize("query", ["limit=-1", "offset=-1", "sort=nope", "sid=a&sname=b"])
def test_bad_queries_are_refused_since_16(simulators: Callable[..., Simulator], query: str) -> None:
    assert Driver(simulators("recorded")).get(f"/search/episode.json?{query}").status_code == 400
