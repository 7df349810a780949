"""Tables of campaigns: runs that belong together, their limits, the pace of a server, readings of a library."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opencast.store.base import Base, UtcDateTime, utc_now


class Campaign(Base):
    """All runs that work towards one end between one source and one target."""

    __tablename__ = "campaign"
    __table_args__ = (UniqueConstraint("pair_id", "name"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"))
    #: Chosen in the trigger form; else ``<dag id>/<run id>`` of the first run, or the id of a partitioned DAG.
    name: Mapped[str] = mapped_column(String(512))
    #: See ``opencast.store.campaigns.CampaignState``.
    state: Mapped[str] = mapped_column(String(16))
    #: Why it is in this state, in words.
    reason: Mapped[str] = mapped_column(Text, default="")
    #: Limits that were changed while it runs; what is not named here is as in the params of each run.
    limits: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    changed: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Allowance(Base):
    """How far a rate of some source is used up, over all processes: requests, or bytes."""

    __tablename__ = "allowance"

    #: ``requests <source>`` or ``bytes <source>``.
    name: Mapped[str] = mapped_column(String(600), primary_key=True)
    #: Seconds since 1970: when all that was given out up to now will have been used.
    used_until: Mapped[float] = mapped_column(Float)


class TargetPace(Base):
    """The last trouble of a target, from which follows how many imports it gets at the same time."""

    __tablename__ = "target_pace"

    target: Mapped[str] = mapped_column(String(512), primary_key=True)
    #: Imports at the same time right after the trouble.
    allowed: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(Text)


class LibraryReading(Base):
    """The reading of a source's library into the inventory: who reads, and how old the last ones are."""

    __tablename__ = "library_reading"

    source: Mapped[str] = mapped_column(String(512), primary_key=True)
    #: Who reads right now, and until when that is believed without another sign of life.
    reader: Mapped[str | None] = mapped_column(String(512))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Begin of the last complete reading, and of the last one of any kind.
    complete: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recent: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Events that could not be understood, as pairs of id and reason.
    unreadable: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
