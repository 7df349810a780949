"""A real library, moved from one server to another: everything arrives, and a second time nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from opencast.api.opencast import Opencast
from opencast.migration.series import read_series
from opencast.model.mediapackage import MediaPackage, Publication, compare_elements
from opencast.store.database import Database
from opencast.store.ledger import Kind, State
from opencast.store.plans import Action

from tests.migration.pair import Pair, server


@pytest.mark.parametrize(("library", "generation"), [("recorded", 17), ("recorded-15", 15)])
def test_every_object_of_a_recorded_library_arrives(pairs: Callable[..., Pair], library: str, generation: int) -> None:
    pair = pairs(library=library, source={"generation": generation})
    entries = pair.migrate_all(include_failed=True)
    assert {name: entry.reason for name, entry in entries.items() if entry.state is not State.DONE} == {}
    assert len(entries) >= 9
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    for identifier, entry in entries.items():
        # Both recorded servers name wrong checksums for the catalogs of their scheduled events.
        wrong = frozenset({"checksum"}) if entry.kind is Kind.SCHEDULED else frozenset()
        _assert_same(source.assets.episode(identifier), target.assets.episode(identifier), wrong)
        assert source.events.acl(identifier).same_as(target.events.acl(identifier))
    for series in source.series.list():
        before, after = (read_series(server.series, series.identifier) for server in (source, target))
        assert before is not None and after is not None
        assert before.differences(after, ignore_properties=frozenset({"theme"})) == []


def _assert_same(source: MediaPackage, target: MediaPackage, ignore: frozenset[str]) -> None:
    assert [element.id for element in target.elements] == [element.id for element in source.elements]
    for expected in source.elements:
        actual = target.element(expected.id or "")
        assert actual is not None
        # The server writes the catalog of an event's comments by itself, with its own ids and dates.
        own = frozenset({"checksum"}) if str(expected.flavor) == "metadata/comments" else frozenset()
        assert compare_elements(expected, actual, ignore=ignore | own) == []
    migrated = [p for p in source.publications if not p.is_live]
    assert [p.channel for p in target.publications] == [p.channel for p in migrated]
    for publication in migrated:
        there = target.publication(publication.channel)
        assert there is not None
        assert _paths(there) == _paths(publication)
        assert (there.id, there.tags, there.mimetype) == (publication.id, publication.tags, publication.mimetype)


def _paths(publication: Publication) -> set[str]:
    return {(element.url or "").split("/", 3)[3] for element in publication.elements}


def test_published_bytes_are_the_sources(pair: Pair) -> None:
    pair.migrate_all(events=["a-ev-two-streams"])
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    published = target.assets.episode("a-ev-two-streams").publication("engage-player")
    assert published is not None
    originals = {
        e.path_element_id: e for p in source.assets.episode("a-ev-two-streams").publications for e in p.elements
    }
    for element in published.elements:
        assert _md5(target, element.url) == _md5(source, originals[element.path_element_id].url)


def _md5(opencast: Opencast, url: str | None) -> str:
    with opencast.client.open_download(url or "") as download:
        return hashlib.md5(b"".join(download.iter(65536)), usedforsecurity=False).hexdigest()


def test_a_second_run_finds_nothing_to_do_and_writes_nothing(pair: Pair) -> None:
    pair.migrate_all(include_failed=True)
    before = pair.writes()
    items = pair.plan(key="dag/second", include_failed=True)
    assert [item for item in items.values() if item.is_work] == []
    assert pair.writes() == before


def test_nothing_is_left_in_the_working_file_repository(pair: Pair) -> None:
    pair.migrate_all(include_failed=True)
    left = [path for path in (pair.target.storage / "files" / "mediapackage").rglob("*") if path.is_file()]
    assert left == []


def test_the_source_is_only_read(pair: Pair) -> None:
    pair.migrate_all(include_failed=True)
    assert {request.method for request in pair.source.requests.all()} <= {"GET", "HEAD"}


def test_without_the_ledger_equal_objects_are_compared_and_not_written_again(pair: Pair, tmp_path: Path) -> None:
    pair.migrate_all(events=["a-ev-two-streams"])
    before = pair.writes()
    pair.database = Database(f"sqlite:///{tmp_path}/other.db")
    pair.database.upgrade()
    entry = pair.migrate("a-ev-two-streams")
    assert entry.state is State.DONE
    assert "nothing was written" in entry.notes[0]
    assert pair.writes() == before


def test_a_newer_snapshot_on_the_source_is_an_update(pair: Pair) -> None:
    pair.migrate_all(events=["a-ev-archive-only"])
    source = Opencast(server(pair.source))
    source.assets.snapshot(source.assets.episode_xml("a-ev-archive-only"))
    item = pair.plan(key="dag/second", events=["a-ev-archive-only"])["a-ev-archive-only"]
    assert (item.action, item.reason) == (Action.UPDATE, "the source has a newer snapshot since it was migrated")
    assert pair.migrate("a-ev-archive-only").state is State.DONE


def test_each_unique_file_is_read_from_the_source_once(pair: Pair) -> None:
    pair.migrate_all(include_failed=True)
    files = [r.path for r in pair.source.requests.all() if r.path.startswith(("/assets/assets/", "/static/"))]
    assert len(files) == len(set(files))
