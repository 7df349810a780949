"""Scheduled events: everything that somebody set arrives, nothing that the server derives is sent back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from io import BytesIO

import pytest
from opencast.api.opencast import Opencast
from opencast.api.recordings import RecordingsService, Schedule
from opencast.errors import ScheduleConflict
from opencast.migration.replacement import remove
from opencast.model.acl import Ace, Acl
from opencast.model.workflow_definition import Operation, WorkflowDefinition
from opencast.store.database import Database
from opencast.store.ledger import Kind, ObjectKey, State
from opencast.store.plans import Action

from tests.migration.pair import KEY, Pair, server
from tests.simulator import Simulator
from tests.simulator.records import Scheduling

EVENT = "a-sched-future"
PAST = "a-sched-past"
HOUR = timedelta(hours=1)


def _opencast(simulator: Simulator) -> Opencast:
    return Opencast(server(simulator))


def _plan_on(opencast: Opencast, identifier: str) -> Schedule:
    schedule = opencast.recordings.schedule(identifier)
    assert schedule is not None
    return schedule


def _scheduling(pair: Pair) -> Scheduling:
    scheduling = pair.source.state.events[EVENT].scheduling
    assert scheduling is not None
    return scheduling


def _posted(pair: Pair) -> list[str]:
    return [write for write in pair.writes() if "/recordings" in write]


def _record(opencast: Opencast, identifier: str) -> None:
    """Let a workflow archive a recorded video, as after an upload of the agent."""
    url = opencast.files.put(identifier, "recorded", "cam.mp4", BytesIO(b"video"), 5)
    package = opencast.assets.episode_xml(identifier).decode()
    track = f'<track id="recorded" type="presenter/source"><mimetype>video/mp4</mimetype><url>{url}</url></track>'
    definition = WorkflowDefinition("recorded", "Recorded", (Operation("snapshot"), Operation("cleanup")))
    opencast.workflows.start(definition.to_xml(), package.replace("<media/>", f"<media>{track}</media>"))


def _catalog(opencast: Opencast, identifier: str) -> bytes:
    with opencast.client.open_download(opencast.assets.episode(identifier).catalogs[0].url or "") as download:
        return b"".join(download.iter(65536))


# --- the way there ----------------------------------------------------------------------------------------------------


def test_a_scheduled_event_arrives_with_plan_properties_catalogs_and_id(pair: Pair) -> None:
    assert pair.migrate_scheduled(EVENT).reason == ""
    source, target = _opencast(pair.source), _opencast(pair.target)
    expected, actual = _plan_on(source, EVENT), _plan_on(target, EVENT)
    assert (actual.agent, actual.start, actual.end) == (expected.agent, expected.start, expected.end)
    assert actual.workflow_properties == expected.workflow_properties == {"straightToPublishing": "true"}
    assert actual.own_agent_properties == expected.own_agent_properties
    before, after = source.assets.episode(EVENT), target.assets.episode(EVENT)
    assert [(e.id, e.flavor, e.tags) for e in after.elements] == [(e.id, e.flavor, e.tags) for e in before.elements]
    assert _catalog(target, EVENT) == _catalog(source, EVENT)
    assert target.events.get(EVENT).event_status.is_scheduled


def test_a_wrong_checksum_of_the_schedulers_catalog_is_no_obstacle(pair: Pair) -> None:
    """Both recorded servers name a checksum that their own file does not have."""
    claimed = _opencast(pair.source).assets.episode(EVENT).catalogs[0].checksum
    assert claimed is not None
    assert claimed.md5 != md5(_catalog(_opencast(pair.source), EVENT), usedforsecurity=False).hexdigest()
    entry = pair.migrate_scheduled(EVENT)
    assert entry.state is State.DONE
    assert any("The checksum that the source names for catalog" in note for note in entry.notes)


def test_generated_properties_are_not_sent_back(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    held = pair.target.state.events[EVENT].scheduling
    assert held is not None
    assert "event.series" not in _plan_on(_opencast(pair.source), EVENT).own_agent_properties
    # The server derives them from what the event is on its own side; sent ones would stay when the title changes.
    assert dict(held.agent_configuration)["event.title"] == "Scheduled a-sched-future"


def test_nothing_is_left_in_the_working_file_repository(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    assert [path for path in (pair.target.storage / "files" / "mediapackage").rglob("*") if path.is_file()] == []


def test_an_access_list_and_presenters_arrive(pair: Pair) -> None:
    source = _opencast(pair.source)
    source.recordings.update(EVENT, replace(_plan_on(source, EVENT), presenters=("ada", "alan")))
    source.events.put_acl(EVENT, Acl((Ace("ROLE_X", "read"), Ace("ROLE_ADMIN", "write"))))
    entry = pair.migrate_scheduled(EVENT)
    assert (entry.state, entry.reason) == (State.DONE, "")
    target = _opencast(pair.target)
    assert set(_plan_on(target, EVENT).presenters) == {"ada", "alan"}
    assert target.events.acl(EVENT).same_as(source.events.acl(EVENT))


def test_a_workflow_that_the_target_lacks_is_named(pair: Pair) -> None:
    pair.target.state.definitions.pop("fast")
    assert "Its workflow fast is not installed on the target" in pair.migrate_scheduled(EVENT).notes[0]


def test_a_second_time_it_is_compared_and_nothing_is_written(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    before = pair.writes()
    entry = pair.migrate_scheduled(EVENT, key="dag/second")
    assert "nothing was written" in entry.notes[0]
    assert pair.writes() == before


def test_the_plan_has_no_work_for_it_the_second_time(pair: Pair) -> None:
    assert pair.plan(events=[EVENT])[EVENT].action is Action.MIGRATE
    pair.migrate_scheduled(EVENT)
    assert pair.plan(key="dag/second", events=[EVENT])[EVENT].action is Action.SKIP


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_change_that_makes_no_snapshot_is_seen_and_brought(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    source = _opencast(pair.source)
    version = source.events.get(EVENT).archive_version
    source.recordings.update(EVENT, replace(_plan_on(source, EVENT), workflow_properties={"flag": "ü=1"}))
    assert source.events.get(EVENT).archive_version == version
    assert pair.plan(key="dag/second", events=[EVENT])[EVENT].action is Action.UPDATE
    assert pair.migrate_scheduled(EVENT, key="dag/second").state is State.DONE
    assert _plan_on(_opencast(pair.target), EVENT).workflow_properties == {"flag": "ü=1"}
    assert _posted(pair) == ["POST /recordings", f"PUT /recordings/{EVENT}", f"PUT /recordings/{EVENT}"]


def test_a_move_is_followed(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    source = _opencast(pair.source)
    plan = _plan_on(source, EVENT)
    source.recordings.update(EVENT, replace(plan, agent="a-lab 7", start=plan.start + HOUR, end=plan.end + HOUR))
    assert pair.migrate_scheduled(EVENT, key="dag/second").reason == ""
    moved = _plan_on(_opencast(pair.target), EVENT)
    assert (moved.agent, moved.start) == ("a-lab 7", plan.start + HOUR)


def test_what_was_emptied_on_the_source_is_emptied_on_the_target(pair: Pair) -> None:
    pair.source.state.events[EVENT].scheduling = replace(_scheduling(pair), presenters=("admin",))
    pair.migrate_scheduled(EVENT)
    assert _plan_on(_opencast(pair.target), EVENT).presenters == ("admin",)
    pair.source.state.events[EVENT].scheduling = replace(
        _scheduling(pair), presenters=(), workflow_properties=(), agent_configuration=()
    )
    assert pair.migrate_scheduled(EVENT, key="dag/second").state is State.DONE
    plan = _plan_on(_opencast(pair.target), EVENT)
    assert (plan.presenters, plan.workflow_properties, plan.own_agent_properties) == ((), {}, {})


def test_what_an_update_does_not_bring_is_named_and_scheduled_anew_on_request(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.migrate_scheduled(EVENT)
    pair.source.state.events[EVENT].scheduling = replace(_scheduling(pair), workflow_properties=())
    monkeypatch.setattr(RecordingsService, "update", lambda *_, **__: None)
    entry = pair.migrate_scheduled(EVENT, key="dag/second")
    assert entry.state is State.FAILED
    assert "workflow property straightToPublishing" in entry.reason
    assert "replace_scheduled" in entry.reason
    assert pair.migrate_scheduled(EVENT, key="dag/third", replace_scheduled=True).state is State.DONE
    assert _plan_on(_opencast(pair.target), EVENT).workflow_properties == {}


# --- what stands in the way -------------------------------------------------------------------------------------------


def _take_the_agent(pair: Pair, identifier: str = "somebody-elses") -> None:
    """Give the target an event at the same time on the same agent."""
    target, plan = _opencast(pair.target), _plan_on(_opencast(pair.source), EVENT)
    package = f'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="{identifier}"/>'
    target.recordings.create(plan, package.encode())


def test_a_conflict_names_the_event_that_takes_the_agent(pair: Pair) -> None:
    _take_the_agent(pair)
    entry = pair.migrate_scheduled(EVENT)
    assert entry.state is State.FAILED
    assert entry.reason.startswith(
        "The agent a-hall-a of the target is taken from 2031-05-06 08:00 to 2031-05-06 09:30 UTC by somebody-elses."
    )


def test_a_conflict_with_a_foreign_event_is_not_tried_again(pair: Pair) -> None:
    _take_the_agent(pair)
    with pair.bench() as bench, pytest.raises(ScheduleConflict) as caught:
        bench.scheduled_migrator(EVENT, KEY).migrate()
    assert not caught.value.retriable


def test_a_conflict_with_an_event_that_may_still_move_is_tried_again(pair: Pair) -> None:
    _take_the_agent(pair, PAST)
    with pair.bench() as bench:
        bench.ledger.finish(ObjectKey(Kind.SCHEDULED, PAST, KEY), State.DONE)
        with pytest.raises(ScheduleConflict) as caught:
            bench.scheduled_migrator(EVENT, KEY).migrate()
    assert caught.value.retriable


def test_events_that_touch_are_no_conflict(pair: Pair) -> None:
    source = _opencast(pair.source)
    plan = _plan_on(source, PAST)
    first = _plan_on(source, EVENT)
    source.recordings.update(PAST, replace(plan, start=first.end, end=first.end + HOUR))
    assert pair.migrate_scheduled(EVENT).state is State.DONE
    assert pair.migrate_scheduled(PAST).state is State.DONE


def test_another_scheduled_event_of_this_id_is_left_alone_unless_asked(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    target = _opencast(pair.target)
    target.recordings.update(EVENT, replace(_plan_on(target, EVENT), agent="elsewhere"))
    pair.database = _fresh_ledger(pair)
    entry = pair.migrate_scheduled(EVENT)
    assert entry.state is State.FAILED
    assert "another scheduled event" in entry.reason
    assert _plan_on(target, EVENT).agent == "elsewhere"
    assert pair.migrate_scheduled(EVENT, existing="overwrite").state is State.DONE
    assert _plan_on(target, EVENT).agent == "a-hall-a"


def _fresh_ledger(pair: Pair) -> Database:
    database = Database(f"sqlite:///{pair.settings.data_folder.parent}/fresh.db")
    database.upgrade()
    return database


def test_a_recording_is_never_replaced_by_a_plan(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    _record(_opencast(pair.target), EVENT)
    pair.target.wait_for_workflows()
    entry = pair.migrate_scheduled(EVENT, key="dag/second", existing="overwrite", replace_scheduled=True)
    assert entry.state is State.FAILED
    assert "holds a recording under the id" in entry.reason


def test_a_damaged_catalog_fails_the_event_and_nothing_is_scheduled(pair: Pair) -> None:
    catalog = _opencast(pair.source).assets.episode(EVENT).catalogs[0]
    for path in (pair.source.storage / "archive").rglob(f"{catalog.id}.xml"):
        path.unlink()
        path.write_bytes(b"<dublincore><cut")
    entry = pair.migrate_scheduled(EVENT)
    assert entry.state is State.FAILED
    assert str(catalog.id) in entry.reason
    assert _posted(pair) == []


def test_an_event_deleted_since_the_plan_fails_alone(pair: Pair) -> None:
    remove(_opencast(pair.source), EVENT)
    entry = pair.migrate_scheduled(EVENT)
    assert (entry.state, "not on the source any more" in entry.reason) == (State.FAILED, True)


# --- past, running, recorded ------------------------------------------------------------------------------------------


def test_what_was_never_recorded_is_left_out_unless_asked_for(pair: Pair) -> None:
    item = pair.plan()[PAST]
    assert (item.kind, item.action) == (Kind.SCHEDULED, Action.SKIP)
    assert "past_schedules" in item.reason
    assert pair.plan(key="dag/second", past_schedules="schedule")[PAST].action is Action.MIGRATE
    assert pair.migrate_scheduled(PAST, past_schedules="schedule").state is State.DONE
    assert _plan_on(_opencast(pair.target), PAST).start == datetime(2020, 5, 6, 8, tzinfo=UTC)


def _say(simulator: Simulator, event: str, state: str) -> None:
    client = _opencast(simulator).client
    client.put_form(f"/recordings/{event}/recordingStatus", {"state": state})


def test_what_is_being_recorded_is_left_for_a_later_run(pair: Pair) -> None:
    _say(pair.source, EVENT, "capturing")
    item = pair.plan()[EVENT]
    assert (item.kind, item.action, item.reason) == (
        Kind.SCHEDULED, Action.SKIP, "it is being recorded; run again later",
    )  # fmt: skip


def test_a_failed_recording_is_taken_on_request(pair: Pair) -> None:
    _say(pair.source, EVENT, "capture_error")
    assert "include_failed" in pair.plan()[EVENT].reason
    assert pair.plan(key="dag/second", include_failed=True)[EVENT].action is Action.MIGRATE


def test_what_is_recorded_between_plan_and_task_is_left_for_the_next_run(pair: Pair) -> None:
    pair.plan()
    _record(_opencast(pair.source), EVENT)
    pair.source.wait_for_workflows()
    entry = pair.migrate_scheduled(EVENT)
    assert (entry.state, "has been recorded since the plan" in entry.reason) == (State.SKIPPED, True)


def _recorded_without_workflow(pair: Pair) -> None:
    source = _opencast(pair.source)
    _record(source, EVENT)
    pair.source.wait_for_workflows()
    for workflow in pair.source.state.workflows_of(EVENT):
        pair.source.engine.remove(workflow)


def test_a_recorded_event_that_is_listed_as_scheduled_is_a_recording(pair: Pair) -> None:
    """Its workflow was cleaned up, and the agent never said anything: the list goes by the plan."""
    _recorded_without_workflow(pair)
    assert _opencast(pair.source).events.get(EVENT).event_status.is_scheduled
    item = pair.plan()[EVENT]
    assert (item.kind, item.action) == (Kind.MEDIAPACKAGE, Action.MIGRATE)
    assert pair.migrate(EVENT).state is State.DONE
    assert len(_opencast(pair.target).assets.episode(EVENT).tracks) == 1


def test_what_was_recorded_since_its_migration_stays_scheduled_unless_asked(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    _recorded_without_workflow(pair)
    item = pair.plan(key="dag/second")[EVENT]
    assert (item.kind, item.action) == (Kind.MEDIAPACKAGE, Action.SKIP)
    assert "replace_scheduled" in item.reason
    assert not any(write.startswith("DELETE /api") for write in pair.writes())


def test_without_the_option_a_task_does_not_replace_it_either(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    _recorded_without_workflow(pair)
    entry = pair.migrate(EVENT, key="dag/second")
    assert (entry.state, "replace_scheduled" in entry.reason) == (State.FAILED, True)
    assert not any(write.startswith("DELETE /api") for write in pair.writes())


def test_what_was_recorded_since_its_migration_is_replaced_on_request(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"delete_seconds": 1.5})
    pair.migrate_scheduled(EVENT)
    _recorded_without_workflow(pair)
    assert pair.plan(key="dag/second", replace_scheduled=True)[EVENT].action is Action.MIGRATE
    entry = pair.migrate(EVENT, key="dag/second", replace_scheduled=True)
    assert (entry.state, entry.reason) == (State.DONE, "")
    target = _opencast(pair.target)
    assert target.recordings.schedule(EVENT) is None
    assert len(target.assets.episode(EVENT).tracks) == 1
    with pair.bench() as bench:
        left = bench.ledger.entry(Kind.SCHEDULED, EVENT)
    assert left is not None
    assert left.state is State.SKIPPED


def test_a_foreign_scheduled_event_is_not_replaced_by_a_recording(pair: Pair) -> None:
    pair.migrate_scheduled(EVENT)
    pair.database = _fresh_ledger(pair)
    _recorded_without_workflow(pair)
    entry = pair.migrate(EVENT, replace_scheduled=True)
    assert (entry.state, "no migration brought there" in entry.reason) == (State.FAILED, True)
