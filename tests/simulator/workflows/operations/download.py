"""``ingest-download`` and ``publication-channel-to-workspace``."""

from __future__ import annotations

from tests.simulator.storage import safe_name
from tests.simulator.workflows.operations.run import OperationFailed, Run, Skipped, select
from tests.simulator.workspace import Unreachable


def ingest_download(run: Run) -> None:
    """Bring foreign files into the working file repository; an unreachable one keeps its foreign url, silently."""
    flavors, tags = run.words("source-flavors"), run.words("source-tags")
    both = run.flag("tags-and-flavors")
    workspace = run.assets.workspace
    for element in run.select(flavors or ([] if tags else ["*/*"]), tags, both=both):
        if (element.url or "").startswith(f"{run.base_url}/files/"):
            continue
        try:
            path = workspace.get(element.url)
        except Unreachable:
            continue
        name = safe_name(element.file_name)
        foreign = element.url
        stored = run.assets.storage.put_copy(run.package.id, str(element.id), name, path)
        element.url = workspace.working_url(run.package.id, str(element.id), stored.name)
        if path.is_relative_to(run.assets.storage.root / "workspace"):
            workspace.delete(foreign)


def publication_channel_to_workspace(run: Run) -> None:
    """Copy elements of a publication that the package carries into the package."""
    channel = run.text("source-channel")
    if not channel:
        raise OperationFailed("No source-channel configured")
    publication = run.package.publication(channel)
    chosen = select(
        publication.elements if publication else [], run.words("source-flavors"), run.words("source-tags"), both=True
    )
    if not chosen:
        raise Skipped
    for element in chosen:
        twin = element.clone()
        twin.tags |= {word.lstrip("+") for word in run.words("target-tags")}
        run.package.add(twin)
