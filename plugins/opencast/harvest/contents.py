"""Read what the metadata of records says: ahead of writing them where most are new, else only of those that are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opencast.errors import InvalidMediaPackage
from opencast.harvest.matterhorn import MatterhornData, TrackTypes, read_metadata
from opencast.harvest.page import OaiRecord, Page


class Contents:
    """Reads the contents of one list's records; reading ahead and reading may be in different threads.

    :param track_types: the types of the tracks that are wanted.
    """

    def __init__(self, track_types: Sequence[str]) -> None:
        self._types = TrackTypes(track_types)
        self._most_are_new = True

    def ahead(self, page: Page) -> Page:
        """Give a page whose records are read, in the time in which the page before it is written."""
        if not self._most_are_new:
            return page
        return replace(page, records=tuple([self._with_content(record) for record in page.records]))

    def _with_content(self, record: OaiRecord) -> OaiRecord:
        if record.metadata is None:
            return record
        # Quicker than _replace, which matters here.
        return OaiRecord(*record[:-1], self._read(record))

    def of(self, record: OaiRecord) -> MatterhornData | InvalidMediaPackage | None:
        """Give what a record says, or why it cannot be used; None where it has no metadata."""
        return record.content or self._read(record)

    def _read(self, record: OaiRecord) -> MatterhornData | InvalidMediaPackage | None:
        if record.metadata is None:
            return None
        try:
            return read_metadata(record.metadata, self._types)
        except InvalidMediaPackage as error:
            return error

    def learn(self, *, records: int, new: int) -> None:
        """Take note of how many records of a page were new or different: the next one is probably like it."""
        self._most_are_new = 2 * new >= records
