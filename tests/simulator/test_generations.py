"""Each generation has the services, paths and shapes that its sources have (contract 7.6, 8.1; tags 1.6.2 to 17)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from lxml import etree

from tests.simulator import Simulator
from tests.simulator.driver import Driver

EVENT = "c-ev-two-streams"
PATHS = {
    f"/episode/archive/mediapackage/{EVENT}": (1, 1),
    f"/archive/archive/mediapackage/{EVENT}": (2, 3),
    f"/assets/episode/{EVENT}": (4, 17),
    f"/assets/{EVENT}/workflowProperties.json": (6, 17),
    "/api/events": (3, 17),
    "/search/episode.xml": (1, 15),
    "/search/episode.json": (1, 17),
    "/admin-ng/themes/themes.json": (2, 17),
    "/workflow/instances.xml": (1, 11),
    f"/workflow/mediaPackage/{EVENT}/hasActiveWorkflows": (12, 17),
    "/series/series.xml": (1, 11),
    f"/recordings/{EVENT}/technical.json": (18, 17),
    "/feeds/feeds": (1, 15),
    "/api/playlists": (16, 17),
}


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 6, 11, 12, 15, 16])
def test_a_path_exists_in_its_versions_only(simulators: Callable[..., Simulator], generation: int) -> None:
    driver = Driver(simulators("recorded-15", generation))
    found = {path: driver.get(path).status_code for path in PATHS}
    there = {path for path, status in found.items() if status == 200}
    assert there == {path for path, (first, last) in PATHS.items() if first <= generation <= last}
    assert set(found.values()) <= {200, 404}


@pytest.mark.parametrize(
    ("generation", "name", "version"),
    [(1, "matterhorn", "1.6.2"), (3, "matterhorn", "3.7.0"), (9, "opencast", "9.0.0")],
)
def test_bundles_are_called_after_matterhorn_before_4(
    simulators: Callable[..., Simulator], generation: int, name: str, version: str
) -> None:
    driver = Driver(simulators("empty", generation))
    assert driver.get(f"/sysinfo/bundles/version?prefix={name}").json()["version"] == version
    other = {"matterhorn": "opencast", "opencast": "matterhorn"}[name]
    assert driver.get(f"/sysinfo/bundles/version?prefix={other}").status_code == 404


def test_who_am_i_is_flat_in_1(simulators: Callable[..., Simulator]) -> None:
    assert Driver(simulators("empty", 1)).get("/info/me.json").json()["username"] == "admin"


def test_rows_before_6_name_neither_series_nor_status_and_know_no_range(simulators: Callable[..., Simulator]) -> None:
    driver = Driver(simulators("recorded", 5))
    everything = driver.get("/api/events").json()
    none = driver.get("/api/events?filter=start:1900-01-01T00:00:00Z/1900-01-02T00:00:00Z").json()
    assert len(everything) == len(none) > 3
    assert not {"is_part_of", "status", "language"} & set(everything[0])


@pytest.mark.parametrize(("generation", "has"), [(10, False), (11, True)])
def test_publications_in_the_archive_are_bare_before_11(
    simulators: Callable[..., Simulator], generation: int, has: bool
) -> None:
    text = Driver(simulators("recorded", generation)).get(f"/assets/episode/{EVENT}").text
    publications = etree.fromstring(text.encode()).findall(".//{*}publication")
    assert publications
    assert any(p.find(".//{*}track") is not None for p in publications) is has


@pytest.mark.parametrize(("generation", "service"), [(1, "episode"), (3, "archive")])
def test_the_old_archives_list_deliver_and_never_compare(
    simulators: Callable[..., Simulator], generation: int, service: str
) -> None:
    driver = Driver(simulators("recorded", generation))
    listed = etree.fromstring(driver.get(f"/{service}/episode.xml?limit=2&onlyLatest=true").content)
    assert (len(listed.findall("{*}result")), int(listed.get("total", "0")) > 2) == (2, True)
    package = driver.get(f"/{service}/archive/mediapackage/{EVENT}").text
    urls = re.findall(rf"{driver.url}(/{service}/archive/mediapackage/[^<]+)", package)
    assert urls
    assert driver.get(urls[0]).content
    assert driver.get(urls[0], headers={"If-None-Match": "0" * 32}).status_code == 304


def test_old_lists_come_in_pages(simulators: Callable[..., Simulator]) -> None:
    driver = Driver(simulators("recorded", 3))
    pages = [
        etree.fromstring(driver.get(f"/series/series.xml?count=1&startPage={page}").content) for page in (0, 1, 99)
    ]
    assert [len(page) for page in pages] == [1, 1, 0]
    workflows = etree.fromstring(driver.get(f"/workflow/instances.xml?mp={EVENT}&count=1").content)
    assert int(workflows.get("totalCount", "0")) >= len(workflows) == 1
