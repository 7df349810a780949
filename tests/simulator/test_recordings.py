"""``/recordings``: scheduled events, as the recorded servers answer about them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests

from tests.simulator import Simulator, java_properties
from tests.simulator.driver import Driver
from tests.simulator.mediapackage import Element, MediaPackage
from tests.simulator.recordings import Recordings

HOUR = 3_600_000
START = 1_935_830_400_000
VIEWS = ("agent", "dublincore", "mediapackage", "technical", "workflow")


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


def plan(
    server: Driver, event: str = "ev", start: int = START, end: int = START + HOUR, **more: str
) -> requests.Response:
    """Schedule an event and give the answer."""
    catalog = (
        '<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" '
        'xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:title>A plan</dcterms:title></dublincore>'
    )
    package = MediaPackage(event, "2031-05-06T08:00:00Z")
    element = Element("catalog", "dc", "dublincore/episode", mimetype="text/xml")
    element.url = server.upload(event, "dc", "dublincore.xml", catalog.encode())
    package.elements = [element]
    form = {"start": str(start), "end": str(end), "agent": "hall", "mediaPackage": package.to_xml(), **more}
    return server.post("/recordings", data=form)


def put(server: Driver, event: str, **form: object) -> requests.Response:
    return server.session.put(f"{server.url}/recordings/{event}", data=form, allow_redirects=False)


@pytest.mark.parametrize("generation", [17, 15])
@pytest.mark.parametrize("folder", ["sched-future", "sched-past", "ev-fast"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers_as_recorded(
    simulators: Callable[..., Simulator], generation: int, folder: str, view: str
) -> None:
    server, recordings = Driver(simulators("recorded", generation)), Recordings(generation)
    recorded = recordings.exchange(f"events/{folder}/recording_{view}")
    answer = server.get(recorded.path)
    assert answer.status_code == recorded.status
    expected = recordings.text(f"events/{folder}/recording_{view}", server.url)
    if view == "technical" and expected:
        assert json.loads(answer.text) == json.loads(expected)
    elif view in ("agent", "workflow"):
        assert sorted(answer.text.splitlines()) == sorted(expected.splitlines())
    elif view == "mediapackage":
        assert sorted(answer.text) == sorted(expected)
    else:
        assert answer.text == expected


def test_a_new_plan_is_readable_under_the_id_of_its_package(server: Driver) -> None:
    answer = plan(server, wfproperties="a=b\nc=d", agentparameters="capture.device.names=cam", users="ada,alan")
    assert (answer.status_code, answer.headers["location"]) == (201, f"{server.url}/recordings/ev/mediapackage.xml")
    held = server.get("/recordings/ev/technical.json").json()
    assert held["wfProperties"] == {"a": "b", "c": "d"}
    assert held["presenters"] == ["ada", "alan"]
    assert held["agentConfig"] == {
        "capture.device.names": "cam", "org.opencastproject.workflow.config.a": "b",
        "org.opencastproject.workflow.config.c": "d", "event.title": "A plan", "event.location": "hall",
    }  # fmt: skip
    assert server.get("/api/events/ev").json()["status"] == "EVENTS.EVENTS.STATUS.SCHEDULED"


def test_the_server_computes_the_checksums_of_a_plan_sent_without(server: Driver) -> None:
    plan(server)
    assert server.archived("ev").elements[0].md5


def test_an_id_that_exists_is_a_conflict(server: Driver) -> None:
    plan(server)
    answer = plan(server)
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "Mediapackage with id 'ev' already exists!"


def test_an_overlap_on_the_same_agent_is_a_conflict_and_touching_is_none(server: Driver) -> None:
    plan(server)
    assert plan(server, "two", START + HOUR - 1, START + 2 * HOUR).status_code == 409
    assert plan(server, "two", START + HOUR, START + 2 * HOUR).status_code == 201
    assert plan(server, "three", agent="lab").status_code == 201


@pytest.mark.parametrize("form", [{"end": str(START)}, {"agent": ""}, {"mediaPackage": ""}, {"mediaPackage": "<a/>"}])
def test_a_plan_that_lacks_something_is_refused(server: Driver, form: dict[str, str]) -> None:
    first = {"start": str(START), "end": str(START + HOUR), "agent": "hall", "mediaPackage": "<a/>"}
    assert server.post("/recordings", data={**first, **form}).status_code == 400


def test_a_file_that_the_server_cannot_read_fails(server: Driver) -> None:
    package = MediaPackage("ev", elements=[Element("catalog", "dc", "dublincore/episode", url="http://127.0.0.1:1/x")])
    form = {"start": START, "end": START + HOUR, "agent": "hall", "mediaPackage": package.to_xml()}
    assert server.post("/recordings", data=form).status_code == 500
    assert server.get("/api/events/ev").status_code == 404


def test_conflicts_are_named_and_none_is_an_empty_answer(server: Driver) -> None:
    plan(server)
    query = f"agent=hall&start={START}&end={START + HOUR}"
    assert server.get(f"/recordings/conflicts.json?{query}").json()["events"][0]["id"] == "ev"
    assert server.get("/recordings/conflicts.json?agent=hall&start=1&end=2").status_code == 204
    assert server.get("/recordings/conflicts.json?agent=hall").status_code == 400


def test_a_move_is_written_into_the_catalog(server: Driver) -> None:
    plan(server)
    assert put(server, "ev", start=START + HOUR, end=START + 2 * HOUR, agent="lab").status_code == 200
    held = server.get("/recordings/ev/technical.json").json()
    assert (held["start"], held["location"]) == ("2031-05-06T11:40:00Z", "lab")
    catalog = server.get("/recordings/ev/dublincore.xml").text
    assert "start=2031-05-06T11:40:00Z; end=2031-05-06T12:40:00Z" in catalog
    assert "<dcterms:spatial>lab</dcterms:spatial>" in catalog


def test_blank_fields_of_a_change_leave_what_is_there(server: Driver) -> None:
    plan(server, wfproperties="a=b", users="ada")
    put(server, "ev", wfproperties="", users="", agentparameters="k=v")
    held = server.get("/recordings/ev/technical.json").json()
    assert (held["wfProperties"], held["presenters"], held["agentConfig"]["k"]) == ({"a": "b"}, ["ada"], "v")


def test_a_change_that_changes_nothing_makes_no_version(server: Driver) -> None:
    plan(server, wfproperties="a=b")
    put(server, "ev", start=START, end=START + HOUR, agent="hall", wfproperties="a=b")
    before = server.get("/api/events/ev").json()["archive_version"]
    put(server, "ev", start=START, end=START + HOUR, agent="hall", wfproperties="a=b")
    assert server.get("/api/events/ev").json()["archive_version"] == before


def test_bad_changes_are_refused(server: Driver) -> None:
    plan(server)
    assert put(server, "unknown", agent="x").status_code == 404
    answer = put(server, "ev", start=START + HOUR, end=START)
    assert (answer.status_code, answer.text) == (400, "Cannot add event without proper end time")
    plan(server, "two", START + HOUR, START + 2 * HOUR)
    assert put(server, "ev", end=START + HOUR + 1).status_code == 409


def test_what_was_recorded_since_keeps_its_plan_but_is_no_scheduled_event(server: Driver) -> None:
    plan(server)
    package = server.package("ev")
    server.run(package, [("snapshot", {})])
    assert server.get("/recordings/ev/technical.json").status_code == 200
    assert server.get("/recordings/ev/mediapackage.xml").status_code == 404
    assert put(server, "ev", agent="lab").status_code == 404
    assert server.get("/recordings/recordings.json").status_code == 500
    number = next(iter(server.simulator.state.workflows))
    server.session.delete(f"{server.url}/workflow/remove/{number}")
    # Without its workflow and without a word of the agent, it counts as scheduled again.
    assert server.get("/api/events/ev").json()["status"] == "EVENTS.EVENTS.STATUS.SCHEDULED"


@pytest.mark.parametrize(("state", "status"), [("upload_finished", "PROCESSED"), ("uploading", "INGESTING")])
def test_without_its_workflow_a_recorded_event_goes_by_the_last_word_of_the_agent(
    server: Driver, state: str, status: str
) -> None:
    plan(server)
    server.run(server.package("ev"), [("snapshot", {})])
    server.session.put(f"{server.url}/recordings/ev/recordingStatus", data={"state": state})
    assert server.get("/api/events/ev").json()["status"] == "EVENTS.EVENTS.STATUS.PROCESSED"
    server.session.delete(f"{server.url}/workflow/remove/{next(iter(server.simulator.state.workflows))}")
    assert server.get("/api/events/ev").json()["status"] == f"EVENTS.EVENTS.STATUS.{status}"


def test_what_the_agent_says_becomes_the_status(server: Driver) -> None:
    plan(server)
    answer = server.session.put(f"{server.url}/recordings/ev/recordingStatus", data={"state": "capturing"})
    assert answer.status_code == 200
    assert server.get("/api/events/ev").json()["status"] == "EVENTS.EVENTS.STATUS.RECORDING"
    assert server.get("/recordings/ev/technical.json").json()["state"] == "capturing"
    answer = server.session.put(f"{server.url}/recordings/ev/recordingStatus", data={"state": "sleeping"})
    assert answer.status_code == 400


def test_a_deleted_plan_is_gone(server: Driver) -> None:
    plan(server)
    assert server.session.delete(f"{server.url}/recordings/ev").status_code == 200
    assert server.session.delete(f"{server.url}/recordings/ev").status_code == 404
    assert server.get("/api/events/ev").status_code == 404


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a=b", {"a": "b"}),
        ("  a : b", {"a": "b"}),
        ("a b c", {"a": "b c"}),
        ("#c\n!d\n\na=1", {"a": "1"}),
        ("a\\ b=\\ c", {"a b": " c"}),
        ("a=\\u00fc\\ud83d\\ude00", {"a": "ü😀"}),
        ("a=b\\\n  c", {"a": "bc"}),
        ("a\\=b=c=d", {"a=b": "c=d"}),
        ("a", {"a": ""}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, held: dict[str, str]) -> None:
    assert java_properties.load(text) == held
