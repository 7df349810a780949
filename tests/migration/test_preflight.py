"""Before the first write: each thing that would make the migration fail is named with what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import PreflightFailed
from opencast.migration.options import Options
from opencast.migration.preflight import Check, require
from opencast.migration.workbench import Workbench

from tests.migration.pair import Pair, server
from tests.simulator import User


def checks(pair: Pair, source: Server | None = None, target: Server | None = None) -> dict[str, Check]:
    """Run the preflight and return its checks by name."""
    bench = Workbench(
        pair.settings,
        Options(),
        pair.database,
        Opencast(source or server(pair.source)),
        Opencast(target or server(pair.target)),
    )
    with bench:
        return {check.name: check for check in bench.preflight().run()}


def failed(found: dict[str, Check]) -> list[str]:
    return [name for name, check in found.items() if not check.ok]


def test_two_good_servers_pass(pair: Pair) -> None:
    found = checks(pair)
    assert failed(found) == []
    require(found.values())
    assert found["source: login"].message.startswith("admin on http://127.0.0.1")


def test_the_probe_leaves_nothing_on_the_target(pair: Pair) -> None:
    checks(pair)
    assert [p for p in (pair.target.storage / "files").rglob("*") if p.is_file()] == []


def test_a_wrong_password_is_named(pair: Pair) -> None:
    found = checks(pair, source=server(pair.source, password="wrong"))
    assert failed(found) == ["source: login"]
    assert "Check login and password" in found["source: login"].advice


def test_an_account_without_the_admin_role_is_refused(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"users": (User("alice", "pw", "Alice"),)})
    found = checks(pair, target=server(pair.target, username="alice", password="pw"))
    assert failed(found) == ["target: login"]
    assert "no administrator" in found["target: login"].message


def test_an_unreachable_host_is_named(pair: Pair) -> None:
    found = checks(pair, target=Server(url="http://127.0.0.1:9", username="admin", password="x", max_tries=1))
    assert failed(found) == ["target: login"]
    assert "running and reachable" in found["target: login"].advice


def test_a_wrong_organization_is_named(pair: Pair) -> None:
    found = checks(pair, source=server(pair.source, organization="other"))
    assert failed(found) == ["source: login"]
    assert "other" in found["source: login"].message


@pytest.mark.parametrize("version", ["9.12.0", "12.13.0"])
def test_an_old_opencast_is_refused_as_the_target(pairs: Callable[..., Pair], version: str) -> None:
    found = checks(pairs(target={"version": version}))
    assert failed(found) == ["target: version"]
    assert version in found["target: version"].message


def test_an_old_opencast_may_be_the_source(pairs: Callable[..., Pair]) -> None:
    found = checks(pairs(source={"generation": 9}))
    assert failed(found) == []
    assert found["source: version"].message == "Opencast 9.0.0"


def test_a_missing_workflow_operation_is_named(pairs: Callable[..., Pair]) -> None:
    pair = pairs(target={"without_handlers": frozenset({"publish-configure"})})
    found = checks(pair)
    assert failed(found) == ["target: workflow operations"]
    assert "publish-configure" in found["target: workflow operations"].message


def test_source_and_target_must_differ(pair: Pair) -> None:
    found = checks(pair, target=server(pair.source))
    assert failed(found) == ["two servers"]


def test_a_folder_that_cannot_be_written_is_named(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    pair.settings = pair.settings.model_copy(update={"staging_folder": tmp_path / "file" / "staging"})
    found = checks(pair)
    assert failed(found) == ["staging folder"]


def test_all_failures_are_told_at_once(pair: Pair) -> None:
    found = checks(pair, source=server(pair.source, password="x"), target=server(pair.target, password="y"))
    with pytest.raises(PreflightFailed, match=r"2 of the checks(.|\n)*source: login(.|\n)*target: login"):
        require(found.values())


def test_nothing_is_written_to_the_target_beside_the_probe(pair: Pair) -> None:
    checks(pair)
    assert all("/files/mediapackage/" in write for write in pair.writes())


def test_a_check_holds_no_password(pair: Pair) -> None:
    found: Any = checks(pair, source=server(pair.source, password="geheim-1"))
    assert "geheim-1" not in str([dataclasses.asdict(check) for check in found.values()])
