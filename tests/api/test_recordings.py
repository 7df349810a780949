"""Scheduled events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from opencast.api.opencast import Opencast
from opencast.api.recordings import Schedule
from opencast.errors import BadRequest, ConfigurationError, Conflict, InvalidAnswer, NotFound, Unreachable

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer

START = datetime(2031, 5, 6, 8, tzinfo=UTC)
END = datetime(2031, 5, 6, 9, 30, tzinfo=UTC)


def test_a_schedule_is_read_from_the_recording(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/sched-future/recording_technical")
    schedule = opencast.recordings.schedule("a-sched-future")
    assert schedule is not None
    assert (schedule.agent, schedule.start, schedule.end, schedule.state) == ("a-hall-a", START, END, "")
    assert schedule.workflow_properties == {"straightToPublishing": "true"}


def test_generated_properties_are_not_sent_back(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/sched-future/recording_technical")
    schedule = opencast.recordings.schedule("a-sched-future")
    assert schedule is not None
    assert schedule.own_agent_properties == {
        "capture.device.names": "cam",
        "my.agent.key": "v",
        "org.opencastproject.workflow.definition": "fast",
    }


def test_an_event_that_was_recorded_is_not_scheduled(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/recording_technical", "events/ev-fast/recording_mediapackage")
    assert opencast.recordings.schedule("a-ev-fast") is None
    assert opencast.recordings.mediapackage("a-ev-fast") is None


def test_the_mediapackage_of_a_scheduled_event_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/sched-future/recording_mediapackage")
    package = opencast.recordings.mediapackage("a-sched-future")
    assert package is not None
    assert package.id == "a-sched-future"


def test_a_schedule_without_times_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/recordings/a/technical.json", json_answer('{"location": "x", "start": "soon"}'))
    with pytest.raises(InvalidAnswer):
        opencast.recordings.schedule("a")


def test_an_event_is_scheduled_in_the_form_that_was_tried(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/recordings_post")
    schedule = Schedule(
        "a-hall-a",
        START,
        END,
        presenters=("ada", "alan"),
        workflow_properties={"a": "b=ü"},
        agent_properties={"k": "v", "event.title": "T", "org.opencastproject.workflow.config.a": "b"},
    )
    opencast.recordings.create(schedule, b"<mediapackage/>")
    assert server.last.form == {
        "start": "1935820800000",
        "end": "1935826200000",
        "agent": "a-hall-a",
        "users": "ada,alan",
        "wfproperties": "a=b\\=\\u00fc\n",
        "agentparameters": "k=v\n",
        "mediaPackage": "<mediapackage/>",
    }


def test_an_id_or_a_time_that_is_taken_is_a_conflict(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/recordings_post_again")
    with pytest.raises(Conflict, match="already exists"):
        opencast.recordings.create(Schedule("a", START, END), b"<mediapackage/>")


def test_a_creation_that_may_have_arrived_is_not_repeated(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/recordings", Answer(hang_up=True))
    with pytest.raises(Unreachable):
        opencast.recordings.create(Schedule("a", START, END), b"<mediapackage/>")
    assert len(server.requests) == 1


def test_a_presenter_with_a_comma_cannot_be_sent(server: ScriptedServer, opencast: Opencast) -> None:
    with pytest.raises(ConfigurationError, match="comma"):
        opencast.recordings.create(Schedule("a", START, END, presenters=("Lovelace, Ada",)), b"<mediapackage/>")
    assert server.requests == []


def test_a_change_is_sent_in_the_body_of_a_put(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/recordings_put")
    opencast.recordings.update("a-sched-future", Schedule("a-hall-a", START, END))
    assert server.last.target == "/recordings/a-sched-future"
    assert server.last.form["agent"] == "a-hall-a"
    assert "mediaPackage" not in server.last.form


def test_only_what_differs_is_sent_when_it_is_known_what_is_there(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/recordings_put")
    known = Schedule("a-hall-a", START, END, workflow_properties={"a": "b"})
    opencast.recordings.update("a-sched-future", replace(known, agent="a-lab 7"), known=known)
    assert server.last.form == {"agent": "a-lab 7"}
    opencast.recordings.update("a-sched-future", replace(known, end=START.replace(hour=10)), known=known)
    assert set(server.last.form) == {"start", "end"}


def test_a_field_is_emptied_by_what_the_server_takes_for_nothing(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/recordings_put")
    known = Schedule("a", START, END, ("admin",), workflow_properties={"a": "b"}, agent_properties={"c": "d"})
    opencast.recordings.update("a-sched-future", Schedule("a", START, END), known=known)
    assert server.last.form == {"users": ",", "wfproperties": "#", "agentparameters": "#"}


@pytest.mark.parametrize(
    ("name", "event", "error"),
    [("recordings_put_bad_range", "a-sched-future", BadRequest), ("recordings_put_unknown", "unknown", NotFound)],
)
def test_an_impossible_change_is_an_error(
    server: ScriptedServer, opencast: Opencast, name: str, event: str, error: type[Exception]
) -> None:
    replay(server, f"writes/{name}")
    with pytest.raises(error):
        opencast.recordings.update(event, Schedule("a", END, START))


def test_conflicts_are_named(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/conflicts", "writes/conflicts_none")
    start, end = (datetime.fromtimestamp(second, UTC) for second in (1935830400, 1935835800))
    assert opencast.recordings.conflicts("a-hall-a", start, end) == ("a-sched-future",)
    start, end = (datetime.fromtimestamp(second, UTC) for second in (1035830400, 1035835800))
    assert opencast.recordings.conflicts("a-hall-a", start, end) == ()


def test_conflicts_may_come_as_a_plain_list(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/recordings/conflicts.json", json_answer('[{"id": "a"}, {"id": "b"}]'), json_answer("5"))
    assert opencast.recordings.conflicts("x", START, END) == ("a", "b")
    with pytest.raises(InvalidAnswer):
        opencast.recordings.conflicts("x", START, END)


def test_an_event_is_taken_off_the_schedule(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/recordings/a", Answer(200), Answer(404))
    assert opencast.recordings.delete("a")
    assert not opencast.recordings.delete("a")
