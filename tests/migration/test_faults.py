"""Servers, networks and disks that misbehave: the object concerned fails by a named reason, or arrives all the same.

Whatever happens, nothing half-done counts as done, nothing is written outside of its folder, and a later run succeeds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opencast.api.client import Client
from opencast.api.opencast import Opencast
from opencast.errors import OpencastError, ServerError, Throttled, UnexpectedContent, Unreachable
from opencast.migration import probes
from opencast.migration.mediapackage import Progress
from opencast.migration.transfer import RememberedDigests
from opencast.migration.workbench import Workbench
from opencast.settings import Settings
from opencast.staging.source import Fetcher
from opencast.staging.upload import UploadRoute
from opencast.store.ledger import Entry, State

from tests.migration.pair import Pair, finish, make_pair, server
from tests.simulator import Simulator

EVENT = "a-ev-two-streams"
#: Its files are nowhere else on the source, so that no other copy can help out.
ALONE = "a-ev-archive-only"
LOGIN_PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"
FILES = r"^/(assets/assets|static)/"
VIDEO = r"^/assets/assets/.*\.mp4$"
AGAIN = "dag/again"


@dataclass
class Patient(Pair):
    """A pair whose waiting takes no time; ``waits`` are the seconds it would have taken."""

    waits: list[float] = field(default_factory=list)

    def bench(self, **options: Any) -> Workbench:
        """Open a workbench as a task does, with four tries of each request; files are uploaded without a trial."""
        bench = super().bench(**options)
        bench.source, bench.target = (
            Opencast(Client(server(side, max_tries=4, read_timeout=5.0), sleep=self.waits.append))
            for side in (self.source, self.target)
        )
        known = RememberedDigests(bench.imports)
        bench.fetcher = Fetcher(bench.store, bench.source.client, known=known, tries=3, sleep=self.waits.append)
        bench.route = UploadRoute(bench.store, bench.target.files)
        return bench

    def target_holds(self, event: str) -> bool:
        """Whether the target's archive has a file of the event that is more than metadata."""
        package = Opencast(server(self.target)).assets.find(event)
        return package is not None and bool(package.tracks)

    def left_over(self) -> list[Path]:
        """Return the files in the target's working file repository."""
        return [path for path in (self.target.storage / "files").rglob("*") if path.is_file()]


@pytest.fixture
def pair(simulators: Callable[..., Simulator], tmp_path: Path) -> Patient:
    """A source with the recorded library, and an empty target."""
    made = make_pair(simulators("recorded"), simulators("empty"), tmp_path)
    return Patient(made.source, made.target, made.database, made.settings)


def failed_cleanly(pair: Patient, event: str, reason: str, key: str = "dag/run") -> Entry:
    """Migrate an event that has to fail: its reason fits, the target has no video of it, and no file lies around."""
    entry = pair.migrate(event, key=key)
    assert entry.state is State.FAILED
    assert re.search(reason, entry.reason), entry.reason
    assert not pair.target_holds(event)
    assert pair.left_over() == []
    return entry


# --- what the source sends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "body"),
    [
        (r"^/(assets|workflow)/", b"No service was found."),
        (r"^/(assets|workflow|static|info)/", b"<table>\n<tr><th>SERVLET:</th><td>default</td></tr>\n</table>"),
        (r"^/api/", b"The resource you requested does not exist."),
    ],
)
def test_services_that_are_away_for_a_moment_do_not_make_an_event_gone(pair: Patient, paths: str, body: bytes) -> None:
    for side in (pair.source, pair.target):
        side.faults.add(paths, status=404, body=body, times=2)
    assert pair.migrate(ALONE).state is State.DONE


def test_services_that_stay_away_fail_the_event_for_a_passing_reason(pair: Patient) -> None:
    fault = pair.source.faults.add(r"^/assets/episode", status=404, body=b"No service was found.")
    entry = pair.migrate(ALONE)
    assert (entry.state, "No service was found" in entry.reason) == (State.FAILED, True)
    pair.source.faults.remove(fault)
    assert pair.migrate(ALONE, key=AGAIN).state is State.DONE


def test_a_login_page_instead_of_a_video_fails_the_event(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, page="login")
    failed_cleanly(pair, ALONE, "is a web page instead of a file")


def test_a_web_page_that_calls_itself_a_video_fails_the_event(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, status=200, body=LOGIN_PAGE, headers={"Content-Type": "video/mp4"})
    failed_cleanly(pair, ALONE, "is a web page instead of the file")


