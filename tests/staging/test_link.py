"""The link route puts files where Opencast finds them, complete, removable, and without writing a media byte."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from opencast.errors import (
    ChecksumMismatch,
    InvalidIdentifier,
    RouteUnavailable,
    StagingError,
    StagingFull,
    StorageFailure,
    StorageRefused,
)
from opencast.staging.access import Account
from opencast.staging.link import LinkRoute
from opencast.staging.routes import PROBE_PREFIX
from opencast.staging.source import Fetcher, StagedObject
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FakeRepository, FaultyDisk, contents, md5


@pytest.fixture
def staged(store: ObjectStore) -> StagedObject:
    return stage(store, b"video")


@pytest.fixture
def route(site: Site, store: ObjectStore, repository: FakeRepository) -> LinkRoute:
    return LinkRoute(site.files, store, repository)


def stage(store: ObjectStore, data: bytes) -> StagedObject:
    stored = store.put([data])
    return StagedObject(stored.digest.md5, stored.digest.size, stored.path, "download")


def route_on(disk: FaultyDisk, site: Site, **options: Any) -> LinkRoute:
    ObjectStore(site.staging)  # its folders are there already
    return LinkRoute(site.files, ObjectStore(site.staging, disk=disk), FakeRepository(site.files), **options)


def test_a_file_is_linked_with_its_md5_beside_it(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    sent = route.send("mp1", "el1", "cam.mp4", staged)

    folder = site.files / "mediapackage" / "mp1" / "el1"
    assert contents(folder) == {"cam.mp4": b"video", "cam.mp4.md5": md5(b"video").encode()}
    assert (folder / "cam.mp4").stat().st_ino == staged.path.stat().st_ino
    assert (sent.how, sent.bytes_written, sent.note) == ("link", 0, "")
    assert sent.url == "http://target.test/files/mediapackage/mp1/el1/cam.mp4"


def test_source_staging_and_target_are_one_inode(site: Site, fetcher: Fetcher, route: LinkRoute) -> None:
    file = site.archived(b"video")

    route.send("mp1", "el1", "cam.mp4", fetcher.fetch(file))

    linked = site.files / "mediapackage" / "mp1" / "el1" / "cam.mp4"
    assert linked.stat().st_ino == site.archived_path().stat().st_ino
    assert linked.stat().st_nlink == 3


def test_a_name_is_made_safe_as_opencast_does_it(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    sent = route.send("mp1", "el1", "a file ü #1.mp4", staged)

    assert sent.url.endswith("/mp1/el1/a_file____1.mp4")
    assert (site.files / "mediapackage/mp1/el1/a_file____1.mp4.md5").exists()


@pytest.mark.parametrize(
    ("mp_id", "element_id"),
    [("..", "el1"), ("mp/1", "el1"), ("", "el1"), ("mp1", ".."), ("mp1", "a/b"), ("mp1", ""), ("mp1", "x\0y")],
)
def test_no_id_leaves_the_folder(
    route: LinkRoute, staged: StagedObject, site: Site, mp_id: str, element_id: str
) -> None:
    with pytest.raises(InvalidIdentifier):
        route.send(mp_id, element_id, "cam.mp4", staged)
    with pytest.raises(InvalidIdentifier):
        route.remove_sent(mp_id, [element_id])

    assert contents(site.files) == {}


def test_sending_again_changes_nothing(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    route.send("mp1", "el1", "cam.mp4", staged)
    folder = site.files / "mediapackage" / "mp1" / "el1"
    before = {name.name: name.stat().st_ctime_ns for name in folder.iterdir()}

    assert route.send("mp1", "el1", "cam.mp4", staged).how == "present"
    assert {name.name: name.stat().st_ctime_ns for name in folder.iterdir()} == before


@pytest.mark.parametrize(
    "leftover",
    [
        {"cam.mp4.md5": b"0" * 32},
        {"other.mp4.md5": b"0" * 32},
        {"cam.mp4": b"half"},
        {"cam.mp4.md5.part": b"00"},
        {"cam.mp4": b"video", "cam.mp4.md5": b""},
        {"old.mp4": b"old", "old.mp4.md5": b"0" * 32, "cam.mp4": b"x"},
    ],
)
def test_what_a_killed_run_left_is_replaced(
    route: LinkRoute, staged: StagedObject, site: Site, leftover: dict[str, bytes]
) -> None:
    folder = site.files / "mediapackage" / "mp1" / "el1"
    folder.mkdir(parents=True)
    for name, data in leftover.items():
        (folder / name).write_bytes(data)

    route.send("mp1", "el1", "cam.mp4", staged)

    assert contents(folder) == {"cam.mp4": b"video", "cam.mp4.md5": md5(b"video").encode()}
    assert (folder / "cam.mp4").stat().st_ino == staged.path.stat().st_ino


def test_other_bytes_of_an_element_are_replaced_and_not_written_into(
    route: LinkRoute, store: ObjectStore, site: Site
) -> None:
    old, new = stage(store, b"old"), stage(store, b"new")
    route.send("mp1", "el1", "cam.mp4", old)

    route.send("mp1", "el1", "cam.mp4", new)

    assert (site.files / "mediapackage/mp1/el1/cam.mp4").read_bytes() == b"new"
    assert old.path.read_bytes() == b"old"


def test_an_element_is_never_complete_before_its_file_is_there(site: Site, staged: StagedObject) -> None:
    """Opencast takes a folder with exactly one ``.md5`` for complete."""
    seen: list[tuple[bool, bool]] = []
    folder = site.files / "mediapackage" / "mp1" / "el1"
    disk = FaultyDisk()
    route = route_on(disk, site)
    folder.mkdir(parents=True)
    (folder / "old.mp4").write_bytes(b"old")
    (folder / "old.mp4.md5").write_bytes(b"0" * 32)
    disk.before = lambda number: seen.append((
        len(list(folder.glob("*.md5"))) == 1,
        all(path.with_suffix("").exists() for path in folder.glob("*.md5")),
    ))

    route.send("mp1", "el1", "cam.mp4", staged)

    assert any(complete for complete, _ in seen) and not all(complete for complete, _ in seen)
    assert all(whole for complete, whole in seen if complete)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP])
def test_where_a_link_is_refused_the_file_is_copied_and_the_report_says_so(
    site: Site, staged: StagedObject, code: int
) -> None:
    route = route_on(FaultyDisk(link=code), site)

    sent = route.send("mp1", "el1", "cam.mp4", staged)

    folder = site.files / "mediapackage" / "mp1" / "el1"
    assert sent.how in {"copy", "reflink"}
    assert os.strerror(code) in sent.note
    assert contents(folder) == {"cam.mp4": b"video", "cam.mp4.md5": md5(b"video").encode()}


def test_a_target_on_another_file_system_gets_a_copy(
    staged: StagedObject, store: ObjectStore, repository: FakeRepository, other_file_system: Path
) -> None:
    (other_file_system / "mediapackage").mkdir()
    route = LinkRoute(other_file_system, store, repository)

    sent = route.send("mp1", "el1", "cam.mp4", staged)

    assert (sent.how, sent.bytes_written) == ("copy", 5)
    assert (other_file_system / "mediapackage/mp1/el1/cam.mp4").read_bytes() == b"video"
    assert route.send("mp1", "el1", "cam.mp4", staged).how == "present"


def test_copies_can_be_forbidden(site: Site, staged: StagedObject) -> None:
    route = route_on(FaultyDisk(link=errno.EXDEV), site, allow_copy=False)

    with pytest.raises(RouteUnavailable):
        route.send("mp1", "el1", "cam.mp4", staged)


@pytest.mark.parametrize(
    ("call", "code", "error"),
    [
        ("link", errno.ENOSPC, StagingFull),
        ("link", errno.EROFS, StorageRefused),
        ("link", errno.EIO, StorageFailure),
        ("make_folder", errno.EROFS, StorageRefused),
        ("make_folder", errno.EACCES, StorageRefused),
        ("create", errno.ENOSPC, StagingFull),
        ("write", errno.EIO, StorageFailure),
        ("rename", errno.EIO, StorageFailure),
    ],
)
def test_errors_of_the_targets_file_system_leave_no_complete_element(
    site: Site, staged: StagedObject, call: str, code: int, error: type[StagingError]
) -> None:
    route = route_on(FaultyDisk(**{call: code}), site)

    with pytest.raises(error):
        route.send("mp1", "el1", "cam.mp4", staged)

    assert list((site.files / "mediapackage").rglob("*.md5")) == []


def test_a_missing_repository_folder_is_an_error_with_advice(
    site: Site, store: ObjectStore, staged: StagedObject, repository: FakeRepository
) -> None:
    route = LinkRoute(site.files / "not mounted", store, repository)

    with pytest.raises(RouteUnavailable, match="Mount"):
        route.send("mp1", "el1", "cam.mp4", staged)


def test_a_symbolic_link_in_the_repository_is_not_followed(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    (site.folder / "outside").mkdir()
    (site.files / "mediapackage" / "mp1").symlink_to(site.folder / "outside")

    with pytest.raises(StorageRefused):
        route.send("mp1", "el1", "cam.mp4", staged)
    assert contents(site.folder / "outside") == {}


def test_a_staged_object_that_was_changed_is_not_sent(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    staged.path.write_bytes(b"longer than before")

    with pytest.raises(ChecksumMismatch):
        route.send("mp1", "el1", "cam.mp4", staged)
    assert list((site.files / "mediapackage").rglob("*.md5")) == []


def test_a_changed_object_of_the_same_size_is_found_when_copying_and_dropped(site: Site, staged: StagedObject) -> None:
    staged.path.write_bytes(b"VIDEO")

    with pytest.raises(ChecksumMismatch):
        route_on(FaultyDisk(link=errno.EXDEV), site).send("mp1", "el1", "cam.mp4", staged)
    assert not staged.path.exists(), "the next run fetches a sound one"


# --- owner and mode --------------------------------------------------------------------------------------------------


def test_new_folders_are_like_the_one_around_them(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    packages = site.files / "mediapackage"
    packages.chmod(0o2775)
    before = os.umask(0o077)
    try:
        route.send("mp1", "el1", "cam.mp4", staged)
    finally:
        os.umask(before)

    for folder in (packages / "mp1", packages / "mp1" / "el1"):
        assert folder.stat().st_mode & 0o7777 == 0o2775
    assert (packages / "mp1/el1/cam.mp4.md5").stat().st_mode & 0o777 == 0o644


def test_what_is_made_belongs_to_opencast_and_what_is_linked_keeps_its_owner(
    route: LinkRoute, staged: StagedObject, site: Site
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    os.chown(site.files / "mediapackage", 4711, 4712)

    route.send("mp1", "el1", "cam.mp4", staged)

    folder = site.files / "mediapackage/mp1/el1"
    for path in (folder.parent, folder, folder / "cam.mp4.md5"):
        assert (path.stat().st_uid, path.stat().st_gid) == (4711, 4712)
    assert staged.path.stat().st_uid == 0


def test_who_may_not_give_files_away_goes_on_with_its_own(
    site: Site, staged: StagedObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if os.geteuid() == 0:
        os.chown(site.files / "mediapackage", 4711, 4712)
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)

    assert route_on(FaultyDisk(), site).send("mp1", "el1", "cam.mp4", staged).how == "link"


def test_an_inode_that_opencast_may_not_read_is_copied_and_never_changed(
    site: Site, store: ObjectStore, staged: StagedObject, repository: FakeRepository
) -> None:
    staged.path.chmod(0o600)
    route = LinkRoute(site.files, store, repository, account=Account(4711, 4712))

    sent = route.send("mp1", "el1", "cam.mp4", staged)

    assert sent.how in {"copy", "reflink"} and "may not read" in sent.note
    assert staged.path.stat().st_mode & 0o777 == 0o600
    assert (site.files / "mediapackage/mp1/el1/cam.mp4").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("mode", "owner", "expected"),
    [
        (0o600, (1, 1), True),
        (0o040, (2, 1), True),
        (0o004, (2, 2), True),
        (0o070, (1, 1), False),
        (0o700, (2, 1), False),
    ],
)
def test_only_the_most_specific_right_counts(mode: int, owner: tuple[int, int], expected: bool) -> None:
    status = os.stat_result((0o100000 | mode, 0, 0, 1, *owner, 0, 0, 0, 0))

    assert Account(1, 1).may_read(status) is expected
    assert Account(0, 0).may_read(status), "root may read everything"


# --- removing --------------------------------------------------------------------------------------------------------


def test_what_was_sent_is_removed_with_its_folders(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    route.send("mp1", "el1", "cam.mp4", staged)
    route.send("mp1", "el2", "cam.mp4", staged)

    assert route.remove_sent("mp1", ["el1", "el2", "el3"]) == 2

    assert list((site.files / "mediapackage").iterdir()) == []
    assert staged.path.read_bytes() == b"video"


def test_elements_of_others_stay(route: LinkRoute, staged: StagedObject, site: Site) -> None:
    route.send("mp1", "el1", "cam.mp4", staged)
    (site.files / "mediapackage/mp1/of-the-target").mkdir()

    assert route.remove_sent("mp1", ["el1"]) == 1
    assert [path.name for path in (site.files / "mediapackage/mp1").iterdir()] == ["of-the-target"]


def test_removing_twice_is_harmless(route: LinkRoute) -> None:
    assert route.remove_sent("mp1", ["el1"]) == 0


def test_the_collections_of_the_repository_are_never_touched(
    route: LinkRoute, staged: StagedObject, site: Site
) -> None:
    (site.files / "collection" / "x").mkdir(parents=True)
    (site.files / "collection" / "x" / "upload.mp4").write_bytes(b"theirs")

    route.send("mp1", "el1", "cam.mp4", staged)
    route.remove_sent("mp1", ["el1"])

    assert contents(site.files / "collection") == {"x/upload.mp4": b"theirs"}


# --- the probe -------------------------------------------------------------------------------------------------------


def test_the_probe_links_and_leaves_nothing(route: LinkRoute, site: Site, store: ObjectStore) -> None:
    probe = route.probe()

    assert (probe.ok, probe.how) == (True, "link")
    assert "no media byte" in probe.reason
    assert list((site.files / "mediapackage").iterdir()) == []
    assert list(store.objects()) == []


def test_the_probe_tells_when_files_will_be_copied(site: Site) -> None:
    probe = route_on(FaultyDisk(link=errno.EXDEV), site).probe()

    assert probe.ok and probe.how in {"copy", "reflink"}
    assert "copied" in probe.reason and probe.advice


def test_the_probe_finds_a_folder_that_is_not_the_targets(site: Site, store: ObjectStore, tmp_path: Path) -> None:
    probe = LinkRoute(site.files, store, FakeRepository(tmp_path / "another server")).probe()

    assert not probe.ok and "does not see" in probe.reason and probe.advice
    assert list((site.files / "mediapackage").iterdir()) == []


def test_the_probe_finds_a_target_that_cannot_remove_the_files(site: Site, store: ObjectStore) -> None:
    probe = LinkRoute(site.files, store, FakeRepository(site.files, deletes_nothing=True)).probe()

    assert not probe.ok and "cannot remove" in probe.reason
    assert list((site.files / "mediapackage").iterdir()) == []


def test_the_probe_reports_what_the_file_system_refuses(site: Site) -> None:
    probe = route_on(FaultyDisk(make_folder=errno.EROFS), site).probe()

    assert not probe.ok and "Read-only" in probe.reason and probe.advice


def test_probe_objects_have_ids_that_opencast_accepts() -> None:
    from opencast.model.identifiers import check_mediapackage_id

    assert check_mediapackage_id(PROBE_PREFIX + "0" * 32)
