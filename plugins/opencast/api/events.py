"""Events as the External API shows them (``/api/events``): the list, and for one event what only the index knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.api.publications import ApiPublication
from opencast.errors import InvalidAnswer, NotFound
from opencast.model.acl import Acl
from opencast.model.event import EventRow

#: Rows of one request for the list.
PAGE = 500
#: A page is never asked to be larger than this, however many events start at the same second.
_LARGEST_PAGE = 1_000_000
# Both ends of a range are mandatory.
_FIRST_DAY = datetime(1900, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(2999, 12, 31, tzinfo=UTC)


class EventsService:
    """``/api/events``: reads the index, which lags some seconds behind; who is no admin sees only some events."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, *, page_size: int = PAGE) -> Iterator[EventRow]:
        """List all events, each once, by start date, those without one last. Holds one page and all ids in memory.

        The endpoint gives no total, and offsets shift while events come and go. So pages continue after the start date
        of the last row instead of after its number. Events without a start date are in no range; they are looked for at
        both ends of the whole list, where a sorted list has them.

        :param page_size: rows of one request.
        :raises ModelError: a row that cannot be understood; see :meth:`rows` to go on without it.
        """
        return (EventRow.parse(row) for row in self.rows(page_size=page_size))

    def rows(self, *, page_size: int = PAGE) -> Iterator[fields.Json]:
        """List all events like :meth:`all`, as JSON objects, so that one bad row need not end the list."""
        seen: set[str] = set()
        yield from self._dated(seen, page_size, _FIRST_DAY)
        yield from self._front(seen, page_size)
        yield from self._back(seen, page_size)

    def rows_since(self, start: datetime, *, page_size: int = PAGE) -> Iterator[fields.Json]:
        """List the events that start at a moment or later, each once, like :meth:`rows`.

        :param start: aware.
        """
        yield from self._dated(set(), page_size, start)

    def bare_rows(self, *, page_size: int = PAGE) -> Iterator[fields.Json]:
        """List all events of a server that cannot be asked for a range of starts (before 6), each once.

        Events that come or go meanwhile shift the pages: compare with another reading where that matters.
        """
        yield from self._front(set(), page_size)

    def slice(self, start: datetime, end: datetime, *, limit: int = 0, offset: int = 0) -> list[EventRow]:
        """List the events that start in a range, both ends included, by start date.

        :param start: aware.
        :param end: aware.
        :param limit: rows at most; 0 for all.
        """
        rows = self._page(limit=limit, offset=offset, filter=_range(start, end))
        return [EventRow.parse(row) for row in rows]

    def get(self, event_id: str) -> EventRow:
        """Get the row of one event (``GET /api/events/{id}``).

        :raises NotFound: the index does not know it (yet).
        """
        return EventRow.parse(self._client.get_json(path("/api/events", event_id)))

    def exists(self, event_id: str) -> bool:
        """Tell whether the index knows an event. One that is being deleted stays in it for half a minute."""
        try:
            self._client.get(path("/api/events", event_id))
        except NotFound:
            return False
        return True

    def acl(self, event_id: str) -> Acl:
        """Get the access list that is in force, merged from event and series (``GET /api/events/{id}/acl``).

        :raises NotFound: the index does not know the event (yet).
        """
        answer = self._client.get_json(f"{path('/api/events', event_id)}/acl")
        return Acl.from_json(answer, what=f"the access list of event {event_id}")

    def publications(self, event_id: str, *, internal: bool = True) -> tuple[ApiPublication, ...]:
        """Get the publications (``GET /api/events/{id}/publications``).

        :param internal: whether the channel ``internal`` is wanted, too. Servers before 16 never show it here.
        :raises NotFound: the index does not know the event (yet).
        """
        answer = self._client.get_json(
            f"{path('/api/events', event_id)}/publications", params={"includeInternalPublication": internal}
        )
        what = f"the publications of event {event_id}"
        return tuple(ApiPublication.parse(entry, what=what) for entry in fields.a_list(answer, what=what))

    def metadata_flavors(self, event_id: str) -> frozenset[str]:
        """Get the flavors of the metadata catalogs that this server is configured for (``.../{id}/metadata``).

        :raises NotFound: the index does not know the event (yet).
        """
        what = f"the metadata of event {event_id}"
        answer = self._client.get_json(f"{path('/api/events', event_id)}/metadata")
        return frozenset(fields.text(entry, "flavor") for entry in fields.objects(answer, what=what)) - {""}

    def put_acl(self, event_id: str, acl: Acl) -> None:
        """Replace an event's access list (``PUT /api/events/{id}/acl``); takes a new snapshot.

        :raises NotFound: the index does not know the event (yet).
        """
        self._client.put_form(f"{path('/api/events', event_id)}/acl", {"acl": json.dumps(acl.to_json())})

    def delete(self, event_id: str) -> bool:
        """Delete an event with its publications (``DELETE /api/events/{id}``), which goes on after the answer.

        :returns: False when the index did not know it.
        """
        try:
            self._client.delete(path("/api/events", event_id))
        except NotFound:
            return False
        return True

    # --- the list --------------------------------------------------------------------------------------------------

    def _dated(self, seen: set[str], page_size: int, since: datetime) -> Iterator[fields.Json]:
        size = page_size
        while True:
            rows = self._page(limit=size, filter=_range(since, _LAST_DAY))
            yield from _unseen(rows, seen)
            if len(rows) < size:
                return
            last = fields.moment(rows[-1], "start")
            # Starts are shown in whole seconds, and rows with the last one may have been cut off.
            following = since if last is None else last - timedelta(seconds=1)
            if following > since:
                since, size = following, page_size
            elif size < _LARGEST_PAGE:
                size *= 2
            else:
                raise InvalidAnswer(f"More than {size} events start at {since.isoformat()}.")

    def _front(self, seen: set[str], page_size: int) -> Iterator[fields.Json]:
        offset = 0
        while True:
            rows = self._page(limit=page_size, offset=offset)
            fresh = list(_unseen(rows, seen))
            yield from fresh
            if not fresh or len(rows) < page_size:
                return
            offset += len(rows)

    def _back(self, seen: set[str], page_size: int) -> Iterator[fields.Json]:
        # Events that were deleted meanwhile move the end of the list forward; a page of known rows makes up for it.
        # All in one answer, because rows without start date have no order that would hold from page to page.
        yield from _unseen(self._page(limit=0, offset=max(0, len(seen) - page_size)), seen)

    def _page(self, **query: Any) -> list[fields.Json]:
        answer = self._client.get_json("/api/events", params={"sort": "start_date:ASC", **query})
        return fields.objects(answer, what="/api/events")


def _unseen(rows: list[fields.Json], seen: set[str]) -> Iterator[fields.Json]:
    for row in rows:
        identifier = fields.text(row, "identifier")
        if identifier not in seen:
            seen.add(identifier)
            yield row


def _range(start: datetime, end: datetime) -> str:
    written = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (start, end))
    return f"start:{'/'.join(written)}"
