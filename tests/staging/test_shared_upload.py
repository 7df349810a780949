"""Equal large files are sent once or twice, however many need them; no shared inode is ever written to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest
from opencast.errors import Forbidden, NotFound, Unreachable
from opencast.staging import shared_upload
from opencast.staging.digest import Digest
from opencast.staging.shared_upload import SharedFile, SharedUploadRoute
from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FakeRepository, contents, md5

VIDEO = b"a video that several mediapackages share"


@dataclass
class Memory:
    """What was sent, and what others need."""

    known: dict[str, SharedFile] = field(default_factory=dict)
    wanted: bool = False
    collection: str = "shared"

    def find(self, key: str) -> SharedFile | None:
        return self.known.get(key)

    def note(self, key: str, file: SharedFile) -> None:
        self.known[key] = file

    def collected(self) -> list[tuple[str, str]]:
        return [(key, file.name) for key, file in self.known.items() if file.name is not None]

    def is_wanted(self, mp_id: str, digest: Digest) -> bool:
        return self.wanted


@dataclass
class Collecting(FakeRepository):
    """The target's ``/files`` with collections, whose files are written in place as Opencast does it."""

    collects: int = 0
    links: int = 0
    refuses: Exception | None = None
    links_damage: bool = False
    names: list[str] = field(default_factory=list)

    def collect(self, collection: str, name: str, stream: BinaryIO, size: int, /) -> None:
        if self.refuses is not None:
            raise self.refuses
        folder = self.root / "collection" / collection
        folder.mkdir(parents=True, exist_ok=True)
        data = stream.read()
        assert len(data) == size
        with (folder / name).open("wb") as out:
            out.write(data)
        self.collects += 1
        self.names.append(name)

    def link_collected(
        self, collection: str, name: str, mp_id: str, element_id: str, file_name: str, size: int, /
    ) -> None:
        source = self.root / "collection" / collection / name
        if not source.exists():
            raise NotFound(f"{name} is not in {collection}")
        folder = self.root / "mediapackage" / mp_id / element_id
        folder.mkdir(parents=True)
        os.link(source, folder / file_name)
        (folder / f"{file_name}.md5").write_text("0" * 32 if self.links_damage else md5(source.read_bytes()))
        self.links += 1

    def discard_collected(self, collection: str, name: str, /) -> bool:
        path = self.root / "collection" / collection / name
        if not path.exists():
            return False
        path.unlink()
        return True


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_upload, "SHARED_FROM_BYTES", 10)


@pytest.fixture
def target(site: Site) -> Collecting:
    return Collecting(site.files)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def route(store: ObjectStore, target: Collecting, memory: Memory) -> SharedUploadRoute:
    return SharedUploadRoute(store, target, memory)


@pytest.fixture
def staged(store: ObjectStore) -> Iterator[StagedObject]:
    stored = store.put([VIDEO])
    yield StagedObject(stored.digest.md5, stored.digest.size, stored.path, "download")


def collection(site: Site) -> list[Path]:
    return list((site.files / "collection").rglob("*-*"))


def test_a_file_that_only_one_needs_is_uploaded_as_ever(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, site: Site
) -> None:
    sent = route.send("mp1", "el", "cam.mp4", staged, is_new=True)

    assert (sent.how, sent.bytes_written) == ("upload", len(VIDEO))
    assert (target.puts, target.collects) == (1, 0)


def test_a_file_that_another_needs_too_is_sent_once_for_both(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory, site: Site
) -> None:
    memory.wanted = True
    first = route.send("mp1", "el", "cam.mp4", staged, is_new=True)
    second = route.send("mp2", "el", "other.mp4", staged, is_new=True)

    assert (first.how, first.bytes_written) == ("upload", len(VIDEO))
    assert (second.how, second.bytes_written) == ("shared", 0)
    assert (target.puts, target.collects, target.links) == (0, 1, 2)
    assert first.url == "http://target.test/files/mediapackage/mp1/el/cam.mp4"
    assert contents(site.files)["mediapackage/mp2/el/other.mp4"] == VIDEO


