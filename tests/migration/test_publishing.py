"""Publications that are no plain set of own files: live, shared, OAI-PMH, known to the search service only, added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.model.mediapackage import MediaPackage
from opencast.store.database import Database
from opencast.store.ledger import Entry, State

from tests.migration.pair import KEY, Pair, server
from tests.simulator import mediapackage, xmlio
from tests.simulator.driver import Driver
from tests.simulator.mediapackage import NAMESPACE, Element

ENGAGE = ("publish-engage", {"download-source-flavors": "*/*"})
SHARED = (
    "publish-configure",
    {"channel-id": "api", "download-source-flavors": "*/source", "with-published-elements": "true"},
)
OAI = ("publish-oaipmh", {"repository": "default", "download-flavors": "*/*"})
SNAPSHOT: tuple[str, dict[str, str]] = ("snapshot", {})


@pytest.fixture
def with_event(pairs: Callable[..., Pair]) -> Callable[..., Pair]:
    """Make a pair whose source has run some operations on one event."""

    def make(*steps: tuple[str, dict[str, str]], **options: Any) -> Pair:
        pair = pairs(library="empty", **options)
        source = Driver(pair.source)
        assert source.run(source.package("ev"), [*steps, SNAPSHOT])[0] == "SUCCEEDED"
        return pair

    return make


def target_package(pair: Pair) -> MediaPackage:
    return Opencast(server(pair.target)).assets.episode("ev")


def change(pair: Pair, how: Callable[[mediapackage.MediaPackage], None]) -> None:
    """Change the source's archived package, as no workflow of the simulator does it."""
    source = Driver(pair.source)
    package = source.archived("ev")
    how(package)
    assert source.run(package, [SNAPSHOT])[0] == "SUCCEEDED"


def forget_in_the_archive(pair: Pair) -> None:
    """Take the publication out of the last snapshot, while the index goes on listing it."""
    event = pair.source.state.events["ev"]
    last = event.snapshots[-1]
    contents = last.load()
    package = contents.package.clone()
    package.publications = []
    event.snapshots[-1] = replace(last, load=lambda: replace(contents, package=package))


def equal_again(pair: Pair, **options: Any) -> Entry:
    """Migrate once more, and check that nothing is written."""
    before = pair.writes()
    entry = pair.migrate("ev", "dag/again", **options)
    assert pair.writes() == before, "the second run finds everything equal"
    return entry


# --- live and streaming -------------------------------------------------------------------------------------------


def test_a_streaming_track_stays_behind_and_the_rest_is_published(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)

    def stream(package: mediapackage.MediaPackage) -> None:
        publication = package.publication("engage-player")
        assert publication is not None
        url = "rtmp://streaming.example.org/app/mp4:ev/video"
        publication.elements.append(Element("track", "s", "presenter/delivery", transport="RTMP", url=url))

    change(pair, stream)
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert any("streaming" in note for note in entry.notes)
    published = target_package(pair).publication("engage-player")
    assert published is not None
    assert [element.kind.value for element in published.elements].count("track") == 1


def test_a_live_publication_is_never_made(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)

    def live(package: mediapackage.MediaPackage) -> None:
        url = "https://cdn.example.org/live/stream.m3u8"
        track = Element("track", "l", "presenter/delivery", url=url)
        track.details = list(xmlio.parse(f'<x xmlns="{NAMESPACE}"><live>true</live></x>'))
        package.publications.append(mediapackage.Publication("engage-live", "p", elements=[track]))

    change(pair, live)
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert "The live publication engage-live is not migrated." in entry.notes
    assert target_package(pair).publication("engage-live") is None


def test_the_player_is_nothing_without_a_track(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)

    def catalogs_only(package: mediapackage.MediaPackage) -> None:
        publication = package.publication("engage-player")
        assert publication is not None
        publication.elements = [element for element in publication.elements if element.kind != "track"]

    change(pair, catalogs_only)
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert any("has no track that can be migrated" in note for note in entry.notes)
    assert target_package(pair).publication("engage-player") is None


# --- retracted since ------------------------------------------------------------------------------------------------


def retract(pair: Pair, operation: str, **configuration: str) -> None:
    source = Driver(pair.source)
    steps = [(operation, {key.replace("_", "-"): value for key, value in configuration.items()}), SNAPSHOT]
    assert source.run(source.archived("ev"), steps)[0] == "SUCCEEDED"


