"""Snapshots: their files on disk, and the checksum trap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.driver import Driver, Steps, element_of

SNAPSHOT: Steps = [("snapshot", {})]


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def test_a_snapshot_links_the_uploaded_file_into_the_archive(server: Driver) -> None:
    server.run(server.package("ev"), SNAPSHOT)
    root = server.simulator.storage.root
    archived = root / "archive/mh_default_org/ev/1/track-1.mp4"
    assert archived.samefile(root / "files/mediapackage/ev/track-1/v.mp4")
    assert (archived.parent / "manifest.xml").read_text().count("urn:matterhorn:ev:1:track-1:v.mp4") == 1


def test_missing_checksums_are_computed_and_all_elements_are_tagged_archive(server: Driver) -> None:
    server.run(server.package("ev", b"bytes"), SNAPSHOT)
    track = element_of(server.archived("ev"), "track-1")
    assert track.checksum == ("md5", md5(b"bytes"))
    assert track.tags == {"archive"}
    assert track.url == f"{server.url}/assets/assets/ev/track-1/1/v.mp4"


def test_a_wrong_checksum_that_is_known_archives_the_other_file(server: Driver) -> None:
    server.run(server.package("known", b"other bytes"), SNAPSHOT)
    package = server.package("ev", b"own bytes")
    package.elements[0].checksum = ("md5", md5(b"other bytes"))
    assert server.run(package, SNAPSHOT)[0] == "SUCCEEDED"
    assert server.get("/assets/assets/ev/track-1/1/v.mp4").content == b"other bytes"


def test_a_wrong_checksum_that_is_unknown_is_believed(server: Driver) -> None:
    package = server.package("ev", b"own bytes")
    package.elements[0].checksum = ("md5", "0" * 32)
    server.run(package, SNAPSHOT)
    assert element_of(server.archived("ev"), "track-1").checksum == ("md5", "0" * 32)


def test_equal_contents_of_different_events_are_one_inode(server: Driver) -> None:
    for name in ("one", "two"):
        server.run(server.package(name, b"same"), [*SNAPSHOT, ("cleanup", {})])
    archive = server.simulator.storage.root / "archive/mh_default_org"
    assert (archive / "one/1/track-1.mp4").samefile(archive / "two/1/track-1.mp4")


def test_an_archived_file_knows_its_md5_but_no_ranges(server: Driver) -> None:
    server.run(server.package("ev", b"0123456789"), SNAPSHOT)
    path = "/assets/assets/ev/track-1/1/v.mp4"
    assert server.get(path, headers={"If-None-Match": md5(b"0123456789")}).status_code == 304
    ranged = server.get(path, headers={"Range": "bytes=0-1"})
    assert (ranged.status_code, ranged.content) == (200, b"0123456789")


def test_a_large_file_without_a_known_size_is_delivered_chunked(server: Driver) -> None:
    server.run(server.package("ev", b"x" * 100_000), SNAPSHOT)
    answer = server.get("/assets/assets/ev/track-1/1/v.mp4")
    assert "content-length" not in answer.headers
    assert len(answer.content) == 100_000


def test_a_wrong_size_in_the_package_breaks_the_download(server: Driver) -> None:
    package = server.package("ev", b"short")
    package.elements[0].size = 1000
    server.run(package, SNAPSHOT)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        server.get("/assets/assets/ev/track-1/1/v.mp4")


def test_versions_go_on_counting_after_a_deletion(server: Driver) -> None:
    server.run(server.package("ev"), SNAPSHOT)
    assert server.session.delete(f"{server.url}/api/events/ev").status_code == 204
    assert server.get("/assets/episode/ev").status_code == 404
    server.run(server.package("ev"), SNAPSHOT)
    assert "/ev/track-1/3/" in str(element_of(server.archived("ev"), "track-1").url)


def test_a_deleted_event_can_be_seen_for_a_while(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", delete_seconds=30))
    server.run(server.package("ev"), [("publish-engage", {"download-source-flavors": "*/source"}), *SNAPSHOT])
    assert server.session.delete(f"{server.url}/api/events/ev").status_code == 202
    assert server.get("/api/events/ev").status_code == 200
    assert server.get("/workflow/mediaPackage/ev/hasActiveWorkflows").json() is True


def test_workflow_properties_can_be_written_without_a_workflow(server: Driver) -> None:
    assert server.post("/assets/ev/workflowProperties", data={"properties": "{}"}).status_code == 404
    server.run(server.package("ev"), SNAPSHOT)
    assert server.post("/assets/ev/workflowProperties", data={"properties": '{"a": "b=c"}'}).status_code == 204
    assert server.get("/assets/ev/workflowProperties.json").json() == {"a": "b=c"}
