"""The audit lists the files that both systems share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from opencast.staging.audit import main, shared_inodes
from opencast.staging.link import LinkRoute
from opencast.staging.source import Fetcher
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FakeRepository


@pytest.fixture
def shared(site: Site, fetcher: Fetcher, store: ObjectStore, repository: FakeRepository) -> Path:
    """One linked file, one file that is only on the source, one that is linked within the source."""
    staged = fetcher.fetch(site.archived(b"video"))
    LinkRoute(site.files, store, repository).send("mp1", "el1", "cam.mp4", staged)
    site.archived(b"not migrated", mp="mp2")
    os.link(site.archived_path(mp="mp2"), site.downloads / "published.mp4")
    return site.files / "mediapackage" / "mp1" / "el1" / "cam.mp4"


def test_a_file_that_both_have_is_listed_with_its_names(site: Site, shared: Path) -> None:
    (found,) = shared_inodes([site.archive, site.downloads], [site.files])

    assert (found.size, found.source, found.target) == (5, (site.archived_path(),), (shared,))


def test_nothing_is_listed_after_the_targets_name_is_gone(site: Site, shared: Path) -> None:
    shared.unlink()

    assert list(shared_inodes([site.archive], [site.files])) == []


def test_the_command_prints_a_line_for_each_file(site: Site, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--source", str(site.archive), "--source", str(site.downloads), "--target", str(site.files)])

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == f"5\t{site.archived_path()}\t{shared}\n"
    assert "1 files with 5 bytes" in printed.err


def test_the_command_says_so_when_nothing_is_shared(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--source", str(site.archive), "--target", str(site.files)]) == 0
    assert capsys.readouterr().out == ""


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_list(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--source", str(site.folder / "not there"), "--target", str(site.files)]) == 2
    assert "not there" in capsys.readouterr().err
