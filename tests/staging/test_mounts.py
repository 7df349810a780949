"""Urls of the source map to files of its mounted storage, and to nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from opencast.errors import UnsafePath
from opencast.staging.disk import Disk
from opencast.staging.mounts import Mount, NotMapped, open_mounted

from tests.staging.conftest import ORGANIZATION, SERVER, Site
from tests.staging.doubles import open_descriptors


def opened(site: Site, url: str, mounts: list[Mount] | None = None) -> bytes | None:
    with open_mounted(Disk(), mounts or site.mounts, url) as found:
        return None if found is None else os.read(found.fd, 1000)


def test_an_asset_is_found_by_element_and_version_with_the_extension_of_its_name(site: Site) -> None:
    file = site.archived(b"video", mp="mp-1", element="el-1", name="cam 1.final.mp4")

    assert file.url.endswith("/assets/assets/mp-1/el-1/3/cam 1.final.mp4")
    assert site.archived_path(mp="mp-1", element="el-1").exists()
    assert opened(site, file.url) == b"video"


def test_an_asset_with_another_extension_than_its_name_is_found_as_opencast_finds_it(site: Site) -> None:
    file = site.archived(b"video")
    site.archived_path().rename(site.archived_path(suffix=".mov"))

    assert opened(site, file.url) == b"video"


def test_an_asset_without_extension_is_found(site: Site) -> None:
    file = site.archived(b"video", name="cam")

    assert site.archived_path(suffix="").exists()
    assert opened(site, file.url) == b"video"


def test_an_element_whose_id_begins_like_another_one_is_not_mistaken_for_it(site: Site) -> None:
    site.archived(b"other", element="track-1.backup")
    file = site.archived(b"video", element="track-1")

    assert opened(site, file.url) == b"video"


def test_two_files_of_one_element_are_not_guessed_between(site: Site) -> None:
    file = site.archived(b"video", name="cam.mp4")
    site.archived_path().rename(site.archived_path(suffix=".mov"))
    site.archived_path(suffix=".avi").write_bytes(b"which?")

    with pytest.raises(NotMapped, match="several files"):
        opened(site, file.url)


def test_a_published_file_is_found_by_its_path(site: Site) -> None:
    assert opened(site, site.published(b"published").url) == b"published"


def test_percent_encoding_in_a_url_is_decoded(site: Site) -> None:
    site.published(b"umlaut", path="engage-player/mp1/pub1/Vorlesung ü #1.mp4")

    url = f"{SERVER}/static/{ORGANIZATION}/engage-player/mp1/pub1/Vorlesung%20%C3%BC%20%231.mp4"
    assert opened(site, url) == b"umlaut"


def test_a_signature_in_the_query_does_not_matter(site: Site) -> None:
    assert opened(site, site.published(b"published").url + "?policy=abc&signature=def") == b"published"


@pytest.mark.parametrize(
    "url",
    [
        "http://other.test/static/mh_default_org/engage-player/mp1/pub1/cam.mp4",
        "https://source.test/static/mh_default_org/engage-player/mp1/pub1/cam.mp4",
        "http://source.test:8080/static/mh_default_org/engage-player/mp1/pub1/cam.mp4",
        "http://source.test/staticfiles/mh_default_org/engage-player/mp1/pub1/cam.mp4",
        "http://source.test/files/mediapackage/mp1/pub1/cam.mp4",
    ],
)
def test_a_url_of_another_place_is_not_mapped(site: Site, url: str) -> None:
    site.published(b"published")

    with pytest.raises(NotMapped, match="no mount is configured"):
        opened(site, url)


def test_without_mounts_nothing_is_mapped_and_nothing_is_said(site: Site) -> None:
    with open_mounted(Disk(), [], f"{SERVER}/static/o/c/m/e/cam.mp4") as found:
        assert found is None


def test_the_usual_port_and_the_case_of_the_host_do_not_matter(site: Site) -> None:
    file = site.published(b"published")

    assert opened(site, file.url.replace("source.test", "Source.TEST:80")) == b"published"


@pytest.mark.parametrize("url", ["http://source.test:99999/static/x", "http://[::1/static/x", "http://a:b/static/x"])
def test_what_is_no_url_is_refused(site: Site, url: str) -> None:
    with pytest.raises(UnsafePath):
        opened(site, url)


def test_several_archive_roots_are_tried_in_order(site: Site, tmp_path: Path) -> None:
    file = site.archived(b"video")
    (tmp_path / "empty root").mkdir()
    prefix = f"{SERVER}/assets/assets"
    mounts = [
        Mount(prefix, tmp_path / "empty root", "archive", ORGANIZATION),
        Mount(prefix, tmp_path / "not there", "archive", ORGANIZATION),
        Mount(prefix, site.archive, "archive", ORGANIZATION),
    ]

    assert opened(site, file.url, mounts) == b"video"


def test_another_organization_is_another_folder(site: Site) -> None:
    file = site.archived(b"video")

    with pytest.raises(NotMapped):
        opened(site, file.url, [Mount(f"{SERVER}/assets/assets", site.archive, "archive", "tenant2")])


def test_a_missing_file_is_not_mapped_and_the_reason_names_it(site: Site) -> None:
    with pytest.raises(NotMapped, match="mp9"):
        opened(site, f"{SERVER}/assets/assets/mp9/el1/3/cam.mp4")


@pytest.mark.parametrize(
    "path",
    [
        "mh_default_org/../../../../etc/passwd",
        "mh_default_org/%2e%2e/%2e%2e/etc/passwd",
        "mh_default_org/engage-player/mp1/..%2f..%2f..%2fsecret",
        "..%2fsecret",
        "mh_default_org/./cam.mp4",
        "mh_default_org/engage-player/cam.mp4%00.txt",
    ],
)
def test_no_url_leaves_the_mounted_folder(site: Site, path: str) -> None:
    (site.folder / "secret").write_text("secret")

    with pytest.raises(UnsafePath):
        opened(site, f"{SERVER}/static/{path}")


@pytest.mark.parametrize("element", ["..", "%2e%2e", "..%2f..%2fsecret"])
def test_no_asset_url_leaves_the_archive(site: Site, element: str) -> None:
    site.archived(b"video")

    with pytest.raises(UnsafePath):
        opened(site, f"{SERVER}/assets/assets/mp1/{element}/3/cam.mp4")


def test_a_symbolic_link_is_not_followed_as_a_file(site: Site) -> None:
    (site.folder / "secret").write_bytes(b"secret")
    file = site.published(b"published")
    path = site.downloads / ORGANIZATION / "engage-player/mp1/pub1/cam.mp4"
    path.unlink()
    path.symlink_to(site.folder / "secret")

    with pytest.raises(NotMapped):
        opened(site, file.url)


def test_a_symbolic_link_is_not_followed_as_a_folder(site: Site) -> None:
    file = site.published(b"published")
    (site.downloads / ORGANIZATION / "engage-player").rename(site.folder / "elsewhere")
    (site.downloads / ORGANIZATION / "engage-player").symlink_to(site.folder / "elsewhere")

    with pytest.raises(NotMapped):
        opened(site, file.url)


def test_the_root_itself_may_be_a_symbolic_link(site: Site) -> None:
    file = site.archived(b"video")
    (site.folder / "mounted").symlink_to(site.archive)

    mounts = [Mount(f"{SERVER}/assets/assets/", site.folder / "mounted", "archive", ORGANIZATION)]
    assert opened(site, file.url, mounts) == b"video"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_not_opened(site: Site, make: Callable[[Path], None]) -> None:
    file = site.published(b"published")
    path = site.downloads / ORGANIZATION / "engage-player/mp1/pub1/cam.mp4"
    path.unlink()
    make(path)

    with pytest.raises(NotMapped, match="no plain file"):
        opened(site, file.url)


def test_no_descriptor_stays_open(site: Site, tmp_path: Path) -> None:
    file = site.archived(b"video")

    opened(site, file.url)
    with pytest.raises(NotMapped):
        opened(site, f"{SERVER}/assets/assets/mp1/el1/4/cam.mp4")

    assert open_descriptors(tmp_path) == []
