"""Tables of the harvest: repositories, the state of their lists, runs, and the records exactly as they were delivered.

Texts that come from a server are ``Text``: a database that cuts or refuses a long value would lose a whole page for it.
What is part of an index is limited in length before it gets here (``opencast.harvest.limits``).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opencast.store.base import Base, UtcDateTime, utc_now
from opencast.store.tables import RowId


class Repository(Base):
    """An OAI-PMH repository: where it is, how it is harvested, what it said of itself, and how it went last time."""

    __tablename__ = "repository"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(Text)
    #: Airflow connection with login and password; None for an open repository.
    connection_id: Mapped[str | None] = mapped_column(String(250))
    http_method: Mapped[str] = mapped_column(String(4), default="GET")
    #: Metadata prefixes to harvest; empty: the richest one that the repository announces.
    prefixes: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: Sets to harvest; empty: everything.
    sets: Mapped[list[str]] = mapped_column(JSON, default=list)
    interval_seconds: Mapped[int] = mapped_column(Integer, default=60)
    overlap_seconds: Mapped[int] = mapped_column(Integer, default=30)
    track_types: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["presentation/delivery"])
    #: Tags of new media items whose series has none of its own.
    tags: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["Lecture capture"])
    #: Whether deleted records are passed over, as if the repository had not sent them.
    ignore_deleted: Mapped[bool] = mapped_column(default=False)
    #: What becomes of the media item of a deleted record: ``mark`` or ``remove``.
    on_delete: Mapped[str] = mapped_column(String(8), default="mark")
    #: Whether records at page borders are asked for again: ``auto`` (Opencast only), ``always`` or ``never``.
    check_borders: Mapped[str] = mapped_column(String(8), default="auto")
    active: Mapped[bool] = mapped_column(default=True)
    #: Where the settings above come from: ``file`` (the YAML file, which wins over edits) or ``database``.
    origin: Mapped[str] = mapped_column(String(8), default="database")

    #: What ``Identify`` said, as it was said.
    repository_name: Mapped[str] = mapped_column(Text, default="")
    granularity: Mapped[str] = mapped_column(Text, default="")
    deleted_record: Mapped[str] = mapped_column(Text, default="")
    earliest_datestamp: Mapped[str] = mapped_column(Text, default="")
    described: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Seen stamping records by day although it announces seconds: then the day's beginning is asked for.
    stamps_by_day: Mapped[bool] = mapped_column(default=False)
    #: Its ``completeListSize`` was proven wrong: it is not taken as a warning any more.
    counts_unreliable: Mapped[bool] = mapped_column(default=False)
    #: How many seconds after their datestamp records have become visible; widens the overlap.
    lateness_seconds: Mapped[int] = mapped_column(Integer, default=0)

    next_due: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_started: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_success: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    #: Harvests that failed since the last one that did not.
    failures: Mapped[int] = mapped_column(Integer, default=0)
    #: Who harvests it now, and until when that is believed without a sign of life.
    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The last change that was announced as an asset event.
    announced_change: Mapped[int] = mapped_column(BigInteger, default=0)


class MetadataFormat(Base):
    """A metadata format of a repository, as ``ListMetadataFormats`` announces it."""

    __tablename__ = "metadata_format"
    __table_args__ = (UniqueConstraint("repository_id", "prefix"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    prefix: Mapped[str] = mapped_column(String(250))
    namespace: Mapped[str] = mapped_column(Text, default="")
    schema_url: Mapped[str] = mapped_column(Text, default="")
    #: Whether the repository still announces it.
    announced: Mapped[bool] = mapped_column(default=True)


class HarvestStream(Base):
    """The state of one list that is harvested again and again: one format, one set, from a watermark on.

    While a pass is under way, its token and everything needed to go on without it are here, written in the transaction
    of the page that they belong to.
    """

    __tablename__ = "harvest_stream"
    __table_args__ = (UniqueConstraint("format_id", "set_spec", "window"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    format_id: Mapped[int] = mapped_column(ForeignKey("metadata_format.id", ondelete="CASCADE"))
    #: Empty: no set.
    set_spec: Mapped[str] = mapped_column(String(250), default="")
    #: ``<from>/<until>`` of a back-fill; empty for the ordinary harvest.
    window: Mapped[str] = mapped_column(String(60), default="")

    #: Everything that the repository had at this time of its own clock has been harvested.
    watermark: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The time of our clock that goes with it; the pair shows when the repository's clock was changed.
    watermark_own: Mapped[datetime | None] = mapped_column(UtcDateTime)

    #: The pass under way, by the run that began it; None when there is none.
    pass_id: Mapped[int | None] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(String(12), default="")
    from_stamp: Mapped[str | None] = mapped_column(String(30))
    until_stamp: Mapped[str | None] = mapped_column(String(30))
    token: Mapped[str | None] = mapped_column(Text)
    #: When the pass began, by the repository's clock (the next watermark) and by ours.
    began: Mapped[datetime | None] = mapped_column(UtcDateTime)
    began_own: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The latest datestamp up to which an ascending list is complete; None when the list is not ascending.
    high_stamp: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ascending: Mapped[bool] = mapped_column(default=True)
    #: Records of the pass up to now, and how many the repository said there would be.
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    complete_list_size: Mapped[int | None] = mapped_column(BigInteger)
    #: How often the list was begun again in this pass.
    restarts: Mapped[int] = mapped_column(Integer, default=0)


class HarvestRun(Base):
    """One harvest of one repository: what it did, what it noticed, how it ended."""

    __tablename__ = "harvest_run"
    __table_args__ = (Index("ix_harvest_run_repository_id_started", "repository_id", "started"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id", ondelete="CASCADE"))
    mode: Mapped[str] = mapped_column(String(12))
    started: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ``running``, ``done``, ``failed``.
    outcome: Mapped[str] = mapped_column(String(10), default="running")
    requests: Mapped[int] = mapped_column(Integer, default=0)
    bytes_read: Mapped[int] = mapped_column(BigInteger, default=0)
    pages: Mapped[int] = mapped_column(Integer, default=0)
    records: Mapped[int] = mapped_column(BigInteger, default=0)
    new: Mapped[int] = mapped_column(BigInteger, default=0)
    changed: Mapped[int] = mapped_column(BigInteger, default=0)
    deleted: Mapped[int] = mapped_column(BigInteger, default=0)
    unreadable: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What was odd but lost nothing, each as ``<kind>: <sentence>``.
    findings: Mapped[list[str]] = mapped_column(JSON, default=list)
    error: Mapped[str] = mapped_column(Text, default="")


class Record(Base):
    """A record of a repository; its content is in a table of its own, so that this one is small and quick to search."""

    __tablename__ = "record"
    __table_args__ = (UniqueConstraint("format_id", "identifier"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    format_id: Mapped[int] = mapped_column(ForeignKey("metadata_format.id", ondelete="CASCADE"))
    identifier: Mapped[str] = mapped_column(Text)
    #: None when the repository sent one that cannot be read.
    datestamp: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted: Mapped[bool] = mapped_column(default=False)
    #: BLAKE2b of the content.
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    #: Why the record could not be read; empty when it could.
    error: Mapped[str] = mapped_column(Text, default="")
    #: The harvested sets in which it is, as a JSON list; None where no sets are harvested.
    in_sets: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    #: The pass that saw it last.
    seen_pass: Mapped[int] = mapped_column(BigInteger)
    first_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[datetime] = mapped_column(UtcDateTime)


class RecordContent(Base):
    """The XML of a record exactly as the repository delivered it."""

    __tablename__ = "record_content"

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id", ondelete="CASCADE"), primary_key=True)
    #: The ``record`` element, namespaces included; of an unreadable record the bytes as they came.
    xml: Mapped[bytes] = mapped_column(LargeBinary)