def test_a_file_is_sent_twice_at_most_when_nobody_knew(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting
) -> None:
    for number in range(5):
        route.send(f"mp{number}", "el", "cam.mp4", staged, is_new=True)

    assert (target.puts, target.collects) == (1, 1)


def test_small_files_are_not_shared(
    route: SharedUploadRoute, store: ObjectStore, target: Collecting, memory: Memory
) -> None:
    memory.wanted = True
    small = store.put([b"tiny"])
    route.send("mp1", "el", "dc.xml", StagedObject(small.digest.md5, 4, small.path, "present"), is_new=True)

    assert (target.puts, target.collects) == (1, 0)


def test_a_name_in_the_collection_is_never_used_twice(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory, site: Site
) -> None:
    memory.wanted = True
    route.send("mp1", "el", "cam.mp4", staged, is_new=True)
    route.clear()
    route.send("mp2", "el", "cam.mp4", staged, is_new=True)

    assert len(set(target.names)) == 2
    assert contents(site.files)["mediapackage/mp1/el/cam.mp4"] == VIDEO


def test_the_collection_is_emptied_and_what_was_linked_stays(
    route: SharedUploadRoute, staged: StagedObject, memory: Memory, site: Site
) -> None:
    memory.wanted = True
    route.send("mp1", "el", "cam.mp4", staged, is_new=True)

    assert route.clear() == 1
    assert route.clear() == 0
    assert collection(site) == []
    assert contents(site.files)["mediapackage/mp1/el/cam.mp4"] == VIDEO


def test_a_collection_that_somebody_else_emptied_is_filled_again(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory, site: Site
) -> None:
    memory.wanted = True
    route.send("mp1", "el", "cam.mp4", staged, is_new=True)
    for path in collection(site):
        path.unlink()
    sent = route.send("mp2", "el", "cam.mp4", staged, is_new=True)

    assert sent.how == "upload"
    assert target.collects == 2


def test_a_link_is_believed_only_by_the_targets_checksum(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory, site: Site
) -> None:
    memory.wanted = target.links_damage = True
    sent = route.send("mp1", "el", "cam.mp4", staged, is_new=True)

    assert sent.how == "upload"
    assert target.puts == 1
    assert target.matches("mp1", "el", "cam.mp4", md5(VIDEO))
    assert collection(site) == []


def test_a_target_that_takes_no_shared_files_gets_each_file(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory
) -> None:
    memory.wanted = True
    target.refuses = Forbidden("not for you")
    sent = route.send("mp1", "el", "cam.mp4", staged, is_new=True)

    assert (sent.how, target.puts) == ("upload", 1)
    assert memory.collected() == []


def test_a_connection_that_breaks_is_tried_again_by_the_task_and_nothing_is_left(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting, memory: Memory, site: Site
) -> None:
    memory.wanted = True
    target.refuses = Unreachable("broken")
    with pytest.raises(Unreachable):
        route.send("mp1", "el", "cam.mp4", staged, is_new=True)
    assert len(memory.collected()) == 1, "its name is remembered, so that it is found and removed"
    target.refuses = None
    route.send("mp1", "el", "cam.mp4", staged)
    assert [path.name for path in collection(site)] == target.names
    route.clear()
    assert collection(site) == []


def test_what_the_element_has_already_is_neither_sent_nor_linked(
    route: SharedUploadRoute, staged: StagedObject, target: Collecting
) -> None:
    route.send("mp1", "el", "cam.mp4", staged, is_new=True)
    again = route.send("mp1", "el", "cam.mp4", staged)

    assert (again.how, target.puts, target.links) == ("present", 1, 0)


def test_elements_are_removed_as_ever(route: SharedUploadRoute, staged: StagedObject, site: Site) -> None:
    route.send("mp1", "el", "cam.mp4", staged, is_new=True)

    assert route.remove_sent("mp1", ["el"]) == 1
    assert route.probe().ok
