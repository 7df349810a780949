"""The index and its lag, series, files, published files, generated libraries."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulator import Simulator
from tests.simulator.driver import Driver, Steps
from tests.simulator.index import LaggingIndex

SNAPSHOT: Steps = [("snapshot", {})]


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


def test_a_write_shows_in_the_index_only_after_the_lag() -> None:
    now = [0.0]
    index: LaggingIndex[str] = LaggingIndex(5.0, lambda: now[0])
    index.update("a", lambda old: "first")
    assert index.get("a") is None
    now[0] = 5.0
    assert index.all() == ["first"]
    index.update("a", lambda old: None)
    assert index.get("a") == "first"


def test_the_archive_knows_an_event_before_the_index_does(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", index_lag=60))
    server.run(server.package("ev"), SNAPSHOT)
    assert server.get("/assets/episode/ev").status_code == 200
    assert server.get("/api/events/ev").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [("filter=nope:1", 400), ("sort=created:ASC", 400), ("filter=start:2022-01-01/2022-02-01", 400), ("limit=0", 200)],
)
def test_bad_queries_are_refused(server: Driver, query: str, status: int) -> None:
    assert server.get(f"/api/events?{query}").status_code == status


def test_an_unknown_version_of_the_api_is_not_acceptable(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", generation=15))
    newer = server.get("/api/events", headers={"Accept": "application/v1.11.0+json"})
    older = server.get("/api/events", headers={"Accept": "application/v1.9.0+json"})
    assert (newer.status_code, older.headers["content-type"]) == (406, "application/v1.9.0+json")


def test_the_internal_publication_is_hidden_unless_asked_for(simulators: Callable[..., Simulator]) -> None:
    for generation, names in ((17, ["internal", "engage-player"]), (15, ["engage-player"])):
        server = Driver(simulators("recorded", generation))
        event = "a-ev-fast" if generation == 17 else "c-ev-fast"
        path = f"/api/events/{event}/publications?includeInternalPublication=true"
        assert [item["channel"] for item in server.get(path).json()] == names


def test_a_changed_series_writes_new_snapshots_of_its_events(server: Driver) -> None:
    server.post("/series/", data={"identifier": "s", "title": "Old"})
    server.run(server.package("ev", series="s"), SNAPSHOT)
    server.post("/series/", data={"identifier": "s", "title": "New"})
    assert server.get("/api/events/ev").json() | {"series": "New", "archive_version": 2} == (
        server.get("/api/events/ev").json()
    )


def test_an_unchanged_series_writes_nothing(server: Driver) -> None:
    document = {"identifier": "s", "title": "Same", "created": "2020-01-01T00:00:00Z"}
    server.post("/series/", data=document)
    server.run(server.package("ev", series="s"), SNAPSHOT)
    assert server.post("/series/", data=document).status_code == 201
    assert server.get("/api/events/ev").json()["archive_version"] == 1


def test_a_series_policy_with_override_removes_those_of_its_events(server: Driver) -> None:
    server.post("/series/", data={"identifier": "s", "title": "Series"})
    server.run(server.package("ev", series="s"), SNAPSHOT)
    own = '[{"role":"ROLE_OWN","action":"read"}]'
    server.session.put(f"{server.url}/api/events/ev/acl", data={"acl": own}).raise_for_status()
    acl = '{"acl":{"ace":{"role":"ROLE_SERIES","action":"read","allow":true}}}'
    server.post("/series/s/accesscontrol", data={"acl": acl, "override": "true"})
    assert [entry["role"] for entry in server.get("/api/events/ev/acl").json()] == ["ROLE_SERIES"]


def test_uploads_are_stored_under_a_safe_name_beside_their_md5(server: Driver) -> None:
    url = server.upload("mp", "el", "a file ü.txt", b"hello")
    assert url == f"{server.url}/files/mediapackage/mp/el/a_file__.txt"
    directory = server.simulator.storage.root / "files/mediapackage/mp/el"
    assert (directory / "a_file__.txt.md5").read_text() == hashlib.md5(b"hello").hexdigest()


def test_a_second_upload_replaces_the_first_whatever_its_name(server: Driver) -> None:
    server.upload("mp", "el", "one.txt", b"1")
    server.upload("mp", "el", "two.txt", b"2")
    assert server.get("/files/mediapackage/mp/el/one.txt").content == b"2"


def test_a_linked_file_counts_only_with_its_md5_beside_it(server: Driver) -> None:
    directory = server.simulator.storage.root / "files/mediapackage/mp/el"
    directory.mkdir(parents=True)
    (directory / "v.mp4").write_bytes(b"linked")
    assert server.get("/files/mediapackage/mp/el/v.mp4").status_code == 404
    (directory / "v.mp4.md5").write_text("abc")
    assert server.get("/files/mediapackage/mp/el/v.mp4", headers={"If-None-Match": "abc"}).status_code == 304
    (directory / "w.mp4.md5").write_text("def")
    assert server.get("/files/mediapackage/mp/el/v.mp4").status_code == 500


@pytest.mark.parametrize("element", ["..%2F..%2Fx", "a..b"])
def test_an_id_cannot_leave_the_storage(server: Driver, element: str) -> None:
    before = sorted(server.simulator.storage.root.rglob("*"))
    answer = server.post(f"/files/mediapackage/mp/{element}", files={"f": ("x.txt", b"x")})
    assert answer.status_code in (404, 405, 500)
    assert sorted(server.simulator.storage.root.rglob("*")) == before


def test_published_files_have_ranges_and_an_etag_that_is_no_md5(server: Driver) -> None:
    server.run(server.package("ev", b"0123456789"), [
        ("publish-configure", {"channel-id": "api", "download-source-flavors": "*/source"}), *SNAPSHOT,
    ])  # fmt: skip
    path = "/static/mh_default_org/api/ev/track-1/v.mp4"
    part = server.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    whole = server.get(path, headers={"If-None-Match": hashlib.md5(b"0123456789").hexdigest()})
    assert whole.status_code == 200
    assert server.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_files_of_an_unknown_channel_are_forbidden_even_to_administrators(server: Driver) -> None:
    settings = {"channel-id": "other", "download-source-flavors": "*/source"}
    server.run(server.package("ev"), [("publish-configure", settings)])
    assert server.get("/static/mh_default_org/other/ev/track-1/v.mp4").status_code == 403


def test_a_generated_library_is_the_same_for_the_same_seed(simulators: Callable[..., Simulator]) -> None:
    def library(seed: int) -> list[str]:
        server = Driver(simulators("generated", events=3, event_bytes=2000, seed=seed))
        ids = [event["identifier"] for event in server.get("/api/events").json()]
        return ids + [str(server.archived(event).elements[0].md5) for event in ids]

    assert library(7) == library(7)
    assert library(7) != library(8)


def test_shared_videos_of_a_generated_library_are_one_inode(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("generated", events=30, event_bytes=2000, shared_fraction=0.5))
    videos = list(server.simulator.storage.root.glob("archive/**/*.mp4"))
    assert len(videos) == 30
    assert len({video.stat().st_ino for video in videos}) < 25


def test_a_lazy_library_writes_the_files_of_an_event_when_it_is_asked_for(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("generated", events=20, event_bytes=2000, lazy=True))
    event = server.get("/api/events?limit=1").json()[0]["identifier"]
    assert not list(server.simulator.storage.root.glob("archive/**/*.mp4"))
    for element in server.archived(event).all_elements():
        answer = server.session.get(str(element.url))
        assert answer.status_code == 200
        assert element.md5 in (None, hashlib.md5(answer.content).hexdigest())


def test_the_storage_can_be_used_as_a_path(server: Driver) -> None:
    assert (server.simulator.storage / "archive").is_dir()
    assert Path(server.simulator.storage) == server.simulator.storage.root


def test_a_foreign_directory_is_not_emptied(simulators: Callable[..., Simulator], tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(FileExistsError):
        simulators("empty", storage=tmp_path)


def test_the_simulator_is_independent_of_the_product() -> None:
    sources = Path(__file__).parent.rglob("*.py")
    assert [path.name for path in sources if re.search(r"^\s*(from|import) opencast\b", path.read_text(), re.M)] == []


def test_xml_with_a_document_type_is_refused(server: Driver) -> None:
    hostile = '<!DOCTYPE a [<!ENTITY e "x">]><mediapackage xmlns="http://mediapackage.opencastproject.org" id="a"/>'
    assert server.post("/workflow/start", data={"definition": "noop", "mediapackage": hostile}).status_code == 400


def test_the_command_line_says_where_it_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--storage", str(tmp_path / "s"), "--library", "empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        process.terminate()
    assert line.startswith("simulator ready: http://127.0.0.1:")
