"""The report of one run: what was done with each object, when, with how many bytes, and why not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from opencast.migration.report_files import ReportFiles
from opencast.store.base import utc_now
from opencast.store.campaigns import CampaignHead, Campaigns
from opencast.store.ledger import Entry, Ledger, State, Traffic
from opencast.store.plans import Action, Item, PlanHead, Plans

#: The outcomes of a report, in the order in which they are shown.
OUTCOMES = ("failed", "open", "cannot", "skipped", "done", "waiting", "planned")
#: Objects that the ledger is asked about at once.
_BATCH = 500


@dataclass(frozen=True)
class Line:
    """One object in a report.

    :param outcome: one of ``OUTCOMES``; ``open`` means that the run ended before it was worked on, ``waiting`` that a
        later run of the campaign works on it.
    :param seconds: between begin and end of the work, None when there was none.
    """

    kind: str
    identifier: str
    title: str
    action: str
    outcome: str
    reason: str
    started: str
    ended: str
    seconds: float | None
    bytes_total: int
    bytes_read: int
    bytes_written: int
    notes: list[str]


@dataclass
class Totals:
    """The sums of a report; bytes of the unique files of each object, read from the source, written to the target."""

    outcomes: dict[str, int] = field(default_factory=dict)
    bytes_total: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    def add(self, line: Line) -> None:
        """Count one object."""
        self.outcomes[line.outcome] = self.outcomes.get(line.outcome, 0) + 1
        self.bytes_total += line.bytes_total
        self.bytes_read += line.bytes_read
        self.bytes_written += line.bytes_written

    @property
    def failed(self) -> int:
        """Objects that were to be migrated and were not."""
        return self.outcomes.get("failed", 0) + self.outcomes.get("open", 0)

    def __str__(self) -> str:
        counts = ", ".join(f"{self.outcomes[name]} {name}" for name in OUTCOMES if self.outcomes.get(name))
        return (
            f"{counts or 'nothing to report'}; {self.bytes_total} bytes in files of the objects, "
            f"{self.bytes_read} read from the source, {self.bytes_written} written to the target"
        )


@dataclass(frozen=True)
class Report:
    """A written report.

    :param folder: holds ``report.html``, ``report.json`` and ``report.csv``.
    """

    folder: Path
    totals: Totals


class Reporter:
    """Write reports of runs between one source and one target."""

    def __init__(self, ledger: Ledger, plans: Plans, folder: Path) -> None:
        self._ledger = ledger
        self._plans = plans
        self._campaigns = Campaigns(ledger.database)
        self._folder = folder

    def write(self, key: str, *, log_url: str = "") -> Report:
        """Write the report of a run as HTML, JSON and CSV, without holding its objects in memory.

        :param key: ``<dag id>/<run id>``.
        :param log_url: address of the run in Airflow, linked from the HTML.
        """
        head = self._plans.head(key)
        campaign = self._campaigns.of_run(key)
        folder = report_folder(self._folder, key)
        totals = Totals()
        with ReportFiles(folder, OUTCOMES, tuple(Line.__dataclass_fields__)) as files:
            for line in self._lines(key, head, campaign):
                totals.add(line)
                files.add(asdict(line))
            document = self._document(key, head, campaign)
            files.finish(document | {"totals": asdict(totals)}, log_url)
        return Report(folder, totals)

    def _lines(self, key: str, head: PlanHead | None, campaign: CampaignHead | None) -> Iterator[Line]:
        if head is None:
            return
        plan_only = head.params.get("mode") == "plan"
        for item, entry in self._with_entries(self._plans.items(key)):
            own = self._own(item, entry, item.wave_key or key)
            yield _line(item, own, plan_only=plan_only, waits_in=campaign if item.wave_key != key else None)

    def _own(self, item: Item, entry: Entry | None, key: str) -> Entry | None:
        """Return what the ledger says of a run's own work: what another run wrote is no outcome of this one."""
        if entry is None or entry.plan_key == key:
            return entry
        done = self._ledger.done_at(item.kind, item.identifier, key)
        if done is None:
            return None
        notes = (*entry.notes, f"The run {entry.plan_key} has worked on it since.")
        return replace(
            entry, state=State.DONE, reason="", started=done, ended=done, traffic=Traffic(), notes=notes, plan_key=key
        )

    def _with_entries(self, items: Iterator[Item]) -> Iterator[tuple[Item, Entry | None]]:
        """Put what the ledger says beside each item."""
        for kind, of_kind in groupby(items, key=lambda item: item.kind):
            while some := list(islice(of_kind, _BATCH)):
                entries = self._ledger.lookup(kind, [item.identifier for item in some])
                yield from ((item, entries.get(item.identifier)) for item in some)

    def _document(self, key: str, head: PlanHead | None, campaign: CampaignHead | None) -> dict[str, Any]:
        dag_id, _, run_id = key.partition("/")
        return {
            "dag_id": dag_id,
            "run_id": run_id,
            "written": utc_now().isoformat(timespec="seconds"),
            "source": self._ledger.source,
            "target": self._ledger.target,
            "inventory_taken": _moment(None if head is None else head.inventory_taken),
            "params": {} if head is None else head.params,
            "filters": {} if head is None else head.notes,
            "campaign": self._picture(head, campaign),
        }

    def _picture(self, head: PlanHead | None, campaign: CampaignHead | None) -> dict[str, Any]:
        """Return what has become of the whole campaign; nothing for a run that is one of its own."""
        if head is None or campaign is None:
            return {}
        runs = self._campaigns.runs(campaign.id)
        return {
            "name": campaign.name,
            "state": campaign.state.value,
            "reason": campaign.reason,
            "run": head.wave,
            "runs": runs,
            "objects": [asdict(tally) for tally in self._campaigns.tally(campaign.id)],
        }


