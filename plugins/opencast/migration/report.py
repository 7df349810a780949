"""The report of one run: what was done with each object, when, with how many bytes, and why not."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from opencast.store.base import utc_now
from opencast.store.ledger import Entry, Ledger, State, Traffic
from opencast.store.plans import Action, Item, PlanHead, Plans

#: The outcomes of a report, in the order in which they are shown.
OUTCOMES = ("failed", "open", "cannot", "skipped", "done", "planned")


@dataclass(frozen=True)
class Line:
    """One object in a report.

    :param outcome: one of ``OUTCOMES``; ``open`` means that the run ended before it was worked on.
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


@dataclass(frozen=True)
class Totals:
    """The sums of a report; bytes of the unique files of each object, read from the source, written to the target."""

    outcomes: dict[str, int]
    bytes_total: int
    bytes_read: int
    bytes_written: int

    @property
    def failed(self) -> int:
        """Objects that were to be migrated and were not."""
        return self.outcomes.get("failed", 0) + self.outcomes.get("open", 0)

    def __str__(self) -> str:
        counts = ", ".join(f"{self.outcomes[name]} {name}" for name in OUTCOMES if self.outcomes.get(name))
        return (
            f"{counts or 'nothing to report'}; {self.bytes_total} bytes in unique files, "
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
        self._folder = folder

    def write(self, key: str, *, log_url: str = "") -> Report:
        """Write the report of a run as HTML, JSON and CSV.

        :param key: ``<dag id>/<run id>``.
        :param log_url: address of the run in Airflow, linked from the HTML.
        """
        head = self._plans.head(key)
        lines = list(self._lines(key, head))
        totals = _totals(lines)
        folder = report_folder(self._folder, key)
        folder.mkdir(parents=True, exist_ok=True)
        document = self._document(key, head, lines, totals)
        _write(folder / "report.json", json.dumps(document, ensure_ascii=False, indent=1))
        _write_csv(folder / "report.csv", lines)
        _write(folder / "report.html", _render(document, log_url))
        return Report(folder, totals)

    def _lines(self, key: str, head: PlanHead | None) -> Iterator[Line]:
        if head is None:
            return
        plan_only = head.params.get("mode") == "plan"
        for item in self._plans.items(key):
            entry = self._ledger.entry(item.kind, item.identifier)
            # What a run before this one wrote about the object is no outcome of this one.
            own = entry if entry is not None and entry.plan_key == key else None
            yield _line(item, own, plan_only=plan_only)

    def _document(self, key: str, head: PlanHead | None, lines: list[Line], totals: Totals) -> dict[str, Any]:
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
            "totals": asdict(totals),
            "objects": [asdict(line) for line in lines],
        }


def report_folder(folder: Path, key: str) -> Path:
    """Return the folder of one run's report below ``folder``.

    Run ids hold colons and plus signs; the digest keeps runs apart whose ids differ in nothing else.
    """
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", key).strip("_")[:150]
    return folder / f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _line(item: Item, entry: Entry | None, *, plan_only: bool) -> Line:
    outcome, reason = _outcome(item, entry, plan_only=plan_only)
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


def _outcome(item: Item, entry: Entry | None, *, plan_only: bool) -> tuple[str, str]:
    if item.action is Action.CANNOT:
        return "cannot", item.reason
    if item.action is Action.SKIP:
        return "skipped", item.reason
    if plan_only:
        return "planned", item.reason
    if entry is None or entry.state is State.RUNNING:
        return "open", "The run ended before this object was finished; run again."
    return {State.DONE: "done", State.FAILED: "failed", State.SKIPPED: "skipped"}[entry.state], entry.reason


def _totals(lines: list[Line]) -> Totals:
    return Totals(
        outcomes=dict(Counter(line.outcome for line in lines)),
        bytes_total=sum(line.bytes_total for line in lines),
        bytes_read=sum(line.bytes_read for line in lines),
        bytes_written=sum(line.bytes_written for line in lines),
    )


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader never meets half a report."""
    new = path.with_suffix(path.suffix + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _write_csv(path: Path, lines: list[Line]) -> None:
    new = path.with_suffix(".csv.new")
    with new.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(Line.__dataclass_fields__)
        for line in lines:
            values = asdict(line) | {"notes": " | ".join(line.notes)}
            writer.writerow([_harmless(value) for value in values.values()])
    new.replace(path)


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a title for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _bytes(count: int) -> str:
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _render(document: dict[str, Any], log_url: str) -> str:
    environment = Environment(
        loader=PackageLoader("opencast.migration", "templates"), autoescape=select_autoescape(default=True)
    )
    environment.filters["bytes"] = _bytes
    order = {name: number for number, name in enumerate(OUTCOMES)}
    objects = sorted(document["objects"], key=lambda line: (order[line["outcome"]], line["kind"], line["title"]))
    return environment.get_template("report.html").render(
        **{**document, "objects": objects}, outcomes=OUTCOMES, log_url=log_url
    )
