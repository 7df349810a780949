"""Read one list of records completely, also where the repository's paging would skip some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from opencast.harvest.client import OaiPmhClient
from opencast.harvest.datestamps import Granularity
from opencast.harvest.page import Page
from opencast.harvest.refusals import BadResumptionToken, NoRecordsMatch, OaiError

_VERB = "ListRecords"


@dataclass(frozen=True)
class ListRequest:
    """Selective harvesting (OAI-PMH 2.0, section 2.7.1); both borders belong to the list.

    :param from_stamp: lower border, in the repository's granularity; None for none.
    :param until_stamp: upper border.
    """

    prefix: str
    set_spec: str = ""
    from_stamp: str | None = None
    until_stamp: str | None = None

    def arguments(self) -> dict[str, str]:
        """Give the arguments of the first request."""
        wanted = {
            "metadataPrefix": self.prefix,
            "set": self.set_spec,
            "from": self.from_stamp,
            "until": self.until_stamp,
        }
        return {name: value for name, value in wanted.items() if value}


class Part(NamedTuple):
    """A page to write.

    :param advances: whether the list goes on after this page; pages read in between, at a border, do not change that.
    """

    page: Page
    advances: bool


def read_list(
    client: OaiPmhClient, request: ListRequest, *, token: str = "", borders: Granularity | None = None
) -> Iterator[Part]:
    """Give all pages of a list.

    What is found around a page comes before the page itself: whoever has written a page with its token, and then ends,
    has lost nothing.

    :param token: goes on with the page of this token.
    :param borders: the repository's granularity, if records around the ends of pages are to be asked for once more.
        Opencast's token continues strictly after the last record's time of modification, so that others of the same
        time are skipped; and a record that it cannot read makes a page shorter, which ends the list.
    :raises NoRecordsMatch: the list is empty.
    """
    for page in client.pages(_VERB, request.arguments(), token=token):
        if borders is not None and page.records:
            yield from _around(client, request, page, borders)
        yield Part(page, True)


def _around(client: OaiPmhClient, request: ListRequest, page: Page, granularity: Granularity) -> Iterator[Part]:
    look = _at_border if page.next_token else _past_end
    try:
        for found in look(client, request, page, granularity):
            yield Part(found, False)
    except BadResumptionToken:
        raise
    except OaiError as error:
        finding = f"border-refused: the repository does not answer for the records around a page's end ({error.code})"
        yield Part(replace(page, records=(), token=None, findings=(finding,)), False)


def _at_border(client: OaiPmhClient, request: ListRequest, page: Page, granularity: Granularity) -> Iterator[Page]:
    """Ask for everything with the datestamp of a page's last record.

    Both borders being the same is an error for Opencast, so the upper one is a step later.
    """
    last = page.records[-1]
    if last.datestamp is None:
        return
    until = granularity.write(last.datestamp + granularity.step)
    around = replace(request, from_stamp=granularity.write(last.datestamp), until_stamp=until)
    known = _keys(page)
    for found in _pages(client, around):
        if found.next_token and found.records and found.records[0].datestamp == found.records[-1].datestamp:
            found = found.with_findings(f"crowded-datestamp: more than a page of records are of {last.stamp}")
        if found.findings or not _keys(found) <= known:
            yield found


def _past_end(client: OaiPmhClient, request: ListRequest, page: Page, granularity: Granularity) -> Iterator[Page]:
    """Ask again from the last record on, until nothing comes that was not there before."""
    known = _keys(page)
    last = page.records[-1]
    new = True
    while new and last.datestamp is not None:
        new = False
        begin = granularity.write(last.datestamp)
        if begin == request.until_stamp:
            return
        for found in _pages(client, replace(request, from_stamp=begin)):
            if found.next_token:
                yield from _at_border(client, request, found, granularity)
            if not _keys(found) <= known:
                new = True
                yield found
            known |= _keys(found)
            last = found.records[-1] if found.records else last


def _pages(client: OaiPmhClient, request: ListRequest) -> Iterator[Page]:
    try:
        yield from client.pages(_VERB, request.arguments())
    except NoRecordsMatch:
        return


def _keys(page: Page) -> set[tuple[str, str]]:
    return {(record.identifier, record.stamp) for record in page.records}
