"""Find out what a repository offers, and choose what is harvested of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from opencast.errors import ConfigurationError
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.descriptions import Format, Identify
from opencast.harvest.refusals import OaiError
from opencast.store.harvesting import MetadataFormat, Repository

#: After this time a repository is asked again what it is and what it offers.
DESCRIPTION_AGE = timedelta(hours=24)
#: Longest prefix and set name that are stored.
_MAX_NAME = 250


@dataclass(frozen=True)
class Harvested:
    """A format that is harvested.

    :param id: its row.
    :param is_source: whether the catalogue is made of its records.
    """

    id: int
    format: Format
    is_source: bool


def is_described(repository: Repository, now: datetime) -> bool:
    """Tell whether it is known what a repository offers."""
    return repository.described is not None and now - repository.described < DESCRIPTION_AGE


def ask(client: OaiPmhClient) -> tuple[Identify, tuple[Format, ...]]:
    """Ask a repository what it is, and for its formats.

    :raises OaiError: it does not even say what it is.
    """
    identify = client.Identify()
    try:
        formats = tuple(found for found in client.ListMetadataFormats() if len(found.prefix) <= _MAX_NAME)
    except OaiError:
        # It may deliver records nevertheless; then the settings must name the prefixes.
        formats = ()
    return identify, formats


def describe(
    session: Session, repository: Repository, identify: Identify, formats: Sequence[Format], now: datetime
) -> None:
    """Write down what a repository said; formats that are not announced any more are kept with their records."""
    repository.repository_name = identify.name
    repository.granularity = identify.granularity
    repository.deleted_record = identify.deleted_record
    repository.earliest_datestamp = identify.earliest_datestamp
    repository.described = now
    rows = {row.prefix: row for row in _rows(session, repository)}
    for row in rows.values():
        row.announced = False
    nameless = [] if formats else [Format(prefix) for prefix in repository.prefixes]
    for found in [*formats, *nameless]:
        row = rows.get(found.prefix) or MetadataFormat(repository_id=repository.id, prefix=found.prefix)
        session.add(row)
        row.namespace, row.schema_url, row.announced = found.namespace, found.schema_url, True
    session.flush()


def choose(session: Session, repository: Repository) -> tuple[list[Harvested], bool]:
    """Choose the formats to harvest.

    Without a choice in the settings it is the one that says most: Opencast's with everything inlined, Opencast's plain
    one, Dublin Core, else the first.

    :returns: the formats, the catalogue's source first; and whether the repository is an Opencast.
    :raises ConfigurationError: the repository offers nothing, or not what the settings ask for.
    """
    rows = {row.prefix: row for row in _rows(session, repository) if row.announced}
    known = {prefix: Format(prefix, row.namespace, row.schema_url) for prefix, row in rows.items()}
    is_opencast = any(found.is_matterhorn for found in known.values())
    prefixes = list(repository.prefixes) or [found.prefix for found in sorted(known.values(), key=_rank)[:1]]
    missing = [prefix for prefix in prefixes if prefix not in known]
    if missing or not prefixes:
        offered = ", ".join(sorted(known)) or "nothing"
        raise ConfigurationError(
            f"{repository.name} offers {offered}, and not {', '.join(missing) or 'any format'}.",
            advice="Correct the prefixes in the repository's settings.",
        )
    chosen = sorted((known[prefix] for prefix in dict.fromkeys(prefixes)), key=_rank)
    harvested = [
        Harvested(rows[found.prefix].id, found, place == 0 and found.is_matterhorn)
        for place, found in enumerate(chosen)
    ]
    return harvested, is_opencast


def _rank(found: Format) -> int:
    return found.rank


def _rows(session: Session, repository: Repository) -> list[MetadataFormat]:
    query = select(MetadataFormat).where(MetadataFormat.repository_id == repository.id).order_by(MetadataFormat.id)
    return list(session.scalars(query))