def test_a_file_that_one_address_does_not_deliver_is_taken_from_another_one(pair: Patient) -> None:
    """Archive and publications hold the same bytes."""
    fault = pair.source.faults.add(r"^/static/.*\.mp4$", page="login")
    assert pair.migrate(EVENT).state is State.DONE
    assert fault.hits > 0


def test_only_the_event_with_trouble_fails(pair: Patient) -> None:
    pair.source.faults.add(rf"^/assets/assets/{ALONE}/.*mp4", page="login")
    assert pair.migrate(ALONE).state is State.FAILED
    assert pair.migrate(EVENT).state is State.DONE


@pytest.mark.parametrize("fault", [{"redirect": "login"}, {"status": 403}, {"status": 401}])
def test_a_file_that_the_account_may_not_read_fails_the_event(pair: Patient, fault: dict[str, Any]) -> None:
    pair.source.faults.add(VIDEO, **fault)
    failed_cleanly(pair, ALONE, r"ROLE_ADMIN|login")


@pytest.mark.parametrize(
    "body",
    [
        b"this is no XML",
        b"",
        b'<?xml version="1.0"?><mediapackage xmlns="http://mediapackage.opencastproject.org" id="a-ev-archive-only"',
        b'<!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/passwd">]><mediapackage id="m">&e;</mediapackage>',
        b"<mediapackage id='a-ev-archive-only'/>",
        b"\xff\xfe\x00\x01",
    ],
)
def test_a_mediapackage_that_is_none_fails_the_event(pair: Patient, body: bytes) -> None:
    pair.source.faults.add(f"^/assets/episode/{ALONE}", body=body)
    failed_cleanly(pair, ALONE, "mediapackage|no XML")
    assert pair.writes() == []


@pytest.mark.parametrize("name", [b"../../x", b"..", b"a/b", b"a&#10;b", b""])
def test_an_element_id_that_would_leave_its_folder_fails_the_event(pair: Patient, name: bytes) -> None:
    def change(real: bytes) -> bytes:
        return re.sub(rb'(<track [^>]*)id="[^"]*"', rb'\1id="' + name + b'"', real, count=1)

    before = outside(pair)
    pair.source.faults.add(f"^/assets/episode/{ALONE}", body=change)
    failed_cleanly(pair, ALONE, "element|id")
    assert pair.writes() == []
    assert outside(pair) == before


@pytest.mark.parametrize("name", [b"../../../x.mp4", b"..%2F..%2Fx.mp4", b"%00.mp4", b"..", b"x.mp4/"])
def test_a_file_name_that_would_leave_its_folder_does_no_harm(pair: Patient, name: bytes) -> None:
    def change(real: bytes) -> bytes:
        return re.sub(rb"[^/]*\.mp4(?=</url>)", name, real)

    before = outside(pair)
    pair.source.faults.add(f"^/assets/episode/{ALONE}", body=change)
    pair.migrate(ALONE)
    assert outside(pair) == before


def outside(pair: Patient) -> list[Path]:
    """Return what lies beside the folders that are written to."""
    folders = (pair.source.storage.root, pair.target.storage.root, pair.settings.data_folder)
    parent = pair.target.storage.root.parent
    return sorted(p for p in parent.rglob("*") if not p.name.startswith("store.db") and not _below(p, folders))


