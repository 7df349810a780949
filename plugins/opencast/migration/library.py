"""Take the inventory: read what the source holds, once and completely, into the store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from opencast.api.opencast import Opencast
from opencast.errors import OpencastError
from opencast.model.event import EventRow
from opencast.store.base import utc_now
from opencast.store.inventory import Inventory, SeriesRow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """What an inventory run found.

    :param gone: rows of earlier runs that the source does not have any more.
    :param unreadable: events that cannot be understood, as id and reason.
    """

    events: int
    series: int
    gone: int
    unreadable: tuple[tuple[str, str], ...]


def take_inventory(source: Opencast, inventory: Inventory) -> Taken:
    """Read all series and events of the source.

    Rows that were known and are not met any more are removed at the end; a reading that breaks off removes nothing.

    :raises OpencastError: the source cannot be read completely.
    """
    seen = utc_now()
    inventory.write_series((SeriesRow(row.identifier, row.title, row.created) for row in source.series.list()), seen)
    unreadable: list[tuple[str, str]] = []
    inventory.write_events(_events(source, unreadable), seen)
    gone = inventory.forget_unseen(seen)
    state = inventory.state()
    log.info("The source holds %d events and %d series; %d are gone.", state.events, state.series, gone)
    return Taken(state.events, state.series, gone, tuple(unreadable))


def _events(source: Opencast, unreadable: list[tuple[str, str]]) -> Iterator[EventRow]:
    for number, row in enumerate(source.events.rows(), 1):
        if number % 5000 == 0:
            log.info("%d events read", number)
        try:
            yield EventRow.parse(row)
        except OpencastError as error:
            log.warning("An event of the source cannot be understood: %s", error)
            unreadable.append((str(row.get("identifier", ""))[:200], error.message))
