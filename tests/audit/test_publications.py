"""One server checked: every publication is there, its files answer, and what the player shows is archived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.store.audits import Check, Outcome

from tests.migration.pair import Pair, server

EVENT = "a-ev-two-streams"
Audit = Callable[..., Any]


@pytest.fixture
def check(pair: Pair, audit: Audit) -> Callable[[], Any]:
    """Check the source alone."""
    return lambda: audit(pair, target="").of(Check.PUBLICATIONS_OF_SOURCE)


def _published(pair: Pair, channel: str = "engage-player") -> str:
    """Return the path of a published video."""
    publication = Opencast(server(pair.source)).assets.episode(EVENT).publication(channel)
    assert publication is not None
    return (publication.tracks[0].url or "").split("/static/", 1)[1]


def test_a_sound_library_is_sound(check: Callable[[], Any]) -> None:
    found = check()
    assert {name: f.detail for name, f in found.items() if f.outcome is Outcome.BROKEN} == {}
    assert found[EVENT].outcome is Outcome.SOUND


def test_what_is_not_published_is_not_checked(check: Callable[[], Any]) -> None:
    assert "a-ev-archive-only" not in check()


def test_a_missing_file_is_named_with_its_channel(pair: Pair, check: Callable[[], Any]) -> None:
    (pair.source.storage / "downloads" / _published(pair)).unlink()
    found = check()[EVENT]
    assert found.outcome is Outcome.BROKEN
    assert found.detail.startswith("engage-player: track ")
    assert found.detail.endswith("is missing")


def test_a_file_of_another_size_is_named(pair: Pair, check: Callable[[], Any]) -> None:
    path = pair.source.storage / "downloads" / _published(pair, "api")
    path.unlink()
    path.write_bytes(b"short")
    found = check()[EVENT]
    assert (found.outcome, "has 5 bytes instead of" in found.detail) == (Outcome.BROKEN, True)


def test_an_empty_answer_of_a_proxy_is_noticed(pair: Pair, check: Callable[[], Any]) -> None:
    pair.source.faults.add(
        f"/static/{_published(pair)}$", status=200, body=b"", headers={"x-accel-redirect": "/protected/x"}
    )
    assert "came without content" in check()[EVENT].detail


def test_a_publication_that_only_the_list_names_is_named(pair: Pair, check: Callable[[], Any]) -> None:
    pair.source.state.event_index.update(EVENT, lambda old: old and replace(old, channels=(*old.channels, "lost")))
    assert check()[EVENT].detail == "the list names the publication lost, which its archive has not"


def test_an_episode_of_the_player_without_archive_is_found(pair: Pair, check: Callable[[], Any]) -> None:
    held = pair.source.state.published[EVENT]
    package = replace(held.package.clone(), id="ghost")
    pair.source.state.published["ghost"] = replace(held, load=lambda: package)
    found = check()
    assert found["ghost"].kind == "index"
    assert found["ghost"].detail == "it is in the player's index, and nothing of it is archived"


def test_an_event_that_the_player_does_not_know_is_found(pair: Pair, check: Callable[[], Any]) -> None:
    pair.source.state.published.pop("a-ev-fast")
    details = [f.detail for f in check().values() if f.identifier == "a-ev-fast"]
    assert "it is published on engage-player, and not in the player's index" in details


@pytest.mark.parametrize("generation", [17, 15])
def test_both_generations_can_be_checked(pairs: Callable[..., Pair], audit: Audit, generation: int) -> None:
    pair = pairs(library="recorded", source={"generation": generation})
    found = audit(pair, target=None).of(Check.PUBLICATIONS_OF_SOURCE)
    assert {f.outcome for f in found.values()} == {Outcome.SOUND}
