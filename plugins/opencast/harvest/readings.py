"""Records on their way into the catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from opencast.harvest.matterhorn import MatterhornData


class Reading(NamedTuple):
    """A record that was read.

    :param record_id: row of the record.
    :param digest: the record's, which tells later whether the catalogue is up to date.
    """

    record_id: int
    identifier: str
    digest: bytes
    datestamp: datetime | None
    data: MatterhornData


class Gone(NamedTuple):
    """A record that was deleted."""

    record_id: int
    identifier: str
    digest: bytes


class SeriesRow(NamedTuple):
    """What is needed of a row of :class:`opencast.store.catalogue.Series`."""

    id: int
    identifier: str
    title: str
    playlist_id: int | None
    tags: list[str] | None
    users: list[str]
    groups: list[str]
    institutions: list[str]
    signed_in: bool
    public: bool


class Owned(NamedTuple):
    """A reading with the row of its matterhorn record, which owns tracks and item."""

    owner: int
    reading: Reading
