"""Everything that migrating one mediapackage needs."""

from __future__ import annotations

from dataclasses import dataclass

from opencast.api.opencast import Opencast
from opencast.errors import NotFound
from opencast.migration.companions import Companions
from opencast.migration.gate import Gate
from opencast.migration.options import Options
from opencast.migration.servers import Party
from opencast.migration.source_package import SourcePackages
from opencast.model.mediapackage import MediaPackage
from opencast.staging.routes import Route
from opencast.staging.source import Fetcher
from opencast.store.imports import Imports
from opencast.store.ledger import Ledger


@dataclass(frozen=True)
class Means:
    """Servers, store, staging and choices, shared by the mediapackages of a run."""

    source: Opencast
    target: Opencast
    source_party: Party
    target_party: Party
    ledger: Ledger
    imports: Imports
    gate: Gate
    options: Options
    fetcher: Fetcher
    route: Route
    companions: Companions
    packages: SourcePackages

    def target_package(self, identifier: str) -> MediaPackage | None:
        """Return the last snapshot that the target has of a mediapackage, or None (``GET /assets/episode/{id}``)."""
        try:
            return self.target.assets.episode(identifier)
        except NotFound:
            return None
