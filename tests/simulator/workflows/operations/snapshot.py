"""``snapshot`` and ``asset-delete``."""

from __future__ import annotations

from tests.simulator.assets import SnapshotFailed
from tests.simulator.mediapackage import MediaPackage
from tests.simulator.records import OWNER_DEFAULT
from tests.simulator.workflows.operations.run import OperationFailed, Run


def snapshot(run: Run) -> None:
    """Archive what is selected (everything when nothing is configured) and all publications."""
    flavors, tags = run.words("source-flavors"), run.words("source-tags")
    package = run.package.clone()
    if flavors or tags:
        kept = {element.id for element in run.select(flavors, tags)}
        _cut_references(package, kept)
        for element in [e for e in package.elements if e.id not in kept]:
            package.remove(element)
    try:
        run.assets.take_snapshot(package, run.org, OWNER_DEFAULT)
    except SnapshotFailed as error:
        raise OperationFailed(str(error)) from error


def _cut_references(package: MediaPackage, kept: set[str | None]) -> None:
    """Drop references to elements that are left out, inheriting the flavor of what was referenced."""
    by_reference = {f"{element.kind}:{element.id}": element for element in package.elements}
    for element in package.elements:
        target = by_reference.get((element.ref or "").split(";")[0])
        if element.id not in kept or target is None or target.id in kept:
            continue
        reference = element.ref
        while (parent := by_reference.get((reference or "").split(";")[0])) is not None:
            element.flavor = element.flavor or parent.flavor
            if parent.ref is None:
                break
            reference = parent.ref
        to_package = reference == "self" or (reference or "").startswith("mediapackage:")
        element.ref = reference if to_package else None


def asset_delete(run: Run) -> None:
    """Remove all snapshots."""
    run.assets.delete(run.package.id)
