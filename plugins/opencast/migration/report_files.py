"""The three files of a report, written object by object: HTML for people, JSON for programs, CSV for spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

#: Objects that the page shows; a browser takes no hundred thousand rows.
_SHOWN = 2000
_SUFFIX = ".new"


class ReportFiles:
    """The files of one report; they take their names at the end, so that a reader never meets half a report.

    :param outcomes: in the order in which the page shows their objects.
    :param columns: of the CSV.
    """

    def __init__(self, folder: Path, outcomes: Sequence[str], columns: Sequence[str]) -> None:
        self._folder = folder
        self._outcomes = outcomes
        self._columns = columns
        self._shown: dict[str, list[dict[str, Any]]] = {outcome: [] for outcome in outcomes}
        self._count = 0
        self._stack = ExitStack()

    def __enter__(self) -> ReportFiles:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._table = self._stack.enter_context(self._new("report.csv").open("w", encoding="utf-8", newline=""))
        self._objects = self._stack.enter_context(self._new("report.json").open("w", encoding="utf-8"))
        self._writer = csv.writer(self._table)
        self._writer.writerow(self._columns)
        self._objects.write('{"objects": [')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is not None:
            for name in ("report.csv", "report.json", "report.html"):
                self._new(name).unlink(missing_ok=True)

    def add(self, line: dict[str, Any]) -> None:
        """Write one object."""
        self._objects.write(",\n" if self._count else "\n")
        self._objects.write(json.dumps(line, ensure_ascii=False))
        cells = {**line, "notes": " | ".join(line["notes"])}
        self._writer.writerow([_harmless(cells[name]) for name in self._columns])
        shown = self._shown[line["outcome"]]
        if len(shown) < _SHOWN:
            shown.append(line)
        self._count += 1

    def finish(self, document: dict[str, Any], log_url: str) -> None:
        """Write what is not about one object, and let the files be seen."""
        rest = json.dumps(document, ensure_ascii=False, indent=1)
        self._objects.write(f"\n],{rest[1:]}")
        self._new("report.html").write_text(self._page(document, log_url), encoding="utf-8")
        self._stack.close()
        for name in ("report.csv", "report.json", "report.html"):
            self._new(name).replace(self._folder / name)

    def _new(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _page(self, document: dict[str, Any], log_url: str) -> str:
        environment = Environment(
            loader=PackageLoader("opencast.migration", "templates"), autoescape=select_autoescape(default=True)
        )
        environment.filters["bytes"] = shown_bytes
        environment.filters["moment"] = shown_moment
        objects: list[dict[str, Any]] = []
        for outcome in self._outcomes:
            some = sorted(self._shown[outcome], key=lambda line: (line["kind"], line["title"]))
            objects.extend(some[: _SHOWN - len(objects)])
        return environment.get_template("report.html").render(
            **{**document, "objects": objects},
            outcomes=self._outcomes,
            log_url=log_url,
            left_out=self._count - len(objects),
        )


def shown_bytes(count: int) -> str:
    """Write a number of bytes for people."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def shown_moment(moment: str) -> str:
    """Write a time of the store, ISO 8601 in UTC, for people: without offset and fractions."""
    return moment[:19].replace("T", " ")


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a title for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
