"""What a plan does with an object, by what the ledger says of it."""

from __future__ import annotations

import pytest
from opencast.api.opencast import Opencast
from opencast.migration.decisions import Repeat, decide
from opencast.store.base import utc_now
from opencast.store.ledger import Entry, Kind, State, Traffic
from opencast.store.plans import Action

from tests.migration.pair import Pair, server

EVENT = "a-ev-archive-only"


def entry(state: State, version: str | None = "1", reason: str = "") -> Entry:
    return Entry(Kind.MEDIAPACKAGE, "ev", "T", state, reason, version, utc_now(), None, Traffic(), (), "dag/run")


@pytest.mark.parametrize(
    ("known", "repeat", "action", "reason"),
    [
        (None, True, Action.MIGRATE, "not migrated yet"),
        (entry(State.DONE), True, Action.SKIP, "done"),
        (entry(State.DONE, "0"), True, Action.UPDATE, "the source has a newer snapshot since it was migrated"),
        (entry(State.FAILED, reason="no room"), True, Action.MIGRATE, "failed before: no room"),
        (entry(State.FAILED, reason="no room"), False, Action.SKIP, "failed before, and unchanged since: no room"),
        (entry(State.FAILED, "0", "no room"), False, Action.MIGRATE, "failed before: no room"),
        (entry(State.SKIPPED, reason="busy"), False, Action.MIGRATE, "skipped before: busy"),
        (entry(State.RUNNING), False, Action.MIGRATE, "running before"),
    ],
)
def test_the_ledger_and_the_version_decide(known: Entry | None, repeat: bool, action: Action, reason: str) -> None:
    assert decide(known, "1", "a newer snapshot", Repeat(failed=repeat)) == (action, reason)


def test_what_is_done_is_looked_at_again_when_asked_for() -> None:
    again = Repeat(done=True)
    assert decide(entry(State.DONE), "1", "changes", again) == (Action.UPDATE, "done before, looked at again")
    assert decide(entry(State.DONE), "2", "changes", again)[1] == "the source has changes since it was migrated"


def test_what_was_deleted_on_the_target_comes_again_when_asked_for(pair: Pair) -> None:
    pair.migrate_all(events=[EVENT])
    target = Opencast(server(pair.target))
    target.events.delete(EVENT)
    assert not target.events.exists(EVENT)
    assert pair.plan(key="dag/second", events=[EVENT])[EVENT].action is Action.SKIP
    again = pair.plan(key="dag/third", events=[EVENT], repeat_done=True)
    assert {item.action for item in again.values() if item.kind in {Kind.MEDIAPACKAGE, Kind.SERIES}} == {Action.UPDATE}
    assert pair.migrate(EVENT, "dag/third").state is State.DONE
    assert target.assets.episode(EVENT).tracks


def test_what_failed_is_left_until_the_source_changes_it(pair: Pair) -> None:
    for path in (pair.source.storage / "archive").rglob("*.mp4"):
        if EVENT in path.parts:
            path.unlink()
            path.write_bytes(b"damaged")
    assert pair.migrate(EVENT).state is State.FAILED
    assert pair.plan(key="dag/second", events=[EVENT], repeat_failed=False)[EVENT].action is Action.SKIP
    assert pair.plan(key="dag/third", events=[EVENT])[EVENT].action is Action.MIGRATE
