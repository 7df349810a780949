"""What a plan does with an object, by what the ledger says of it."""

from __future__ import annotations

import pytest
from opencast.migration.decisions import decide
from opencast.store.base import utc_now
from opencast.store.ledger import Entry, Kind, State, Traffic
from opencast.store.plans import Action

from tests.migration.pair import Pair

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
    assert decide(known, "1", "a newer snapshot", repeat_failed=repeat) == (action, reason)


def test_what_failed_is_left_until_the_source_changes_it(pair: Pair) -> None:
    for path in (pair.source.storage / "archive").rglob("*.mp4"):
        if EVENT in path.parts:
            path.unlink()
            path.write_bytes(b"damaged")
    assert pair.migrate(EVENT).state is State.FAILED
    assert pair.plan(key="dag/second", events=[EVENT], repeat_failed=False)[EVENT].action is Action.SKIP
    assert pair.plan(key="dag/third", events=[EVENT])[EVENT].action is Action.MIGRATE
