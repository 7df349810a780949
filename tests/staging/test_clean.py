"""Cleaning removes what no open work needs, and nothing else."""

from __future__ import annotations

import os
import time

from opencast.staging.clean import clean
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import incoming


def later(site: Site) -> ObjectStore:
    """The store as it is in two hours."""
    return ObjectStore(site.staging, clock=lambda: time.time() + 7200)


def test_what_nobody_needs_is_removed(store: ObjectStore, site: Site) -> None:
    needed, done = store.put([b"needed"]), store.put([b"done"])

    result = clean(later(site), lambda digest: digest == needed.digest)

    assert (result.removed, result.bytes_freed, result.kept_needed) == (1, 4, 1)
    assert needed.path.exists() and not done.path.exists()


def test_a_dry_run_tells_the_same_and_removes_nothing(store: ObjectStore, site: Site) -> None:
    done = store.put([b"done"])
    (site.staging / "incoming" / f"{'a' * 32}.10.part").write_bytes(b"half")

    result = clean(later(site), lambda digest: False, dry_run=True)

    assert (result.removed, result.bytes_freed, result.dry_run) == (1, 4, True)
    assert done.path.exists()
    assert incoming(site.staging) != []


def test_young_objects_stay_because_their_work_may_not_be_noted_yet(store: ObjectStore) -> None:
    store.put([b"just staged"])

    result = clean(store, lambda digest: False)

    assert (result.removed, result.kept_young) == (0, 1)


def test_an_object_that_a_worker_fetches_stays(store: ObjectStore, site: Site) -> None:
    stored = store.put([b"busy"])

    with store.lock(stored.digest.md5):
        result = clean(later(site), lambda digest: False)

    assert (result.removed, result.kept_busy) == (0, 1)


def test_only_bytes_without_another_name_count_as_freed(store: ObjectStore, site: Site) -> None:
    os.link(store.put([b"linked"]).path, site.folder / "in the target")

    result = clean(later(site), lambda digest: False)

    assert (result.removed, result.bytes_freed) == (1, 0)
    assert (site.folder / "in the target").read_bytes() == b"linked"


def test_leftovers_of_killed_workers_go_with_it(store: ObjectStore, site: Site) -> None:
    (site.staging / "incoming" / f"{'a' * 32}.10.part").write_bytes(b"half")

    assert clean(later(site), lambda digest: False).leftovers == 1
    assert incoming(site.staging) == []


def test_a_damaged_object_is_removed_like_any_other(store: ObjectStore, site: Site) -> None:
    stored = store.put([b"some bytes"])
    stored.path.write_bytes(b"changed in place")

    assert clean(later(site), lambda digest: False).removed == 1
    assert not stored.path.exists()