def test_what_was_retracted_from_the_player_cannot_be_watched_on_the_target_any_more(
    with_event: Callable[..., Pair],
) -> None:
    pair = with_event(ENGAGE)
    pair.migrate("ev")
    published = target_package(pair).publication("engage-player")
    assert published is not None
    retract(pair, "retract-engage")
    entry = pair.migrate("ev", "dag/again")
    assert entry.state is State.DONE
    assert any("The publication engage-player is retracted" in note for note in entry.notes)
    target = Opencast(server(pair.target))
    assert target_package(pair).publications == ()
    assert target.search.episode("ev") is None
    assert {Driver(pair.target).session.get(str(element.url)).status_code for element in published.elements} == {404}
    equal_again(pair)


def test_a_store_that_is_newer_than_the_targets_library_learns_what_was_published(
    with_event: Callable[..., Pair], tmp_path: Path
) -> None:
    pair = with_event(ENGAGE)
    pair.migrate("ev")
    lost = Database(f"sqlite:///{tmp_path}/new.db")
    lost.upgrade()
    pair.database = lost
    equal_again(pair)
    retract(pair, "retract-engage")
    assert pair.migrate("ev", "dag/after").state is State.DONE
    assert target_package(pair).publications == ()


def test_of_several_channels_only_the_retracted_one_goes(with_event: Callable[..., Pair]) -> None:
    own = ("publish-configure", {"channel-id": "internal", "download-source-flavors": "*/source"})
    pair = with_event(ENGAGE, own, OAI)
    pair.migrate("ev")
    retract(pair, "retract-configure", channel_id="internal")
    assert pair.migrate("ev", "dag/again").state is State.DONE
    assert {publication.channel for publication in target_package(pair).publications} == {
        "engage-player",
        "oaipmh-default",
    }
    assert not (pair.target.storage.downloads / "mh_default_org" / "internal").exists()
    retract(pair, "retract-oaipmh", repository="default")
    assert pair.migrate("ev", "dag/once-more").state is State.DONE
    assert [publication.channel for publication in target_package(pair).publications] == ["engage-player"]
    equal_again(pair)


def test_a_publication_of_the_targets_own_is_kept_and_named(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)
    pair.migrate("ev")
    target = Driver(pair.target)
    own = ("publish-configure", {"channel-id": "portal", "download-source-flavors": "*/source"})
    assert target.run(target.archived("ev"), [own, SNAPSHOT])[0] == "SUCCEEDED"
    change(pair, lambda package: package.elements[0].tags.add("new"))
    entry = pair.migrate("ev", "dag/again")
    assert entry.state is State.DONE
    assert "The target has a publication portal that was not migrated." in entry.notes
    assert {publication.channel for publication in target_package(pair).publications} == {"engage-player", "portal"}


def test_what_was_added_on_request_is_not_taken_for_retracted(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)
    pair.migrate("ev", external_api=True)
    change(pair, lambda package: package.elements[0].tags.add("new"))
    assert pair.migrate("ev", "dag/again").state is State.DONE
    api = target_package(pair).publication("api")
    assert api is not None
    assert {Driver(pair.target).session.get(str(element.url)).status_code for element in api.elements} == {200}


# --- shared files -------------------------------------------------------------------------------------------------


def test_a_publication_that_shares_files_shares_them_on_the_target(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE, SHARED)
    assert pair.migrate("ev").state is State.DONE
    package = target_package(pair)
    engage, api = package.publication("engage-player"), package.publication("api")
    assert engage is not None and api is not None
    assert {element.url for element in api.elements} < {element.url for element in engage.elements}
    downloads = pair.target.storage.downloads / "mh_default_org"
    assert not (downloads / "api").exists()
    equal_again(pair)


def test_publishing_anew_does_not_delete_files_of_the_channel_that_they_are_shared_with(
    with_event: Callable[..., Pair],
) -> None:
    pair = with_event(ENGAGE, SHARED)
    pair.migrate("ev")
    change(pair, lambda package: package.elements[0].tags.add("new"))
    assert pair.migrate("ev", "dag/again").state is State.DONE
    for publication in target_package(pair).publications:
        for element in publication.elements:
            assert Driver(pair.target).session.get(str(element.url)).status_code == 200


# --- the External API -----------------------------------------------------------------------------------------------