def _below(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def test_another_mediapackage_than_asked_for_fails_the_event(pair: Patient) -> None:
    other = Opencast(server(pair.source)).assets.episode_xml(EVENT)
    pair.source.faults.add(f"^/assets/episode/{ALONE}", body=other)
    failed_cleanly(pair, ALONE, f"answers mediapackage {EVENT} when it is asked for {ALONE}")


def test_a_checksum_that_does_not_fit_the_file_fails_the_event(pair: Patient) -> None:
    def change(real: bytes) -> bytes:
        return re.sub(rb'(<checksum type="md5">)[0-9a-f]{32}', rb"\g<1>" + b"0" * 32, real)

    pair.source.faults.add(f"^/assets/episode/{ALONE}", body=change)
    failed_cleanly(pair, ALONE, "0" * 32)


def test_a_file_damaged_on_its_way_fails_the_event_until_the_next_run(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, corrupt=1000, times=1)
    failed_cleanly(pair, ALONE, "md5")
    assert pair.migrate(ALONE, key=AGAIN).state is State.DONE


def test_a_file_deleted_during_the_run_fails_the_event(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, status=404)
    failed_cleanly(pair, ALONE, "404|not found|is not")


@pytest.mark.parametrize("place", [f"^/assets/episode/{ALONE}", f"^/api/events/{ALONE}$", VIDEO])
def test_an_event_that_vanishes_between_two_requests_fails_alone(pair: Patient, place: str) -> None:
    pair.plan(events=[ALONE])
    pair.source.faults.add(place, delete_event=ALONE, times=1)
    failed_cleanly(pair, ALONE, "source|404")


def test_a_download_that_breaks_off_is_begun_again(pair: Patient) -> None:
    fault = pair.source.faults.add(VIDEO, drop_after=700, times=2)
    assert pair.migrate(ALONE).state is State.DONE
    assert fault.hits == 2


def test_a_download_that_breaks_off_goes_on_where_the_server_can(pair: Patient) -> None:
    pair.source.faults.add(r"^/static/.*\.mp4$", drop_after=700, times=1)
    assert pair.migrate(EVENT).state is State.DONE
    assert [r for r in pair.source.requests.all("GET", "/static/") if r.headers.get("range") and r.status == 206]


def test_a_download_that_always_breaks_off_fails_the_event(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, drop_after=700)
    failed_cleanly(pair, ALONE, r"stopped after 700 of \d+ bytes|broke off|ended after")


def test_a_file_that_ends_early_without_an_error_fails_the_event(pair: Patient) -> None:
    """A proxy may cut a body and name the length that is left."""
    pair.source.faults.add(VIDEO, body=lambda real: real[:700])
    failed_cleanly(pair, ALONE, "700|md5")


# --- load ----------------------------------------------------------------------------------------------------------


def test_a_source_that_asks_for_patience_gets_it(pair: Patient) -> None:
    fault = pair.source.faults.add(FILES, times=3, status=503, headers={"Retry-After": "17"})
    assert pair.migrate(ALONE).state is State.DONE
    assert (fault.hits, [wait for wait in pair.waits if wait >= 17]) == (3, [17.0] * 3)


def test_a_target_that_asks_for_patience_gets_it_for_writes_too(pair: Patient) -> None:
    for path in ("^/files/", "^/workflow/start"):
        pair.target.faults.add(path, method="POST", times=2, status=503, headers={"Retry-After": "9"})
    assert pair.migrate(ALONE).state is State.DONE
    assert pair.waits.count(9.0) == 4
    assert pair.writes().count("POST /workflow/start") == 3


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_storm_that_does_not_end_is_an_error_that_is_worth_another_try(pair: Patient, side: str) -> None:
    with pair.bench() as bench:
        migrator = bench.mediapackage_migrator(ALONE, "dag/run")
        getattr(pair, side).faults.add("^/(assets|files|workflow)/", status=503, headers={"Retry-After": "1"})
        with pytest.raises(Throttled) as caught:
            migrator.begin()
    assert caught.value.retriable
    getattr(pair, side).faults.clear()
    assert pair.migrate(ALONE).state is State.DONE


def test_a_server_that_asks_for_an_hour_is_not_waited_for(pair: Patient) -> None:
    pair.source.faults.add(VIDEO, status=503, headers={"Retry-After": "3600"})
    failed_cleanly(pair, ALONE, "503")
    assert all(wait < 60 for wait in pair.waits)


def test_a_server_that_falls_silent_is_given_up(pair: Patient) -> None:
    with pair.bench() as bench:
        bench.source = Opencast(Client(server(pair.source, max_tries=2, read_timeout=0.1), sleep=pair.waits.append))
        pair.source.faults.add(f"^/assets/episode/{ALONE}", delay=30)
        with pytest.raises(Unreachable, match="time"):
            bench.mediapackage_migrator(ALONE, "dag/run").begin()


# --- full disks ----------------------------------------------------------------------------------------------------


def test_a_file_larger_than_the_staging_budget_fails_the_event(pair: Patient) -> None:
    pair.settings = Settings(**{**pair.settings.model_dump(), "staging_budget_gb": 1e-6})
    failed_cleanly(pair, ALONE, "does not fit into the staging budget of 1000 bytes. Raise the staging budget")
    assert list(pair.settings.staging.rglob("*.mp4")) == []


def test_a_staging_disk_without_room_fails_the_event_before_anything_is_sent(pair: Patient) -> None:
    pair.settings = Settings(**{**pair.settings.model_dump(), "staging_reserve_gb": 1e9})
    failed_cleanly(pair, ALONE, "must stay free")
    assert not [write for write in pair.writes() if write.startswith("POST")]


@pytest.mark.parametrize("room", [0, 1000, 9000])
def test_a_full_target_fails_the_event_until_there_is_room_again(pair: Patient, room: int) -> None:
    pair.target.behave(room=room)
    failed_cleanly(pair, EVENT, "500")
    pair.target.behave(room=-1)
    assert pair.migrate(EVENT, key=AGAIN).state is State.DONE


# --- answers that get lost, bytes that change ----------------------------------------------------------------------


def test_an_upload_whose_answer_is_lost_is_not_lost(pair: Patient) -> None:
    pair.target.faults.add("^/files/mediapackage/", method="POST", drop=True, executed=True, times=1)
    assert pair.migrate(ALONE).state is State.DONE


def test_an_upload_that_breaks_off_is_sent_again(pair: Patient) -> None:
    pair.target.faults.add("^/files/mediapackage/", method="POST", drop_upload=500, times=1)
    assert pair.migrate(ALONE).state is State.DONE


def test_an_upload_that_always_breaks_off_fails_the_event(pair: Patient) -> None:
    pair.target.faults.add("^/files/mediapackage/", method="POST", drop_upload=500)
    failed_cleanly(pair, ALONE, "broke|connection|reached|answer")


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}, {"status": 504}])
def test_a_start_whose_answer_is_lost_is_found_again(pair: Patient, fault: dict[str, Any]) -> None:
    """Each of three starts gets lost once; the task is tried again each time."""
    for _ in range(3):
        lost = pair.target.faults.add("^/workflow/start", times=1, executed=True, **fault)
        with pair.bench() as bench, pytest.raises(ServerError) as caught:
            while bench.mediapackage_migrator(EVENT, "dag/run").begin() is not Progress.IMPORTED:
                pair.target.wait_for_workflows()
        assert caught.value.retriable
        pair.target.faults.remove(lost)
        pair.target.wait_for_workflows()
    assert pair.migrate(EVENT).state is State.DONE
    assert pair.writes().count("POST /workflow/start") == 3


