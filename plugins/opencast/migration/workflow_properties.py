"""Migrate the workflow properties that a server keeps with an event.

An import sends no properties along, so that none of its own stay behind; those of the source are written afterwards,
without a workflow. Only a zip takes them along, see :mod:`opencast.migration.zipped`.
"""

from __future__ import annotations

import hashlib

from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.errors import NotFound, VerificationFailed
from opencast.migration.migrated import Migrated


class WorkflowPropertyMigrator:
    """Bring the workflow properties of events from one server to another."""

    def __init__(self, source: Opencast, target: Opencast) -> None:
        self._source = source
        self._target = target

    def migrate(self, event_id: str) -> Migrated:
        """Give the target's event all workflow properties of the source's, and prove it.

        :param event_id: of an event that both servers have archived.
        :raises VerificationFailed: the target answers something else after the write.
        """
        expected = self.of_source(event_id)
        there = self._target.assets.workflow_properties(event_id) if expected else {}
        missing = {name: value for name, value in expected.items() if there.get(name) != value}
        if missing:
            self._target.assets.set_workflow_properties(event_id, missing)
            there = self._target.assets.workflow_properties(event_id)
        different = sorted(name for name, value in expected.items() if there.get(name) != value)
        if different:
            raise VerificationFailed(
                f"The workflow property {different[0]!r} of event {event_id} is not on the target."
            )
        digest = hashlib.sha256(repr(sorted(expected.items())).encode()).hexdigest()
        written = (f"{len(missing)} workflow properties",) if missing else ()
        return Migrated(event_id, digest, written, _further(expected, there))

    def of_source(self, event_id: str) -> dict[str, str]:
        """Read the properties that the source keeps with an event; none where it keeps none."""
        if not self._source.has(Feature.WORKFLOW_PROPERTIES):
            return {}
        try:
            return self._source.assets.workflow_properties(event_id)
        except NotFound:
            # The package came from the search index: there is no archive that could have kept any.
            return {}


def _further(expected: dict[str, str], there: dict[str, str]) -> tuple[str, ...]:
    further = sorted(there.keys() - expected.keys())
    if not further:
        return ()
    return (f"The target's event has further workflow properties, which cannot be removed: {', '.join(further)}.",)
