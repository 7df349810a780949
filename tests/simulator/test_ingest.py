"""Ingest: zips with all their rules, elements added one by one, workflows, schedules; collections of files."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
import requests

from tests.simulator import Simulator, mediapackage
from tests.simulator.driver import CATALOG, Driver
from tests.simulator.mediapackage import Element, MediaPackage, Publication

VIDEO = b"0123456789" * 1000


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


# --- zips --------------------------------------------------------------------------------------------------------


def manifest(package_id: str = "ev", urls: tuple[str, str] = ("v.mp4", "dublincore.xml"), more: str = "") -> str:
    """Give a manifest with a video and a catalog."""
    package = MediaPackage(package_id, "2023-01-01T10:00:00Z", title="Zipped")
    track = Element("track", "track-1", "presenter/source", mimetype="video/mp4", url=urls[0], tags={"archive"})
    catalog = Element("catalog", "dc-1", "dublincore/episode", mimetype="text/xml", url=urls[1])
    package.elements = [track, catalog]
    return package.to_xml().replace("<publications/>", more or "<publications/>")


def zipped(entries: dict[str, bytes], *, deflated: bool = True, streamed: bool = False) -> bytes:
    """Write a zip; a streamed one has the sizes of its entries behind them."""
    out: io.BytesIO = Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


class Unseekable(io.BytesIO):
    """A file that can only be written from front to back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def contents(root: str = "", **more: bytes) -> dict[str, bytes]:
    """Give the entries of a complete zip."""
    catalog = CATALOG.format(title="Zipped", more="").encode()
    return {
        f"{root}manifest.xml": manifest().encode(), f"{root}v.mp4": VIDEO, f"{root}dublincore.xml": catalog, **more
    }  # fmt: skip


def send(server: Driver, data: bytes, workflow: str = "noop", **fields: str) -> requests.Response:
    parts = [(name, (None, value)) for name, value in fields.items()]
    files = [*parts, ("BODY", ("mp.zip", data))]
    return server.post(f"/ingest/addZippedMediaPackage/{workflow}", files=files)


@pytest.mark.parametrize(
    ("deflated", "streamed", "status"), [(True, False, 200), (False, False, 200), (True, True, 200), (False, True, 500)]
)
def test_stored_entries_need_their_sizes_in_front_of_them(
    server: Driver, deflated: bool, streamed: bool, status: int
) -> None:
    assert send(server, zipped(contents(), deflated=deflated, streamed=streamed)).status_code == status


def test_files_of_a_zip_lie_in_the_working_file_repository_under_their_ids(server: Driver) -> None:
    answer = send(server, zipped(contents()), one="1")
    assert "<wf:template>noop</wf:template>" in answer.text
    assert server.get("/files/mediapackage/ev/track-1/v.mp4").content == VIDEO
    assert not list((server.simulator.storage / "files/collection").iterdir())
    server.simulator.wait_for_workflows()
    properties = server.get("/assets/ev/workflowProperties.json").json()
    assert (properties["one"], sorted(properties)) == ("1", ["ingest_start_date", "one"])


@pytest.mark.parametrize("data", [b"no zip", b"", zipped({"v.mp4": VIDEO})])
def test_without_a_manifest_it_is_a_bad_request(server: Driver, data: bytes) -> None:
    assert send(server, data).status_code == 400


@pytest.mark.parametrize(
    "data", [b"this is no zip at all, but it is long enough", zipped(contents(), deflated=False)[:5000]]
)
def test_a_zip_that_breaks_is_an_error(server: Driver, data: bytes) -> None:
    assert send(server, data).status_code == 500
    assert not list((server.simulator.storage / "files/collection").iterdir())


def test_a_folder_shared_by_all_files_does_not_count(server: Driver) -> None:
    assert send(server, zipped(contents("mp/"))).status_code == 200


def test_a_single_file_in_a_folder_shares_it_with_itself(server: Driver) -> None:
    package = MediaPackage("ev", elements=[Element("track", "t", "a/b", url="a/v.mp4")])
    assert send(server, zipped({"manifest.xml": package.to_xml().encode(), "a/v.mp4": VIDEO})).status_code == 400
    package.elements[0].url = "v.mp4"
    assert send(server, zipped({"manifest.xml": package.to_xml().encode(), "a/v.mp4": VIDEO})).status_code == 200


def test_several_folders_are_part_of_the_names(server: Driver) -> None:
    entries = {"manifest.xml": manifest(urls=("a/v.mp4", "b/dc.xml")).encode(), "a/v.mp4": VIDEO, "b/dc.xml": b"<a/>"}
    entries["b/dc.xml"] = CATALOG.format(title="x", more="").encode()
    assert send(server, zipped(entries)).status_code == 200


