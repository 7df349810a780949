"""The zip route sends one mediapackage with its files, in the form that Opencast's reader maps to elements."""

from __future__ import annotations

import io
import zipfile

import pytest
from opencast.errors import BadRequest, Forbidden, InvalidIdentifier, RouteUnavailable, StagingError, Throttled
from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore
from opencast.staging.zip_route import ZippedFile, ZipRoute

from tests.staging.doubles import FakeIngest


@pytest.fixture
def staged(store: ObjectStore) -> StagedObject:
    stored = store.put([b"video"])
    return StagedObject(stored.digest.md5, stored.digest.size, stored.path, "download")


def manifest(*urls: str, more: str = "") -> bytes:
    tracks = "".join(f'<track id="t{n}"><url>{url}</url></track>' for n, url in enumerate(urls))
    return (
        f'<mediapackage xmlns="http://mediapackage.opencastproject.org" id="mp1"><media>{tracks}</media>{more}'
        "</mediapackage>"
    ).encode()


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def mapped_as_opencast_does(zipped: dict[str, bytes], url: str) -> bytes:
    """The rule of the reader: the root folder is what all entries but the manifest share."""
    others = [name for name in zipped if not name.endswith(("manifest.xml", "index.xml"))]
    roots = {name.partition("/")[0] if "/" in name else "" for name in others}
    prefix = roots.pop() + "/" if len(roots) == 1 else ""
    return zipped[prefix + url]


def test_a_mediapackage_goes_in_one_request(store: ObjectStore, staged: StagedObject) -> None:
    ingest = FakeIngest()
    route = ZipRoute(store, ingest, "import")
    sent = route.send("mp1", "track-1", "cam.mp4", staged)

    started = route.ingest(manifest(sent.url), [ZippedFile(sent.url, staged)], {"key": "value=1&2"})

    assert (started.id, started.template) == ("7", "import")
    ((workflow, data, properties),) = ingest.sent
    assert (workflow, properties) == ("import", {"key": "value=1&2"})
    assert entries(data) == {"mp/manifest.xml": manifest(sent.url), "mp/track-1/cam.mp4": b"video"}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_url_is_mapped_to_its_entry_with_one_element_as_with_several(
    store: ObjectStore, staged: StagedObject, count: int
) -> None:
    ingest = FakeIngest()
    route = ZipRoute(store, ingest, "import")
    sent = [route.send("mp1", f"track-{n}", "cam.mp4", staged) for n in range(count)]

    route.ingest(manifest(*(one.url for one in sent)), [ZippedFile(one.url, staged) for one in sent])

    zipped = entries(ingest.sent[0][1])
    assert [mapped_as_opencast_does(zipped, one.url) for one in sent] == [b"video"] * count


@pytest.mark.parametrize("name", ["slides-index.xml", "index.xml", "old-manifest.xml", "manifest.xml"])
def test_no_file_is_taken_for_the_manifest(store: ObjectStore, staged: StagedObject, name: str) -> None:
    ingest = FakeIngest()
    route = ZipRoute(store, ingest, "import")

    sent = route.send("mp1", "slides", name, staged)
    route.ingest(manifest(sent.url), [ZippedFile(sent.url, staged)])

    manifests = [name for name in entries(ingest.sent[0][1]) if name.endswith(("manifest.xml", "index.xml"))]
    assert manifests == ["mp/manifest.xml"]
    assert "renamed" in sent.note


@pytest.mark.parametrize("element_id", ["track 1", "Spur-ü", "track:1", "__MACOSX"])
def test_an_element_id_that_reads_differently_in_a_url_gets_another_folder(
    store: ObjectStore, staged: StagedObject, element_id: str
) -> None:
    sent = ZipRoute(store, FakeIngest(), "import").send("mp1", element_id, "cam.mp4", staged)

    assert sent.url.isascii() and " " not in sent.url and ":" not in sent.url
    assert "__MACOSX" not in sent.url, "the reader skips such paths"
    assert sent.url.endswith("/cam.mp4")


def test_a_file_name_that_the_reader_skips_is_changed(store: ObjectStore, staged: StagedObject) -> None:
    sent = ZipRoute(store, FakeIngest(), "import").send("mp1", "el1", "x__MACOSX.mp4", staged)

    assert "__MACOSX" not in sent.url and "renamed" in sent.note


def test_a_file_name_becomes_ascii(store: ObjectStore, staged: StagedObject) -> None:
    assert ZipRoute(store, FakeIngest(), "import").send("mp1", "el1", "ü #.mp4", staged).url == "el1/___.mp4"


@pytest.mark.parametrize("element_id", ["..", "a/b", ""])
def test_no_id_leaves_its_folder(store: ObjectStore, staged: StagedObject, element_id: str) -> None:
    with pytest.raises(InvalidIdentifier):
        ZipRoute(store, FakeIngest(), "import").send("mp1", element_id, "cam.mp4", staged)


def test_a_manifest_with_publications_is_refused_before_it_is_sent(store: ObjectStore, staged: StagedObject) -> None:
    ingest = FakeIngest()
    more = '<publications><publication id="p" channel="c"><url>http://x</url></publication></publications>'

    with pytest.raises(StagingError, match="publications"):
        ZipRoute(store, ingest, "import").ingest(manifest("t/a", more=more), [ZippedFile("t/a", staged)])
    assert ingest.sent == []


def test_a_manifest_that_names_a_file_without_entry_is_refused(store: ObjectStore, staged: StagedObject) -> None:
    ingest = FakeIngest()

    with pytest.raises(StagingError, match=r"el2/cam\.mp4"):
        ZipRoute(store, ingest, "import").ingest(manifest("el1/a", "el2/cam.mp4"), [ZippedFile("el1/a", staged)])
    assert ingest.sent == []


def test_the_probe_sends_a_zip_without_manifest_and_expects_to_be_refused(store: ObjectStore) -> None:
    ingest = FakeIngest(BadRequest("No manifest found in this zip", status=400))

    probe = ZipRoute(store, ingest, "import").probe()

    assert (probe.ok, probe.how) == (True, "zip")
    assert not any("manifest" in name for name in entries(ingest.sent[0][1]))
    assert list(store.objects()) == []


def test_a_target_that_starts_another_workflow_is_an_error(store: ObjectStore, staged: StagedObject) -> None:
    """Opencast starts its default workflow when it does not know the one that was asked for."""
    route = ZipRoute(store, FakeIngest(starts="schedule-and-upload"), "import")

    with pytest.raises(RouteUnavailable, match="schedule-and-upload"):
        route.ingest(manifest("el1/cam.mp4"), [ZippedFile("el1/cam.mp4", staged)])


@pytest.mark.parametrize("error", [Forbidden("403"), Throttled("503"), BadRequest("too large", status=413), None])
def test_the_probe_fails_for_any_other_answer(store: ObjectStore, error: Exception | None) -> None:
    assert not ZipRoute(store, FakeIngest(error), "import").probe().ok
