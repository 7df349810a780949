"""The upload route sends what is not there yet, and believes only the target's own md5."""

from __future__ import annotations

from typing import BinaryIO

import pytest
from opencast.errors import ChecksumMismatch, Forbidden, InvalidIdentifier
from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore
from opencast.staging.upload import UploadRoute

from tests.staging.conftest import Site
from tests.staging.doubles import FakeRepository, contents, md5


@pytest.fixture
def staged(store: ObjectStore) -> StagedObject:
    stored = store.put([b"video"])
    return StagedObject(stored.digest.md5, stored.digest.size, stored.path, "download")


@pytest.fixture
def route(store: ObjectStore, repository: FakeRepository) -> UploadRoute:
    return UploadRoute(store, repository)


def test_a_file_is_uploaded_once_and_its_url_is_the_targets(
    route: UploadRoute, staged: StagedObject, repository: FakeRepository, site: Site
) -> None:
    sent = route.send("mp1", "el1", "a file.mp4", staged)

    assert (sent.how, sent.bytes_written) == ("upload", 5)
    assert sent.url == "http://target.test/files/mediapackage/mp1/el1/a_file.mp4"
    assert contents(site.files)["mediapackage/mp1/el1/a_file.mp4"] == b"video"
    assert repository.puts == 1


def test_what_the_target_has_is_not_sent_again(
    route: UploadRoute, staged: StagedObject, repository: FakeRepository
) -> None:
    first = route.send("mp1", "el1", "cam.mp4", staged)
    second = route.send("mp1", "el1", "cam.mp4", staged)

    assert (second.how, second.bytes_written, second.url) == ("present", 0, first.url)
    assert repository.puts == 1


def test_other_bytes_of_an_element_are_replaced(
    route: UploadRoute, store: ObjectStore, staged: StagedObject, repository: FakeRepository
) -> None:
    route.send("mp1", "el1", "cam.mp4", staged)
    other = store.put([b"other"])

    sent = route.send("mp1", "el1", "cam.mp4", StagedObject(other.digest.md5, 5, other.path, "present"))

    assert sent.how == "upload"
    assert repository.matches("mp1", "el1", "cam.mp4", md5(b"other"))


def test_a_target_that_stored_other_bytes_is_sent_them_once_more(
    store: ObjectStore, staged: StagedObject, site: Site
) -> None:
    damages = [lambda data: data[:-1], lambda data: data]

    class DamagesOnce(FakeRepository):
        def put(self, mp_id: str, element_id: str, file_name: str, stream: BinaryIO, size: int, /) -> str:
            self.damage = damages.pop(0)
            return super().put(mp_id, element_id, file_name, stream, size)

    repository = DamagesOnce(site.files)
    sent = UploadRoute(store, repository).send("mp1", "el1", "cam.mp4", staged)

    assert (sent.how, sent.bytes_written) == ("upload", 10)
    assert repository.matches("mp1", "el1", "cam.mp4", staged.md5)


def test_a_target_that_goes_on_storing_other_bytes_is_an_error_and_keeps_nothing(
    store: ObjectStore, staged: StagedObject, site: Site
) -> None:
    repository = FakeRepository(site.files, damage=lambda data: data[:-1])

    with pytest.raises(ChecksumMismatch, match="target stored other bytes"):
        UploadRoute(store, repository).send("mp1", "el1", "cam.mp4", staged)

    assert contents(site.files) == {}
    assert staged.path.exists(), "the staged object is sound"


def test_a_staged_object_that_was_changed_in_place_is_found_and_dropped(
    route: UploadRoute, staged: StagedObject, site: Site
) -> None:
    staged.path.write_bytes(b"VIDEO")

    with pytest.raises(ChecksumMismatch, match="staged object"):
        route.send("mp1", "el1", "cam.mp4", staged)

    assert not staged.path.exists()
    assert contents(site.files) == {}


def test_no_id_leaves_the_repository(route: UploadRoute, staged: StagedObject) -> None:
    with pytest.raises(InvalidIdentifier):
        route.send("mp1", "../el1", "cam.mp4", staged)
    with pytest.raises(InvalidIdentifier):
        route.remove_sent("../mp1", ["el1"])


def test_what_was_sent_is_deleted(route: UploadRoute, staged: StagedObject, site: Site) -> None:
    route.send("mp1", "el1", "cam.mp4", staged)

    assert route.remove_sent("mp1", ["el1", "el2"]) == 1
    assert contents(site.files) == {}


def test_the_probe_uploads_and_leaves_nothing(
    route: UploadRoute, store: ObjectStore, repository: FakeRepository, site: Site
) -> None:
    probe = route.probe()

    assert (probe.ok, probe.how) == (True, "upload")
    assert repository.puts == 1
    assert contents(site.files) == {}
    assert list(store.objects()) == []


def test_the_probe_reports_an_account_that_may_not_upload(store: ObjectStore, site: Site) -> None:
    class Refusing(FakeRepository):
        def matches(self, mp_id: str, element_id: str, file_name: str, md5: str, /) -> bool:
            raise Forbidden("The account may not read /files.")

    probe = UploadRoute(store, Refusing(site.files)).probe()

    assert not probe.ok
    assert "/files" in probe.reason and "ROLE_ADMIN" in probe.advice


def test_the_probe_finds_a_target_that_deletes_nothing(store: ObjectStore, site: Site) -> None:
    probe = UploadRoute(store, FakeRepository(site.files, deletes_nothing=True)).probe()

    assert not probe.ok and "does not delete" in probe.reason
