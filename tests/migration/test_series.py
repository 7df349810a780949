"""Series: everything arrives, and a write is made only where something differs."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import ObjectGone
from opencast.migration.series import SeriesMigrator, read_series
from opencast.model.acl import Ace, Acl
from opencast.store.ledger import Kind
from opencast.store.plans import Action

from tests.migration.pair import Pair, add_series, server

FULL = "a-series-algorithms"


def test_all_parts_of_a_series_arrive(pair: Pair) -> None:
    written = pair.migrate_series(FULL)
    assert written[0] == "series"
    source, target = (read_series(Opencast(server(s)).series, FULL) for s in (pair.source, pair.target))
    assert source is not None and target is not None
    assert [element.type for element in target.elements] == [element.type for element in source.elements]
    assert source.differences(target, ignore_properties=frozenset({"theme"})) == []


def test_an_equal_series_is_not_written_again(pair: Pair) -> None:
    pair.migrate_series(FULL)
    before = pair.writes()
    assert pair.migrate_series(FULL) == ()
    assert pair.writes() == before


def test_only_what_differs_is_written(pair: Pair) -> None:
    pair.migrate_series(FULL)
    Opencast(server(pair.target)).series.put_acl(FULL, Acl((Ace("ROLE_OTHER", "read"),)))
    assert pair.migrate_series(FULL) == ("access list",)


def test_a_theme_that_is_not_on_the_target_is_left_out_and_named(pair: Pair) -> None:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    done = SeriesMigrator(source.series, target.series, lambda theme: None).migrate(FULL)
    assert "theme" not in target.series.properties(FULL)
    assert "is not on the target" in done.notes[0]


def test_a_theme_gets_the_id_that_it_has_on_the_target(pair: Pair) -> None:
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    SeriesMigrator(source.series, target.series, lambda theme: "4711").migrate(FULL)
    assert target.series.properties(FULL)["theme"] == "4711"


def test_a_deny_entry_arrives_as_a_deny(pair: Pair) -> None:
    pair.migrate_series("a-series-deny")
    acl = Opencast(server(pair.target)).series.acl("a-series-deny")
    assert acl is not None
    assert [ace for ace in acl.entries if not ace.allow] != []


def test_a_series_that_is_gone_is_named(pair: Pair) -> None:
    with pytest.raises(ObjectGone, match="no-such-series is not on the source"):
        pair.migrate_series("no-such-series")


def test_what_the_source_has_changed_is_an_update_in_the_next_plan(pair: Pair) -> None:
    pair.migrate_series(FULL)
    assert pair.plan(key="dag/2", include_themes=False)[FULL].reason == "done"
    Opencast(server(pair.source)).series.put_property(FULL, "live", "changed")
    assert pair.plan(key="dag/3", include_themes=False)[FULL].reason == "the source has changes since it was migrated"


def test_an_extended_catalog_goes_through_the_interface_that_fills_the_index_and_keeps_its_bytes(pair: Pair) -> None:
    pair.migrate_series(FULL)
    assert f"PUT /series/{FULL}/extendedMetadata/ext" in pair.writes()
    assert f"PUT /series/{FULL}/extendedMetadata/binary" not in pair.writes()
    source, target = (Opencast(server(s)).series for s in (pair.source, pair.target))
    for kind in ("ext", "binary"):
        assert target.element(FULL, kind) == source.element(FULL, kind)


def test_an_extended_catalog_that_the_server_writes_alike_is_written_once(pair: Pair) -> None:
    """Each change of an element makes new snapshots of the series' events."""
    target = Opencast(server(pair.target)).series
    pair.migrate_series("a-series-uml")
    source = Opencast(server(pair.source)).series
    source.put_extended_metadata("a-series-uml", "ext", source.element(FULL, "ext"))
    pair.target.requests.clear()
    assert pair.migrate_series("a-series-uml") == ("element ext",)
    assert pair.writes() == ["PUT /series/a-series-uml/extendedMetadata/ext"]
    assert target.element("a-series-uml", "ext") == source.element("a-series-uml", "ext")


def test_all_properties_arrive_and_blank_ones_are_named(pair: Pair) -> None:
    awkward = {"number": "007", "ü & ö": "<a=b>", "lines": "one\ntwo", "json": '{"a": [1]}'}
    pair.source.state.series[FULL].properties.update(awkward | {"blank": " "})
    with pair.bench() as bench:
        notes = bench.series_migrator().migrate(FULL).notes
    found = Opencast(server(pair.target)).series.properties(FULL)
    assert {name: found.get(name) for name in awkward} == awkward
    assert "Properties without a value cannot be written: blank." in notes


def test_properties_and_elements_that_only_the_target_has_stay(pair: Pair) -> None:
    pair.migrate_series(FULL)
    target = Opencast(server(pair.target)).series
    target.put_property(FULL, "theirs", "x")
    target.put_element(FULL, "theirs", b"x")
    assert pair.migrate_series(FULL) == ()
    assert target.properties(FULL)["theirs"] == "x"
    assert target.element(FULL, "theirs") == b"x"


def test_a_series_without_access_list_arrives_without_one(pair: Pair) -> None:
    source = Opencast(server(pair.source))
    catalog = source.series.dublincore("a-series-empty")
    pair.source.state.series["a-series-empty"].acl = None
    pair.migrate_series("a-series-empty")
    target = Opencast(server(pair.target)).series
    assert target.acl("a-series-empty") is None
    assert target.dublincore("a-series-empty").canonical() == catalog.canonical()


@pytest.mark.parametrize(
    ("identifier", "title"), [("untitled", None), ("http://lms.example.edu/goto?target=crs_4711&x=y", "Ein Kurs")]
)
def test_series_of_other_systems_arrive(pair: Pair, identifier: str, title: str | None) -> None:
    add_series(pair.source, identifier, title)
    assert pair.plan()[identifier].is_work
    pair.migrate_series(identifier)
    source, target = (read_series(Opencast(server(s)).series, identifier) for s in (pair.source, pair.target))
    assert source is not None and target is not None
    assert (target.title, source.differences(target)) == (title or "", [])
    assert pair.plan("dag/again")[identifier].action is Action.SKIP


def test_a_series_without_a_usable_id_is_named_by_the_plan(pair: Pair) -> None:
    add_series(pair.source, "../x", "No usable id")
    item = pair.plan()["../x"]
    assert (item.kind, item.action) == (Kind.SERIES, Action.CANNOT)