def test_an_element_without_an_entry_is_a_bad_request(server: Driver) -> None:
    entries = contents()
    del entries["v.mp4"]
    assert send(server, zipped(entries)).status_code == 400


def test_a_publication_needs_an_entry_too(server: Driver) -> None:
    publication = Publication("api", "p", url="http://x/y").to_xml()
    entries = contents() | {"manifest.xml": manifest(more=f"<publications>{publication}</publications>").encode()}
    assert send(server, zipped(entries)).status_code == 400


def test_whatever_ends_like_a_manifest_is_taken_for_one(server: Driver) -> None:
    assert send(server, zipped(contents() | {"slides-index.xml": b"<slides/>"})).status_code == 400


def test_what_a_mac_adds_is_left_out(server: Driver) -> None:
    assert send(server, zipped(contents() | {"__MACOSX/._v.mp4": b"x"})).status_code == 200


def test_a_zip_may_be_the_whole_body(server: Driver) -> None:
    answer = server.post("/ingest/addZippedMediaPackage/noop", data=zipped(contents()))
    assert answer.status_code == 200


def test_the_workflow_of_a_field_goes_before_that_of_the_path(server: Driver) -> None:
    answer = send(server, zipped(contents()), "nope", workflowDefinitionId="noop")
    assert "<wf:template>noop</wf:template>" in answer.text


def test_fields_behind_the_file_are_not_read(server: Driver) -> None:
    files = [("BODY", ("mp.zip", zipped(contents()))), ("unread", (None, "1"))]
    assert "unread" not in server.post("/ingest/addZippedMediaPackage/noop", files=files).text


def test_an_unknown_workflow_becomes_the_default_one(server: Driver) -> None:
    assert "<wf:template>schedule-and-upload</wf:template>" in send(server, zipped(contents()), "nope").text


def test_an_event_that_is_busy_takes_no_second_zip(server: Driver) -> None:
    server.simulator.faults.workflow("hang")
    assert send(server, zipped(contents()), "fast").status_code == 200
    assert send(server, zipped(contents()), "fast").status_code == 500


def test_more_zips_than_allowed_are_turned_away(simulators: Callable[..., Simulator]) -> None:
    assert send(Driver(simulators("empty", ingest_limit=0)), zipped(contents())).status_code == 503


def test_large_entries_have_their_sizes_in_an_extra_field(server: Driver) -> None:
    data = zipped(contents(), deflated=False)
    at = data.index(b"PK\x03\x04", data.index(b"v.mp4") - 60)
    head = list(struct.unpack_from("<4sHHHHHIIIHH", data, at))
    extra = struct.pack("<HHQQ", 1, 16, len(VIDEO), len(VIDEO))
    head[7], head[8], head[10] = 0xFFFFFFFF, 0xFFFFFFFF, len(extra)
    name = data[at + 30 : at + 30 + head[9]]
    changed = data[:at] + struct.pack("<4sHHHHHIIIHH", *head) + name + extra + data[at + 30 + head[9] :]
    assert send(server, changed).status_code == 200
    assert server.get("/files/mediapackage/ev/track-1/v.mp4").content == VIDEO


# --- elements one by one -----------------------------------------------------------------------------------------


def add(server: Driver, kind: str, package: str, name: str, data: bytes, **fields: str) -> requests.Response:
    parts = {**{key: (None, value) for key, value in fields.items()}, "mediaPackage": (None, package)}
    return server.post(f"/ingest/{kind}", files=[*parts.items(), ("BODY", (name, data))])


def test_a_package_is_put_together_and_ingested(server: Driver) -> None:
    package = server.session.put(f"{server.url}/ingest/createMediaPackageWithID/ev").text
    package = add(server, "addTrack", package, "v.mp4", VIDEO, flavor="presenter/source", tags="archive,x").text
    catalog = CATALOG.format(title="Put together", more="")
    package = server.post("/ingest/addDCCatalog", data={"mediaPackage": package, "dublinCore": catalog}).text
    package = add(server, "addAttachment", package, "a.txt", b"text", flavor="document/text").text
    answer = server.post("/ingest/ingest/noop", data={"mediaPackage": package, "key": "value"})
    assert answer.status_code == 200
    held = mediapackage.parse(package)
    assert [element.kind for element in held.elements] == ["track", "catalog", "attachment"]
    assert (held.elements[0].tags, held.elements[0].mimetype) == ({"archive", "x"}, "video/mp4")
    assert server.session.get(str(held.elements[0].url)).content == VIDEO
    server.simulator.wait_for_workflows()
    assert server.get("/api/events/ev").json()["title"] == "Put together"


