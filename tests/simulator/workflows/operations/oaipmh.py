"""``publish-oaipmh`` and ``retract-oaipmh``."""

from __future__ import annotations

from dataclasses import replace

from tests.simulator import clock
from tests.simulator.distribution import DistributionFailed
from tests.simulator.mediapackage import Publication, new_id
from tests.simulator.records import OaiRecord
from tests.simulator.workflows.operations.run import OperationFailed, Run

REPOSITORIES = ("default",)


def publish_oaipmh(run: Run) -> None:
    """Publish to a repository; what harvesters see carries the workflow's element ids, not those of the archive."""
    repository = run.text("repository")
    if not repository:
        raise OperationFailed("No repository has been specified")
    flavors, tags = run.words("download-flavors"), run.words("download-tags")
    if not flavors and not tags:
        return
    if repository not in REPOSITORIES:
        raise OperationFailed(f"OAI-PMH repository {repository} does not exist")
    channel = f"oaipmh-{repository}"
    try:
        distributed = run.distribution.distribute(run.org, channel, run.package, run.select(flavors, tags))
    except DistributionFailed as error:
        raise OperationFailed(str(error)) from error
    shown = run.package.clone()
    shown.elements, shown.publications = distributed, []
    with run.state.lock:
        key = (repository, run.package.id)
        run.state.oai_records[key] = OaiRecord(repository, shown, run.org, clock.now())
    url = f"{run.base_url}/oaipmh/{repository}?verb=ListMetadataFormats&identifier={run.package.id}"
    run.package.publications = [p for p in run.package.publications if p.channel != channel]
    run.package.publications.append(Publication(channel, new_id(), mimetype="text/xml", url=url))


def retract_oaipmh(run: Run) -> None:
    """Leave a tombstone in the repository and remove the files."""
    repository = run.text("repository")
    if not repository:
        raise OperationFailed("No repository has been specified")
    channel, key = f"oaipmh-{repository}", (repository, run.package.id)
    record = run.state.oai_records.get(key)
    if record is not None:
        run.distribution.retract(run.org, channel, run.package, record.package.elements)
        with run.state.lock:
            run.state.oai_records[key] = replace(record, deleted=True, modified=clock.now())
    run.package.publications = [p for p in run.package.publications if p.channel != channel]