def report_folder(folder: Path, key: str) -> Path:
    """Return the folder of one run's report below ``folder``.

    Run ids hold colons and plus signs; the digest keeps runs apart whose ids differ in nothing else.
    """
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", key).strip("_")[:150]
    return folder / f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _line(item: Item, entry: Entry | None, *, plan_only: bool, waits_in: CampaignHead | None) -> Line:
    outcome, reason = _outcome(item, entry, plan_only=plan_only, waits_in=waits_in)
    traffic = entry.traffic if entry is not None else Traffic()
    started = entry.started if entry is not None else None
    ended = entry.ended if entry is not None else None
    return Line(
        kind=item.kind.value,
        identifier=item.identifier,
        title=item.title or (entry.title if entry is not None else ""),
        action=item.action.value,
        outcome=outcome,
        reason=reason,
        started=_moment(started),
        ended=_moment(ended),
        seconds=round((ended - started).total_seconds(), 1) if started and ended else None,
        bytes_total=traffic.total,
        bytes_read=traffic.read,
        bytes_written=traffic.written,
        notes=list(entry.notes) if entry is not None else [],
    )


def _outcome(item: Item, entry: Entry | None, *, plan_only: bool, waits_in: CampaignHead | None) -> tuple[str, str]:
    if item.action is Action.CANNOT:
        return "cannot", item.reason
    if item.action is Action.SKIP:
        return "skipped", item.reason
    if plan_only:
        return "planned", item.reason
    if entry is None or entry.state is State.RUNNING:
        if waits_in is None:
            return "open", "The run ended before this object was finished; run again."
        if waits_in.state.is_closed:
            why = f": {waits_in.reason}" if waits_in.reason else ""
            return "waiting", f"The campaign was {waits_in.state.value}{why}."
        return "waiting", "A later run of the campaign works on it."
    return {State.DONE: "done", State.FAILED: "failed", State.SKIPPED: "skipped"}[entry.state], entry.reason


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
