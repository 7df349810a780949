"""How files come to the target: each way is proved by a probe object before the first write, and the best one taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opencast.errors import ConfigurationError, RouteUnavailable
from opencast.migration.options import Options, Way
from opencast.migration.preflight import Check
from opencast.migration.ways import best
from opencast.staging.link import LinkRoute
from opencast.staging.shared_upload import SharedUploadRoute

from tests.migration.pair import Pair


def with_settings(pair: Pair, **settings: Any) -> Pair:
    pair.settings = pair.settings.model_copy(update=settings)
    return pair


def checks(pair: Pair, **options: Any) -> dict[str, Check]:
    with pair.bench(**options) as bench:
        return {check.name: check for check in bench.preflight().run()}


def files(pair: Pair) -> list[Path]:
    return [path for path in (pair.target.storage / "files").rglob("*") if path.is_file()]


def test_uploads_are_the_best_way_when_the_targets_folder_is_not_mounted(pair: Pair) -> None:
    found = checks(pair)["target: way of the files"]
    assert found.ok
    assert found.message.startswith("upload is used.")


def test_links_are_the_best_way_when_the_targets_folder_is_mounted(pair: Pair) -> None:
    with_settings(pair, target_files_folder=pair.target.storage / "files")
    found = checks(pair)
    assert found["target: way of the files"].message.startswith("link is used.")
    assert "no media byte is written" in found["target: way of the files"].message
    assert "upload: Files can be uploaded" in found["target: way of the files"].message, "each way is proved"
    assert files(pair) == [], "and nothing is left of the probes"


def test_what_sharing_files_means_is_told_before_anything_is_shared(pair: Pair) -> None:
    assert "shared files" not in checks(pair)
    with_settings(pair, target_files_folder=pair.target.storage / "files")
    assert "Never write into such a file in place" in checks(pair)["shared files"].message
    assert "shared files" not in checks(pair, route="upload")


def test_a_folder_that_is_not_the_targets_is_noticed(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "other" / "mediapackage").mkdir(parents=True)
    with_settings(pair, target_files_folder=tmp_path / "other")
    found = checks(pair)["target: way of the files"]
    assert found.message.startswith("upload is used.")
    assert "The target does not see what is put into" in found.message
    refused = checks(pair, route="link")["target: way of the files"]
    assert not refused.ok
    assert "org.opencastproject.file.repo.path" in refused.advice
    assert list((tmp_path / "other" / "mediapackage").iterdir()) == []


def test_a_way_that_is_asked_for_is_not_replaced_by_another(pair: Pair) -> None:
    refused = checks(pair, route="link")["target: way of the files"]
    assert not refused.ok
    assert "needs the setting target_files_folder" in refused.advice


def test_an_administrator_never_gets_a_zip_unasked(pair: Pair) -> None:
    pair.target.faults.add("/files/mediapackage/", method="POST", status=400)
    found = checks(pair)["target: way of the files"]
    assert not found.ok
    assert "zip" not in found.message + found.advice


def test_the_zip_needs_the_import_workflow(pair: Pair) -> None:
    refused = checks(pair, route="zip")["target: way of the files"]
    assert not refused.ok
    assert "does not have the workflow opencast-airflow-import" in refused.advice
    assert "etc/workflows" in refused.advice


def test_a_task_tries_the_ways_once_and_keeps_the_best(pair: Pair) -> None:
    with_settings(pair, target_files_folder=pair.target.storage / "files")
    with pair.bench() as bench:
        assert isinstance(bench.route, LinkRoute)
        assert bench.options.route is Way.LINK
    before = len(pair.writes())
    with pair.bench(route="upload") as bench:
        assert isinstance(bench.route, SharedUploadRoute)
    assert len(pair.writes()) == before, "a way that is named is taken without a probe"


def test_the_way_that_the_preflight_found_replaces_auto_only() -> None:
    assert Options().by_way("link").route is Way.LINK
    assert Options(route=Way.UPLOAD).by_way("link").route is Way.UPLOAD
    assert Options().by_way(None).route is Way.AUTO


def test_no_way_at_all_says_why_for_each() -> None:
    with pytest.raises(RouteUnavailable):
        best(())


def test_the_account_of_the_target_decides_whether_a_file_can_be_linked(pair: Pair) -> None:
    with_settings(pair, target_files_folder=pair.target.storage / "files", target_account="65534:65534")
    assert "link is used" in checks(pair)["target: way of the files"].message, "objects are readable for everybody"
    Path(pair.target.storage / "files" / "mediapackage").chmod(0o777)
    with pair.bench(route="link") as bench:
        assert bench.route.probe().how == "link"


def test_link_and_auto_are_no_ways_without_their_settings(pair: Pair) -> None:
    with pair.bench() as bench:
        with pytest.raises(ConfigurationError, match="target_files_folder"):
            bench.ways.route(Way.LINK)
        with pytest.raises(ValueError, match="auto is no way"):
            bench.ways.route(Way.AUTO)
