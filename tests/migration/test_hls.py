"""HLS that was encoded as files is published on the target as a complete set that plays there, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opencast.errors import UnexpectedContent
from opencast.migration.hls import Playlists, plain, references, without_incomplete_sets
from opencast.model.flavor import Flavor
from opencast.model.mediapackage import Element, ElementKind, MediaPackage, Publication
from opencast.store.ledger import State

from tests.migration.pair import Pair
from tests.simulator.driver import HLS, Driver, publication_of

ENGAGE = ("publish-engage", {"download-source-flavors": "*/*"})
SNAPSHOT: tuple[str, dict[str, str]] = ("snapshot", {})
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant.m3u8\n"
VARIANT = b'#EXTM3U\r\n#EXT-X-MAP:URI="init.mp4"\r\n\r\n#EXTINF:4,\r\ncam.mp4\r\n'


def element(name: str, flavor: str = "presenter/delivery", **fields: Any) -> Element:
    values: dict[str, Any] = {
        "kind": ElementKind.TRACK,
        "id": name,
        "flavor": Flavor.parse(flavor),
        "url": f"https://source.example.org/static/org/engage-player/mp/{name}/{name}",
        "logical_name": name,
    }
    return Element(**{**values, **fields})


def kept(playlists: dict[str, bytes], *elements: Element) -> tuple[list[str], list[str]]:
    """Return which published files stay, and what is said about the others."""
    publication = Publication(id="p", channel="engage-player", elements=elements)
    package = MediaPackage(id="mp", title="T", publications=(publication,))
    complete, notes = without_incomplete_sets(package, lambda found: playlists[found.file_name])
    return [found.file_name for found in complete.publications[0].elements], notes


@pytest.fixture
def made(pairs: Callable[..., Pair]) -> Pair:
    """A pair whose source has published one event with an HLS set."""
    pair = pairs(library="empty")
    source = Driver(pair.source)
    assert source.run(source.hls_package("ev"), [ENGAGE, SNAPSHOT])[0] == "SUCCEEDED"
    return pair


def test_references_are_lines_and_two_kinds_of_tags() -> None:
    assert references(MASTER) == ("variant.m3u8",)
    assert references(VARIANT) == ("init.mp4", "cam.mp4")
    assert references(b'#EXT-X-KEY:METHOD=AES-128,URI="key"\n# note\n\n') == ()


def test_a_rewritten_playlist_becomes_what_it_was() -> None:
    published = b'#EXTM3U\n#EXT-X-MAP:URI="../p1/init.mp4",BYTERANGE="9@0"\n#EXTINF:4,\n../p2/cam.mp4\n'
    assert plain(published) == b'#EXTM3U\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="9@0"\n#EXTINF:4,\ncam.mp4\n'
    assert plain(plain(published)) == plain(published)


def test_line_ends_do_not_matter() -> None:
    assert plain(b"#EXTM3U\r\ncam.mp4") == plain(b"#EXTM3U\ncam.mp4\n") == b"#EXTM3U\ncam.mp4\n"


def test_a_complete_set_stays() -> None:
    files = {"master.m3u8": MASTER, "variant.m3u8": b"cam.mp4\n"}
    everything = [element("master.m3u8"), element("variant.m3u8"), element("cam.mp4")]
    assert kept(files, *everything) == (["master.m3u8", "variant.m3u8", "cam.mp4"], [])


def test_a_set_with_a_missing_file_goes_as_a_whole_and_the_download_beside_it_stays() -> None:
    files = {"master.m3u8": MASTER, "variant.m3u8": b"gone.mp4\n"}
    names, notes = kept(
        files,
        element("master.m3u8"),
        element("variant.m3u8"),
        element("cam.mp4"),
        element("download.mp4", logical_name=None),
        element("slides.mp4", "presentation/delivery"),
    )
    assert names == ["download.mp4", "slides.mp4"]
    assert notes == [
        "The HLS set presenter/delivery of engage-player is not migrated as one: variant.m3u8 refers to gone.mp4, "
        "which is not there."
    ]


@pytest.mark.parametrize(
    ("playlist", "said"),
    [
        (b"https://cdn.example.org/cam.mp4\n", "refers to another server"),
        ("käse 1.mp4\n".encode(), "cannot be kept"),
        (b"", "it has playlists and no media"),
    ],
)
def test_a_set_that_could_not_be_played_on_the_target_is_left_out(playlist: bytes, said: str) -> None:
    others = [] if not playlist else [element("cam.mp4"), element("x", url="https://h/a/b/k%C3%A4se%201.mp4")]
    names, notes = kept({"master.m3u8": playlist}, element("master.m3u8"), *others)
    assert "master.m3u8" not in names
    assert said in notes[0]


def test_the_target_plays_what_the_source_played(made: Pair) -> None:
    entry = made.migrate("ev")
    assert entry.state is State.DONE
    target = Driver(made.target)
    base = "/static/mh_default_org/engage-player/ev"
    assert target.get(f"{base}/hls-master/master.m3u8").text.endswith("\n../hls-variant/variant.m3u8\n")
    assert target.get(f"{base}/hls-variant/variant.m3u8").text.endswith("\n../hls-media/cam.mp4\n")
    assert target.get(f"{base}/hls-media/cam.mp4").content == HLS["hls-media"][1]
    assert target.archived("ev").elements[0].file_name


def test_the_archive_keeps_its_playlists_byte_for_byte(made: Pair) -> None:
    made.migrate("ev")
    target = Driver(made.target)
    archived = {found.id: found for found in target.archived("ev").elements}
    assert target.session.get(str(archived["hls-master"].url)).content == HLS["hls-master"][1]


def test_an_unchanged_set_is_not_written_again(made: Pair) -> None:
    made.migrate("ev")
    before = made.writes()
    assert made.migrate("ev", "dag/again").state is State.DONE
    assert made.writes() == before


def test_a_playlist_that_refers_to_something_else_on_the_target_is_found(made: Pair) -> None:
    made.migrate("ev")
    downloads = made.target.storage.downloads / "mh_default_org/engage-player/ev"
    (downloads / "hls-variant/variant.m3u8").write_text("#EXTM3U\n../hls-media/other.mp4\n")
    assert made.migrate("ev", "dag/again").state is State.DONE
    assert (
        Driver(made.target)
        .get("/static/mh_default_org/engage-player/ev/hls-variant/variant.m3u8")
        .text.endswith("\n../hls-media/cam.mp4\n")
    )


def test_an_incomplete_set_is_left_out_with_a_reason_and_the_event_arrives(pairs: Callable[..., Pair]) -> None:
    pair = pairs(library="empty")
    source = Driver(pair.source)
    package = source.hls_package("ev")
    video = source.upload("ev", "video", "video.mp4", b"video")
    package.elements.append(type(package.elements[0])("track", "video", "presenter/source", url=video))
    package.elements = [found for found in package.elements if found.id != "hls-variant"]
    assert source.run(package, [ENGAGE, SNAPSHOT])[0] == "SUCCEEDED"
    entry = pair.migrate("ev")
    assert entry.state is State.DONE
    assert any("The HLS set presenter/delivery of engage-player is not migrated as one" in note for note in entry.notes)
    archived = Driver(pair.target).archived("ev")
    published = publication_of(archived, "engage-player")
    assert {found.id for found in archived.of_kind("track")} == {"video", "hls-media"}  # footage is never dropped
    assert [found.file_name for found in published.of_kind("track")] == ["video.mp4"]


def test_a_playlist_is_not_read_without_bound(made: Pair) -> None:
    path = made.source.storage.downloads / "mh_default_org/engage-player/ev/hls-master/master.m3u8"
    path.write_bytes(b"#" * (5 * 1024 * 1024))
    with made.bench() as bench, pytest.raises(UnexpectedContent, match="too large"):
        playlist = bench.source.assets.episode("ev").publication("engage-player")
        assert playlist is not None
        master = next(found for found in playlist.elements if found.file_name == "master.m3u8")
        Playlists(bench.source.client).read(master)
