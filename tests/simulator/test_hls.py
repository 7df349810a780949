"""HLS that was encoded as files, as distribution publishes and retracts it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulator import Simulator
from tests.simulator.driver import HLS, Driver, publication_of

ENGAGE = ("publish-engage", {"download-source-flavors": "*/*"})


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("empty"))


def published(server: Driver, element_id: str, channel: str = "engage-player") -> str:
    name = HLS[element_id][0]
    return server.get(f"/static/mh_default_org/{channel}/ev/{element_id}/{name}").text


def test_published_playlists_refer_to_the_published_files(server: Driver) -> None:
    state, package = server.run(server.hls_package("ev"), [ENGAGE])
    assert state == "SUCCEEDED"
    assert published(server, "hls-master").endswith("\n../hls-variant/variant.m3u8\n")
    assert 'URI="../hls-media/cam.mp4"' in published(server, "hls-variant")
    assert published(server, "hls-variant").endswith("\n../hls-media/cam.mp4\n")
    names = {track.detail("logicalname") for track in publication_of(package, "engage-player").of_kind("track")}
    assert names == {"../hls-master/master.m3u8", "../hls-variant/variant.m3u8", "../hls-media/cam.mp4"}


def test_the_files_that_were_published_stay_as_they_were(server: Driver) -> None:
    package = server.hls_package("ev")
    server.run(package, [ENGAGE])
    urls = {element.file_name: str(element.url) for element in package.elements}
    assert server.session.get(urls["master.m3u8"]).content == HLS["hls-master"][1]


@pytest.mark.parametrize(
    "files",
    [
        {"hls-master": HLS["hls-master"]},
        {"hls-master": HLS["hls-master"], "hls-variant": HLS["hls-variant"]},
        {**HLS, "hls-master": ("master.m3u8", b"#EXTM3U\n../hls-variant/variant.m3u8\n")},
    ],
    ids=["alone", "without media", "rewritten before"],
)
def test_what_is_no_complete_set_of_plain_names_fails_the_publication(
    server: Driver, files: dict[str, tuple[str, bytes]]
) -> None:
    assert server.run(server.hls_package("ev", files), [ENGAGE])[0] == "FAILED"


def test_retracting_a_publication_removes_the_files_that_its_urls_name_whatever_their_channel(server: Driver) -> None:
    shared = (
        "publish-configure",
        {"channel-id": "api", "download-source-flavors": "*/*", "with-published-elements": "true"},
    )
    _, package = server.run(server.hls_package("ev"), [ENGAGE, shared])
    assert published(server, "hls-media") == "media"
    server.run(package, [("retract-configure", {"channel-id": "api"})])
    assert server.get("/static/mh_default_org/engage-player/ev/hls-media/cam.mp4").status_code == 404
