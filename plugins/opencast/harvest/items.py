"""The rules by which a track becomes a media item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from opencast.harvest import datestamps
from opencast.harvest.matterhorn import MatterhornData, TrackData
from opencast.harvest.readings import SeriesRow
from opencast.store.catalogue import PERMISSION_FIELDS
from opencast.store.harvesting import Repository


class State(StrEnum):
    """What became of a media item's record."""

    AVAILABLE = "available"
    DELETED = "deleted"
    #: The record is there, but has no track of a wanted type any more.
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class ItemRules:
    """What a repository's settings say about its media items.

    :param tags: tags of new items whose series has none of its own.
    :param remove_deleted: whether the item of a deleted record is removed instead of marked.
    """

    tags: tuple[str, ...] = ("Lecture capture",)
    remove_deleted: bool = False


def rules_of(repository: Repository) -> ItemRules:
    """Read the rules in a repository's settings."""
    return ItemRules(tuple(repository.tags), remove_deleted=repository.on_delete == "remove")


def described(data: MatterhornData, datestamp: datetime | None, track: TrackData, now: datetime) -> dict[str, Any]:
    """Give what an item takes over from its record, and takes over again whenever the record changes.

    A recording without title is called by its datestamp; one without date of creation is published at its datestamp.
    """
    stamp = datestamp or now
    return {
        "title": data.title or datestamps.as_utcdatetime(stamp),
        "description": data.description,
        "published": data.created or stamp,
        "source_url": track.url,
    }


def made(series: SeriesRow, rules: ItemRules) -> dict[str, Any]:
    """Give what an item gets once, when it is made: tags, and the permissions of its series at this moment.

    By default nobody is permitted anything. Afterwards they belong to the item, and no harvest changes them.
    """
    permissions = {name: getattr(series, name) for name in PERMISSION_FIELDS}
    tags = series.tags if series.tags is not None else list(rules.tags)
    return {**permissions, "tags": tags, "state": State.AVAILABLE}
