"""Clean-up: make what the catalogue should hold and does not.

A harvest catalogues every record that it writes. What is missing afterwards: media items of series that got their
playlist later, records that were written while something was wrong, and what somebody changed in the database. The
plain clean-up finds these with a few joins; the full one goes through all records, also after a change of the track
types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from lxml import etree
from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from opencast.errors import ConfigurationError, InvalidMediaPackage, UnreadablePage
from opencast.harvest import changes as changes_log
from opencast.harvest import formats
from opencast.harvest.catalogue_writer import CatalogueWriter
from opencast.harvest.items import rules_of
from opencast.harvest.limits import clipped
from opencast.harvest.matterhorn import MatterhornData, TrackTypes, read_metadata
from opencast.harvest.namespaces import OAI, tag
from opencast.harvest.page import parse
from opencast.harvest.readings import Gone, Reading
from opencast.store.base import utc_now
from opencast.store.catalogue import CatalogueChange, MatterhornRecord, MediaItem, Series, Track
from opencast.store.database import Database
from opencast.store.harvesting import HarvestRun, Record, RecordContent, Repository

#: Records that are read and written in one transaction.
_BATCH = 500
#: How long runs and announced changes are kept.
RUNS_KEPT = timedelta(days=90)
CHANGES_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class CleanUpReport:
    """What a clean-up did.

    :param read: records that were read again.
    :param new_items: media items that were made.
    :param changed_items: media items that were brought up to their record, or marked as deleted.
    :param unreadable: records that could not be read again.
    :param skipped: repositories that cannot be cleaned up, each with the reason.
    """

    full: bool
    read: int
    new_items: int
    changed_items: int
    unreadable: int
    skipped: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Give plain values, for XCom and JSON."""
        return {**asdict(self), "skipped": list(self.skipped)}

    def __str__(self) -> str:
        return (
            f"{self.read} records read again, {self.new_items} media items made, {self.changed_items} changed, "
            f"{self.unreadable} records unreadable"
        )


def clean_up(database: Database, *, full: bool = False, clock: Callable[[], datetime] = utc_now) -> CleanUpReport:
    """Clean up all repositories.

    :param full: whether to go through all records, and to remove old runs and changes.
    :param clock: our time, aware.
    """
    with database.reading() as session:
        repositories = list(session.scalars(select(Repository).order_by(Repository.id)))
    work = _CleanUp(database, full, clock)
    skipped = []
    for repository in repositories:
        try:
            work.repository(repository)
        except ConfigurationError as error:
            skipped.append(str(error))
    if full:
        _prune(database, clock())
    return CleanUpReport(full, work.read, work.new, work.changed, work.unreadable, tuple(skipped))


def _prune(database: Database, now: datetime) -> None:
    with database.session() as session:
        session.execute(delete(HarvestRun).where(HarvestRun.started < now - RUNS_KEPT))
        session.execute(delete(CatalogueChange).where(CatalogueChange.at < now - CHANGES_KEPT))


