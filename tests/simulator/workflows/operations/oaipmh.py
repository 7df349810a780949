"""``publish-oaipmh`` and ``retract-oaipmh``."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from tests.simulator import clock, mediapackage, xmlio
from tests.simulator.distribution import DistributionFailed
from tests.simulator.mediapackage import Element, Publication, new_id
from tests.simulator.oaipmh import InlinedElement, OaiContents, OaiRecord
from tests.simulator.workflows.operations.run import OperationFailed, Run
from tests.simulator.workspace import Unreachable


def publish_oaipmh(run: Run) -> None:
    """Publish to a repository; what harvesters see carries the workflow's element ids, not those of the archive."""
    repository = run.text("repository")
    if not repository:
        raise OperationFailed("No repository has been specified")
    flavors, tags = run.words("download-flavors"), run.words("download-tags")
    if not flavors and not tags:
        return
    if repository not in run.state.oai.names:
        raise OperationFailed(f"OAI-PMH repository {repository} does not exist")
    channel = f"oaipmh-{repository}"
    try:
        distributed = run.distribution.distribute(run.org, channel, run.package, run.select(flavors, tags))
    except DistributionFailed as error:
        raise OperationFailed(str(error)) from error
    shown = run.package.clone()
    shown.elements = distributed
    shown.publications = [p for p in shown.publications if p.channel != channel]
    contents = OaiContents(shown.to_xml(prolog=False), tuple(_inlined(run, distributed)))
    run.state.oai.put(OaiRecord(repository, run.package.id, run.org, clock.now(), lambda: contents))
    url = f"{run.base_url}/oaipmh/{repository}?verb=ListMetadataFormats&identifier={run.package.id}"
    run.package.publications = [p for p in run.package.publications if p.channel != channel]
    run.package.publications.append(Publication(channel, new_id(), mimetype="text/xml", url=url))


def _inlined(run: Run, elements: list[Element]) -> Iterator[InlinedElement]:
    """Read the catalogs and attachments that are well-formed XML and say so."""
    for element in elements:
        if element.flavor is None or element.kind == "track" or element.mimetype != "text/xml":
            continue
        try:
            root = xmlio.parse(run.assets.workspace.read(element.url).read_bytes())
        except (Unreachable, OSError, etree.XMLSyntaxError):
            continue
        yield InlinedElement(element.kind, element.flavor, etree.tostring(root, encoding="unicode"))


def retract_oaipmh(run: Run) -> None:
    """Leave a tombstone in the repository and remove the files."""
    repository = run.text("repository")
    if not repository:
        raise OperationFailed("No repository has been specified")
    channel = f"oaipmh-{repository}"
    record = run.state.oai.get(run.org, repository, run.package.id)
    if record is not None:
        shown = mediapackage.parse(record.load().package)
        run.distribution.retract(run.org, channel, run.package, shown.elements)
        run.state.oai.delete(run.org, repository, run.package.id)
    run.package.publications = [p for p in run.package.publications if p.channel != channel]
