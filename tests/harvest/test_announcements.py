"""What changed is told once, in order, and in pieces that an event can carry."""

from __future__ import annotations

import pytest
from opencast.harvest.announcements import event_of, mark_announced, read_changes

from tests.harvest.conftest import Site
from tests.harvest.recordings import Recording

LECTURE = Recording(series="algo")


@pytest.fixture
def site(site: Site) -> Site:
    site.series("algo", playlist_id=site.playlist())
    return site


def test_an_event_names_what_is_new_changed_and_deleted(site: Site) -> None:
    for identifier in ("ev-1", "ev-2", "ev-3"):
        site.server.put(identifier, LECTURE)
    site.harvest()
    event = event_of(site.database, site.repository)
    assert event is not None
    assert event["repository"] == "repo"
    assert event["records"] == {"new": ["ev-1", "ev-2", "ev-3"], "changed": [], "deleted": []}
    assert event["items"] == {"new": [1, 2, 3], "changed": [], "deleted": []}
    assert event["is_complete"]
    mark_announced(site.database, site.repository, event["changes"][1])
    site.clock.tick(1)
    site.server.put("ev-2", LECTURE.but(title="Another"))
    site.server.delete("ev-3")
    site.harvest()
    event = event_of(site.database, site.repository)
    assert event is not None
    assert event["records"] == {"new": [], "changed": ["ev-2"], "deleted": ["ev-3"]}
    assert event["items"] == {"new": [], "changed": [2], "deleted": [3]}


def test_without_changes_there_is_no_event(site: Site) -> None:
    assert event_of(site.database, site.repository) is None
    site.server.put("ev-1", LECTURE)
    site.harvest()
    event = event_of(site.database, site.repository)
    assert event is not None
    mark_announced(site.database, site.repository, event["changes"][1])
    site.harvest()
    assert event_of(site.database, site.repository) is None


def test_several_changes_of_one_record_are_told_as_one(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(title="Another"))
    site.harvest()
    event = event_of(site.database, site.repository)
    assert event is not None
    assert event["records"] == {"new": ["ev-1"], "changed": [], "deleted": []}
    site.server.delete("ev-1")
    site.harvest()
    event = event_of(site.database, site.repository)
    assert event is not None
    assert event["records"] == {"new": [], "changed": [], "deleted": ["ev-1"]}


def test_more_changes_than_an_event_carries_come_with_the_next_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.harvest.announcements.MAX_EVENT_IDS", 5)
    identifiers = [f"ev-{number}" for number in range(7)]
    for identifier in identifiers:
        site.server.put(identifier, LECTURE)
    site.harvest()
    told: list[str] = []
    complete = []
    while (event := event_of(site.database, site.repository)) is not None:
        told += event["records"]["new"]
        complete.append(event["is_complete"])
        mark_announced(site.database, site.repository, event["changes"][1])
    assert told == identifiers
    assert complete == [False, False, True]


def test_a_change_of_an_item_shows_the_item_as_it_is_now(site: Site) -> None:
    site.server.put("ev-1", LECTURE.but(title="Sorting"))
    site.harvest()
    batch = read_changes(site.database, site.repository, after=0)
    assert batch is not None
    item = batch.changes[0].item
    assert item is not None
    assert (item.title, item.state) == ("Sorting", "available")
    assert batch.values()["changes"][0]["item"]["published"] == "2022-03-02T10:00:00Z"


def test_repositories_have_changes_of_their_own(site: Site) -> None:
    site.add("other")
    site.server.put("ev-1", LECTURE)
    site.harvest(name="other")
    assert event_of(site.database, site.repository) is None