def test_a_start_that_never_answers_fails_the_event_until_the_next_run(pair: Patient) -> None:
    """The workflow runs all the same, and finds its files removed or not; the next import is another one."""
    pair.target.faults.add("^/workflow/start", drop=True, executed=True)
    assert pair.migrate(ALONE).state is State.FAILED
    pair.target.wait_for_workflows()
    pair.target.faults.clear()
    assert pair.migrate(ALONE, key=AGAIN).state is State.DONE
    assert pair.left_over() == []


def test_a_target_that_stores_other_bytes_once_gets_the_file_again(pair: Patient) -> None:
    pair.target.faults.add("^/files/mediapackage/", method="POST", spoil="network", times=1)
    assert pair.migrate(ALONE).state is State.DONE


def test_a_target_that_always_stores_other_bytes_is_not_imported_from(pair: Patient) -> None:
    pair.target.faults.add("^/files/mediapackage/", method="POST", spoil="network")
    failed_cleanly(pair, ALONE, "stored other bytes")
    assert "POST /workflow/start" not in pair.writes()


def test_bytes_that_change_on_the_targets_disk_are_found_by_the_checksum_of_its_archive(pair: Patient) -> None:
    """The target notes the md5 of what it received, and archives what it then finds."""
    pair.target.faults.add("^/files/mediapackage/", method="POST", spoil="disk", times=1)
    entry = pair.migrate(ALONE)
    assert entry.state is State.FAILED
    assert re.search(r"differs on the target: archive: .* checksum", entry.reason), entry.reason


def test_a_series_whose_answer_is_lost_is_written(pair: Patient) -> None:
    pair.target.faults.add("^/series/", method="POST", drop=True, executed=True, times=1)
    pair.migrate_series("a-series-algorithms")
    assert pair.migrate_series("a-series-algorithms") == ()


# --- the target's index and workflows ------------------------------------------------------------------------------


