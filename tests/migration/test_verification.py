"""Each way in which the target's mediapackage may differ from the source's is found and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from opencast.migration import runs
from opencast.migration.journal import SentRecord
from opencast.migration.publications import restored_publication
from opencast.migration.verification import PackageComparison, Verdict
from opencast.model.flavor import Flavor
from opencast.model.mediapackage import Checksum, Element, ElementKind, MediaPackage

from tests.migration.test_runs import HOST, package, publication, published, track

MD5 = "0" * 32
POLICY = Element(
    kind=ElementKind.ATTACHMENT,
    id="policy",
    flavor=Flavor.parse("security/xacml+series"),
    mimetype="text/xml",
    url="https://source.example.org/assets/assets/mp/policy/1/xacml.xml",
    checksum=Checksum("md5", MD5),
)


def source_package() -> MediaPackage:
    return package(
        track("a", size=5, duration=4),
        publications=(publication("api", published("x", "p", "api", size=5), mimetype="text/html", tags=("t",)),),
    )


def compare(source: MediaPackage, target: MediaPackage, *, same_policy: bool = False) -> Verdict:
    plan = runs.plan_import(source)
    sent = {element.key: SentRecord("f", "u", MD5, 5) for element in plan.elements()}
    return PackageComparison(source, plan, sent, lambda url: same_policy).compare(target)


def with_track(**changes: Any) -> MediaPackage:
    source = source_package()
    return replace(source, elements=(replace(source.elements[0], **changes),))


def with_published(**changes: Any) -> MediaPackage:
    source = source_package()
    there = source.publications[0]
    elements = (replace(there.elements[0], **changes),)
    return replace(source, publications=(replace(there, elements=elements),))


def test_the_same_package_is_equal() -> None:
    assert compare(source_package(), source_package()) == Verdict((), ())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"checksum": Checksum("md5", "1" * 32)}, "checksum"),
        ({"checksum": None}, "checksum"),
        ({"size": 6}, "size"),
        ({"flavor": Flavor.parse("presenter/other")}, "flavor"),
        ({"tags": ("archive", "tool-tag")}, "tags"),
        ({"ref": "track:b"}, "ref"),
        ({"mimetype": "video/other"}, "mimetype"),
        ({"id": "other"}, "is missing in the archive"),
        ({"duration": 5}, "duration"),
    ],
)
def test_a_difference_in_the_archive_is_named(changes: dict[str, Any], said: str) -> None:
    verdict = compare(source_package(), with_track(**changes))
    assert not verdict.is_equal
    assert said in verdict.differences[0]


def test_what_only_the_targets_archive_has_is_named() -> None:
    target = replace(source_package(), elements=(*source_package().elements, track("extra")))
    assert compare(source_package(), target).differences == (
        "track extra (presenter/source) is only in the target's archive",
    )


def test_published_elements_are_known_by_their_paths_not_by_their_ids() -> None:
    assert compare(source_package(), with_published(id="another-id")).is_equal


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tags": ("tool-tag",)}, "tags"),
        ({"url": "https://target/static/org/api/mp/other/cam.mp4"}, "api: track p/cam.mp4 is missing"),
        ({"checksum": Checksum("md5", "1" * 32)}, "checksum"),
        ({"size": 6}, "size"),
    ],
)
def test_a_difference_in_a_publication_is_named(changes: dict[str, Any], said: str) -> None:
    verdict = compare(source_package(), with_published(**changes))
    assert said in verdict.differences[0]


def test_a_missing_publication_is_named() -> None:
    target = replace(source_package(), publications=())
    assert compare(source_package(), target).differences == ("the publication api is missing",)


@pytest.mark.parametrize(("changes", "said"), [({"mimetype": None}, "mimetype"), ({"tags": ()}, "tags")])
def test_a_difference_of_the_publication_itself_is_named(changes: dict[str, Any], said: str) -> None:
    source = source_package()
    target = replace(source, publications=(replace(source.publications[0], **changes),))
    assert said in compare(source, target).differences[0]


def test_a_further_publication_on_the_target_is_a_note() -> None:
    source = source_package()
    target = replace(source, publications=(*source.publications, publication("oaipmh-default")))
    verdict = compare(source, target)
    assert verdict.is_equal
    assert "oaipmh-default" in verdict.notes[0]


def test_a_policy_that_the_server_wrote_anew_is_accepted_when_it_grants_the_same() -> None:
    source = package(POLICY)
    rewritten = replace(POLICY, id="security-policy-series", checksum=Checksum("md5", "1" * 32))
    target = package(rewritten)
    accepted = compare(source, target, same_policy=True)
    assert accepted.is_equal
    assert "current policy" in accepted.notes[0]
    assert not compare(source, target, same_policy=False).is_equal


def test_what_the_catalogs_say_otherwise_than_the_package_is_a_note() -> None:
    source = source_package()
    verdict = compare(source, replace(source, title="As in the catalog"))
    assert verdict.is_equal
    assert "title" in verdict.notes[0]


def test_a_restored_publication_is_the_sources_but_for_its_urls() -> None:
    source = package(
        publications=(
            publication("api", published("x", "p", "api"), published("y", "q", "api", ref="track:x"), tags=("t",)),
        )
    )
    run = runs.plan_import(source).channels[0]
    made = replace(
        source.publications[0],
        id="new",
        tags=(),
        elements=tuple(
            replace(
                element, id=f"new-{element.id}", ref="track:thrown-away", url=(element.url or "").replace(HOST, "//t")
            )
            for element in source.publications[0].elements
        ),
    )
    restored = restored_publication(made, run)
    assert (restored.id, restored.tags) == ("p-api", ("t",))
    assert [(element.id, element.ref) for element in restored.elements] == [("x", None), ("y", "track:x")]
    assert all((element.url or "").startswith("//t/") for element in restored.elements)


def test_engage_player_keeps_the_targets_element_ids_which_its_search_index_has() -> None:
    elements = (published("x", "p"), published("y", "q", ref="track:x;time=5"))
    source = package(publications=(publication("engage-player", *elements),))
    run = runs.plan_import(source).channels[0]
    made = replace(
        source.publications[0],
        elements=tuple(replace(element, id=f"new-{element.id}", ref="track:lost") for element in elements),
    )
    restored = restored_publication(made, run)
    assert [(element.id, element.ref) for element in restored.elements] == [
        ("new-x", None),
        ("new-y", "track:new-x;time=5"),
    ]
