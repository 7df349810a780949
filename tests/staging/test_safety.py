"""Nothing is linked where the source could be damaged by it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from opencast.errors import ConfigurationError
from opencast.staging.disk import Disk
from opencast.staging.mounts import Mount
from opencast.staging.safety import SHARED_INODES, check_storage, probe_mount
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FaultyDisk, contents, incoming


class ReadOnly(Disk):
    """The source is mounted read-only."""

    def writable(self, path: Path) -> bool:
        return False


def check(site: Site, **changed: Any) -> None:
    options: dict[str, Any] = {
        "staging": site.staging,
        "mounts": site.mounts,
        "files_root": site.files,
        "link": True,
        "allow_writable_source": False,
        "disk": ReadOnly(),
    } | changed
    check_storage(options.pop("staging"), options.pop("mounts"), options.pop("files_root"), **options)


def test_separate_folders_and_a_read_only_source_are_safe(site: Site) -> None:
    check(site)


def test_a_writable_source_is_refused_unless_the_option_says_so(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="can be written to"):
        check(site, disk=Disk())

    check(site, disk=Disk(), allow_writable_source=True)


@pytest.mark.parametrize("relation", ["same", "target inside source", "source inside target", "staging inside source"])
def test_overlapping_folders_are_refused(site: Site, relation: str) -> None:
    changed = {
        "same": {"files_root": site.archive},
        "target inside source": {"files_root": site.archive / "files"},
        "source inside target": {"files_root": site.folder / "source"},
        "staging inside source": {"staging": site.downloads / "staging"},
    }[relation]

    with pytest.raises(ConfigurationError, match="overlap"):
        check(site, **changed)


def test_folders_that_overlap_by_a_symbolic_link_are_refused(site: Site) -> None:
    (site.folder / "elsewhere").symlink_to(site.archive)

    with pytest.raises(ConfigurationError, match="overlap"):
        check(site, files_root=site.folder / "elsewhere" / "files")


def test_staging_in_the_targets_files_is_refused(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="overlap"):
        check(site, staging=site.files / "staging")


def test_a_folder_whose_name_begins_like_another_one_does_not_overlap(site: Site) -> None:
    (site.folder / "source" / "archive2").mkdir()

    check(site, files_root=site.folder / "source" / "archive2")


def test_storage_that_is_not_mounted_is_refused(site: Site) -> None:
    mounts = [Mount("http://source.test/static", site.folder / "not there", "downloads")]

    with pytest.raises(ConfigurationError, match="not there"):
        check(site, mounts=mounts)


def test_all_problems_are_named_at_once(site: Site) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(site, disk=Disk(), files_root=site.archive)

    assert "overlap" in str(caught.value) and "can be written to" in str(caught.value)


def test_the_explanation_names_what_must_not_be_done() -> None:
    for word in ("in place", "chmod", "chown", "backup", "audit"):
        assert word in SHARED_INODES


def test_a_mount_whose_files_can_be_linked_is_found_out(site: Site, store: ObjectStore) -> None:
    site.archived(b"video")
    before = contents(site.archive)

    probe = probe_mount(store, site.mounts[0])

    assert probe.ok
    assert incoming(site.staging) == []
    assert contents(site.archive) == before


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM])
def test_a_mount_whose_files_cannot_be_linked_is_found_out(site: Site, code: int) -> None:
    site.archived(b"video")
    store = ObjectStore(site.staging, disk=FaultyDisk(link=code))

    probe = probe_mount(store, site.mounts[0])

    assert not probe.ok and probe.advice
    assert incoming(site.staging) == []


def test_an_empty_mount_is_suspicious(site: Site, store: ObjectStore) -> None:
    probe = probe_mount(store, site.mounts[0])

    assert not probe.ok and "mounted" in probe.advice
