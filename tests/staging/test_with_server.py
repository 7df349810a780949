"""Staging with the real client, against servers: every byte of a whole library, over each way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opencast.api.client import Client
from opencast.api.files import FilesService
from opencast.api.server import Server
from opencast.errors import ChecksumMismatch
from opencast.model.mediapackage import MediaPackage
from opencast.staging.link import LinkRoute
from opencast.staging.mounts import Mount
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore
from opencast.staging.upload import UploadRoute

from tests.simulator import Simulator
from tests.staging.doubles import assert_store_is_sound, incoming


@pytest.fixture(params=[17, 15])
def source(request: pytest.FixtureRequest, simulators: Callable[..., Simulator]) -> Simulator:
    return simulators("recorded", generation=request.param)


@pytest.fixture
def target(simulators: Callable[..., Simulator]) -> Simulator:
    return simulators("empty")


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "staging", reserve_bytes=0)


def client(simulator: Simulator) -> Client:
    return Client(Server(simulator.url, "admin", "opencast"))


def mounts(simulator: Simulator) -> list[Mount]:
    return [
        Mount(f"{simulator.url}/assets/assets", simulator.storage / "archive", "archive"),
        Mount(f"{simulator.url}/static", simulator.storage / "downloads", "downloads"),
    ]


def files(reader: Client, *, scheduled: bool = False) -> Iterator[SourceFile]:
    """Every file of the recorded events, archived and published; or of the scheduled ones."""
    for event in reader.get_json("/api/events"):
        if ("-sched-" in event["identifier"]) is not scheduled:
            continue
        package = MediaPackage.parse(reader.get_xml(f"/assets/episode/{event['identifier']}"))
        published = [element for publication in package.publications for element in publication.elements]
        for element in (*package.elements, *published):
            if element.url is not None and not element.is_streaming:
                md5 = None if element.checksum is None else element.checksum.value
                yield SourceFile(element.url, md5, element.size, f"{element.id} of {package.id}")


def test_a_library_comes_over_http_and_what_has_an_md5_is_read_once(source: Simulator, store: ObjectStore) -> None:
    with client(source) as reader:
        fetcher = Fetcher(store, reader)
        wanted = list(files(reader))

        staged = [fetcher.fetch(file) for file in wanted]

    assert len(wanted) > 50
    with_md5 = {one.digest for one, file in zip(staged, wanted, strict=True) if file.md5 is not None}
    without = [one for one, file in zip(staged, wanted, strict=True) if file.md5 is None]
    downloads = [one for one in staged if one.how == "download"]
    assert {one.digest for one in downloads} >= with_md5
    assert len(downloads) == len(with_md5) + len(without), "equal bytes are fetched once where an md5 tells that"
    assert max(one.size for one in without) < 100_000, "what has no md5 is small: catalogs, policies, previews"
    assert_store_is_sound(store.root)
    assert incoming(store.root) == []


def test_a_library_comes_from_mounted_storage_without_writing_a_byte(source: Simulator, store: ObjectStore) -> None:
    with client(source) as reader:
        fetcher = Fetcher(store, reader, mounts(source), link=True)
        wanted = list(files(reader))
        asked = source.requests.count

        staged = [fetcher.fetch(file) for file in wanted]

    assert source.requests.count == asked, "nothing was asked of the server"
    assert {one.how for one in staged} == {"link", "present"}
    assert [note for one in staged for note in one.notes] == []
    assert sum(one.bytes_written for one in staged) == 0
    assert all(found.links > 1 for found in store.objects())
    assert_store_is_sound(store.root)


def test_a_scheduled_events_catalog_does_not_have_the_md5_that_its_mediapackage_gives(
    source: Simulator, store: ObjectStore
) -> None:
    """Recorded so of 17 and of 15: the scheduler rewrites the catalog and keeps the checksum. Nobody may import it."""
    with client(source) as reader:
        catalogs = [file for file in files(reader, scheduled=True) if file.url.endswith("dublincore.xml")]
        assert len(catalogs) == 2

        for file in catalogs:
            with pytest.raises(ChecksumMismatch):
                Fetcher(store, reader).fetch(file)
            staged = Fetcher(store, reader).fetch(replace(file, md5=None))
            assert staged.checksum_from == "tool"


def test_the_target_serves_what_was_linked_into_its_folder(
    source: Simulator, target: Simulator, store: ObjectStore
) -> None:
    with client(source) as reader, client(target) as writer:
        route = LinkRoute(target.storage / "files", store, FilesService(writer))
        assert route.probe().how == "link"
        fetcher = Fetcher(store, reader, mounts(source), link=True)

        for number, file in enumerate(files(reader)):
            staged = fetcher.fetch(file)
            sent = route.send("mp1", f"el-{number}", file.url.rpartition("/")[2], staged)

            assert (sent.how, sent.bytes_written) == ("link", 0)
            assert writer.get_bytes(sent.url.removeprefix(target.url)) == staged.path.read_bytes()
        assert route.remove_sent("mp1", [f"el-{n}" for n in range(number + 1)]) == number + 1

    assert list((target.storage / "files" / "mediapackage").iterdir()) == []


def test_the_target_has_what_was_uploaded(source: Simulator, target: Simulator, store: ObjectStore) -> None:
    with client(source) as reader, client(target) as writer:
        route = UploadRoute(store, FilesService(writer))
        probe = route.probe()
        assert probe.ok, probe
        fetcher = Fetcher(store, reader, mounts(source), link=True)

        for number, file in enumerate(list(files(reader))[:20]):
            staged = fetcher.fetch(file)
            name = file.url.rpartition("/")[2]
            sent = route.send("mp1", f"el-{number}", name, staged)

            assert (sent.how, sent.bytes_written) == ("upload", staged.size)
            assert sent.url.startswith(f"{target.url}/files/mediapackage/mp1/el-{number}/")
            assert writer.get_bytes(sent.url.removeprefix(target.url)) == staged.path.read_bytes()
            assert route.send("mp1", f"el-{number}", name, staged).how == "present"
