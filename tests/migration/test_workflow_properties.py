"""Workflow properties of events: all of the source's, none of the import's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.migration.workflow_properties import WorkflowPropertyMigrator
from opencast.store.ledger import State

from tests.migration.pair import Pair, server

EVENT = "a-ev-fast"
WITHOUT = "a-ev-archive-only"


def migrate(pair: Pair, event: str = EVENT) -> Migrated:
    return WorkflowPropertyMigrator(Opencast(server(pair.source)), Opencast(server(pair.target))).migrate(event)


def of(pair: Pair, event: str = EVENT, *, source: bool = False) -> dict[str, str]:
    return Opencast(server(pair.source if source else pair.target)).assets.workflow_properties(event)


@pytest.mark.parametrize("event", [EVENT, WITHOUT, "a-ev-two-streams"])
def test_after_an_import_the_properties_are_exactly_the_sources(pair: Pair, event: str) -> None:
    assert pair.migrate_all(events=[event])[event].state is State.DONE
    assert of(pair, event) == of(pair, event, source=True)


def test_awkward_names_and_values_arrive(pair: Pair) -> None:
    awkward = {"a=b": "c&d", "ü": "Ä\nö\t", "empty": "", "number": "007", "flag": "true", "json": '{"a": ["b"]}'}
    pair.source.state.events[EVENT].workflow_properties.update(awkward)
    pair.migrate_all(events=[EVENT])
    assert of(pair) == of(pair, source=True)
    assert of(pair)["a=b"] == "c&d"


def test_only_what_differs_is_written(pair: Pair) -> None:
    pair.migrate_all(events=[EVENT])
    before = pair.writes()
    assert migrate(pair).written == ()
    assert pair.writes() == before
    Opencast(server(pair.target)).assets.set_workflow_properties(EVENT, {"comment": "other"})
    assert migrate(pair).written == ("1 workflow properties",)
    assert of(pair) == of(pair, source=True)


def test_properties_that_only_the_target_has_are_named(pair: Pair) -> None:
    pair.migrate_all(events=[EVENT])
    Opencast(server(pair.target)).assets.set_workflow_properties(EVENT, {"theirs": "x"})
    assert migrate(pair).notes == (
        "The target's event has further workflow properties, which cannot be removed: theirs.",
    )


def test_properties_that_do_not_arrive_are_noticed(pair: Pair) -> None:
    pair.target.faults.add("/workflowProperties$", method="POST", status=204)
    entry = pair.migrate_all(events=[EVENT])[EVENT]
    assert entry.state is State.FAILED
    assert "workflow property 'comment' of event a-ev-fast is not on the target" in entry.reason


def test_without_the_option_none_are_written(pair: Pair) -> None:
    pair.migrate_all(events=[EVENT], include_workflow_properties=False)
    assert of(pair) == {}


def test_a_server_before_6_kept_none(pairs: Callable[..., Pair]) -> None:
    pair = pairs(source={"version": "5.5.0"})
    assert migrate(pair).written == ()
    assert pair.source.requests.all(prefix="/assets") == []


def test_an_event_that_is_not_archived_on_the_target_is_an_error(pair: Pair) -> None:
    with pytest.raises(Exception, match="404"):
        migrate(pair)


def test_verification_names_the_first_missing_property(pair: Pair) -> None:
    pair.migrate_all(events=[EVENT], include_workflow_properties=False)
    pair.target.faults.add("/workflowProperties$", method="POST", status=204)
    with pytest.raises(VerificationFailed, match="'comment'"):
        migrate(pair)