def test_on_request_what_the_player_has_is_published_to_the_external_api_with_the_same_files(
    with_event: Callable[..., Pair],
) -> None:
    pair = with_event(ENGAGE)
    entry = pair.migrate("ev", external_api=True)
    assert entry.state is State.DONE
    assert any("The publication api was added as asked for" in note for note in entry.notes)
    package = target_package(pair)
    engage, api = package.publication("engage-player"), package.publication("api")
    assert engage is not None and api is not None
    assert (api.url, api.mimetype) == (f"{pair.target.url}/api/events/ev", "application/json")
    assert {element.url for element in api.elements} == {element.url for element in engage.elements}
    equal_again(pair, external_api=True)


def test_without_being_asked_for_it_is_not_added(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE)
    pair.migrate("ev")
    assert target_package(pair).publication("api") is None


def test_a_publication_that_is_there_is_left_as_it_is(with_event: Callable[..., Pair]) -> None:
    own = ("publish-configure", {"channel-id": "api", "download-source-flavors": "*/source", "mimetype": "a/b"})
    pair = with_event(ENGAGE, own)
    pair.migrate("ev", external_api=True)
    api = target_package(pair).publication("api")
    assert api is not None and api.mimetype == "a/b"


# --- OAI-PMH --------------------------------------------------------------------------------------------------------


def test_an_oai_pmh_publication_is_made_again_with_the_same_paths(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE, OAI)
    assert pair.migrate("ev").state is State.DONE
    assert target_package(pair).publication("oaipmh-default") is not None
    there = Opencast(server(pair.target)).oaipmh.mediapackage("default", "ev")
    here = Opencast(server(pair.source)).oaipmh.mediapackage("default", "ev")
    assert there is not None and here is not None
    paths = [{str(e.url).partition("/static/")[2] for e in package.elements} for package in (here, there)]
    assert paths[0] == paths[1] != set()
    equal_again(pair)


def test_a_record_that_is_not_what_the_source_published_is_found(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE, OAI)
    pair.migrate("ev")
    pair.target.state.oai.delete("mh_default_org", "default", "ev")
    before = len(pair.writes())
    assert pair.migrate("ev", "dag/again").state is State.DONE
    assert len(pair.writes()) > before
    assert Opencast(server(pair.target)).oaipmh.mediapackage("default", "ev") is not None


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"oai_repositories": ("other",)}, "the target has no OAI-PMH repository default"),
        ({"without_handlers": frozenset({"retract-oaipmh"})}, "the target has no operations for OAI-PMH repositories"),
    ],
    ids=["repository", "operation"],
)
def test_where_the_target_has_no_place_for_it_it_is_reported_and_the_event_arrives(
    with_event: Callable[..., Pair], lacking: dict[str, Any], said: str
) -> None:
    pair = with_event(ENGAGE, OAI, target=lacking)
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert any(said in note for note in entry.notes)
    assert target_package(pair).publication("oaipmh-default") is None
    equal_again(pair)


def test_the_plan_says_before_the_start_which_repositories_the_target_lacks(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE, OAI, target={"oai_repositories": ("other",)})
    pair.plan()
    with pair.bench() as bench:
        head = bench.plans.head(KEY)
    assert head is not None
    losses = {loss["what"]: loss for loss in head.notes["not_migrated"]}
    lost = losses["Publications of the OAI-PMH repository default"]
    assert (lost["count"], lost["why"]) == (
        "1 of 1 selected events",
        "The target has no OAI-PMH repository default.",
    )


def test_a_record_without_its_event_leaves_the_publication_out(with_event: Callable[..., Pair]) -> None:
    pair = with_event(ENGAGE, OAI)
    pair.source.state.oai.delete("mh_default_org", "default", "ev")
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert "The OAI-PMH publication oaipmh-default is not made again." in entry.notes


# --- what only the search service knows -----------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [17, 15])
@pytest.mark.parametrize("is_listed", [True, False], ids=["without elements", "absent"])
def test_elements_that_the_archive_does_not_hold_come_from_the_search_service(
    with_event: Callable[..., Pair], generation: int, is_listed: bool
) -> None:
    pair = with_event(ENGAGE, source={"generation": generation})

    def empty(package: mediapackage.MediaPackage) -> None:
        publication = package.publication("engage-player")
        assert publication is not None
        publication.elements = []

    if is_listed:
        change(pair, empty)
    else:
        forget_in_the_archive(pair)
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert "What was published to engage-player was taken from the source's search service." in entry.notes
    published = target_package(pair).publication("engage-player")
    assert published is not None
    assert {element.path_element_id for element in published.elements} == {"track-1", "dc-1"}
    equal_again(pair)