class _CleanUp:
    def __init__(self, database: Database, full: bool, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._full = full
        self._clock = clock
        self._repository_id = 0
        self.read = self.new = self.changed = self.unreadable = 0

    def repository(self, repository: Repository) -> None:
        """Clean up one repository; one that was never harvested has nothing to clean."""
        if repository.described is None:
            return
        with self._database.reading() as session:
            harvested, _ = formats.choose(session, repository)
        source = next((one for one in harvested if one.is_source), None)
        if source is None:
            return
        self._repository_id = repository.id
        writer = CatalogueWriter(repository.id, rules_of(repository), retitles=not self._full)
        types = TrackTypes(repository.track_types)
        if self._full:
            queries = [select(Record.id).where(Record.format_id == source.id)]
        else:
            queries = [_out_of_date(repository.id, source.id), _without_item(repository.id)]
        for query in queries:
            for batch in self._batches(query):
                self._write(writer, types, batch)

    def _batches(self, query: Select[int]) -> Iterator[Sequence[Any]]:
        """Give records with their content; each one is looked at once, whatever becomes of it."""
        last = 0
        while True:
            with self._database.reading() as session:
                some = query.where(Record.id > last).order_by(Record.id).limit(_BATCH)
                ids = list(session.scalars(some))
                rows = session.execute(_CONTENTS.where(Record.id.in_(ids))).all() if ids else ()
            if not ids:
                return
            last = ids[-1]
            yield rows

    def _write(self, writer: CatalogueWriter, types: TrackTypes, rows: Sequence[Any]) -> None:
        readings: list[Reading] = []
        gone: list[Gone] = []
        errors: dict[int, str] = {}
        for row in rows:
            if row.deleted:
                gone.append(Gone(row.id, row.identifier, row.digest))
                continue
            try:
                data = read_content(row.xml, types)
            except (InvalidMediaPackage, UnreadablePage) as error:
                errors[row.id] = clipped(error.message)
            else:
                readings.append(Reading(row.id, row.identifier, row.digest, row.datestamp, data))
        with self._database.session() as session:
            changes_log.order_writers(session, self._repository_id)
            changes = writer.write(session, readings, gone, self._clock())
            _note_errors(session, errors, mended=[one.record_id for one in readings])
        self.read += len(rows)
        self.unreadable += len(errors)
        self.new += sum(1 for change in changes if change.kind == "new")
        self.changed += sum(1 for change in changes if change.kind != "new")


def read_content(xml: bytes, types: TrackTypes) -> MatterhornData:
    """Read the stored XML of a record once more.

    :raises UnreadablePage: it was damaged when it came.
    :raises InvalidMediaPackage: it holds no mediapackage.
    """
    root = parse(xml)
    metadata = next(root.iterchildren(tag(OAI, "metadata")), None)
    content: etree._Element | None = metadata[0] if metadata is not None and len(metadata) == 1 else None
    if content is None:
        raise InvalidMediaPackage("The record holds no metadata.")
    return read_metadata(content, types)


def _note_errors(session: Session, errors: dict[int, str], mended: Sequence[int]) -> None:
    for row, message in errors.items():
        session.execute(update(Record).where(Record.id == row).values(error=message))
    if mended:
        session.execute(update(Record).where(Record.id.in_(mended), Record.error != "").values(error=""))


_COLUMNS: tuple[Any, ...] = (Record.id, Record.identifier, Record.digest, Record.datestamp, Record.deleted)
_CONTENTS = select(*_COLUMNS, RecordContent.xml).join(RecordContent, RecordContent.record_id == Record.id)


def _out_of_date(repository_id: int, format_id: int) -> Select[int]:
    """Select the readable records without a matterhorn record, or with one of an older state or of another format."""
    is_current = exists().where(
        MatterhornRecord.record_id == Record.id, MatterhornRecord.record_digest == Record.digest
    )
    known = aliased(MatterhornRecord)
    was_known = exists().where(known.repository_id == repository_id, known.identifier == Record.identifier)
    # The sum keeps SQLite from reading the table in the order of the format's index, which takes four times as long.
    is_of_format = Record.format_id + 0 == format_id
    return select(Record.id).where(
        is_of_format, Record.error == "", ~is_current, or_(Record.deleted.is_(False), was_known)
    )


def _without_item(repository_id: int) -> Select[int]:
    """Select the records that have no media item although their series has a playlist, and they a fitting track."""
    has_item = exists().where(MediaItem.matterhorn_record_id == MatterhornRecord.id)
    fits = exists().where(
        Track.matterhorn_record_id == MatterhornRecord.id, func.lower(func.substr(Track.url, 1, 4)) == "http"
    )
    return (
        select(Record.id)
        .join(MatterhornRecord, MatterhornRecord.record_id == Record.id)
        .join(Series, Series.id == MatterhornRecord.series_id)
        .where(
            MatterhornRecord.repository_id + 0 == repository_id,
            MatterhornRecord.deleted.is_(False),
            Series.playlist_id.is_not(None),
            Record.error == "",
            # SQLite asks in this order: tracks are looked for where there is no item only.
            ~has_item,
            fits,
        )
    )