@pytest.fixture
def without_waiting(pair: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time pass for the verification only while it waits."""
    clock = SimpleNamespace(monotonic=lambda: sum(pair.waits))
    monkeypatch.setattr(probes, "time", clock)
    defaults = probes.Prober.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", pair.waits.append)


@pytest.mark.usefixtures("without_waiting")
def test_verification_waits_for_the_targets_index(pair: Patient) -> None:
    pair.target.behave(index_lag=600)
    show = pair.target.faults.add(
        f"^/api/events/{ALONE}/acl", after=2, times=1, then=lambda: pair.target.behave(index_lag=0)
    )
    assert pair.migrate(ALONE).state is State.DONE
    assert (show.hits, pair.waits) == (1, [1.0] * 3)


@pytest.mark.usefixtures("without_waiting")
def test_an_event_that_never_comes_into_the_index_fails(pair: Patient) -> None:
    pair.target.behave(index_lag=600)
    entry = pair.migrate(ALONE)
    assert (entry.state, "not in the target's index" in entry.reason) == (State.FAILED, True)


@pytest.mark.parametrize("operation", ["publish-engage", "publish-configure", "snapshot"])
def test_an_operation_that_fails_is_named(pair: Patient, operation: str) -> None:
    pair.target.faults.workflow("fail", operation)
    failed_cleanly(pair, EVENT, f"ended as FAILED: its operation {operation} failed")
    pair.target.faults.clear()
    assert pair.migrate(EVENT, key=AGAIN).state is State.DONE


def test_a_workflow_that_waits_for_a_person_fails_the_event(pair: Patient) -> None:
    pair.target.faults.workflow("pause", "snapshot")
    failed_cleanly(pair, ALONE, "is paused on the target and waits for a person")


def test_a_workflow_that_somebody_stops_fails_the_event(pair: Patient) -> None:
    hanging = pair.target.faults.workflow("hang", "snapshot")
    with pair.bench() as bench:
        assert bench.mediapackage_migrator(ALONE, "dag/run").begin() is Progress.WAITING
        bench.target.client.post_form("/workflow/stop", {"id": str(max(pair.target.state.workflows))})
    hanging.release()
    pair.target.wait_for_workflows()
    failed_cleanly(pair, ALONE, "ended as STOPPED")


def test_a_workflow_that_vanishes_fails_the_event_until_the_next_run(pair: Patient) -> None:
    pair.target.faults.workflow("vanish", "snapshot", times=1)
    failed_cleanly(pair, ALONE, "is not on the target any more")
    assert pair.migrate(ALONE, key=AGAIN).state is State.DONE


def test_a_workflow_cleaned_away_after_its_end_costs_one_more_run_at_most(pair: Patient) -> None:
    pair.target.faults.workflow("clean", times=1)
    assert pair.migrate(ALONE).state in {State.FAILED, State.DONE}
    assert pair.migrate(ALONE, key=AGAIN).state is State.DONE


def test_a_long_workflow_is_waited_for_without_being_started_again(pair: Patient) -> None:
    hanging = pair.target.faults.workflow("hang", "snapshot")
    for _ in range(5):
        with pair.bench() as bench:
            assert bench.mediapackage_migrator(ALONE, "dag/run").begin() is Progress.WAITING
    hanging.release()
    assert pair.migrate(ALONE).state is State.DONE
    assert pair.writes().count("POST /workflow/start") == 1


def test_an_event_that_is_deleted_on_the_target_before_it_is_verified_fails(pair: Patient) -> None:
    with pair.bench() as bench:
        migrator = bench.mediapackage_migrator(ALONE, "dag/run")
        progress = migrator.begin()
        pair.target.wait_for_workflows()
        pair.target.faults.add(f"^/assets/episode/{ALONE}", delete_event=ALONE, times=1)
        with pytest.raises(Exception, match=f"the target has no mediapackage {ALONE}"):
            finish(migrator, progress)


# --- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [{"page": "login"}, {"body": b"{"}, {"body": b'{"error": 1}'}, {"redirect": "login"}])
def test_a_list_that_is_none_ends_the_run_before_anything_is_written(pair: Patient, fault: dict[str, Any]) -> None:
    pair.source.faults.add("^/api/events$", **fault)
    with pytest.raises(OpencastError):
        pair.plan()
    assert pair.writes() == []


def test_a_list_that_breaks_off_is_asked_for_again(pair: Patient) -> None:
    pair.source.faults.add("^/(api/events|series)", drop_after=100, times=2)
    assert len(pair.plan()) > 9


def test_an_error_page_of_a_proxy_is_not_taken_for_an_answer(pair: Patient) -> None:
    pair.source.faults.add(
        f"^/assets/episode/{ALONE}", status=200, body=LOGIN_PAGE, headers={"Content-Type": "text/html"}
    )
    with pair.bench() as bench, pytest.raises(UnexpectedContent, match="was answered with a web page"):
        bench.mediapackage_migrator(ALONE, "dag/run").begin()
