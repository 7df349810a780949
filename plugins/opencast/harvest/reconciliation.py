"""After everything was harvested: find records that the repository does not list any more, and ask what became of them.

Repositories that keep no deleted records (``deletedRecord`` is ``no`` or ``transient``) simply stop listing them. A
record that was not listed may also have been skipped, so each one is asked for by its identifier before it is taken as
deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from lxml import etree
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opencast.harvest.client import OaiPmhClient
from opencast.harvest.formats import Harvested
from opencast.harvest.namespaces import OAI, tag
from opencast.harvest.page import OaiRecord, Page
from opencast.harvest.raw import digest_of
from opencast.harvest.refusals import CannotDisseminateFormat, IdDoesNotExist, NoRecordsMatch
from opencast.store.harvesting import Record

#: Records that are asked for one by one in one harvest.
MAX_ASKED = 1000
#: Where more than this share of the records is gone, something else has happened than deletions.
MAX_SHARE = 0.5
#: A small repository may lose more than its share.
FEW = 20


@dataclass(frozen=True)
class Missing:
    """Records that were not listed.

    :param total: how many records there are, deleted ones not counted.
    """

    identifiers: tuple[str, ...]
    count: int
    total: int

    @property
    def is_plausible(self) -> bool:
        """Whether they may all have been deleted."""
        return self.count <= max(FEW, self.total * MAX_SHARE)


def find_missing(session: Session, format_id: int, pass_id: int) -> Missing:
    """Find the records that a pass over everything did not see."""
    alive = (Record.format_id == format_id, Record.deleted.is_(False))
    total, seen = session.execute(
        select(func.count(), func.count().filter(Record.seen_pass == pass_id)).where(*alive)
    ).one()
    query = select(Record.identifier).where(*alive, Record.seen_pass != pass_id).order_by(Record.id).limit(MAX_ASKED)
    return Missing(tuple(session.scalars(query)), total - seen, total)


def ask_for(
    client: OaiPmhClient, harvested: Harvested, missing: Missing, sets: Collection[str], now: Callable[[], datetime]
) -> Iterator[Page]:
    """Ask for missing records; give a page for each one, with the record or with its deletion.

    :param sets: the sets that are harvested; a record that says to be in none of them is gone.
    :param now: our clock, for the datestamp of a deletion that the repository did not stamp.
    """
    for identifier in missing.identifiers:
        arguments = {"metadataPrefix": harvested.format.prefix, "identifier": identifier}
        try:
            page = client.page("GetRecord", arguments)
        except (IdDoesNotExist, NoRecordsMatch, CannotDisseminateFormat) as error:
            page = Page("GetRecord", error.response_date, etree.Element(tag(OAI, "GetRecord")))
            found = []
        else:
            found = [record for record in page.records if record.identifier == identifier]
        if all(_is_elsewhere(record, sets) for record in found):
            finding = "vanished: records were not listed any more, and are not there when asked for"
            found = [_gone(identifier, now())]
        else:
            finding = "skipped: records were not listed although the repository has them"
        yield replace(page, records=tuple(found)).with_findings(finding)


def _is_elsewhere(record: OaiRecord, sets: Collection[str]) -> bool:
    """Tell whether a record has left the harvested sets; sets are hierarchical (OAI-PMH 2.0, section 2.6)."""
    if not sets or not record.sets:
        return False
    return not any(own == wanted or own.startswith(f"{wanted}:") for own in record.sets for wanted in sets)


def _gone(identifier: str, now: datetime) -> OaiRecord:
    """Write the header that the repository does not keep."""
    record = etree.Element(tag(OAI, "record"))
    header = etree.SubElement(record, tag(OAI, "header"), status="deleted")
    etree.SubElement(header, tag(OAI, "identifier")).text = identifier
    xml = etree.tostring(record, encoding="utf-8")
    return OaiRecord(identifier, "", now, True, (), xml, digest_of(xml), None, "")
