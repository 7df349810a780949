"""Faults on demand: each does what it says, to the requests that were asked for, as often as was asked for."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.driver import Driver, Steps
from tests.simulator.faults import LOGIN_PAGE

VIDEO = b"0123456789" * 2000
ASSET = "/assets/assets/ev/track-1/1/v.mp4"
SNAPSHOT: Steps = [("snapshot", {})]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    """Give a server with one archived event."""
    driver = Driver(simulators("empty"))
    driver.run(driver.package("ev", VIDEO), SNAPSHOT)
    return driver


@pytest.fixture
def simulator(server: Driver) -> Simulator:
    return server.simulator


def test_a_fault_hits_as_many_of_the_fitting_requests_as_asked(server: Driver, simulator: Simulator) -> None:
    fault = simulator.faults.add(
        "^/assets/ep", method="GET", after=1, times=2, status=503, headers={"Retry-After": "2"}
    )
    answers = [server.get("/assets/episode/ev") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200, 200]
    assert answers[1].headers["Retry-After"] == "2"
    assert fault.hits == 2


def test_the_first_fault_that_fits_takes_the_request(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/", times=1, status=500)
    simulator.faults.add("/assets/", times=1, status=502)
    assert [server.get("/assets/episode/ev").status_code for _ in range(3)] == [500, 502, 200]


def test_a_fault_can_be_of_a_query_and_a_method(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/api/events", query="limit=1", method="GET", status=429)
    assert server.get("/api/events?limit=2").status_code == 200
    assert server.get("/api/events?limit=1").status_code == 429


def test_a_removed_fault_is_over(server: Driver, simulator: Simulator) -> None:
    fault = simulator.faults.add(status=500)
    simulator.faults.remove(fault)
    assert server.get("/assets/episode/ev").status_code == 200


def test_a_dropped_request_is_not_executed(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/files/", drop=True, times=1)
    with pytest.raises(BROKEN):
        server.upload("mp", "el", "a.txt", b"x")
    assert server.get("/files/mediapackage/mp/el").status_code == 404


def test_a_lost_answer_comes_after_the_work(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/files/", drop=True, executed=True, times=1)
    with pytest.raises(BROKEN):
        server.upload("mp", "el", "a.txt", b"x")
    assert server.get("/files/mediapackage/mp/el").content == b"x"


def test_an_answer_can_be_replaced_after_the_work(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/files/", status=502, executed=True, times=1)
    with pytest.raises(requests.HTTPError, match="502"):
        server.upload("mp", "el", "a.txt", b"x")
    assert server.get("/files/mediapackage/mp/el").content == b"x"


@pytest.mark.parametrize("place", [0, 1, 5000, len(VIDEO) - 1])
def test_a_body_breaks_off_after_some_bytes_of_a_right_length(server: Driver, simulator: Simulator, place: int) -> None:
    simulator.faults.add("/assets/assets/", drop_after=place)
    received = b""
    with (
        pytest.raises(BROKEN),
        server.session.get(server.url + ASSET, stream=True) as answer,
    ):
        assert answer.headers["Content-Length"] == str(len(VIDEO))
        for chunk in answer.iter_content(100):
            received += chunk
    assert VIDEO.startswith(received)
    assert len(received) <= place


def test_an_upload_breaks_off_after_some_bytes(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/files/", drop_upload=100_000, times=1)
    with pytest.raises(BROKEN):
        server.upload("mp", "el", "a.bin", bytes(5_000_000))
    assert server.get("/files/mediapackage/mp/el").status_code == 404
    assert server.upload("mp", "el", "a.bin", b"again")


def test_a_body_can_be_another_one(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/episode", body=b"<html/>", times=1)
    assert server.get("/assets/episode/ev").content == b"<html/>"
    simulator.faults.add("/assets/episode", body=lambda real: real.replace(b'id="track-1"', b'id="../../x"'))
    answer = server.get("/assets/episode/ev")
    assert b'id="../../x"' in answer.content
    assert answer.headers["Content-Type"] == "text/xml"


def test_a_login_page_comes_with_200(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/assets/", page="login")
    answer = server.get(ASSET)
    assert (answer.status_code, answer.content) == (200, LOGIN_PAGE)
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("to", "expected"), [("login", "/login.html"), ("http://elsewhere/x", "http://elsewhere/x")])
def test_a_redirect_goes_where_it_is_to_go(server: Driver, simulator: Simulator, to: str, expected: str) -> None:
    simulator.faults.add("/assets/", redirect=to)
    answer = server.get("/assets/episode/ev")
    assert answer.status_code == 302
    assert expected in answer.headers["Location"]


def test_a_byte_arrives_wrong_with_everything_else_right(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/assets/", corrupt=7777, times=1)
    damaged = server.get(ASSET).content
    assert [place for place in range(len(VIDEO)) if damaged[place] != VIDEO[place]] == [7777]


def test_a_stalled_body_comes_in_the_end(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/assets/", stall=0.01, stall_after=5000, delay=0.01)
    assert server.get(ASSET).content == VIDEO


def test_a_client_that_is_less_patient_gives_up(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/assets/", stall=30, stall_after=5000)
    with pytest.raises(BROKEN):
        server.get(ASSET, timeout=0.1)


def test_an_event_can_vanish_just_before_it_is_asked_for(server: Driver, simulator: Simulator) -> None:
    simulator.faults.add("/assets/episode/ev", delete_event="ev", times=1)
    assert len(server.get("/api/events").json()) == 1
    assert server.get("/assets/episode/ev").status_code == 404
    assert server.get("/api/events").json() == []


def test_functions_are_called_around_the_service(server: Driver, simulator: Simulator) -> None:
    seen = []
    simulator.faults.add("/assets/ep", before=lambda: seen.append("before"), then=lambda: seen.append("then"))
    assert server.get("/assets/episode/ev").status_code == 200
    assert seen == ["before", "then"]


@pytest.mark.parametrize(("kind", "of_the_stored"), [("disk", False), ("network", True)])
def test_stored_bytes_can_differ_from_those_sent(
    server: Driver, simulator: Simulator, kind: str, of_the_stored: bool
) -> None:
    simulator.faults.add("/files/", spoil=kind, times=1)
    server.upload("mp", "el", "a.txt", b"hello")
    answer = server.get("/files/mediapackage/mp/el/a.txt")
    assert answer.content == bytes([ord("h") ^ 0xFF]) + b"ello"
    assert (answer.headers["etag"] == f'"{hashlib.md5(answer.content).hexdigest()}"') is of_the_stored


def test_a_full_disk_is_a_500_that_leaves_nothing(server: Driver, simulator: Simulator) -> None:
    simulator.behave(room=10)
    with pytest.raises(requests.HTTPError, match="500"):
        server.upload("mp", "el", "a.bin", bytes(100))
    assert not (simulator.storage / "files/mediapackage/mp/el").exists()
    simulator.behave(room=-1)
    assert server.upload("mp", "el", "a.bin", bytes(100))


def test_a_lag_that_ends_shows_what_was_waiting(server: Driver, simulator: Simulator) -> None:
    simulator.behave(index_lag=60)
    server.run(server.package("late"), SNAPSHOT)
    assert server.get("/api/events/late").status_code == 404
    simulator.behave(index_lag=0)
    assert server.get("/api/events/late").status_code == 200


# --- workflows -------------------------------------------------------------------------------------------------------


def _begin(server: Driver, package: str) -> int:
    server.start(server.package(package), [("tag", {}), *SNAPSHOT]).raise_for_status()
    return max(server.simulator.state.workflows)


def test_an_operation_fails(server: Driver, simulator: Simulator) -> None:
    simulator.faults.workflow("fail", "snapshot", package="bad")
    states = {package: server.run(server.package(package), SNAPSHOT)[0] for package in ("bad", "good")}
    assert states == {"bad": "FAILED", "good": "SUCCEEDED"}


def test_an_operation_hangs_until_it_is_released(server: Driver, simulator: Simulator) -> None:
    fault = simulator.faults.workflow("hang", "snapshot")
    number = _begin(server, "ev2")
    assert server.get("/workflow/mediaPackage/ev2/hasActiveWorkflows").text == "true"
    fault.release()
    simulator.wait_for_workflows()
    assert simulator.state.workflows[number].state == "SUCCEEDED"


def test_a_workflow_that_hangs_can_be_stopped(server: Driver, simulator: Simulator) -> None:
    simulator.faults.workflow("hang", "snapshot")
    number = _begin(server, "ev2")
    assert server.post("/workflow/stop", data={"id": number}).status_code == 200
    assert simulator.state.workflows[number].state == "STOPPED"


def _wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


def test_a_workflow_pauses_and_stays_active(server: Driver, simulator: Simulator) -> None:
    simulator.faults.workflow("pause", "snapshot", times=1)
    number = _begin(server, "ev2")
    _wait_until(lambda: simulator.state.workflows[number].state == "PAUSED")
    assert server.get("/workflow/mediaPackage/ev2/hasActiveWorkflows").text == "true"


def test_a_workflow_vanishes_in_the_middle(server: Driver, simulator: Simulator) -> None:
    simulator.faults.workflow("vanish", "snapshot", package="ev2")
    number = _begin(server, "ev2")
    _wait_until(lambda: number not in simulator.state.workflows)
    assert server.get(f"/workflow/instance/{number}.json").status_code == 404
    assert "track-1" not in [element.id for element in server.archived("ev2").elements]


def test_a_workflow_is_cleaned_up_when_it_has_ended(server: Driver, simulator: Simulator) -> None:
    simulator.faults.workflow("clean", package="ev2")
    number = _begin(server, "ev2")
    _wait_until(lambda: number not in simulator.state.workflows)
    assert "track-1" in [element.id for element in server.archived("ev2").elements]


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_faults_can_be_added_and_removed_over_http(server: Driver) -> None:
    document = {"path": "/assets/episode", "status": 503, "headers": {"Retry-After": "1"}}
    added = requests.post(server.url + "/_simulator/faults", json=document).json()
    assert server.get("/assets/episode/ev").status_code == 503
    assert requests.get(server.url + "/_simulator/faults").json()[0]["hits"] == 1
    assert requests.delete(f"{server.url}/_simulator/faults/{added['number']}").status_code == 204
    assert server.get("/assets/episode/ev").status_code == 200


def test_workflow_faults_can_be_added_and_released_over_http(server: Driver, simulator: Simulator) -> None:
    added = requests.post(server.url + "/_simulator/faults", json={"workflow": "hang", "operation": "snapshot"}).json()
    number = _begin(server, "ev2")
    requests.delete(f"{server.url}/_simulator/faults/{added['number']}")
    simulator.wait_for_workflows()
    assert simulator.state.workflows[number].state == "SUCCEEDED"


@pytest.mark.parametrize("document", [{"nope": 1}, {"path": "("}, {"workflow": "explode"}, {"page": "other"}, []])
def test_a_fault_that_means_nothing_is_refused(server: Driver, document: object) -> None:
    assert requests.post(server.url + "/_simulator/faults", data=json.dumps(document)).status_code == 400


def test_counts_and_log_leave_out_the_requests_that_ask_for_them(server: Driver) -> None:
    requests.delete(server.url + "/_simulator/log")
    server.get(ASSET)
    stats = requests.get(server.url + "/_simulator/stats").json()
    assert stats == {"requests": 1, "received": 0, "sent": len(VIDEO), "by_service": {"GET /assets": 1}}
    log = requests.get(server.url + "/_simulator/log").json()
    assert [(entry["path"], entry["status"], entry["user"]) for entry in log] == [(ASSET, 200, "admin")]


def test_behaviour_changes_over_http(server: Driver, simulator: Simulator) -> None:
    url = server.url + "/_simulator/behaviour"
    assert requests.put(url, json={"index_lag": 3, "operation_seconds": 0.5, "room": 7}).status_code == 204
    assert (simulator.state.event_index.lag, simulator.engine.operation_seconds) == (3, 0.5)
    assert simulator.storage.room == 7
    assert requests.put(url, json={"other": 3}).status_code == 400
