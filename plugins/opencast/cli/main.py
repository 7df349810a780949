"""Parse the command line and run one command."""

from __future__ import annotations

import argparse
import importlib
import logging
from collections.abc import Sequence

from opencast.cli.command import Command
from opencast.errors import OpencastError

#: Modules that add commands, each with a function ``register(subparsers)``.
MODULES = (
    "opencast.cli.harvesting",
    "opencast.cli.repositories",
    "opencast.cli.series",
    "opencast.cli.playlists",
    "opencast.cli.campaigns",
)


def build_parser() -> argparse.ArgumentParser:
    """Make the parser with all commands."""
    parser = argparse.ArgumentParser(prog="python -m opencast", description="Opencast on Airflow, for scripts.")
    parser.add_argument("--store", metavar="URL", help="SQLAlchemy URL of the store; default: the one of the DAGs")
    parser.add_argument("--json", action="store_true", help="write results as JSON")
    parser.add_argument("--verbose", action="store_true", help="write the log to standard error")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in MODULES:
        importlib.import_module(module).register(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    :returns: 0 when it did what was asked for, 1 when it did not; wrong arguments end with 2.
    """
    parsed = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if parsed.verbose else logging.ERROR, format="%(levelname)s %(message)s")
    command = Command(parsed, parsed.json)
    try:
        status: int = parsed.run(command)
    except OpencastError as error:
        command.complain(str(error))
        return 1
    return status
