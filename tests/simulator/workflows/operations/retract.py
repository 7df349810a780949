"""``retract-engage`` and ``retract-configure``."""

from __future__ import annotations

from tests.simulator.distribution import ENGAGE
from tests.simulator.workflows.operations.run import OperationFailed, Run


def retract_channel(run: Run, channel: str) -> None:
    """Remove a channel's publications and their files."""
    for publication in [p for p in run.package.publications if p.channel == channel]:
        run.distribution.retract(run.org, channel, run.package, publication.elements)
        run.package.publications.remove(publication)


def retract_engage(run: Run) -> None:
    """Remove an episode from the search service, with its files."""
    published = run.state.published.get(run.package.id)
    if published is not None:
        run.distribution.retract(run.org, ENGAGE, published.package, published.package.elements)
        run.distribution.remove_from_search(run.package.id)
    run.package.publications = [p for p in run.package.publications if p.channel != ENGAGE]


def retract_configure(run: Run) -> None:
    """Remove the publication of the configured channel."""
    if not run.text("channel-id"):
        raise OperationFailed("the configuration key channel-id is missing")
    retract_channel(run, run.text("channel-id"))
