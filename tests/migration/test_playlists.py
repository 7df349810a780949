"""Playlists: entries in their order, rights, their own ids; nothing written twice; dangling entries kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.api.playlists import Playlist, PlaylistEntry
from opencast.errors import MigrationError, ObjectGone, VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.model.acl import Ace, Acl
from opencast.store.ledger import Kind, State
from opencast.store.plans import Action

from tests.migration.pair import Pair, server

#: Holds a-ev-fast and a-ev-two-streams.
RECORDED = "f35df1c2-8a47-45b1-8c11-f2bc413b19ee"
#: Holds an event that the recorded library does not have.
SMOKE = "2c244276-4474-4661-b331-55039f44a427"


def migrate(pair: Pair, identifier: str = RECORDED) -> Migrated:
    with pair.bench() as bench:
        return bench.playlist_migrator().migrate(identifier)


def same(pair: Pair, identifier: str = RECORDED) -> bool:
    one, two = (Opencast(server(s)).playlists.get(identifier) for s in (pair.source, pair.target))
    return replace(one, updated=None, acl=Acl()) == replace(two, updated=None, acl=Acl()) and one.acl.same_as(two.acl)


def test_a_playlist_arrives_under_its_id(pair: Pair) -> None:
    assert migrate(pair).written == ("playlist",)
    assert same(pair)


def test_an_equal_playlist_is_not_written_again(pair: Pair) -> None:
    migrate(pair)
    before = pair.writes()
    assert migrate(pair).written == ()
    assert pair.writes() == before


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({"title": "New <title> & Ü"}, ("title",)),
        ({"description": ""}, ("description",)),
        ({"creator": "Ada"}, ("creator",)),
        ({"entries": (PlaylistEntry("b"), PlaylistEntry("a"), PlaylistEntry("a"))}, ("entries",)),
        ({"entries": ()}, ("entries",)),
        ({"acl": Acl((Ace("ROLE_X", "write"), Ace("ROLE_Y", "read", False)))}, ("rights",)),
        ({"acl": Acl()}, ("rights",)),
    ],
)
def test_a_changed_playlist_is_made_equal_again(pair: Pair, change: dict[str, Any], written: tuple[str]) -> None:
    migrate(pair)
    source = Opencast(server(pair.source)).playlists
    source.update(replace(source.get(RECORDED), **change))
    assert migrate(pair).written == written
    assert same(pair)


def test_entries_of_events_that_are_not_there_are_kept_and_named(pair: Pair) -> None:
    done = migrate(pair, SMOKE)
    assert same(pair, SMOKE)
    assert done.notes == (
        "1 of its events are not on the target; their entries are kept: fbaf8ac3-9fb9-4d97-9984-472f26b1ac03.",
    )


def test_a_hundred_unknown_events_are_named_in_part(pair: Pair) -> None:
    entries = tuple(PlaylistEntry(f"unknown-{number:03}") for number in range(100))
    Opencast(server(pair.source)).playlists.create(Playlist("long", "Long", entries=entries))
    done = migrate(pair, "long")
    assert same(pair, "long")
    assert done.notes[0].startswith("100 of its events") and done.notes[0].endswith("unknown-009, ....")


def test_the_id_of_a_deleted_playlist_is_explained(pair: Pair) -> None:
    migrate(pair)
    Opencast(server(pair.target)).playlists.delete(RECORDED)
    with pytest.raises(MigrationError, match="deleted on the target keeps the id"):
        migrate(pair)


def test_a_creation_whose_answer_is_lost_is_found_by_the_next_try(pair: Pair) -> None:
    pair.target.faults.add("^/api/playlists$", method="POST", drop=True, executed=True, times=1)
    with pytest.raises(Exception, match="may have been carried out"):
        migrate(pair)
    assert migrate(pair).written == ()


def test_what_does_not_arrive_is_noticed(pair: Pair) -> None:
    migrate(pair)
    source = Opencast(server(pair.source)).playlists
    source.update(replace(source.get(RECORDED), title="New"))
    pair.target.faults.add("^/api/playlists/", method="PUT", status=200, body=b'{"id": "x"}')
    with pytest.raises(VerificationFailed, match=f"{RECORDED} differs on the target: title"):
        migrate(pair)


def test_a_playlist_that_is_gone_is_named(pair: Pair) -> None:
    with pytest.raises(ObjectGone, match="no-such is not on the source"):
        migrate(pair, "no-such")


def test_one_broken_playlist_does_not_stop_the_others(pair: Pair) -> None:
    pair.plan()
    pair.source.faults.add(f"/api/playlists/{SMOKE}", status=403)
    pair.migrate_belongings(Kind.PLAYLIST)
    assert pair.entry(Kind.PLAYLIST, SMOKE).state is State.FAILED
    assert pair.entry(Kind.PLAYLIST, RECORDED).state is State.DONE


def test_playlists_of_selected_events_come_along_when_all_their_events_do(pair: Pair) -> None:
    both = pair.plan(events=["a-ev-fast", "a-ev-two-streams"])
    assert both[RECORDED].action is Action.MIGRATE
    assert SMOKE not in both
    one = pair.plan(key="dag/2", events=["a-ev-fast"])
    assert one[RECORDED].action is Action.SKIP
    assert one[RECORDED].reason == "1 of its events are neither selected nor migrated: a-ev-two-streams"


def test_an_event_that_was_migrated_before_counts_as_selected(pair: Pair) -> None:
    pair.migrate_all(events=["a-ev-two-streams"])
    assert pair.plan(key="dag/2", events=["a-ev-fast"])[RECORDED].action is Action.MIGRATE


def test_an_event_that_the_source_does_not_have_keeps_no_playlist_back(pair: Pair) -> None:
    entries = (PlaylistEntry("a-ev-fast"), PlaylistEntry("unknown"))
    Opencast(server(pair.source)).playlists.create(Playlist("mixed", "Mixed", entries=entries))
    assert pair.plan(events=["a-ev-fast"])["mixed"].action is Action.MIGRATE


def test_a_target_before_16_takes_none_and_says_so(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"generation": 15})
    item = pair.plan()[RECORDED]
    assert (item.action, item.reason) == (
        Action.CANNOT, "The target (15.11.0) has no playlists: they came with version 16.",
    )  # fmt: skip


def test_a_source_before_16_is_not_asked(pairs: Callable[..., Pair]) -> None:
    pair = pairs(library="recorded-15", source={"generation": 15})
    assert not [item for item in pair.plan().values() if item.kind is Kind.PLAYLIST]
    assert pair.source.requests.all(prefix="/api/playlists") == []
