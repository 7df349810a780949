"""Two servers compared completely: five lists, the first difference of each object, and nothing is changed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.audit.options import AuditOptions, Side
from opencast.errors import Forbidden, InvalidFilter, PreflightFailed
from opencast.model.acl import Ace, Acl
from opencast.store.audits import Outcome

from tests.migration.pair import Pair, server
from tests.simulator import User
from tests.simulator.driver import Driver

EVENT = "a-ev-two-streams"
SCHEDULED = "a-sched-future"
Audit = Callable[..., Any]


def _changes(pair: Pair) -> list[str]:
    requests = [*pair.source.requests.all(), *pair.target.requests.all()]
    return [f"{r.method} {r.path}" for r in requests if r.method not in {"GET", "HEAD"}]


def _archive_again(opencast: Opencast, identifier: str, old: str, new: str) -> None:
    """Take a snapshot in which a text of the package is another one."""
    xml = opencast.assets.episode_xml(identifier).decode()
    assert old in xml
    opencast.assets.snapshot(xml.replace(old, new).encode())


# --- the five lists ---------------------------------------------------------------------------------------------------


def test_after_a_migration_everything_is_the_same(pairs: Callable[..., Pair], audit: Audit) -> None:
    pair = pairs()
    pair.migrate_all(include_failed=True, past_schedules="schedule")
    found = audit(pair)
    wrong = {name: (f.outcome, f.detail) for name, f in found.compared.items() if f.outcome is not Outcome.SAME}
    assert {name for name in wrong if name.startswith(("a-ev", "a-sched", "a-series"))} == set()
    assert EVENT in found.compared
    assert SCHEDULED in found.compared


def test_what_one_server_lacks_is_in_the_list_of_the_other(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    target = Opencast(server(pair.target))
    target.assets.snapshot(target.assets.episode_xml(EVENT).replace(EVENT.encode(), b"foreign"))
    found = audit(pair).compared
    assert found["a-ev-fast"].outcome is Outcome.ONLY_SOURCE
    assert found["foreign"].outcome is Outcome.ONLY_TARGET
    assert found[EVENT].outcome is Outcome.SAME


def test_a_difference_is_named(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    _archive_again(Opencast(server(pair.target)), EVENT, "presenter/source", "presenter/other")
    found = audit(pair).compared[EVENT]
    assert found.outcome is Outcome.DIFFERENT
    assert "flavor: expected presenter/source, found presenter/other" in found.detail


def test_what_was_retracted_on_the_source_since_is_a_difference(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    source = Driver(pair.source)
    assert source.run(source.archived(EVENT), [("retract-engage", {}), ("snapshot", {})])[0] == "SUCCEEDED"
    found = audit(pair).compared[EVENT]
    assert found.outcome is Outcome.DIFFERENT
    assert "the publication engage-player was retracted on the source and is on the target still" in found.detail


def test_another_file_is_a_difference(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=["a-ev-archive-only"])
    target = Opencast(server(pair.target))
    other = Opencast(server(pair.source)).assets.episode("a-ev-no-media").attachments[-1]
    track = target.assets.episode("a-ev-archive-only").tracks[0]
    with Opencast(server(pair.source)).client.open_download(other.url or "") as download:
        data = b"".join(download.iter(65536))
    from io import BytesIO

    url = target.files.put("a-ev-archive-only", "other", "x.bin", BytesIO(data), len(data))
    xml = target.assets.episode_xml("a-ev-archive-only").decode()
    checksum = f'<checksum type="md5">{track.checksum.value if track.checksum else ""}</checksum>'
    target.assets.snapshot(xml.replace(track.url or "", url).replace(checksum, "").encode())
    found = audit(pair).compared["a-ev-archive-only"]
    assert found.outcome is Outcome.DIFFERENT
    assert "checksum" in found.detail


def test_another_access_list_is_a_difference(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    Opencast(server(pair.target)).events.put_acl(EVENT, Acl((Ace("ROLE_EVERYBODY", "read"),)))
    found = audit(pair).compared[EVENT]
    assert found.outcome is Outcome.DIFFERENT
    assert any("ROLE_EVERYBODY" in text for text in (found.detail, *found.notes)) or found.count > 1


def test_what_cannot_be_read_is_a_finding_and_the_rest_goes_on(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    pair.target.faults.add(f"/assets/episode/{EVENT}", status=500)
    found = audit(pair).compared
    assert found[EVENT].outcome is Outcome.UNREADABLE
    assert "500" in found[EVENT].detail
    assert found["a-ev-fast"].outcome is Outcome.ONLY_SOURCE


def test_a_scheduled_event_with_another_plan_is_different(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[SCHEDULED])
    recordings = Opencast(server(pair.target)).recordings
    plan = recordings.schedule(SCHEDULED)
    assert plan is not None
    recordings.update(SCHEDULED, replace(plan, agent="elsewhere"))
    found = audit(pair).compared[SCHEDULED]
    assert (found.outcome, found.detail) == (Outcome.DIFFERENT, "agent: expected a-hall-a, found elsewhere")


def test_series_are_compared_with_their_properties(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    assert audit(pair).compared["a-series-algorithms"].outcome is Outcome.SAME
    Opencast(server(pair.target)).series.put_element("a-series-algorithms", "ext", b"other")
    found = audit(pair).compared["a-series-algorithms"]
    assert found.outcome is Outcome.DIFFERENT
    assert "ext" in found.detail


def test_agents_and_playlists_are_compared(pair: Pair, audit: Audit) -> None:
    found = audit(pair)
    kinds = {(f.kind, f.outcome) for f in found.findings}
    assert ("agent", Outcome.ONLY_SOURCE) in kinds
    assert ("theme", Outcome.ONLY_SOURCE) in kinds


def test_all_files_are_read_when_bytes_are_to_be_compared(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    for simulator in (pair.source, pair.target):
        simulator.requests.clear()
    assert audit(pair, verify="bytes").compared[EVENT].outcome is Outcome.SAME
    read = {r.path for r in pair.source.requests.all(prefix="/assets/assets/")}
    package = Opencast(server(pair.source)).assets.episode(EVENT)
    assert {(e.url or "").removeprefix(pair.source.url) for e in package.elements} <= read


# --- nothing is changed, and everything is written down ---------------------------------------------------------------


def test_an_audit_only_reads(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    for simulator in (pair.source, pair.target):
        simulator.requests.clear()
    audit(pair, check_publications="both")
    assert _changes(pair) == []


def test_the_lists_are_written(pair: Pair, audit: Audit) -> None:
    pair.migrate_all(events=[EVENT])
    report = audit(pair).report
    names = {path.name for path in report.folder.iterdir()}
    assert {
        "same.txt", "different.txt", "only_on_source.txt", "only_on_target.txt", "unreadable.txt",
        "broken_publications.txt", "report.html", "report.json", "report.csv",
    } <= names  # fmt: skip
    assert f"event\t{EVENT}\tTwo streams, captions, slides\t\n" in (report.folder / "same.txt").read_text()
    rows = list(csv.DictReader((report.folder / "report.csv").open()))
    assert {row["outcome"] for row in rows if row["identifier"] == "a-ev-fast"} == {"only on source"}
    document = json.loads((report.folder / "report.json").read_text())
    assert document["counts"]["comparison"]["same"] >= 1


def test_the_page_shows_titles_as_text(pair: Pair, audit: Audit) -> None:
    page = (audit(pair).report.folder / "report.html").read_text()
    assert "Algorithms &amp; Data Structures &lt;2021&gt;" in page
    assert "only on source" in page.lower()


def test_a_second_try_replaces_what_the_first_found(pair: Pair, audit: Audit) -> None:
    first = audit(pair)
    second = audit(pair)
    assert len(second.findings) == len(first.findings)


# --- what is asked for ------------------------------------------------------------------------------------------------


def test_the_same_server_twice_is_refused(pair: Pair, audit: Audit) -> None:
    same = Pair(pair.source, pair.source, pair.database, pair.settings)
    with pytest.raises(PreflightFailed, match="the same server"):
        audit(same)


def test_an_account_that_sees_a_part_only_is_refused(pairs: Callable[..., Pair], audit: Audit) -> None:
    pair = pairs(target={"users": (User("admin", "opencast", "Somebody", ("ROLE_API", "ROLE_ANONYMOUS")),)})
    with pytest.raises(Forbidden, match="no administrator"):
        audit(pair)


def test_without_a_target_the_source_is_checked() -> None:
    assert AuditOptions.from_params({"target": " "}).check_publications is Side.SOURCE
    assert AuditOptions.from_params({"target": None, "check_publications": "both"}).sides == (Side.SOURCE, Side.TARGET)


def test_a_bad_param_is_named() -> None:
    with pytest.raises(InvalidFilter, match="events_per_task"):
        AuditOptions.from_params({"events_per_task": 0})


def test_reports_go_to_the_folder_of_the_run(pair: Pair, audit: Audit) -> None:
    assert audit(pair).report.folder.parent == Path(pair.settings.reports)


def test_an_event_that_was_deleted_since_it_was_listed_is_called_so(pair: Pair, audit: Audit) -> None:
    for side in (pair.source, pair.target):
        gone = f"/(assets/episode|api/events)/{EVENT}$"
        side.faults.add(gone, status=404, body=b"Cannot find an event with that id.")
    pair.target.state.events[EVENT] = pair.source.state.events[EVENT]
    found = audit(pair).compared[EVENT]
    assert "deleted since" in found.detail
