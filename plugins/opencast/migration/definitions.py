"""The workflow definitions that are sent along with each import run; nothing is installed on the target."""

from __future__ import annotations

from collections.abc import Iterable

from opencast.migration.oaipmh import is_repository, repository_of
from opencast.migration.runs import ENGAGE, ChannelRun, RunElement, flavors, tags_of_flavorless
from opencast.model.flavor import Flavor
from opencast.model.workflow_definition import Operation, WorkflowDefinition

PUBLISH_ENGAGE = "publish-engage"
PUBLISH_CONFIGURE = "publish-configure"
#: Only needed where the source has publications of OAI-PMH repositories.
PUBLISH_OAIPMH = "publish-oaipmh"
SNAPSHOT = "snapshot"
CLEANUP = "cleanup"
RETRACT_ENGAGE = "retract-engage"
RETRACT_CONFIGURE = "retract-configure"
RETRACT_OAIPMH = "retract-oaipmh"
#: Nothing is wrong when these find nothing to do.
MAY_BE_SKIPPED = frozenset({CLEANUP, RETRACT_ENGAGE, RETRACT_CONFIGURE, RETRACT_OAIPMH})
#: What the target must be able to do.
OPERATIONS = frozenset({PUBLISH_ENGAGE, PUBLISH_CONFIGURE, SNAPSHOT, CLEANUP})


def channel_definition(identifier: str, run: ChannelRun, page_url: str, preserved: Iterable[Flavor | None]) -> bytes:
    """Return the definition that publishes one channel.

    :param identifier: id of the definition, by which the workflow is found again.
    :param page_url: URL of the publication on the target; empty when it has none.
    :param preserved: flavors whose files a later run needs.
    """
    operation, configuration = _publishing(run, page_url)
    operations = [Operation(operation, f"Publish to {run.channel}", configuration=configuration)]
    cleanup = _cleanup(run.files, frozenset(preserved)) if run.files else None
    if cleanup is not None:
        operations.append(cleanup)
    return WorkflowDefinition(identifier, f"Import the publication {run.channel}", tuple(operations)).to_xml()


def _publishing(run: ChannelRun, page_url: str) -> tuple[str, dict[str, str]]:
    """Return the operation that publishes to a channel, and its configuration."""
    if run.repository is not None:
        return PUBLISH_OAIPMH, {"repository": run.repository, **_selection("download", run.elements)}
    selection = _selection("download-source", run.elements)
    if run.channel == ENGAGE:
        return PUBLISH_ENGAGE, selection
    configuration = {"channel-id": run.channel, **selection}
    if run.shares:
        configuration["with-published-elements"] = "true"
    if page_url:
        configuration["url-pattern"] = page_url
    if run.publication.mimetype:
        configuration["mimetype"] = run.publication.mimetype
    return PUBLISH_CONFIGURE, configuration


def archive_definition(identifier: str, elements: tuple[RunElement, ...], retracted: Iterable[str] = ()) -> bytes:
    """Return the definition that archives.

    :param identifier: id of the definition, by which the workflow is found again.
    :param retracted: channels to retract before; their publications are in the package.
    """
    operations = (
        *(_retracting(channel) for channel in retracted),
        Operation(SNAPSHOT, "Archive", configuration=_selection("source", elements)),
        Operation(CLEANUP, "Remove the imported files from the working file repository", configuration=_NO_DELAY),
    )
    return WorkflowDefinition(identifier, "Import the archive", operations).to_xml()


def _retracting(channel: str) -> Operation:
    description = f"Retract what is not published to {channel} any more"
    if channel == ENGAGE:
        return Operation(RETRACT_ENGAGE, description)
    if is_repository(channel):
        return Operation(RETRACT_OAIPMH, description, configuration={"repository": repository_of(channel)})
    return Operation(RETRACT_CONFIGURE, description, configuration={"channel-id": channel})


#: The operation waits a second by default, for workflows that have jobs of other operations still writing.
_NO_DELAY = {"delay": "0"}


def _selection(prefix: str, elements: tuple[RunElement, ...]) -> dict[str, str]:
    selection = {f"{prefix}-flavors": ",".join(flavors(elements))}
    tags = tags_of_flavorless(elements)
    if tags:
        selection[f"{prefix}-tags"] = ",".join(tags)
    return {key: value for key, value in selection.items() if value}


def _cleanup(elements: tuple[RunElement, ...], preserved: frozenset[Flavor | None]) -> Operation | None:
    """Clean up what this run alone needs; without it, a workspace that cannot link keeps copies of every file."""
    if None in preserved or all(element.source.flavor in preserved for element in elements):
        return None  # the operation cannot spare an element without flavor
    configuration = dict(_NO_DELAY)
    if preserved:
        configuration["preserve-flavors"] = ",".join(sorted(map(str, preserved)))
    return Operation(CLEANUP, "Remove what no later run needs", configuration=configuration)
