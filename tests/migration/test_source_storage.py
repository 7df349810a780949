"""The source's mounted storage: proved before it is relied on, and refused where the source could be damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opencast.migration.preflight import Check
from opencast.settings import SourceStorage

from tests.migration.pair import Pair


def storage(pair: Pair, **fields: Any) -> tuple[SourceStorage, ...]:
    return (
        SourceStorage(kind="archive", folder=pair.source.storage / "archive", **fields),
        SourceStorage(kind="downloads", folder=pair.source.storage / "downloads", **fields),
    )


def check(pair: Pair, **settings: Any) -> Check:
    pair.settings = pair.settings.model_copy(update=settings)
    with pair.bench() as bench:
        found = {check.name: check for check in bench.preflight().run()}
    return found["source: mounted storage"]


def test_without_mounts_files_come_over_http(pair: Pair) -> None:
    assert check(pair).message == "none is mounted here: files come over HTTP"


def test_a_writable_source_is_refused_until_it_is_accepted(pair: Pair) -> None:
    refused = check(pair, source_storage=storage(pair))
    assert not refused.ok
    assert "can be written to, and the option that allows that is off" in refused.message
    assert check(pair, source_storage=storage(pair), allow_writable_source=True).ok


def test_links_without_mounts_are_refused(pair: Pair) -> None:
    refused = check(pair, link_source=True)
    assert not refused.ok
    assert "source_storage names no folder" in refused.message


def test_overlapping_folders_of_source_and_target_are_refused(pair: Pair) -> None:
    refused = check(
        pair,
        source_storage=storage(pair),
        allow_writable_source=True,
        target_files_folder=pair.source.storage / "downloads",
    )
    assert not refused.ok
    assert "overlap" in refused.message


def test_a_folder_that_is_missing_on_this_worker_is_named(pair: Pair, tmp_path: Path) -> None:
    refused = check(pair, source_storage=(SourceStorage(kind="archive", folder=tmp_path / "nowhere"),))
    assert not refused.ok
    assert "nowhere is no folder on this worker" in refused.message


@pytest.mark.parametrize("wrong", [{"organization": "another"}, {"folder": "mh_default_org"}])
def test_a_folder_that_fits_none_of_the_sources_urls_is_refused(pair: Pair, wrong: dict[str, str]) -> None:
    folder = pair.source.storage / "archive" / wrong.pop("folder", "")
    mounted = (SourceStorage(kind="archive", folder=folder, **wrong),)
    refused = check(pair, source_storage=mounted, allow_writable_source=True)
    assert not refused.ok
    assert "files of the source was found" in refused.message
    assert "Check folder, url and organization" in refused.advice


def test_an_address_that_the_source_does_not_use_is_told(pair: Pair) -> None:
    mounted = storage(pair, url="https://elsewhere.test/static")
    found = check(pair, source_storage=mounted, allow_writable_source=True)
    assert "has a URL that belongs to the folders" in found.message


def test_the_sources_files_are_found_and_a_link_is_tried(pair: Pair) -> None:
    found = check(pair, source_storage=storage(pair), allow_writable_source=True, link_source=True)
    assert found.ok
    assert found.message.count("can be linked into staging") == 2
    assert found.message.endswith("the source's files were found")
    assert not list((pair.settings.staging / "incoming").iterdir())


def test_an_empty_folder_is_named_beside_one_that_holds_files(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    mounted = (*storage(pair), SourceStorage(kind="archive", folder=tmp_path / "empty"))
    assert check(pair, source_storage=mounted, allow_writable_source=True).message.endswith(
        f"but none in {tmp_path / 'empty'}"
    )


def test_leftovers_of_killed_workers_are_swept_when_nobody_goes_on_with_them(pair: Pair) -> None:
    with pair.bench() as bench:
        part = bench.store.create("a" * 32, 10)
        part.close()
        assert [check.message for check in bench.preflight().run() if check.name == "staging: leftovers"] == ["none"]
        assert part.path.exists(), "a young one may still be gone on with"
