"""Audits in the store: findings by check and outcome, replaced when a task is tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from opencast.store.audits import Audits, Check, Finding, Outcome
from opencast.store.database import Database

KEY = "opencast_audit/run"


@pytest.fixture
def audits(tmp_path: Path) -> Audits:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    audits = Audits(database)
    audits.begin(KEY, "http://a#org", "http://b#org", {"verify": "sample"})
    return audits


def found(identifier: str, outcome: Outcome, check: Check = Check.COMPARISON, detail: str = "") -> Finding:
    return Finding(check, "event", identifier, f"Title of {identifier}", outcome, detail, int(bool(detail)))


def test_findings_come_back_by_outcome(audits: Audits) -> None:
    different = found("b", Outcome.DIFFERENT, detail="title: expected 'x', found 'y'")
    audits.write(KEY, [found("a", Outcome.SAME), different, found("c", Outcome.ONLY_SOURCE)])
    assert list(audits.findings(KEY, outcome=Outcome.DIFFERENT)) == [different]
    assert [finding.identifier for finding in audits.findings(KEY)] == ["a", "b", "c"]


def test_each_check_is_counted_by_itself(audits: Audits) -> None:
    audits.write(KEY, [found("a", Outcome.SAME), found("b", Outcome.SAME)])
    audits.write(KEY, [found("a", Outcome.BROKEN, Check.PUBLICATIONS_OF_TARGET, "gone")])
    assert audits.counts(KEY) == {
        Check.COMPARISON: {Outcome.SAME: 2},
        Check.PUBLICATIONS_OF_TARGET: {Outcome.BROKEN: 1},
    }


def test_what_is_found_again_replaces_what_was_found_before(audits: Audits) -> None:
    audits.write(KEY, [found("a", Outcome.UNREADABLE, detail="no answer")])
    audits.write(KEY, [found("a", Outcome.SAME)])
    assert list(audits.findings(KEY)) == [found("a", Outcome.SAME)]


def test_an_audit_that_begins_again_forgets_its_findings(audits: Audits) -> None:
    audits.write(KEY, [found("a", Outcome.SAME)])
    audits.begin(KEY, "http://a#org", None, {})
    assert list(audits.findings(KEY)) == []
    head = audits.head(KEY)
    assert head is not None
    assert (head.target, head.ended) == (None, None)


def test_more_findings_than_one_statement_takes_are_written(audits: Audits) -> None:
    assert audits.write(KEY, (found(f"ev-{number}", Outcome.SAME) for number in range(1234))) == 1234
    assert audits.counts(KEY)[Check.COMPARISON][Outcome.SAME] == 1234


def test_an_audit_of_which_nothing_is_known_has_no_head(audits: Audits) -> None:
    assert audits.head("opencast_audit/other") is None
    audits.end(KEY)
    head = audits.head(KEY)
    assert head is not None
    assert head.ended is not None