def test_a_random_package_is_made_without_an_id(server: Driver) -> None:
    assert len(mediapackage.parse(server.get("/ingest/createMediaPackage").text).id) == 36


@pytest.mark.parametrize("flavor", ["", "nonsense"])
def test_an_element_without_a_flavor_is_refused(server: Driver, flavor: str) -> None:
    package = server.get("/ingest/createMediaPackage").text
    assert add(server, "addTrack", package, "v.mp4", VIDEO, flavor=flavor).status_code == 400


def test_a_catalog_has_to_be_xml_or_to_look_like_json(server: Driver) -> None:
    package = server.get("/ingest/createMediaPackage").text
    assert add(server, "addCatalog", package, "a.xml", b"no xml", flavor="a/b").status_code == 400
    assert add(server, "addCatalog", package, "a.json", b"{}", flavor="a/b").status_code == 200
    bad = {"mediaPackage": package, "dublinCore": "no xml"}
    assert server.post("/ingest/addDCCatalog", data=bad).status_code == 400


def test_the_names_of_tracks_are_cut(server: Driver) -> None:
    package = server.get("/ingest/createMediaPackage").text
    answer = add(server, "addTrack", package, "x" * 100 + ".mp4", VIDEO, flavor="a/b")
    assert len(mediapackage.parse(answer.text).elements[0].file_name) == 75


def test_an_element_may_be_fetched_by_the_server(simulators: Callable[..., Simulator]) -> None:
    server, other = Driver(simulators("empty")), Driver(simulators("empty"))
    public = [("publish-engage", {"download-source-flavors": "*/*"})]
    other.run(other.package("ev", VIDEO), public)
    package = server.get("/ingest/createMediaPackage").text
    form = {
        "flavor": "a/b",
        "mediaPackage": package,
        "url": f"{other.url}/static/mh_default_org/engage-player/ev/x.mp4",
    }
    assert server.post("/ingest/addTrack", data=form).status_code == 500
    form["url"] = server.upload("mp", "el", "v.mp4", VIDEO)
    fetched = mediapackage.parse(server.post("/ingest/addTrack", data=form).text).elements[0]
    assert server.session.get(str(fetched.url)).content == VIDEO
    form["url"] = "file:///etc/passwd"
    assert server.post("/ingest/addTrack", data=form).status_code == 500


def test_a_discarded_package_loses_its_files(server: Driver) -> None:
    package = server.get("/ingest/createMediaPackage").text
    package = add(server, "addTrack", package, "v.mp4", VIDEO, flavor="a/b").text
    url = str(mediapackage.parse(package).elements[0].url)
    assert server.post("/ingest/discardMediaPackage", data={"mediaPackage": package}).status_code == 200
    assert server.session.get(url).status_code == 404


@pytest.mark.parametrize("package", ["", "<nope", '<mediapackage xmlns="http://mediapackage.opencastproject.org"/>'])
def test_what_is_no_package_is_not_ingested(server: Driver, package: str) -> None:
    assert server.post("/ingest/ingest/noop", data={"mediaPackage": package}).status_code == 400


def test_a_new_series_comes_with_its_rights_and_catalogs(server: Driver) -> None:
    package = server.package("ev")
    catalog = CATALOG.format(title="A series", more="<dcterms:identifier>s</dcterms:identifier>").encode()
    for element_id, flavor, data in (("s", "dublincore/series", catalog), ("x", "ext/series", b"<ext/>")):
        element = Element("catalog", element_id, flavor, mimetype="text/xml")
        element.url = server.upload("ev", element_id, "c.xml", data)
        package.elements.append(element)
    server.post("/ingest/ingest/noop", data={"mediaPackage": package.to_xml()}).raise_for_status()
    assert "A series" in server.get("/series/s.xml").text
    assert server.get("/series/s/elements/ext").content == b"<ext/>"


# --- schedules ---------------------------------------------------------------------------------------------------

PERIOD = "start=2031-05-06T08:00:00Z; end=2031-05-06T09:00:00Z; scheme=W3C-DTF;"
FULL = f"<dcterms:temporal>{PERIOD}</dcterms:temporal><dcterms:spatial>hall</dcterms:spatial>"


def schedule(server: Driver, more: str, created: str = "2031-05-06T08:00:00Z", **fields: str) -> requests.Response:
    catalog = CATALOG.format(title="Plan", more=more).replace("2023-01-01T10:00:00Z", created)
    package = server.session.put(f"{server.url}/ingest/createMediaPackageWithID/plan").text
    package = server.post("/ingest/addDCCatalog", data={"mediaPackage": package, "dublinCore": catalog}).text
    return server.post("/ingest/schedule/fast", data={"mediaPackage": package, **fields})


