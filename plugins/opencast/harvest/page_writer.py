"""Write one page: its records, what the catalogue makes of them, and what is to be announced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from opencast.errors import InvalidMediaPackage
from opencast.harvest import changes
from opencast.harvest.catalogue_writer import CatalogueWriter
from opencast.harvest.changes import Change
from opencast.harvest.contents import Contents
from opencast.harvest.limits import clipped
from opencast.harvest.page import OaiRecord, Page
from opencast.harvest.readings import Gone, Reading
from opencast.harvest.record_writer import UNREADABLE, PageOutcome, RecordWriter
from opencast.store.harvesting import Record


class PageWriter:
    """Writes the pages of one list.

    :param format_id: the list's format.
    :param catalogue: makes the catalogue of the records; None for a format that holds no mediapackages.
    :param announced: whether changes of records are announced: by one format of a repository only, because all of them
        have the same records.
    """

    def __init__(
        self,
        repository_id: int,
        format_id: int,
        records: RecordWriter,
        *,
        catalogue: CatalogueWriter | None,
        track_types: Sequence[str],
        announced: bool,
    ) -> None:
        self._repository_id = repository_id
        self._format_id = format_id
        self._records = records
        self._catalogue = catalogue
        self._contents = Contents(track_types)
        self._announced = announced

    def prepare(self, page: Page) -> Page:
        """Do what can be done before the page's turn has come; another thread may do it."""
        return self._contents.ahead(page) if self._catalogue is not None else page

    def write(self, session: Session, records: Sequence[OaiRecord], now: datetime) -> PageOutcome:
        """Write the records of a page, or of several, within the session's transaction.

        One bad record costs that record only.

        :returns: what was new about them; records whose content cannot be used are ``unreadable`` in it.
        """
        connection = session.connection()
        outcome = self._records.write(connection, records, now)
        self._contents.learn(records=len(records), new=len(outcome.stored))
        if self._catalogue is not None and outcome.stored:
            self._write_catalogue(session, self._catalogue, outcome, now)
        if self._announced:
            changes.note(connection, self._repository_id, _announcements(outcome), now)
        return outcome

    def _write_catalogue(
        self, session: Session, catalogue: CatalogueWriter, outcome: PageOutcome, now: datetime
    ) -> None:
        connection = session.connection()
        readings: list[Reading] = []
        gone: list[Gone] = []
        for place, stored in enumerate(outcome.stored):
            if stored.kind == changes.DELETED:
                gone.append(Gone(stored.row, stored.identifier, stored.digest))
                continue
            data = self._contents.of(stored.record)
            if isinstance(data, InvalidMediaPackage):
                connection.execute(update(Record).where(Record.id == stored.row).values(error=clipped(data.message)))
                outcome.stored[place] = stored._replace(kind=UNREADABLE)
            elif data is not None:
                readings.append(Reading(stored.row, stored.identifier, stored.digest, stored.record.datestamp, data))
        catalogue.write(session, readings, gone, now)


def _announcements(outcome: PageOutcome) -> list[Change]:
    """Give the changes of records; a deletion of what was never known is none."""
    return [
        Change(changes.RECORD, stored.kind, stored.identifier)
        for stored in outcome.stored
        if stored.kind in {changes.NEW, changes.CHANGED} or (stored.kind == changes.DELETED and stored.was_alive)
    ]
