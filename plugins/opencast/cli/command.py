"""What the commands share: where the store is, and how results are written."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opencast.settings import load_settings
from opencast.store.database import Database

Subparsers = Any  # argparse has no public name for what add_subparsers gives


@dataclass(frozen=True)
class Command:
    """A command with its arguments, ready to run.

    :param arguments: as they were parsed.
    :param as_json: whether results are written for programs.
    """

    arguments: argparse.Namespace
    as_json: bool

    def store(self) -> Database:
        """Open the store and bring its schema up to date: the one of ``--store``, or that of the DAGs.

        :raises StoreError: it cannot be opened.
        """
        if not self.arguments.store:
            # Loads Airflow, some seconds: only its connection opencast_store says where the DAGs' store is. Airflow
            # logs to the standard output, which is for results here.
            with contextlib.redirect_stdout(sys.stderr):
                from opencast.hooks.store import open_store

                return open_store(load_settings())
        database = Database(self.arguments.store)
        database.upgrade()
        return database

    def write(self, values: Mapping[str, Any], text: str) -> None:
        """Write one result."""
        print(json.dumps(values, ensure_ascii=False, default=str) if self.as_json else text)

    def write_table(self, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
        """Write a list: as a table with these titles by column, or one JSON object a line."""
        found = list(rows)
        if self.as_json:
            for row in found:
                print(json.dumps(row, ensure_ascii=False, default=str))
            return
        cells = [[_shown(row.get(name)) for name in columns] for row in found]
        lines = [list(columns.values()), *cells]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def complain(self, message: str) -> None:
        """Write an error."""
        print(message, file=sys.stderr)


Run = Callable[[Command], int]


def add(subparsers: Subparsers, name: str, run: Run, description: str) -> argparse.ArgumentParser:
    """Add a command.

    :param run: carries it out and gives the exit status.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=description, description=description)
    parser.set_defaults(run=run)
    return parser


def group(subparsers: Subparsers, name: str, description: str) -> Subparsers:
    """Add a group of commands, such as ``repository`` with ``add`` and ``list``."""
    parser = subparsers.add_parser(name, help=description, description=description)
    return parser.add_subparsers(dest=f"{name}_command", metavar="COMMAND", required=True)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
