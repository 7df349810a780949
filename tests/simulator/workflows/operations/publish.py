"""``publish-engage`` and ``publish-configure``."""

from __future__ import annotations

import re

from tests.simulator import dublincore
from tests.simulator.distribution import ENGAGE, DistributionFailed
from tests.simulator.mediapackage import EPISODE, Element, MediaPackage, Publication, flavor_matches, new_id
from tests.simulator.workflows.operations.retract import retract_channel
from tests.simulator.workflows.operations.run import OperationFailed, Run, Skipped, select

_VARIABLE = re.compile(r"\$\{(\w+)(?:!'([^']*)')?\}")


def publish_engage(run: Run) -> None:
    """Publish to the search service; the publication's elements get random ids."""
    package = run.package
    published = run.state.published.get(package.id)
    merge = run.text("strategy", "default") == "merge"
    if merge and published is None:
        raise Skipped
    flavors, tags = run.words("download-source-flavors"), run.words("download-source-tags")
    if not flavors and not tags and not run.text("streaming-source-tags") + run.text("streaming-source-flavors"):
        return
    chosen = run.select(flavors, tags)
    package.publications = [p for p in package.publications if p.channel != ENGAGE]
    if not merge and published is not None:
        run.distribution.retract(run.org, ENGAGE, published.package, published.package.elements)
        run.distribution.remove_from_search(package.id)
    if not chosen:
        return
    found = _for_search(run, chosen)
    if merge and published is not None:
        _merge(run, found, published.package)
    _require_title_and_track(run, found)
    publication = Publication(
        ENGAGE, new_id(), mimetype="text/html", url=f"{run.base_url}/play/{package.id}", elements=found.elements
    )
    for element in found.elements:
        element.id = new_id()
    package.publications.append(publication)
    run.distribution.add_to_search(run.org, found)


def _for_search(run: Run, chosen: list[Element]) -> MediaPackage:
    try:
        distributed = run.distribution.distribute(run.org, ENGAGE, run.package, chosen)
    except DistributionFailed as error:
        raise OperationFailed(str(error)) from error
    # References between published elements are rewritten to ids that are thrown away in the next step: they dangle.
    translated = {f"{e.kind}:{e.id}": f"{e.kind}:{new_id()}" for e in distributed}
    subtype = run.text("download-target-subflavor").split("/")[-1]
    for element in distributed:
        reference, _, rest = (element.ref or "").partition(";")
        if reference in translated:
            element.ref = translated[reference] + (f";{rest}" if rest else "")
        element.tags.update(run.words("download-target-tags"))
        if subtype and element.flavor:
            element.flavor = f"{element.flavor.split('/')[0]}/{subtype}"
    package = run.package.clone()
    package.elements, package.publications = distributed, []
    return package


def _merge(run: Run, fresh: MediaPackage, published: MediaPackage) -> None:
    forced = run.words("merge-force-flavors") or ["dublincore/*", "security/*"]
    added = run.words("add-force-flavors")
    for element in published.elements:
        present = any(element.flavor == other.flavor for other in fresh.elements)
        removed = any(flavor_matches(pattern, element.flavor) for pattern in forced)
        if any(flavor_matches(pattern, element.flavor) for pattern in added) or not (present or removed):
            fresh.elements.append(element.clone())


def _require_title_and_track(run: Run, package: MediaPackage) -> None:
    if not (package.title or "").strip():
        for catalog in package.of_flavor(EPISODE, "catalog")[:1]:
            package.title = dublincore.parse(run.assets.workspace.read(catalog.url).read_bytes()).first("title")
    if not (package.title or "").strip():
        raise OperationFailed("Media package does not meet publication criteria: Missing title")
    if not package.of_kind("track"):
        raise OperationFailed("Media package does not meet publication criteria: No tracks selected")


def publish_configure(run: Run) -> None:
    """Publish to any channel; SKIPPED when something was to be selected and nothing was."""
    channel = run.text("channel-id")
    if not channel:
        raise OperationFailed("the configuration key channel-id is missing")
    if run.text("mode", "bulk") not in ("single", "mixed", "bulk"):
        raise OperationFailed("Unknown value for configuration key mode")
    if run.package.publication(channel):
        if run.text("strategy") == "fail":
            raise OperationFailed("There is already a Published Media")
        if run.text("strategy") != "merge":
            retract_channel(run, channel)
    flavors, tags = run.words("download-source-flavors"), run.words("download-source-tags")
    streaming = run.words("streaming-source-flavors") + run.words("streaming-source-tags")
    publication = Publication(channel, new_id(), mimetype=run.text("mimetype") or None)
    if flavors or tags:
        publication.elements = _elements(run, channel, flavors, tags)
    if (flavors or tags or streaming) and not publication.elements:
        raise Skipped
    if run.text("url-pattern"):
        publication.url = _fill(run, run.text("url-pattern"), str(publication.id))
    run.package.publications.append(publication)


def _elements(run: Run, channel: str, flavors: list[str], tags: list[str]) -> list[Element]:
    if run.flag("with-published-elements"):
        # These keep the ids and urls of the channel that they were distributed to.
        held = [
            element
            for publication in run.package.publications
            for kind in ("attachment", "catalog", "track")
            for element in publication.of_kind(kind)
        ]
        return [element.clone() for element in select(held, flavors, tags)]
    try:
        distributed = run.distribution.distribute(run.org, channel, run.package, run.select(flavors, tags))
    except DistributionFailed as error:
        raise OperationFailed(str(error)) from error
    for element in distributed:
        element.id = new_id()
    return distributed


def _fill(run: Run, pattern: str, publication_id: str) -> str:
    known = {
        "event_id": run.package.id,
        "publication_id": publication_id,
        "player_path": "",
        "series_id": run.package.series or "",
        "org_id": run.org,
        "org_org_opencastproject_admin_ui_url": run.base_url,
        "org_org_opencastproject_engage_ui_url": run.base_url,
        "org_org_opencastproject_external_api_url": run.base_url,
    }

    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name not in known and default is None:
            raise OperationFailed(f"the variable {name} of the url-pattern is unknown")
        return known.get(name, default or "")

    return _VARIABLE.sub(value, pattern)
