"""Source, staging and target on one file system: a whole library moves and no media byte is written anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opencast.settings import SourceStorage
from opencast.staging.audit import shared_inodes
from opencast.store.ledger import State

from tests.migration.pair import Pair
from tests.simulator import Simulator


def linked(pair: Pair, **settings: Any) -> Pair:
    """Let the pair's workers have both storages mounted."""
    mounted = (
        SourceStorage(kind="archive", folder=pair.source.storage / "archive"),
        SourceStorage(kind="downloads", folder=pair.source.storage / "downloads"),
    )
    values = {
        "source_storage": mounted,
        "link_source": True,
        "allow_writable_source": True,
        "target_files_folder": pair.target.storage / "files",
    }
    pair.settings = pair.settings.model_copy(update=values | settings)
    return pair


def media(simulator: Simulator) -> dict[tuple[str, str], int]:
    """The inodes of all videos of a server, by folder of the storage and path below it."""
    storage = Path(simulator.storage)
    return {
        (path.relative_to(storage).parts[0], str(path.relative_to(storage))): path.stat().st_ino
        for path in storage.rglob("*.mp4")
    }


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    return linked(pairs(library="generated", source={"events": 3, "event_bytes": 300_000}))


def test_every_video_is_one_inode_on_both_systems(pair: Pair) -> None:
    entries = pair.migrate_all()
    assert {entry.state for entry in entries.values()} == {State.DONE}
    source, target = media(pair.source), media(pair.target)
    assert {folder for folder, _ in target} == {"archive", "downloads"}
    assert set(target.values()) == set(source.values())


def test_nothing_is_read_from_the_source_over_http_and_nothing_sent(pair: Pair) -> None:
    pair.migrate_all(route="link")
    got = [r.path for r in pair.source.requests.all() if r.path.startswith(("/assets/assets/", "/static/"))]
    assert [path for path in got if path.endswith(".mp4")] == [], "verification samples the target, not the source"
    assert [write for write in pair.writes() if "/files/" in write and "POST" in write] == []


def test_the_ledger_counts_no_written_byte(pair: Pair) -> None:
    for entry in pair.migrate_all(route="link").values():
        assert entry.traffic.written == 0
        assert entry.traffic.total > 300_000


def test_nothing_is_left_in_the_targets_files(pair: Pair) -> None:
    pair.migrate_all()
    assert list((pair.target.storage / "files" / "mediapackage").iterdir()) == []


def test_the_audit_lists_what_both_systems_share(pair: Pair) -> None:
    pair.migrate_all()
    shared = list(shared_inodes([pair.source.storage.root], [pair.target.storage.root]))
    assert {one.source[0].suffix for one in shared} >= {".mp4"}


def test_a_mounted_source_alone_is_read_once_and_uploaded_once(pair: Pair) -> None:
    linked(pair, link_source=False, target_files_folder=None)
    entries = pair.migrate_all()
    assert {entry.state for entry in entries.values()} == {State.DONE}
    source = set(media(pair.source).values())
    assert not source & set(media(pair.target).values())
    assert [r for r in pair.source.requests.all(prefix="/assets/assets/") if r.path.endswith(".mp4")] == []
