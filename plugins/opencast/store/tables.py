"""Tables of the migration: what the source holds, what a plan does with it, and what happened to each object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opencast.store.base import Base, UtcDateTime, utc_now

#: SQLite counts rows only in columns of the plain INTEGER type.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Pair(Base):
    """A source and a target, each as ``<url>#<organization>``: the ledger belongs to both together."""

    __tablename__ = "pair"
    __table_args__ = (UniqueConstraint("source", "target"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)


class InventorySeries(Base):
    """One series of a source."""

    __tablename__ = "inventory_series"

    source: Mapped[str] = mapped_column(String(512), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The inventory run that saw it last; rows of older runs are gone from the source.
    seen: Mapped[datetime] = mapped_column(UtcDateTime)


class InventoryEvent(Base):
    """One event of a source, as ``GET /api/events`` lists it."""

    __tablename__ = "inventory_event"
    __table_args__ = (
        Index("ix_inventory_event_source_created", "source", "created"),
        Index("ix_inventory_event_source_series", "source", "series"),
    )

    source: Mapped[str] = mapped_column(String(512), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime | None] = mapped_column(UtcDateTime)
    start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Milliseconds.
    duration: Mapped[int | None] = mapped_column(BigInteger)
    series: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(128))
    processing_state: Mapped[str] = mapped_column(String(32))
    archive_version: Mapped[int | None] = mapped_column(Integer)
    #: Everything else that a filter may ask for: presenters, contributors, location, language, channels, texts.
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen: Mapped[datetime] = mapped_column(UtcDateTime)


class Plan(Base):
    """What one run is going to do; ``key`` is ``<dag id>/<run id>``, so a run started again finds its plan.

    A run that goes on with what an earlier one left over has no items of its own: it works on some of ``root_key``'s.
    """

    __tablename__ = "plan"

    key: Mapped[str] = mapped_column(String(512), primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), index=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    #: The run's params as they were given; they hold no secrets.
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: How many objects each filter left over, and what cannot come over at all.
    notes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    inventory_taken: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: See ``opencast.store.plans.PlanState``.
    state: Mapped[str] = mapped_column(String(16))
    #: The plan that holds the items; its own key in the first run.
    root_key: Mapped[str] = mapped_column(String(512), index=True)
    #: The number of the run among those of one root plan, from 1.
    wave: Mapped[int] = mapped_column(Integer)
    #: No foreign key: SQLite would have to copy the table to get it, and drop the items with the old one.
    campaign_id: Mapped[int | None] = mapped_column(Integer, index=True)


class PlanItem(Base):
    """One object of a plan with what is to be done and why."""

    __tablename__ = "plan_item"
    __table_args__ = (
        Index("ix_plan_item_plan_key_wave_key", "plan_key", "wave_key"),
        Index("ix_plan_item_kind_identifier", "kind", "identifier"),
    )

    plan_key: Mapped[str] = mapped_column(ForeignKey("plan.key", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    #: Version of the source's object that the plan saw: archive version of an event, fingerprint of a series.
    source_version: Mapped[str | None] = mapped_column(String(64))
    #: Id of the series that an event is part of.
    series: Mapped[str | None] = mapped_column(String(255))
    #: Key of the run that works on it; None while no run has taken it.
    wave_key: Mapped[str | None] = mapped_column(String(512))


class LedgerEntry(Base):
    """The state of one object between one source and one target, over all runs."""

    __tablename__ = "ledger_entry"
    __table_args__ = (Index("ix_ledger_entry_pair_id_state", "pair_id", "state"),)

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    source_version: Mapped[str | None] = mapped_column(String(64))
    plan_key: Mapped[str | None] = mapped_column(String(512), index=True)
    started: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Bytes of the object's unique files; bytes read from the source; bytes written to the target.
    bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_written: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Differences that are no loss, each with its reason, and what was left out.
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)


class LedgerStep(Base):
    """One step of one object: what happened, when, with how many bytes."""

    __tablename__ = "ledger_step"
    __table_args__ = (Index("ix_ledger_step_object", "pair_id", "kind", "identifier"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"))
    kind: Mapped[str] = mapped_column(String(32))
    identifier: Mapped[str] = mapped_column(String(255))
    plan_key: Mapped[str | None] = mapped_column(String(512), index=True)
    step: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    workflow_id: Mapped[int | None] = mapped_column(BigInteger)


class ImportJob(Base):
    """A mediapackage on its way: its source package, its import runs, and the slot that it takes on the target."""

    __tablename__ = "import_job"

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    target: Mapped[str] = mapped_column(String(512), index=True)
    plan_key: Mapped[str] = mapped_column(String(512))
    claimed: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    #: Last sign of life; a slot without one for hours is free again.
    touched: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    #: The source's package that is being imported, exactly as it was read.
    package: Mapped[str | None] = mapped_column(Text)
    #: The state of the import, see ``opencast.migration.journal``.
    journal: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class StagedReference(Base):
    """A staged object that open work needs: staging is cleaned of what nobody names here."""

    __tablename__ = "staged_reference"

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(255), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class KnownDigest(Base):
    """What a URL of a source held when it was fetched, for files whose checksum the source does not tell."""

    __tablename__ = "known_digest"

    source: Mapped[str] = mapped_column(String(512), primary_key=True)
    #: SHA-256 of the URL: URLs may be longer than an index allows.
    url_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    #: The version of the object that the URL belonged to; another one makes the row worthless.
    version: Mapped[str | None] = mapped_column(String(64))


class SentFile(Base):
    """A large file that a target was sent, so that it need not be sent again for another mediapackage."""

    __tablename__ = "sent_file"

    target: Mapped[str] = mapped_column(String(512), primary_key=True)
    #: Names the content, see ``opencast.staging.shared_upload``.
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Its name in the target's collection of shared files, noted before it is sent there; null: it is in none.
    name: Mapped[str | None] = mapped_column(String(255))
    #: Whether the target has answered that the file is in the collection.
    is_complete: Mapped[bool] = mapped_column(Boolean, default=False)


class IdMap(Base):
    """Ids that the target chooses itself (themes): source id to target id."""

    __tablename__ = "id_map"

    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    source_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    target_id: Mapped[str] = mapped_column(String(255))
