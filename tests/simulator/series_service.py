"""The series service: writing a series writes new snapshots of all its events."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from tests.simulator import clock, mediapackage, policies
from tests.simulator.assets import AssetManager, SnapshotFailed
from tests.simulator.dublincore import TERMS, Catalog, Value
from tests.simulator.mediapackage import XACML_EPISODE, XACML_SERIES, Element, MediaPackage, flavor_matches
from tests.simulator.policies import Acl
from tests.simulator.records import Series, Snapshot
from tests.simulator.state import State
from tests.simulator.workspace import Workspace

MAX_TITLE = 255


class UnknownSeries(LookupError):
    """There is no such series."""


class SeriesService:
    """Reads and writes series."""

    def __init__(self, state: State, assets: AssetManager, workspace: Workspace) -> None:
        self.state, self.assets, self.workspace = state, assets, workspace

    def find(self, series_id: str) -> Series:
        """Find a series.

        :raises UnknownSeries: when there is none.
        """
        series = self.state.series.get(series_id)
        if series is None:
            raise UnknownSeries(series_id)
        return series

    def write(self, catalog: Catalog, org: str, user: str) -> tuple[Series, Catalog]:
        """Create or update; nothing is written when the stored catalog equals the new one."""
        if not catalog.first("identifier"):
            catalog.set("identifier", mediapackage.new_id())
        series_id = catalog.first("identifier") or ""
        known = self.state.series.get(series_id)
        if known and known.catalog.same_as(catalog):
            return known, catalog
        if not catalog.first("created"):
            catalog.set("created", clock.seconds(clock.now())[:16] + "Z", "dcterms:W3CDTF")
        title = catalog.first("title")
        if title and len(title) > MAX_TITLE:
            catalog.set("title", title[:MAX_TITLE])
        with self.state.lock:
            series = self.state.series.setdefault(series_id, Series(series_id, org, catalog, creator=user))
            series.catalog = catalog
        self._index(series)
        self._refresh_events(series, lambda package: self._put_catalog(package, "dublincore/series", catalog.to_xml()))
        return series, catalog

    def write_acl(self, series_id: str, acl: Acl, *, override: bool) -> bool:
        """Set the rights; False when the series had none before.

        :param override: also remove the own policies of all its events.
        :raises UnknownSeries: when there is no such series.
        """
        series = self.find(series_id)
        had = series.acl is not None
        if series.acl is not None and policies.same(series.acl, acl) and not override:
            return True
        series.acl = acl
        self._index(series)

        def change(package: MediaPackage) -> None:
            if override:
                for element in package.of_flavor(XACML_EPISODE, "attachment"):
                    package.remove(element)
            self.inject_policy(package, acl)

        self._refresh_events(series, change)
        return had

    def write_element(self, series_id: str, kind: str, data: bytes) -> bool:
        """Store an element; tells whether it was there before.

        :raises UnknownSeries: when there is no such series.
        """
        series = self.find(series_id)
        existed = kind in series.elements
        changed = series.elements.get(kind) != data
        series.elements[kind] = data
        if existed and changed:
            text = data.decode("utf-8", "replace")
            self._refresh_events(series, lambda package: self._put_catalog(package, f"{kind}/series", text))
        return existed

    def delete(self, series_id: str) -> None:
        """Remove a series and its traces in its events.

        :raises UnknownSeries: when there is no such series.
        """
        series = self.find(series_id)

        def change(package: MediaPackage) -> None:
            package.series = package.series_title = None
            for element in list(package.elements):
                if flavor_matches("*/series", element.flavor) or element.flavor == XACML_SERIES:
                    package.remove(element)

        with self.state.lock:
            del self.state.series[series_id]
        self.state.series_index.update(series_id, lambda old: None)
        self._refresh_events(series, change)

    def inject_policy(self, package: MediaPackage, acl: Acl) -> None:
        """Put a series' policy into a package; an existing one is replaced and loses its checksum."""
        replaced = None
        for element in package.of_flavor(XACML_SERIES, "attachment"):
            replaced = element
            self.workspace.delete(element.url)
            package.remove(element)
        fresh = replaced.clone() if replaced else Element("attachment", flavor=XACML_SERIES)
        fresh.id, fresh.mimetype, fresh.checksum = "security-policy-series", "text/xml", None
        text = policies.to_xacml(package.id, acl)
        fresh.url = self.workspace.put(package.id, fresh.id, "xacml.xml", text.encode())
        package.add(fresh)

    def _put_catalog(self, package: MediaPackage, flavor: str, text: str) -> None:
        if flavor == "dublincore/series":
            series = self.state.series.get(package.series or "")
            package.series_title = series.catalog.first("title") if series else package.series_title
        found = package.of_flavor(flavor, "catalog")
        if len(found) == 1:
            catalog = found[0]
            catalog.url = self.workspace.put(package.id, str(catalog.id), catalog.file_name, text.encode())
            catalog.checksum = None

    def _refresh_events(self, series: Series, change: Callable[[MediaPackage], None]) -> None:
        for snapshot in self._snapshots_of(series):
            package = snapshot.delivered(self.workspace.base_url)
            before = {e.url for e in package.elements}
            change(package)
            with contextlib.suppress(SnapshotFailed):
                self.assets.take_snapshot(package, snapshot.org, snapshot.owner)
            for element in package.elements:
                if element.url not in before:
                    self.workspace.delete(element.url)

    def _snapshots_of(self, series: Series) -> list[Snapshot]:
        with self.state.lock:
            latest = [event.latest for event in self.state.events.values()]
        of_series = [s for s in latest if s and s.series == series.id]
        return sorted(of_series, key=lambda s: s.package_id)

    def _index(self, series: Series) -> None:
        self.state.series_index.update(series.id, lambda old: series.document())
        title = series.catalog.first("title") or ""
        for document in self.state.event_index.all():
            if document.series_id == series.id and document.series_name != title:
                self.state.event_index.update(document.identifier, lambda old: old and replace(old, series_name=title))


def new_catalog(fields: dict[str, str]) -> Catalog:
    """Make a catalog of single form fields."""
    return Catalog([Value(TERMS, name, value) for name, value in fields.items()])
