"""The look back over a whole run: does the target's own list show everything that the run brought there?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from opencast.api.opencast import Opencast
from opencast.errors import NotFound
from opencast.migration.probes import INDEX_PATIENCE_S
from opencast.model.event import EventRow
from opencast.store.ledger import Entry, Kind, Ledger, ObjectKey, State

log = logging.getLogger(__name__)

#: Columns of the list that people search by.
_COLUMNS = ("title", "series", "presenters", "contributors", "subjects", "location", "language", "start")


class Closing:
    """Compare the lists of both servers for the mediapackages of one run.

    :param sleep: waits for the index; seconds.
    """

    def __init__(
        self, source: Opencast, target: Opencast, ledger: Ledger, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = source
        self._target = target
        self._ledger = ledger
        self._sleep = sleep

    def check(self, plan_key: str) -> dict[str, int]:
        """Mark what the target does not list as failed, note what it lists differently, and count.

        :param plan_key: ``<dag id>/<run id>``.
        """
        counts = {"same": 0, "different": 0, "missing": 0}
        deadline = time.monotonic() + INDEX_PATIENCE_S
        done = [
            entry
            for kind in (Kind.MEDIAPACKAGE, Kind.SCHEDULED)
            for entry in self._ledger.entries(kind, plan_key)
            if entry.state is State.DONE
        ]
        for entry in done:
            key = ObjectKey(entry.kind, entry.identifier, plan_key, entry.title)
            row = self._listed(entry.identifier, deadline)
            if row is None:
                reason = "It was verified, but the target does not list it."
                self._ledger.finish(key, State.FAILED, reason=reason, notes=entry.notes)
                log.error("%s: %s", entry.identifier, reason)
                counts["missing"] += 1
                continue
            notes = self._differences(entry, row)
            counts["different" if notes else "same"] += 1
            if notes:
                self._ledger.finish(key, State.DONE, notes=(*entry.notes, *notes))
        log.info("The target lists %(same)d as the source, %(different)d differently, %(missing)d not at all.", counts)
        return counts

    def _listed(self, identifier: str, deadline: float) -> EventRow | None:
        while True:
            try:
                return self._target.events.get(identifier)
            except NotFound:
                if time.monotonic() >= deadline:
                    return None
            self._sleep(1.0)

    def _differences(self, entry: Entry, actual: EventRow) -> list[str]:
        try:
            expected = self._source.holdings.row(entry.identifier)
        except NotFound:
            return []  # deleted on the source after it was migrated
        return [
            f"The list shows {name} {getattr(actual, name)!r}, on the source {getattr(expected, name)!r}."
            for name in _COLUMNS
            if getattr(actual, name) != getattr(expected, name)
        ]
