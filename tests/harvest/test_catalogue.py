"""The rules by which records become series, tracks, media items and places in playlists; each test names one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from opencast.harvest.cleaning import clean_up
from opencast.harvest.management import add_playlist, set_playlist, set_series
from opencast.harvest.stream_state import Mode
from opencast.store.catalogue import CatalogueChange, PlaylistItem, Series
from opencast.store.harvesting import Record
from sqlalchemy import delete, update

from tests.harvest.conftest import Site
from tests.harvest.recordings import Film, Recording

LECTURE = Recording(title="Sorting", series="algo", series_title="Algorithms", description="How to sort")
DELIVERY = Film("presentation/delivery", "t-slides", "https://oc.example.org/slides.mp4")
PRESENTER = Film("presenter/delivery", "t-person", "https://oc.example.org/person.mp4")


def with_playlist(site: Site, **series: Any) -> None:
    playlist = site.playlist()
    site.series("algo", playlist_id=playlist, **series)


def changes(site: Site) -> list[tuple[str, str, str]]:
    return [(row.subject, row.kind, row.identifier) for row in site.rows(CatalogueChange)]


# --- matterhorn records ----------------------------------------------------------------------------------------------


def test_a_record_becomes_a_matterhorn_record(site: Site) -> None:
    site.server.put("ev-1", LECTURE.but(creators=("Ada Lovelace", "Alan Turing"), duration=90_000))
    site.harvest()
    (row,) = site.matterhorn
    assert (row.identifier, row.mediapackage_id, row.title, row.description) == (
        "ev-1",
        "ev-1",
        "Sorting",
        "How to sort",
    )
    assert (row.creators, row.duration) == (["Ada Lovelace", "Alan Turing"], 90_000)
    assert row.created == datetime(2022, 3, 2, 10, 0, tzinfo=UTC)


def test_the_description_comes_from_the_dublin_core(site: Site) -> None:
    """The package itself has none; the plain format brings no Dublin Core along."""
    site.settings(prefixes=["matterhorn"])
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.matterhorn[0].description == ""


def test_changing_to_the_inlined_format_keeps_everything(site: Site) -> None:
    with_playlist(site)
    site.settings(prefixes=["matterhorn"])
    site.server.put("ev-1", LECTURE)
    site.harvest()
    items = [row.id for row in site.items]
    site.settings(prefixes=["matterhorn-inlined"])
    site.harvest(Mode.FULL)
    assert site.matterhorn[0].description == "How to sort"
    assert [row.id for row in site.items] == items
    assert len(site.matterhorn) == 1


def test_a_record_that_holds_no_mediapackage_costs_itself_only(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.server.put("ev-2", LECTURE)
    site.server.put("ev-3", LECTURE)
    metadata = site.server.records["ev-2"].recording.but(title="x")

    class Broken(Recording):
        def metadata(self, namespace: str, identifier: str) -> str:
            return '<inlined xmlns="http://www.opencastproject.org/oai/matterhorn-inlined"/>'

    site.server.records["ev-2"].recording = Broken(title=metadata.title)
    report = site.harvest()
    assert report.unreadable == 1
    assert site.records() == {"ev-1": "alive", "ev-2": "unreadable", "ev-3": "alive"}
    assert b"matterhorn-inlined" in site.contents()["ev-2"]
    assert "holds no mediapackage" in site.rows(Record, Record.identifier == "ev-2")[0].error


def test_a_record_that_becomes_readable_is_catalogued(site: Site) -> None:
    broken = LECTURE.but(series="x" * 2000)
    site.server.put("ev-1", broken)
    site.harvest()
    assert site.matterhorn == []
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.records() == {"ev-1": "alive"}
    assert len(site.matterhorn) == 1


# --- series ----------------------------------------------------------------------------------------------------------


def test_a_series_is_made_with_its_first_record(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.server.put("ev-2", LECTURE)
    site.harvest()
    assert [(row.identifier, row.title) for row in site.rows(Series)] == [("algo", "Algorithms")]


def test_a_series_title_follows_its_records(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-2", LECTURE.but(series_title="Algorithms II"))
    site.harvest()
    assert site.rows(Series)[0].title == "Algorithms II"


def test_series_identifiers_are_unique_within_a_repository_only(site: Site) -> None:
    site.add("other")
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.harvest(name="other")
    assert [(row.repository_id, row.identifier) for row in site.rows(Series)] == [(1, "algo"), (2, "algo")]


def test_a_series_may_be_configured_before_its_first_record(site: Site) -> None:
    add_playlist(site.database, "algorithms")
    set_playlist(site.database, "repo", "algo", "algorithms")
    set_series(site.database, "repo", "algo", permissions={"groups": ["students"]})
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert [(row.title, row.groups) for row in site.items] == [("Sorting", ["students"])]
    assert site.rows(Series)[0].title == "Algorithms"


def test_a_recording_without_series_is_no_error(site: Site) -> None:
    site.server.put("ev-1", LECTURE.but(series="", series_title=""))
    site.harvest()
    assert site.matterhorn[0].series_id is None
    assert site.items == []


# --- tracks ----------------------------------------------------------------------------------------------------------


def test_tracks_of_the_wanted_type_are_kept(site: Site) -> None:
    site.server.put("ev-1", LECTURE.but(films=(PRESENTER, DELIVERY)))
    site.harvest()
    (row,) = site.tracks
    assert (row.identifier, row.flavor, row.url) == ("t-slides", "presentation/delivery", DELIVERY.url)
    assert (row.mimetype, row.resolution, row.duration, row.size) == ("video/mp4", "640x360", 6014, 76115)
    assert row.checksum == "md5:0ab39e209041787a92463e54ed203c13"


def test_of_several_matching_tracks_the_first_of_the_list_becomes_the_item(site: Site) -> None:
    with_playlist(site)
    site.settings(track_types=["presenter/delivery", "presentation/delivery"])
    site.server.put("ev-1", LECTURE.but(films=(DELIVERY, PRESENTER)))
    site.harvest()
    assert [row.source_url for row in site.items] == [PRESENTER.url]
    assert {row.identifier: row.media_item_id for row in site.tracks} == {
        "t-slides": None,
        "t-person": site.items[0].id,
    }


def test_of_several_tracks_of_one_type_the_first_of_the_package_becomes_the_item(site: Site) -> None:
    with_playlist(site)
    second = Film("presentation/delivery", "t-2", "https://oc.example.org/second.mp4")
    site.server.put("ev-1", LECTURE.but(films=(DELIVERY, second)))
    site.harvest()
    assert [row.source_url for row in site.items] == [DELIVERY.url]
    assert len(site.tracks) == 2


def test_a_track_of_the_wrong_type_makes_no_item(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE.but(films=(PRESENTER,)))
    site.harvest()
    assert (site.tracks, site.items) == ([], [])


def test_a_track_that_no_web_client_can_open_makes_no_item(site: Site) -> None:
    with_playlist(site)
    stream = Film(url="rtmp://oc.example.org/stream", id="t-stream")
    site.server.put("ev-1", LECTURE.but(films=(stream, Film(id="t-file"))))
    site.harvest()
    assert [row.source_url for row in site.items] == [Film().url]


def test_a_track_follows_its_url_and_xml(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    before = site.tracks[0]
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(films=(Film(url="https://oc.example.org/new.mp4", size=5),)))
    site.harvest()
    after = site.tracks[0]
    assert (after.id, after.url, after.size) == (before.id, "https://oc.example.org/new.mp4", 5)
    assert (after.created, after.updated) == (before.created, site.clock.now)
    assert site.items[0].source_url == "https://oc.example.org/new.mp4"


def test_a_track_that_is_the_same_is_not_touched(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.harvest()
    updated = site.tracks[0].updated
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(title="Another title"))
    site.harvest()
    assert site.tracks[0].updated == updated


def test_publishing_again_gives_a_track_another_id_and_the_item_stays(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    track, item = site.tracks[0].id, site.items[0].id
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(films=(Film(id="t-again", url="https://oc.example.org/again.mp4"),)))
    site.harvest()
    assert [(row.id, row.identifier, row.media_item_id) for row in site.tracks] == [(track, "t-again", item)]
    assert [(row.id, row.source_url) for row in site.items] == [(item, "https://oc.example.org/again.mp4")]


def test_a_track_that_is_gone_is_removed_and_its_item_marked(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(films=()))
    site.harvest()
    assert site.tracks == []
    assert [row.state for row in site.items] == ["unavailable"]
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert [row.state for row in site.items] == ["available"]


# --- media items -----------------------------------------------------------------------------------------------------


def test_a_new_track_of_a_series_with_playlist_becomes_a_media_item(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    (item,) = site.items
    assert (item.title, item.description, item.source_url) == ("Sorting", "How to sort", Film().url)
    assert item.published == datetime(2022, 3, 2, 10, 0, tzinfo=UTC)
    assert item.state == "available"


def test_without_title_the_item_is_called_by_its_datestamp(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE.but(title="", created="", start=""))
    site.harvest()
    assert site.items[0].title == "2026-11-22T12:00:00Z"
    assert site.items[0].published == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_new_items_are_tagged_as_lecture_capture(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.items[0].tags == ["Lecture capture"]


def test_a_series_may_have_tags_of_its_own(site: Site) -> None:
    with_playlist(site, tags=["Law"])
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.items[0].tags == ["Law"]


def test_by_default_nobody_may_see_a_new_item(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    item = site.items[0]
    assert (item.users, item.groups, item.institutions, item.signed_in, item.public) == ([], [], [], False, False)


def test_an_item_gets_the_permissions_of_its_series_at_this_moment(site: Site) -> None:
    with_playlist(site, users=["ada"], groups=["g"], institutions=["i"], signed_in=True, public=True)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    item = site.items[0]
    assert (item.users, item.groups, item.institutions, item.signed_in, item.public) == (
        ["ada"],
        ["g"],
        ["i"],
        True,
        True,
    )


def test_permissions_of_an_item_are_never_changed_by_a_harvest(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.series("algo", public=True)
    with site.database.session() as session:
        session.execute(update(type(site.items[0])).values(users=["bob"]))
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(title="Another title"))
    site.harvest()
    clean_up(site.database, full=True, clock=site.clock)
    assert [(row.title, row.users, row.public) for row in site.items] == [("Another title", ["bob"], False)]


def test_items_are_put_at_the_end_of_the_playlist(site: Site) -> None:
    with_playlist(site)
    for number in range(3):
        site.server.put(f"ev-{number}", LECTURE.but(title=f"Lecture {number}"))
        site.clock.tick(1)
        site.harvest()
    assert [(row.media_item_id, row.position) for row in site.places] == [(1, 1), (2, 2), (3, 3)]


def test_an_item_that_was_taken_out_of_the_playlist_stays_out(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    with site.database.session() as session:
        session.execute(delete(PlaylistItem))
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(title="New"))
    site.harvest()
    clean_up(site.database, full=True, clock=site.clock)
    assert site.places == []


def test_a_series_without_playlist_waits(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert site.items == []
    assert len(site.tracks) == 1


def test_the_item_of_a_deleted_record_is_marked_not_dropped(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.server.delete("ev-1")
    site.harvest()
    assert [row.state for row in site.items] == ["deleted"]
    assert len(site.places) == 1


def test_the_item_of_a_deleted_record_is_removed_where_that_is_configured(site: Site) -> None:
    with_playlist(site)
    site.settings(on_delete="remove")
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.server.delete("ev-1")
    site.harvest()
    assert (site.items, site.places) == ([], [])
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert len(site.items) == 1


def test_the_item_of_a_record_that_comes_back_is_available_again(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    item = site.items[0].id
    site.server.delete("ev-1")
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert [(row.id, row.state) for row in site.items] == [(item, "available")]


# --- what is announced -----------------------------------------------------------------------------------------------


def test_changes_of_records_and_items_are_noted_once(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.harvest()
    assert changes(site) == [("item", "new", "ev-1"), ("record", "new", "ev-1")]


def test_a_deletion_of_something_unknown_is_no_change(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.server.delete("ev-1")
    site.harvest()
    assert changes(site) == []


def test_two_formats_announce_a_change_once(site: Site) -> None:
    site.settings(prefixes=["oai_dc", "matterhorn-inlined", "matterhorn"])
    site.server.put("ev-1", LECTURE)
    site.harvest()
    assert changes(site) == [("record", "new", "ev-1")]


def test_all_kinds_of_change(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(title="New"))
    site.harvest()
    site.clock.tick(1)
    site.server.delete("ev-1")
    site.harvest()
    assert changes(site)[2:] == [
        ("item", "changed", "ev-1"),
        ("record", "changed", "ev-1"),
        ("item", "deleted", "ev-1"),
        ("record", "deleted", "ev-1"),
    ]


# --- clean-up --------------------------------------------------------------------------------------------------------


def test_a_clean_up_makes_the_items_that_waited_for_a_playlist(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.server.put("ev-2", LECTURE.but(films=(PRESENTER,)))
    site.harvest()
    with_playlist(site)
    report = clean_up(site.database, clock=site.clock)
    assert (report.read, report.new_items) == (1, 1)
    assert [row.title for row in site.items] == ["Sorting"]
    assert [row.position for row in site.places] == [1]
    assert ("item", "new", "ev-1") in changes(site)


def test_a_clean_up_with_nothing_to_do_reads_no_record(site: Site) -> None:
    with_playlist(site)
    for number in range(5):
        site.server.put(f"ev-{number}", LECTURE)
    site.server.put("ev-x", LECTURE.but(films=(Film(url="rtmp://x/y"),)))
    site.server.delete("ev-0")
    site.harvest()
    report = clean_up(site.database, clock=site.clock)
    assert (report.read, report.new_items, report.changed_items, report.unreadable) == (0, 0, 0, 0)


def test_a_clean_up_makes_what_somebody_has_removed(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    with site.database.session() as session:
        session.execute(delete(type(site.matterhorn[0])))
    assert (site.tracks, site.items) == ([], [])
    clean_up(site.database, clock=site.clock)
    assert (len(site.matterhorn), len(site.tracks), len(site.items)) == (1, 1, 1)


def test_a_clean_up_notices_a_deletion_that_was_not_catalogued(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    with site.database.session() as session:
        session.execute(update(Record).values(deleted=True, digest=b"x" * 16))
    clean_up(site.database, clock=site.clock)
    assert [row.state for row in site.items] == ["deleted"]
    assert clean_up(site.database, clock=site.clock).read == 0


def test_a_full_clean_up_follows_a_change_of_the_track_types(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE.but(films=(PRESENTER,)))
    site.harvest()
    site.settings(track_types=["presenter/delivery"])
    assert clean_up(site.database, clock=site.clock).read == 0
    assert clean_up(site.database, full=True, clock=site.clock).new_items == 1
    assert [row.source_url for row in site.items] == [PRESENTER.url]


def test_a_full_clean_up_reads_unreadable_records_once_more(site: Site) -> None:
    site.server.put("ev-1", LECTURE)
    site.harvest()
    with site.database.session() as session:
        session.execute(update(Record).values(error="an older version could not read it"))
    clean_up(site.database, full=True, clock=site.clock)
    assert site.records() == {"ev-1": "alive"}


def test_a_full_clean_up_brings_back_no_old_title(site: Site) -> None:
    site.server.put("ev-2", LECTURE.but(series_title="Algorithms II"))
    site.harvest()
    site.clock.tick(1)
    site.server.put("ev-1", LECTURE.but(series_title="Algorithms"))
    site.harvest()
    with site.database.session() as session:
        session.execute(update(Series).values(title="Algorithms, revised"))
    clean_up(site.database, full=True, clock=site.clock)
    assert site.rows(Series)[0].title == "Algorithms, revised"


def test_a_clean_up_goes_through_many_records_in_pieces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.harvest.cleaning._BATCH", 7)
    for number in range(40):
        site.server.put(f"ev-{number:02}", LECTURE)
        site.clock.tick(1)
    site.harvest()
    with_playlist(site)
    assert clean_up(site.database, clock=site.clock).new_items == 40
    assert [row.position for row in site.places] == list(range(1, 41))


def test_existing_items_go_into_another_playlist_when_that_is_asked_for(site: Site) -> None:
    with_playlist(site)
    site.server.put("ev-1", LECTURE)
    site.harvest()
    second = add_playlist(site.database, "second")
    set_playlist(site.database, "repo", "algo", "second")
    assert len(site.places) == 1
    set_playlist(site.database, "repo", "algo", "second", with_existing=True)
    assert [row.playlist_id for row in site.places] == [1, second.id]
