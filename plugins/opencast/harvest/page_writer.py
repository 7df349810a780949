"""Write one page: its records, what the catalogue makes of them, and what is to be announced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, update
from sqlalchemy.orm import Session

from opencast.errors import InvalidMediaPackage
from opencast.harvest import changes
from opencast.harvest.catalogue_writer import CatalogueWriter
from opencast.harvest.changes import Change
from opencast.harvest.limits import clipped
from opencast.harvest.matterhorn import MatterhornData, TrackTypes, read_metadata
from opencast.harvest.page import Page
from opencast.harvest.readings import Gone, Reading
from opencast.harvest.record_writer import UNREADABLE, PageOutcome, RecordWriter, Stored
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
        self._types = TrackTypes(track_types)
        self._announced = announced

    def write(self, session: Session, page: Page, now: datetime) -> PageOutcome:
        """Write a page within the session's transaction; one bad record costs that record only.

        :returns: what was new about it; records whose content cannot be used are ``unreadable`` in it.
        """
        connection = session.connection()
        outcome = self._records.write(connection, page.records, now)
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
            elif stored.record.metadata is not None:
                data = self._read(connection, stored)
                if data is None:
                    outcome.stored[place] = stored._replace(kind=UNREADABLE)
                else:
                    readings.append(
                        Reading(stored.row, stored.identifier, stored.digest, stored.record.datestamp, data)
                    )
        catalogue.write(session, readings, gone, now)

    def _read(self, connection: Connection, stored: Stored) -> MatterhornData | None:
        if stored.record.metadata is None:
            return None
        try:
            return read_metadata(stored.record.metadata, self._types)
        except InvalidMediaPackage as error:
            connection.execute(update(Record).where(Record.id == stored.row).values(error=clipped(error.message)))
            return None


def _announcements(outcome: PageOutcome) -> list[Change]:
    """Give the changes of records; a deletion of what was never known is none."""
    return [
        Change(changes.RECORD, stored.kind, stored.identifier)
        for stored in outcome.stored
        if stored.kind in {changes.NEW, changes.CHANGED} or (stored.kind == changes.DELETED and stored.was_alive)
    ]
