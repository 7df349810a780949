"""Which import runs rebuild a mediapackage, and what the packages that are sent for them hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from opencast.errors import InvalidMediaPackage
from opencast.migration import definitions, runs
from opencast.model.flavor import Flavor
from opencast.model.mediapackage import Checksum, Element, ElementKind, MediaPackage, Publication
from opencast.model.xml import parse_xml

HOST = "https://source.example.org"


def track(identifier: str, flavor: str | None = "presenter/source", **fields: Any) -> Element:
    values: dict[str, Any] = {
        "kind": ElementKind.TRACK,
        "id": identifier,
        "flavor": Flavor.parse(flavor) if flavor else None,
        "url": f"{HOST}/assets/assets/mp/{identifier}/1/cam.mp4",
        "checksum": Checksum("md5", "0" * 32),
        "tags": ("archive",),
    }
    return Element(**{**values, **fields})


def published(identifier: str, path_id: str, channel: str = "engage-player", **fields: Any) -> Element:
    url = f"{HOST}/static/org/{channel}/mp/{path_id}/cam.mp4"
    return track(identifier, **{"flavor": "presenter/delivery", "url": url, **fields})


def package(*elements: Element, publications: tuple[Publication, ...] = ()) -> MediaPackage:
    return MediaPackage(id="mp", title="T", elements=elements, publications=publications)


def publication(channel: str, *elements: Element, **fields: Any) -> Publication:
    return Publication(id=f"p-{channel}", channel=channel, elements=elements, **fields)


def urls(plan: runs.ImportPlan) -> dict[str, str]:
    return {element.key: f"https://target/files/{element.key}" for element in plan.elements()}


def test_each_channel_is_a_run_and_the_archive_is_the_last() -> None:
    plan = runs.plan_import(
        package(
            track("a"),
            publications=(
                publication("internal", published("x", "a", "internal")),
                publication("engage-player", published("y", "b", "engage-player")),
            ),
        )
    )
    assert [run.channel for run in plan.channels] == ["internal", "engage-player"]
    assert [element.element_id for element in plan.archive] == ["a"]


def test_a_published_element_gets_the_id_of_its_published_path() -> None:
    plan = runs.plan_import(package(publications=(publication("engage-player", published("new-id", "path-id")),)))
    assert plan.channels[0].elements[0].element_id == "path-id"
    assert plan.notes == ()


def test_two_elements_of_one_path_keep_their_own_ids_and_the_report_says_so() -> None:
    plan = runs.plan_import(
        package(publications=(publication("engage-player", published("one", "same"), published("two", "same")),))
    )
    assert [element.element_id for element in plan.channels[0].elements] == ["one", "two"]
    assert plan.notes[0] == "The URL path of track one of engage-player cannot be kept."


def test_references_between_published_elements_point_to_the_ids_of_the_run() -> None:
    preview = published("p", "preview-path", ref="track:v;time=10")
    other = published("o", "other-path", ref="track:archived")
    video = published("v", "video-path")
    plan = runs.plan_import(package(publications=(publication("engage-player", video, preview, other),)))
    assert [element.ref for element in plan.channels[0].elements] == [
        None,
        "track:video-path;time=10",
        "track:archived",
    ]


@pytest.mark.parametrize(
    ("element", "said"),
    [
        (track("a", url=None), "has no URL"),
        (track("a", live=True), "is live"),
        (track("a", transport="RTMP"), "belongs to a streaming server"),
    ],
)
def test_what_cannot_travel_stays_behind_and_is_named(element: Element, said: str) -> None:
    plan = runs.plan_import(package(element))
    assert plan.archive == ()
    assert said in plan.left_out[0]


def test_live_publications_stay_behind() -> None:
    plan = runs.plan_import(package(publications=(publication("engage-live", published("x", "y", live=True)),)))
    assert plan.channels == ()
    assert plan.left_out == ("The live publication engage-live is not migrated.",)


def test_a_publication_without_elements_is_rebuilt_by_its_page_alone() -> None:
    plan = runs.plan_import(package(publications=(publication("youtube", url="https://video.example.org/1"),)))
    assert (plan.channels[0].channel, plan.channels[0].elements) == ("youtube", ())


def test_two_archived_elements_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidMediaPackage, match="several elements with the id 'a' in archive"):
        runs.plan_import(package(track("a"), track("a", flavor="presentation/source")))


def test_an_element_that_nothing_can_select_is_refused() -> None:
    with pytest.raises(InvalidMediaPackage, match="neither flavor nor tag"):
        runs.plan_import(package(track("a", flavor=None, tags=())))


def test_a_comma_in_a_flavor_is_refused() -> None:
    with pytest.raises(InvalidMediaPackage, match="comma"):
        runs.plan_import(package(track("a", flavor="a,b/c")))


def test_equal_files_lie_in_one_place_and_others_never_do() -> None:
    one = runs.location("0" * 32, 5, "cam.mp4")
    assert one == runs.location("0" * 32, 5, "cam.mp4")
    others = [runs.location("1" * 32, 5, "cam.mp4"), runs.location("0" * 32, 6, "cam.mp4")]
    others.append(runs.location("0" * 32, 5, "other.mp4"))
    assert len({one.folder, *(place.folder for place in others)}) == 4


def test_the_archives_package_has_no_checksums_and_keeps_everything_else() -> None:
    source = package(track("a", ref="track:b", size=5), track("b"))
    plan = runs.plan_import(source)
    sent = runs.archive_package(source, plan, urls(plan), ())
    assert [element.checksum for element in sent.elements] == [None, None]
    for before, after in zip(source.elements, sent.elements, strict=True):
        assert replace(before, checksum=None, url=None) == replace(after, url=None)


def test_a_channels_package_holds_that_channels_elements_with_their_checksums() -> None:
    source = package(track("a"), publications=(publication("api", published("x", "p", "api")),))
    plan = runs.plan_import(source)
    sent = runs.channel_package(source, plan.channels[0], urls(plan))
    assert [(element.id, element.url) for element in sent.elements] == [("p", "https://target/files/api/p")]
    assert sent.elements[0].checksum == Checksum("md5", "0" * 32)
    assert sent.publications == ()


def configurations(definition: bytes) -> dict[str, dict[str, str]]:
    root = parse_xml(definition, what="a definition")
    namespace = "{http://workflow.opencastproject.org}"
    return {
        operation.get("id", ""): {c.get("key", ""): c.text or "" for c in operation.iter(f"{namespace}configuration")}
        for operation in root.iter(f"{namespace}operation")
    }


def test_flavors_are_named_and_never_a_wildcard() -> None:
    source = package(
        track("a"), publications=(publication("api", published("x", "p", "api"), mimetype="text/html", url="u"),)
    )
    plan = runs.plan_import(source)
    channel = configurations(definitions.channel_definition("d", plan.channels[0], "https://target/page", set()))
    archive = configurations(definitions.archive_definition("d", plan.archive))
    assert channel["publish-configure"] == {
        "channel-id": "api",
        "download-source-flavors": "presenter/delivery",
        "url-pattern": "https://target/page",
        "mimetype": "text/html",
    }
    assert archive["snapshot"] == {"source-flavors": "presenter/source"}
    assert "*" not in str((channel, archive))


def test_a_publication_without_mimetype_gets_none() -> None:
    plan = runs.plan_import(package(publications=(publication("internal", published("x", "p", "internal")),)))
    found = configurations(definitions.channel_definition("d", plan.channels[0], "", set()))
    assert set(found["publish-configure"]) == {"channel-id", "download-source-flavors"}


def test_engage_player_is_published_by_its_own_operation() -> None:
    plan = runs.plan_import(package(publications=(publication("engage-player", published("x", "p")),)))
    found = configurations(definitions.channel_definition("d", plan.channels[0], "ignored", set()))
    assert found["publish-engage"] == {"download-source-flavors": "presenter/delivery"}


def test_clean_up_spares_what_a_later_run_needs() -> None:
    source = package(
        publications=(
            publication("api", published("x", "p", "api"), published("y", "q", "api", flavor="presenter/preview")),
            publication("internal", published("z", "p", "internal")),
        )
    )
    plan = runs.plan_import(source)
    folders = {"api/p": "shared", "api/q": "own", "internal/p": "shared"}
    needed = runs.flavors_needed_later(plan.channels[0], plan.channels[1].elements, folders)
    assert needed == {Flavor.parse("presenter/delivery")}
    found = configurations(definitions.channel_definition("d", plan.channels[0], "", needed))
    assert found["cleanup"]["preserve-flavors"] == "presenter/delivery"


def test_without_anything_to_clean_up_there_is_no_clean_up() -> None:
    plan = runs.plan_import(package(publications=(publication("api", published("x", "p", "api")),)))
    spared = {Flavor.parse("presenter/delivery")}
    assert "cleanup" not in configurations(definitions.channel_definition("d", plan.channels[0], "", spared))
