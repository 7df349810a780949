"""The OAI-PMH client: sickle's verbs, arguments and error classes over a page reader of our own.

Sickle's own reader parses with ``recover=True``: it takes the readable beginning of a truncated page for the whole page
and a web page for the end of the list, follows a repeated token for ever, and fails on a ``Retry-After`` with a date.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

from sickle import Sickle
from sickle.iterator import BaseOAIIterator

from opencast.errors import BadRequest, EndlessList, NotFound, OpencastError, UnreadablePage
from opencast.harvest.descriptions import (
    Format,
    Identify,
    SetInfo,
    read_formats,
    read_identify,
    read_sets,
)
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.page import OaiRecord, Page
from opencast.harvest.patience import Patience
from opencast.harvest.reading import read_answer, salvage_answer
from opencast.harvest.refusals import BadResumptionToken, NoRecordsMatch, OaiError
from opencast.harvest.transport import Answer, Transport

#: A list may have empty pages, for instance when rights hide records, but not endlessly many in a row.
_MAX_EMPTY_PAGES = 1000

Item = OaiRecord | Format | SetInfo


class _Items(BaseOAIIterator):  # type: ignore[misc]  # sickle has no types
    """Iterates over the items of all pages of one verb, in sickle's way: the first page is asked for at once."""

    def __init__(self, sickle: OaiPmhClient, params: dict[str, str], ignore_deleted: bool = False) -> None:
        arguments = dict(params)
        self.sickle = sickle
        self.verb = arguments.pop("verb")
        pages = sickle.pages(self.verb, arguments)
        first = next(pages)
        self._items = (
            item
            for page in _chain(first, pages)
            for item in _items_of(page)
            if not (ignore_deleted and isinstance(item, OaiRecord) and item.deleted)
        )

    def next(self) -> Item:
        """Give the next item."""
        item: Item = next(self._items)
        return item


class OaiPmhClient(Sickle):  # type: ignore[misc]
    """A client for one repository, with sickle's methods ``ListRecords``, ``GetRecord``, ``ListSets`` and so on.

    They give :class:`~opencast.harvest.page.OaiRecord`, :class:`~opencast.harvest.descriptions.Format` and
    :class:`~opencast.harvest.descriptions.SetInfo` instead of sickle's classes. Errors of the repository are those of
    :mod:`opencast.harvest.refusals`, which are sickle's as well. Used by one thread at a time.

    :param endpoint: the repository and how to log in to it.
    :param sleep: waits between tries, in seconds.
    :param transport: how requests are sent.
    :param jitter: spreads waits, from 0 up to 1.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        sleep: Callable[[float], None] = time.sleep,
        transport: Transport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(endpoint.url, http_method=endpoint.http_method, iterator=_Items)
        self.settings = endpoint
        self.transport = transport or Transport(endpoint)
        self._sleep = sleep
        self._jitter = jitter

    def __enter__(self) -> OaiPmhClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    # --- sickle's low-level request and the verb that has no list ----------------------------------------------------

    def harvest(self, **arguments: str) -> Page:
        """Ask for one page, with the verb among the arguments."""
        return self.page(arguments.pop("verb"), arguments)

    def Identify(self) -> Identify:  # sickle's name
        """Ask the repository what it is."""
        return read_identify(self.page("Identify"))

    # --- pages -------------------------------------------------------------------------------------------------------

    def page(self, verb: str, arguments: Mapping[str, str] | None = None) -> Page:
        """Ask for one page until it could be read, or patience is at its end.

        A page in which the same records are damaged twice is given with these records marked as unreadable: the damage
        is in the repository then, not on the way.

        :raises OaiError: the repository answers with an error.
        :raises ServerError: no answer, or an error status.
        :raises UnreadablePage: the page is truncated, damaged or no OAI-PMH.
        """
        query = {"verb": verb, **(arguments or {})}
        patience = Patience(self.settings.max_tries, self.settings.patience, sleep=self._sleep, jitter=self._jitter)
        damage: bytes | None = None
        while True:
            answer: Answer | None = None
            try:
                answer = self.transport.send(query)
                return read_answer(answer, verb)
            except OaiError:
                raise
            except OpencastError as error:
                salvaged = salvage_answer(answer, verb) if answer and isinstance(error, UnreadablePage) else None
                again = salvaged is not None and salvaged.damage == damage
                if salvaged is not None and (again or not error.retriable):
                    return salvaged.page
                damage = salvaged.damage if salvaged is not None else damage
                if not patience.wait(error):
                    if salvaged is not None:
                        return salvaged.page
                    raise

    def pages(self, verb: str, arguments: Mapping[str, str], *, token: str = "") -> Iterator[Page]:
        """Ask for all pages of a list, one after the other.

        :param token: begins with the page of this token instead of the arguments.
        :raises BadResumptionToken: a token is not accepted any more, whatever the repository calls that.
        :raises EndlessList: a page came again.
        :raises NoRecordsMatch: the list is empty. At the end of a list it is only its end: Opencast gives a token with
            every full page, also with the last one.
        """
        seen: set[bytes] = set()
        empty = 0
        while True:
            page = self._following(verb, token) if token else self.page(verb, arguments)
            if page is None:
                return
            empty = 0 if _items_of(page) else empty + 1
            mark = _mark(page)
            if (mark in seen and not empty) or empty > _MAX_EMPTY_PAGES:
                raise EndlessList("The repository sends the same page of the list again.")
            seen.add(mark)
            yield page
            token = page.next_token
            if not token:
                return

    def _following(self, verb: str, token: str) -> Page | None:
        try:
            return self.page(verb, {"resumptionToken": token})
        except NoRecordsMatch:
            return None
        except BadResumptionToken:
            raise
        except (OaiError, BadRequest, NotFound) as error:
            raise BadResumptionToken("badResumptionToken", error.message) from error


def _chain(first: Page, others: Iterator[Page]) -> Iterator[Page]:
    yield first
    yield from others


def _items_of(page: Page) -> Iterable[Any]:
    if page.verb == "ListSets":
        return read_sets(page)
    if page.verb == "ListMetadataFormats":
        return read_formats(page)
    return page.records


def _mark(page: Page) -> bytes:
    """Give a fingerprint of a page's items; 16 bytes a page stay in memory while a list is read."""
    if page.records:
        text = "\n".join([f"{record.identifier} {record.stamp} {record.deleted}" for record in page.records])
    else:
        text = repr(_items_of(page))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
