"""Workflows: how they start, what operations do, how they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulator import Simulator, mediapackage
from tests.simulator.driver import Driver, element_of, publication_of
from tests.simulator.mediapackage import Element
from tests.simulator.workflows.conditions import holds, replace_variables

ENGAGE = ("publish-engage", {"download-source-flavors": "*/source,dublincore/*"})
API = ("publish-configure", {"channel-id": "api", "download-source-flavors": "*/source", "mimetype": "a/b"})


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


def test_starting_takes_a_slim_snapshot_of_catalogs_first(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", operation_seconds=0.3))
    answer = server.start(server.package("ev"), [("log", {})])
    assert 'state="INSTANTIATED"' in answer.text
    assert [e.id for e in server.archived("ev").elements] == ["dc-1"]
    assert server.get("/api/events/ev").json()["archive_version"] == 0


def test_a_second_workflow_of_the_same_event_is_refused_with_500(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", operation_seconds=0.3))
    package = server.package("ev")
    server.start(package, [("log", {})])
    answer = server.start(package, [("log", {})], properties="left=behind")
    assert answer.status_code == 500
    assert "another workflow is currently active" in answer.text
    assert server.get("/assets/ev/workflowProperties.json").json() == {"left": "behind"}


@pytest.mark.parametrize("document", ["<nope", "<a/>", ""])
def test_what_is_no_media_package_is_400(server: Driver, document: str) -> None:
    answer = server.post("/workflow/start", data={"definition": "noop", "mediapackage": document})
    assert (answer.status_code, answer.content) == (400, b"")


def test_an_unknown_operation_fails_after_the_slim_snapshot(server: Driver) -> None:
    state, _ = server.run(server.package("ev"), [("no-such-operation", {})])
    assert state == "FAILED"
    assert server.archived("ev").of_kind("track") == []


def test_an_installation_may_lack_an_operation(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", without_handlers=frozenset({"publish-engage"})))
    assert "publish-engage" not in {handler["id"] for handler in server.get("/workflow/handlers.json").json()}
    assert server.run(server.package("ev"), [ENGAGE])[0] == "FAILED"


def test_a_missing_file_fails_the_snapshot(server: Driver) -> None:
    package = server.package("ev")
    package.elements[0].url = f"{server.url}/files/mediapackage/ev/nope/v.mp4"
    assert server.run(package, [("snapshot", {})])[0] == "FAILED"


def test_the_catalog_decides_over_the_title_of_the_package(server: Driver) -> None:
    package = server.package("ev", title="From the catalog")
    package.title = "From the package"
    assert server.run(package, [("log", {})])[1].title == "From the catalog"


def test_published_elements_get_new_ids_but_keep_their_path(server: Driver) -> None:
    _, package = server.run(server.package("ev"), [ENGAGE])
    track = publication_of(package, "engage-player").of_kind("track")[0]
    assert track.id != "track-1"
    assert track.url == f"{server.url}/static/mh_default_org/engage-player/ev/track-1/v.mp4"


def test_distribution_links_one_inode_into_all_channels(server: Driver) -> None:
    server.run(server.package("ev"), [ENGAGE, API, ("snapshot", {})])
    downloads = server.simulator.storage.downloads / "mh_default_org"
    engage, api = (downloads / channel / "ev/track-1/v.mp4" for channel in ("engage-player", "api"))
    assert engage.samefile(api)
    assert engage.samefile(server.simulator.storage.root / "archive/mh_default_org/ev/1/track-1.mp4")


def test_publishing_nothing_succeeds_on_engage_and_is_skipped_on_other_channels(server: Driver) -> None:
    nothing = {"download-source-flavors": "nothing/here"}
    state, package = server.run(
        server.package("ev"), [("publish-engage", nothing), ("publish-configure", {"channel-id": "api", **nothing})]
    )
    assert (state, package.publications) == ("SUCCEEDED", [])
    operations = next(iter(server.simulator.state.workflows.values())).operations
    assert [operation.state for operation in operations] == ["SUCCEEDED", "SKIPPED"]


def test_publishing_to_engage_needs_a_track(server: Driver) -> None:
    assert server.run(server.package("ev"), [("publish-engage", {"download-source-flavors": "dublincore/*"})])[0] == (
        "FAILED"
    )


def test_a_publication_without_configured_mimetype_has_none(server: Driver) -> None:
    settings = {"channel-id": "internal", "download-source-flavors": "*/source", "url-pattern": "http://x/${event_id}"}
    _, package = server.run(server.package("ev"), [("publish-configure", settings)])
    publication = publication_of(package, "internal")
    assert (publication.mimetype, publication.url) == (None, "http://x/ev")


def test_published_elements_can_be_published_again_with_their_ids(server: Driver) -> None:
    again = {"channel-id": "api", "download-source-flavors": "*/source", "with-published-elements": "true"}
    _, package = server.run(server.package("ev"), [ENGAGE, ("publish-configure", again)])
    first, second = (publication_of(package, channel).of_kind("track")[0] for channel in ("engage-player", "api"))
    assert (first.id, first.url) == (second.id, second.url)


def test_publishing_again_replaces_the_files_of_the_channel(server: Driver) -> None:
    server.run(server.package("ev"), [API, ("snapshot", {})])
    package = server.archived("ev")
    package.elements[0].id = "track-2"
    server.run(package, [API])
    home = server.simulator.storage.downloads / "mh_default_org/api/ev"
    assert [path.name for path in home.iterdir()] == ["track-2"]


def test_a_series_policy_is_put_into_the_package_when_the_series_is_known(server: Driver) -> None:
    acl = '{"acl":{"ace":[{"role":"ROLE_X","action":"read","allow":true}]}}'
    server.post("/series/", data={"identifier": "s", "title": "Series", "acl": acl})
    _, package = server.run(server.package("ev", series="s"), [("snapshot", {}), ("log", {})])
    policy = element_of(package, "security-policy-series")
    assert (policy.flavor, policy.checksum) == ("security/xacml+series", None)
    assert server.get("/api/events/ev/acl").json() == [{"allow": True, "role": "ROLE_X", "action": "read"}]


def test_cleanup_removes_files_but_preserved_flavors_and_publications(server: Driver) -> None:
    steps = [ENGAGE, ("cleanup", {"preserve-flavors": "dublincore/*"})]
    _, package = server.run(server.package("ev"), steps)
    assert [element.id for element in package.elements] == ["dc-1"]
    assert package.publication("engage-player")
    assert server.get("/files/mediapackage/ev/track-1/v.mp4").status_code == 404
    assert server.get("/files/mediapackage/ev/dc-1/dublincore.xml").status_code == 200


def test_a_snapshot_of_selected_elements_cuts_references_to_the_others(server: Driver) -> None:
    package = server.package("ev")
    preview = Element("attachment", "preview", "presenter/preview", ref="track:track-1", url=package.elements[1].url)
    package.elements.append(preview)
    server.run(package, [("snapshot", {"source-flavors": "*/preview,dublincore/*"})])
    archived = server.archived("ev")
    assert {element.id: element.ref for element in archived.elements} == {"preview": None, "dc-1": None}


def test_tags_are_added_removed_or_replaced(server: Driver) -> None:
    package = server.package("ev")
    package.elements[0].tags = {"old"}
    select = {"source-flavors": "*/source"}
    assert server.run(package, [("tag", {**select, "target-tags": "+new,-old"})])[1].elements[0].tags == {"new"}
    assert server.run(package, [("tag", {**select, "target-tags": "only"})])[1].elements[0].tags == {"only"}


def test_ingest_download_leaves_an_unreachable_url_without_failing(server: Driver) -> None:
    package = server.package("ev")
    package.elements[0].url = "http://127.0.0.1:9/video.mp4"
    state, result = server.run(package, [("ingest-download", {})])
    assert (state, result.elements[0].url) == ("SUCCEEDED", "http://127.0.0.1:9/video.mp4")


def test_a_finished_workflow_can_be_removed_and_is_then_unknown(server: Driver) -> None:
    server.run(server.package("ev"), [("log", {})])
    number = next(iter(server.simulator.state.workflows))
    assert server.session.delete(f"{server.url}/workflow/remove/{number}").status_code == 204
    assert server.get(f"/api/workflows/{number}").status_code == 404


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("true", True), ("NOT true", False), ("'a' == 'b' OR true", True), ("(1 < 2) AND false", False)],
)
def test_conditions_are_evaluated(condition: str, expected: bool) -> None:
    assert holds(condition) is expected


def test_unknown_variables_stay_unless_they_have_a_default() -> None:
    assert replace_variables("${a} ${b!'c'} ${d}", {"a": "1"}.get) == "1 c ${d}"


def test_a_package_survives_reading_and_writing() -> None:
    text = (
        '<mediapackage xmlns="http://mediapackage.opencastproject.org" duration="7" id="x"><media>'
        '<track id="t"><tags/><duration>7</duration><live>false</live></track></media><metadata/><attachments/>'
        "<publications/></mediapackage>"
    )
    assert mediapackage.parse(text).to_xml(prolog=False) == text
