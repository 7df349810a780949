"""What one harvest did, counted while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from opencast.harvest import changes
from opencast.harvest.limits import MAX_FINDINGS, clipped
from opencast.harvest.page import Page
from opencast.harvest.record_writer import UNREADABLE, PageOutcome
from opencast.harvest.report import HarvestReport
from opencast.harvest.stream_state import Mode
from opencast.harvest.transport import Transport
from opencast.store.harvesting import HarvestRun

_NUMBERS = ("requests", "bytes_read", "pages", "records", "new", "changed", "deleted", "unreadable")
# Built once: it is part of every page's transaction.
_SAVE = update(HarvestRun).where(HarvestRun.id == bindparam("row")).values({name: bindparam(name) for name in _NUMBERS})


@dataclass
class Tally:
    """The counters of one row of :class:`opencast.store.harvesting.HarvestRun`.

    :param run_id: the row.
    """

    run_id: int
    requests: int = 0
    bytes_read: int = 0
    pages: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    unreadable: int = 0
    _findings: Counter[str] = field(default_factory=Counter)
    _sentences: dict[str, str] = field(default_factory=dict)

    def find(self, *findings: str) -> None:
        """Note what was odd but lost nothing; of each kind the first sentence is kept.

        :param findings: each as ``<kind>: <sentence>``.
        """
        for finding in findings:
            kind = finding.partition(":")[0]
            if kind in self._sentences or len(self._sentences) < MAX_FINDINGS:
                self._sentences.setdefault(kind, clipped(finding))
                self._findings[kind] += 1

    def count(self, pages: Sequence[Page], outcome: PageOutcome) -> None:
        """Count pages that were written."""
        self.pages += len(pages)
        self.records += sum(len(page.records) for page in pages)
        self.new += outcome.count(changes.NEW)
        self.changed += outcome.count(changes.CHANGED)
        self.deleted += outcome.count(changes.DELETED)
        self.unreadable += outcome.count(UNREADABLE)
        self.find(*[finding for page in pages for finding in page.findings])

    @property
    def findings(self) -> list[str]:
        """The findings with their numbers."""
        return [
            sentence if self._findings[kind] == 1 else f"{sentence} ({self._findings[kind]} times)"
            for kind, sentence in self._sentences.items()
        ]

    def measure(self, transport: Transport) -> None:
        """Take over what a client has asked and received up to now."""
        self.requests = transport.requests
        self.bytes_read = transport.bytes_read

    def report(self, repository: str, mode: Mode) -> HarvestReport:
        """Give the numbers for a task or a script."""
        return HarvestReport(
            repository=repository, mode=mode, run_id=self.run_id, findings=tuple(self.findings), **self._numbers()
        )

    def save(self, session: Session) -> None:
        """Write the counters, in the transaction of what was counted."""
        session.connection().execute(_SAVE, {**self._numbers(), "row": self.run_id})

    def close(self, session: Session, *, outcome: str, ended: datetime, error: str = "") -> None:
        """Write the counters and how the harvest ended."""
        self.save(session)
        values = {"outcome": outcome, "ended": ended, "error": clipped(error), "findings": self.findings}
        session.connection().execute(update(HarvestRun).where(HarvestRun.id == self.run_id).values(values))

    def _numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _NUMBERS}
