"""Trouble with one object costs that object only; its reason is named, and nothing half-done counts as done."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import FilterMatchesNothing, InvalidFilter, OpencastError, Unreachable
from opencast.migration.mediapackage import Progress
from opencast.model.acl import Ace, Acl
from opencast.model.flavor import Flavor
from opencast.model.workflow_definition import Operation, WorkflowDefinition
from opencast.store.ledger import State
from opencast.store.plans import Action

from tests.migration.pair import Pair, finish, server

EVENT = "a-ev-two-streams"
#: Its video is nowhere else on the source.
UNPUBLISHED = "a-ev-archive-only"


def test_a_filter_without_hits_is_an_error_that_names_it(pair: Pair) -> None:
    with pytest.raises(FilterMatchesNothing, match=r"matches the filter text \(text = 'no such lecture'\)"):
        pair.plan(text="no such lecture")
    assert pair.writes() == []


def test_filters_that_match_nothing_together_are_named_together(pair: Pair) -> None:
    with pytest.raises(FilterMatchesNothing, match="events, presenters together"):
        pair.plan(events=["a-ev-no-media"], presenters=["Ada Lovelace"])


def test_a_window_that_ends_before_it_begins_is_an_error(pair: Pair) -> None:
    with pytest.raises(InvalidFilter, match=r"created_from .* must lie before created_to"):
        pair.plan(created_from="2024-01-02", created_to="2024-01-01")


def test_an_event_that_the_source_does_not_have_is_named(pair: Pair) -> None:
    items = pair.plan(events=[EVENT, "nobody-knows-it"])
    assert items["nobody-knows-it"].action is Action.CANNOT
    assert items[EVENT].action is Action.MIGRATE


def test_an_event_deleted_during_the_run_fails_alone(pair: Pair) -> None:
    pair.plan(events=[EVENT])
    Opencast(server(pair.source)).events.delete(EVENT)
    entry = pair.migrate(EVENT)
    assert entry.state is State.FAILED
    assert "not on the source" in entry.reason or "no snapshot on the source" in entry.reason


def _run_something(opencast: Opencast, event: str) -> None:
    definition = WorkflowDefinition("busy", "Busy", (Operation("snapshot"), Operation("cleanup")))
    opencast.workflows.start(definition.to_xml(), opencast.assets.episode_xml(event))


def test_an_event_with_a_running_workflow_is_left_for_later(pairs: Callable[..., Pair]) -> None:
    pair = pairs(source={"operation_seconds": 30.0})
    _run_something(Opencast(server(pair.source)), EVENT)
    entry = pair.migrate(EVENT)
    assert entry.state is State.SKIPPED
    assert "active workflow on the source" in entry.reason


def test_a_workflow_that_runs_on_the_target_is_not_disturbed(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"operation_seconds": 30.0, "library": "recorded"})
    _run_something(Opencast(server(pair.target)), EVENT)
    entry = pair.migrate(EVENT)
    assert entry.state is State.SKIPPED
    assert "active workflow on the target" in entry.reason


def test_a_damaged_file_fails_the_event_and_nothing_is_imported(pair: Pair) -> None:
    track = Opencast(server(pair.source)).assets.episode(UNPUBLISHED).tracks[0]
    _overwrite(pair.source.storage / "archive", f"{track.id}.mp4", b"not the video at all")
    entry = pair.migrate(UNPUBLISHED)
    assert entry.state is State.FAILED
    assert str(track.id) in entry.reason
    assert Opencast(server(pair.target)).assets.find(UNPUBLISHED) is None


def _overwrite(folder: Path, name: str, data: bytes) -> None:
    paths = list(folder.rglob(name))
    assert paths
    for path in paths:
        size = path.stat().st_size
        path.unlink()
        path.write_bytes(data.ljust(size, b"\0"))  # another length would be taken for a transfer that broke off


def test_a_failed_event_is_migrated_by_the_next_run(pair: Pair) -> None:
    track = Opencast(server(pair.source)).assets.episode(UNPUBLISHED).tracks[0]
    path = next((pair.source.storage / "archive").rglob(f"{track.id}.mp4"))
    good = path.read_bytes()
    _overwrite(pair.source.storage / "archive", path.name, b"broken")
    assert pair.migrate(UNPUBLISHED).state is State.FAILED
    _overwrite(pair.source.storage / "archive", path.name, good)
    item = pair.plan(key="dag/second", events=[UNPUBLISHED])[UNPUBLISHED]
    assert item.reason.startswith("failed before: ")
    assert pair.migrate(UNPUBLISHED, key="dag/second").state is State.DONE


def test_a_failed_event_leaves_no_file_on_the_target_and_no_slot(pair: Pair) -> None:
    package = Opencast(server(pair.source)).assets.episode(UNPUBLISHED)
    last = package.elements[-1]
    _overwrite(pair.source.storage / "archive", f"{last.id}.{last.file_name.rpartition('.')[2]}", b"broken")
    assert pair.migrate(UNPUBLISHED).state is State.FAILED
    files = pair.target.storage / "files" / "mediapackage"
    assert [path for path in files.rglob("*") if path.is_file()] == []
    with pair.bench() as bench:
        assert bench.imports.load(UNPUBLISHED) is None


def test_a_half_import_of_the_same_id_is_completed(pair: Pair) -> None:
    """The catalogs alone are on the target, as after an import that failed there."""
    source, target = Opencast(server(pair.source)), Opencast(server(pair.target))
    catalog = source.assets.episode(EVENT).catalogs[0]
    definition = WorkflowDefinition("half", "Half an import", (Operation("no-such-operation"),))
    with source.client.open_download(catalog.url or "") as download:
        data = b"".join(download.iter(65536))
    url = target.files.put(EVENT, catalog.id or "", catalog.file_name, io.BytesIO(data), len(data))
    package = dataclasses.replace(
        source.assets.episode(EVENT), elements=(dataclasses.replace(catalog, url=url),), publications=()
    )
    instance = target.workflows.start(definition.to_xml(), package.to_xml())
    while not target.workflows.get(instance.id).state.is_final:
        pass
    assert target.assets.find(EVENT) is not None
    assert pair.migrate(EVENT).state is State.DONE


def test_another_recording_of_the_same_id_is_not_overwritten(pairs: Callable[..., Pair], tmp_path: Path) -> None:
    pair = pairs(target={"library": "recorded"})
    target = Opencast(server(pair.target))
    package = target.assets.episode(EVENT)
    other = dataclasses.replace(package.tracks[0], id="another-recording")
    target.assets.snapshot(dataclasses.replace(package, elements=(*package.elements, other)).to_xml())
    before = pair.writes()
    entry = pair.migrate(EVENT)
    assert entry.state is State.FAILED
    assert "track another-recording that the source does not have" in entry.reason
    assert "set the param existing to overwrite" in entry.reason
    assert [write for write in pair.writes() if write not in before] == []


def test_a_workflow_that_fails_on_the_target_is_named(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"without_handlers": frozenset({"snapshot"})})
    entry = pair.migrate(EVENT)
    assert entry.state is State.FAILED
    assert "which imports archive of mediapackage" in entry.reason
    assert "ended as FAILED" in entry.reason


def test_a_task_that_is_killed_after_any_step_goes_on_where_it_was(pair: Pair) -> None:
    """Each attempt is a new process that knows only the store; whatever it did, nothing is done twice."""
    attempts = 0
    progress = Progress.WAITING
    while progress is not Progress.IMPORTED:
        with pair.bench() as bench:
            progress = bench.mediapackage_migrator(EVENT, "dag/run").begin()
        attempts += 1
        assert attempts < 2000
    with pair.bench() as bench:
        finish(bench.mediapackage_migrator(EVENT, "dag/run"), progress)
    starts = [write for write in pair.writes() if write == "POST /workflow/start"]
    assert len(starts) == 3  # engage-player, api, archive
    uploads = [write for write in pair.writes() if write.startswith("POST /files/")]
    assert len(uploads) == len(set(uploads))


def test_a_start_whose_answer_was_lost_is_found_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.bench() as bench:
        migrator = bench.mediapackage_migrator(EVENT, "dag/run")
        real = bench.target.workflows.start

        def lost(definition: bytes, mediapackage: bytes) -> None:
            real(definition, mediapackage)
            raise Unreachable("The connection broke.")

        monkeypatch.setattr(bench.target.workflows, "start", lost)
        with pytest.raises(Unreachable):
            migrator.begin()
    assert pair.migrate(EVENT).state is State.DONE
    assert pair.writes().count("POST /workflow/start") == 3


def test_slots_on_the_target_are_limited(pair: Pair) -> None:
    with pair.bench(imports_in_flight=1) as bench:
        assert bench.imports.claim("another", "dag/run", 1)
        assert bench.mediapackage_migrator(EVENT, "dag/run").begin() is Progress.NO_SLOT
        bench.imports.release("another")
        assert bench.mediapackage_migrator(EVENT, "dag/run").begin() is Progress.WAITING


def test_an_error_of_the_params_is_told_before_any_server_is_asked(pair: Pair) -> None:
    with pytest.raises(OpencastError, match="There is no time zone 'Mars/Olympus'"):
        pair.bench(timezone="Mars/Olympus").options.selection()
    assert pair.source.requests.count == 0


def test_a_damaged_published_copy_is_replaced_by_the_archived_one(pair: Pair) -> None:
    """Two places on the source hold the same bytes by their checksums; one of them is enough."""
    _overwrite(pair.source.storage / "downloads" / "mh_default_org" / "engage-player" / EVENT, "screen.mp4", b"damaged")
    assert pair.migrate(EVENT).state is State.DONE


def test_a_published_policy_that_the_source_has_replaced_comes_over_as_it_is(pair: Pair) -> None:
    """A real 17 distributes a series' new access list, and its archive keeps the checksum of the published old one."""
    source = Opencast(server(pair.source))
    series = source.assets.episode(EVENT).series or ""
    before = source.series.acl(series)
    assert before is not None
    source.series.put_acl(series, Acl((*before.entries, Ace("ROLE_LATER", "read"))))
    archived = source.assets.episode(EVENT).by_flavor(Flavor("security", "xacml+series"))[0]
    published = pair.source.storage / "downloads" / "mh_default_org" / "engage-player" / EVENT
    policy = next(published.glob("security-policy-series/*"))
    old = hashlib.md5(policy.read_bytes(), usedforsecurity=False).hexdigest()
    kept = pair.source.state.events[EVENT].latest
    assert kept is not None
    for publication in kept.load().package.publications:
        for element in publication.elements:
            element.checksum = ("md5", old) if element.flavor == "security/xacml+series" else element.checksum
    policy.unlink()
    policy.write_bytes(source.client.get((archived.url or "").removeprefix(source.client.base_url)).content)
    entry = pair.migrate(EVENT)
    assert entry.state is State.DONE, entry.reason
    assert any("its file is whole, and migrated as it is" in note for note in entry.notes)
