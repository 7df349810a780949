"""Each mistake of the previous tool, by its number in section 15.5 of the REST contract, would be caught here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from opencast.api.addresses import path
from opencast.api.opencast import Opencast
from opencast.errors import NotFound
from opencast.migration.mediapackage import Progress
from opencast.migration.probes import Prober
from opencast.model.acl import Ace, Acl
from opencast.model.workflow_definition import Operation, WorkflowDefinition
from opencast.store.ledger import Kind, State
from opencast.store.plans import Action

from tests.migration.pair import Pair, server

EVENT = "a-ev-two-streams"
#: Its media are nowhere else on the source.
ALONE = "a-ev-archive-only"
Pairs = Callable[..., Pair]


def _opencast(simulator: Any) -> Opencast:
    return Opencast(server(simulator))


def _requests(simulator: Any, prefix: str, method: str | None = None) -> list[str]:
    return [f"{e.method} {e.path}" for e in simulator.requests.all(method, prefix)]


def test_1_the_search_is_asked_in_the_language_of_its_version(pairs: Pairs) -> None:
    """15.5.1: only ``/search/episode.xml``, which is gone since 16."""
    pair = pairs()
    published = {hit.identifier for hit in _opencast(pair.source).search.episodes()}
    assert EVENT in published
    assert set(_requests(pair.source, "/search/")) == {"GET /search/episode.json"}


def test_2_what_exists_on_the_target_is_not_taken_for_migrated(pair: Pair) -> None:
    """15.5.2: half-imported events were skipped for ever. The slim snapshot of a failed start is such a half."""
    source, target = _opencast(pair.source), _opencast(pair.target)
    definition = WorkflowDefinition("half", "Half an import", (Operation("no-such-operation"),))
    target.workflows.start(definition.to_xml(), dataclasses.replace(source.assets.episode(ALONE), elements=()).to_xml())
    pair.target.wait_for_workflows()
    assert target.events.exists(ALONE)
    assert pair.plan(events=[ALONE])[ALONE].action is Action.MIGRATE
    assert pair.migrate(ALONE).state is State.DONE
    assert target.assets.episode(ALONE).tracks


def test_3_urls_that_begin_alike_are_not_mixed_up(pair: Pair) -> None:
    """15.5.3: urls were replaced as text, so that one which is the beginning of another broke both."""
    snapshot = pair.source.state.events[ALONE].latest
    assert snapshot is not None
    contents = snapshot.load()
    track = contents.package.of_kind("track")[0]
    twin = track.clone()
    twin.id = f"{track.id}-more"
    twin.url = f"{track.url}.mp4"
    contents.package.elements.append(twin)
    contents.assets[twin.id] = dataclasses.replace(contents.assets[str(track.id)], element=twin.id)
    assert pair.migrate(ALONE).state is State.DONE
    there = {e.id: e.checksum for e in _opencast(pair.target).assets.episode(ALONE).elements}
    assert there[twin.id] == there[str(track.id)]


def test_4_agents_come_with_all_keys_and_themes_with_all_files(pair: Pair) -> None:
    """15.5.4: capabilities instead of the configuration, four of five files of a theme, ``mediatype`` for mimetypes."""
    pair.migrate_all()
    source, target = _opencast(pair.source), _opencast(pair.target)
    for agent in source.agents.list():
        assert target.agents.configuration(agent.name) == source.agents.configuration(agent.name)
    assert [len(theme.files) for theme in target.themes.list()] == [len(theme.files) for theme in source.themes.list()]
    api = target.assets.episode(EVENT).publications
    assert {p.channel: p.mimetype for p in api} == {
        p.channel: p.mimetype for p in source.assets.episode(EVENT).publications
    }


def test_5_a_file_with_other_bytes_is_refused_and_no_signature_is_kept(pair: Pair) -> None:
    """15.5.5: no checksum was compared. Signatures: ``test_protected_source.py``."""
    track = _opencast(pair.source).assets.episode(ALONE).tracks[0]
    pair.source.faults.add(f"^/assets/assets/{ALONE}/{track.id}/", corrupt=5)
    entry = pair.migrate(ALONE)
    assert entry.state is State.FAILED
    assert str(track.id) in entry.reason
    assert pair.writes() == []


def test_6_a_workflow_that_has_only_started_is_not_done(pairs: Pairs) -> None:
    """15.5.6: the result of a workflow was not waited for."""
    pair = pairs(target={"operation_seconds": 30.0})
    with pair.bench() as bench:
        migrator = bench.mediapackage_migrator(ALONE, "dag/run", ALONE)
        assert migrator.begin() is Progress.WAITING
        entry = bench.ledger.entry(Kind.MEDIAPACKAGE, ALONE)
    assert entry is not None
    assert entry.state is not State.DONE


def test_7_the_target_computes_the_checksums_itself(pair: Pair) -> None:
    """15.5.7: checksums that came along let the target link other bytes, or archive what they do not fit."""
    assert pair.migrate(ALONE).state is State.DONE
    packages = [w.at_start.partition("<wf:operations>")[0] for w in pair.target.state.workflows_of(ALONE)]
    assert packages
    assert all("track" in package and "checksum" not in package for package in packages)
    there = _opencast(pair.target).assets.episode(ALONE)
    assert all(element.checksum is not None for element in there.elements)


@pytest.mark.parametrize("name", ["../../outside", "..%2F..%2Foutside", "/etc/outside"])
def test_8_an_id_that_leaves_its_folder_stays_inside(pair: Pair, name: str) -> None:
    """15.5.8: ids and file names of the server were joined to a folder."""
    track = _opencast(pair.source).assets.episode(ALONE).tracks[0]
    old = f'id="{track.id}"'.encode()
    pair.source.faults.add(f"^/assets/episode/{ALONE}$", body=lambda real: real.replace(old, f'id="{name}"'.encode()))
    entry = pair.migrate(ALONE)
    assert entry.state is State.FAILED
    everywhere = pair.settings.data_folder.parent
    assert [found for found in everywhere.rglob("*outside*") if found.is_file()] == []


def test_9_the_login_goes_to_the_configured_address_only(pairs: Pairs) -> None:
    """15.5.9: credentials went to any host that looked like ``localhost:8080``, and along with redirects."""
    pair = pairs()
    stranger = _opencast(pair.target)
    source = _opencast(pair.source)
    url = f"{pair.target.url}/info/me.json"
    with source.client.open_download(url) as download:
        told = b"".join(download.iter())
    assert b"anonymous" in told, "the target was asked by the source's client, without the source's login"
    assert stranger.info.me().username == "admin"


def test_10_a_missing_access_list_is_not_an_empty_one(pair: Pair) -> None:
    """15.5.10: elements of series were left out, and a 404 for the access list was taken for no rights."""
    source = _opencast(pair.source)
    series = next(row.identifier for row in source.series.list() if source.series.elements(row.identifier))
    pair.migrate_series(series)
    target = _opencast(pair.target).series
    for kind in source.series.elements(series):
        assert target.element(series, kind) == source.series.element(series, kind)
    assert source.series.acl(series) == target.acl(series)
    with pytest.raises(NotFound):
        source.series.acl("no-such-series")


def test_11_events_that_come_while_the_list_is_read_push_no_other_out(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """15.5.11: pages of 20 by start, newest first, while the source is live."""
    pair = pairs()
    with pair.bench() as bench:
        expected = {row.identifier for row in bench.source.events.all()}
        rows = bench.source.events.rows

        def in_small_pages(page_size: int = 3) -> Iterator[Mapping[str, Any]]:
            return rows(page_size=3)

        monkeypatch.setattr(bench.source.events, "rows", in_small_pages)
        first = next(iter(sorted(expected)))
        pair.source.faults.add("^/api/events$", after=1, times=1, delete_event=first)
        found = [row.identifier for row in bench.source.holdings.rows()]
    assert expected - {first} <= set(found)
    assert len(found) == len(set(found))


def test_12_a_schedule_is_changed_by_the_body_of_a_request(pair: Pair) -> None:
    """15.5.12: the fields of ``PUT /recordings`` were sent in the query, which nobody reads."""
    event = "a-sched-future"
    pair.migrate_scheduled(event, past_schedules="schedule")
    recordings = _opencast(pair.source).recordings
    before = recordings.schedule(event)
    assert before is not None
    plan = pair.source.state.events[event].scheduling
    assert plan is not None
    moved = dataclasses.replace(plan, end=plan.end.replace(second=30))
    pair.source.state.events[event].scheduling = moved
    pair.migrate_scheduled(event, past_schedules="schedule")
    changes = [e for e in pair.target.requests.all("PUT", path("/recordings", event))]
    assert [exchange.query for exchange in changes] == [""] * len(changes)
    there = _opencast(pair.target).recordings.schedule(event)
    assert there is not None
    assert there.end == moved.end


@pytest.mark.parametrize("merge_mode", ["roles", "actions"])
def test_an_access_list_that_is_merged_in_another_way_is_named_and_the_rest_goes_on(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch, merge_mode: str
) -> None:
    """Contract 14.1: the policies are equal, and what they grant differs by ``merge.mode``."""
    defaults = Prober.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "patience_s", 0.0)
    pair = pairs(target={"merge_mode": merge_mode})
    own = Acl((Ace("ROLE_ONLY_HERE", "read"), Ace("ROLE_ONLY_HERE", "write")))
    _opencast(pair.source).events.put_acl(EVENT, own)
    done = pair.migrate_all(events=[EVENT, ALONE])
    assert done[EVENT].state is State.FAILED
    assert "effective" in done[EVENT].reason
    assert "merge.mode" in done[EVENT].reason
    assert done[ALONE].state is State.DONE, "its policy is that of its series, in every mode"
