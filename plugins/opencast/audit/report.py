"""Write what an audit found: five lists, what is broken, a table, and a page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from opencast.migration.report import report_folder
from opencast.store.audits import AuditHead, Audits, Check, Finding, Outcome
from opencast.store.base import utc_now

#: Findings that make an audit fail.
TROUBLE = (Outcome.DIFFERENT, Outcome.ONLY_SOURCE, Outcome.UNREADABLE, Outcome.BROKEN)
#: One file for each outcome; every line holds kind, id, title and the first difference, separated by tabs.
LISTS = {
    Outcome.SAME: "same.txt",
    Outcome.DIFFERENT: "different.txt",
    Outcome.ONLY_SOURCE: "only_on_source.txt",
    Outcome.ONLY_TARGET: "only_on_target.txt",
    Outcome.UNREADABLE: "unreadable.txt",
    Outcome.BROKEN: "broken_publications.txt",
}
#: Rows of each list on the page; the files hold all.
_SHOWN = 500


@dataclass(frozen=True)
class AuditReport:
    """A written report.

    :param folder: holds ``report.html``, ``report.json``, ``report.csv`` and the lists.
    :param counts: findings of each check by outcome, as words.
    """

    folder: Path
    counts: dict[str, dict[str, int]]

    @property
    def trouble(self) -> int:
        """Findings that somebody has to look at."""
        names = {outcome.value for outcome in TROUBLE}
        return sum(count for found in self.counts.values() for name, count in found.items() if name in names)

    def __str__(self) -> str:
        parts = [
            f"{check}: {', '.join(f'{count} {outcome}' for outcome, count in sorted(found.items()))}"
            for check, found in sorted(self.counts.items())
        ]
        return "; ".join(parts) or "nothing was found to look at"


class AuditReporter:
    """Write reports of audits."""

    def __init__(self, audits: Audits, folder: Path) -> None:
        self._audits = audits
        self._folder = folder

    def write(self, key: str) -> AuditReport:
        """Write the report of an audit.

        :param key: ``<dag id>/<run id>``.
        """
        head = self._audits.head(key)
        if head is None:
            raise ValueError(f"there is no audit {key}")
        folder = report_folder(self._folder, key)
        folder.mkdir(parents=True, exist_ok=True)
        counts = {
            check.value: {outcome.value: count for outcome, count in found.items()}
            for check, found in self._audits.counts(key).items()
        }
        for outcome, name in LISTS.items():
            _write(folder / name, _lines(self._audits.findings(key, outcome=outcome)))
        self._write_table(folder / "report.csv", key)
        document = self._document(head, counts)
        _write(folder / "report.json", [json.dumps(document, ensure_ascii=False, indent=1)])
        _write(folder / "report.html", [_render(document)])
        return AuditReport(folder, counts)

    def _document(self, head: AuditHead, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
        dag_id, _, run_id = head.key.partition("/")
        return {
            "dag_id": dag_id,
            "run_id": run_id,
            "written": utc_now().isoformat(timespec="seconds"),
            "begun": head.begun.isoformat(timespec="seconds"),
            "source": head.source,
            "target": head.target or "",
            "params": head.params,
            "counts": counts,
            "lists": {
                outcome.value: [
                    _shown(found) for found in islice(self._audits.findings(head.key, outcome=outcome), _SHOWN)
                ]
                for outcome in LISTS
                if outcome is not Outcome.SAME
            },
            "files": {outcome.value: name for outcome, name in LISTS.items()},
            "shown": _SHOWN,
        }

    def _write_table(self, path: Path, key: str) -> None:
        new = path.with_suffix(".csv.new")
        with new.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["check", "kind", "identifier", "title", "outcome", "count", "detail", "notes"])
            for found in self._audits.findings(key):
                row = [found.check.value, found.kind, found.identifier, found.title, found.outcome.value]
                cells = [*row, found.count, found.detail, " | ".join(found.notes)]
                writer.writerow([_harmless(cell) for cell in cells])
        new.replace(path)


def _shown(found: Finding) -> dict[str, Any]:
    return {
        "check": found.check.value,
        "kind": found.kind,
        "identifier": found.identifier,
        "title": found.title,
        "detail": found.detail,
        "count": found.count,
        "notes": list(found.notes),
    }


def _lines(findings: Iterable[Finding]) -> Iterator[str]:
    for found in findings:
        cells = (found.kind, found.identifier, found.title, found.detail)
        yield "\t".join(" ".join(cell.split()) for cell in cells) + "\n"


def _write(path: Path, parts: Iterable[str]) -> None:
    """Replace a file as a whole: a reader never meets half a list."""
    new = path.with_suffix(path.suffix + ".new")
    with new.open("w", encoding="utf-8") as stream:
        stream.writelines(parts)
    new.replace(path)


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a title for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _render(document: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("opencast.audit", "templates"), autoescape=select_autoescape(default=True)
    )
    checks = [check.value for check in Check if check.value in document["counts"]]
    outcomes = [outcome.value for outcome in Outcome]
    return environment.get_template("audit.html").render(**document, checks=checks, outcomes=outcomes)