def test_a_recording_is_planned_by_its_catalog(server: Driver) -> None:
    given = {"org.opencastproject.workflow.config.a": "b", "capture.device.names": "cam"}
    assert schedule(server, FULL, **given).status_code == 201
    held = server.get("/recordings/plan/technical.json").json()
    assert (held["location"], held["start"], held["wfProperties"]) == ("hall", "2031-05-06T08:00:00Z", {"a": "b"})
    assert held["agentConfig"]["org.opencastproject.workflow.definition"] == "fast"
    assert not list((server.simulator.storage / "files/mediapackage").rglob("*.xml"))


def test_a_plan_that_exists_is_a_conflict(server: Driver) -> None:
    schedule(server, FULL)
    assert schedule(server, FULL).status_code == 409


@pytest.mark.parametrize(
    ("more", "created"),
    [
        ("<dcterms:spatial>hall</dcterms:spatial>", "2031-05-06T08:00:00Z"),
        (f"<dcterms:temporal>{PERIOD}</dcterms:temporal>", "2031-05-06T08:00:00Z"),
        (FULL, "2031-05-06T08:00:01Z"),
    ],
)
def test_a_plan_needs_exactly_one_place_and_time(server: Driver, more: str, created: str) -> None:
    assert schedule(server, more, created).status_code == 400


def test_what_is_ingested_over_a_plan_keeps_the_plans_catalogs(server: Driver) -> None:
    schedule(server, FULL)
    package = server.package("plan", VIDEO, title="From the agent")
    answer = server.post("/ingest/ingest", data={"mediaPackage": package.to_xml()})
    assert "<wf:template>fast</wf:template>" in answer.text
    started = next(iter(server.simulator.state.workflows.values())).package
    assert started.title == "Plan"
    assert [element.kind for element in started.elements] == ["track", "catalog"]


# --- collections -------------------------------------------------------------------------------------------------


def collect(server: Driver, name: str, data: bytes) -> str:
    answer = server.post("/files/collection/col", files={"file": (name, data)})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    return answer.text


def test_a_collected_file_can_be_read_and_deleted(server: Driver) -> None:
    assert collect(server, "a b.txt", b"x") == f"{server.url}/files/collection/col/a_b.txt"
    assert server.get("/files/collection/col/a_b.txt").content == b"x"
    assert server.session.delete(f"{server.url}/files/collection/col/a_b.txt").status_code == 204
    assert server.get("/files/collection/col/a_b.txt").status_code == 404


def test_a_copy_is_a_link_and_a_move_is_a_rename(server: Driver) -> None:
    root = server.simulator.storage / "files"
    for how, links in (("copy", 2), ("move", 1)):
        collect(server, f"{how}.mp4", VIDEO)
        answer = server.post(f"/files/{how}/col/{how}.mp4/mp/{how}/w.mp4")
        assert answer.text == f"{server.url}/files/mediapackage/mp/{how}/w.mp4"
        assert (root / "mediapackage/mp" / how / "w.mp4").stat().st_nlink == links
        assert server.get(f"/files/mediapackage/mp/{how}/w.mp4").content == VIDEO
    assert server.get("/files/collection/col/copy.mp4").status_code == 200
    assert server.get("/files/collection/col/move.mp4").status_code == 404


def test_a_moved_file_takes_the_name_of_the_one_that_it_replaces(server: Driver) -> None:
    server.upload("mp", "el", "old.mp4", b"old")
    collect(server, "v.mp4", VIDEO)
    assert server.post("/files/move/col/v.mp4/mp/el/new.mp4").text.endswith("/mp/el/old.mp4")
    assert server.get("/files/mediapackage/mp/el").content == VIDEO


def test_a_copy_onto_a_taken_name_loses_the_element_without_a_word(server: Driver) -> None:
    server.upload("mp", "el", "v.mp4", b"old")
    collect(server, "v.mp4", VIDEO)
    assert server.post("/files/copy/col/v.mp4/mp/el/v.mp4").status_code == 200
    assert server.get("/files/mediapackage/mp/el").status_code == 404


def test_what_was_not_collected_is_not_found(server: Driver) -> None:
    assert server.post("/files/copy/col/v.mp4/mp/el/v.mp4").status_code == 404


def test_a_link_to_a_collected_file_changes_when_it_is_written_again(server: Driver) -> None:
    collect(server, "v.mp4", b"first")
    server.post("/files/copy/col/v.mp4/mp/el/v.mp4")
    collect(server, "v.mp4", b"other")
    assert server.get("/files/mediapackage/mp/el").content == b"other"
