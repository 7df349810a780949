"""``repository``: add, edit, list and check OAI-PMH repositories."""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from opencast.cli.command import Command, Subparsers, add, group
from opencast.cli.harvesting import service
from opencast.errors import ConfigurationError
from opencast.harvest import management
from opencast.harvest.repository_settings import RepositorySettings
from opencast.store.harvesting import Repository

_LISTS = ("prefixes", "sets", "track_types", "tags")
_TEXTS = ("connection_id", "http_method", "on_delete", "check_borders")
_NUMBERS = ("interval_seconds", "overlap_seconds")
_SWITCHES = ("ignore_deleted", "active")
_COLUMNS = {
    "name": "NAME",
    "url": "ADDRESS",
    "active": "ACTIVE",
    "last_success": "LAST SUCCESS",
    "next_due": "NEXT",
    "failures": "FAILURES",
    "last_error": "ERROR",
}


def register(subparsers: Subparsers) -> None:
    """Add the commands."""
    commands = group(subparsers, "repository", "OAI-PMH repositories that are harvested")
    parser = add(commands, "add", _add, "Add a repository.")
    parser.add_argument("name", help="lower-case letters, digits, - and _")
    parser.add_argument("url", help="base URL")
    _add_options(parser)

    parser = add(commands, "edit", _edit, "Change settings of a repository; what is not given stays.")
    parser.add_argument("name")
    parser.add_argument("--url")
    _add_options(parser)

    add(commands, "list", _list, "List the repositories and how their last harvests went.")
    parser = add(commands, "check", _check, "Ask a repository what it is and what it offers; writes nothing.")
    parser.add_argument("name")
    parser = add(commands, "harvest-now", _harvest_now, "Have the schedule harvest a repository at its next run.")
    parser.add_argument("name")


def _add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting; their descriptions are those of the settings."""
    fields = RepositorySettings.model_fields
    for name in (*_TEXTS, *_NUMBERS):
        kind: Any = int if name in _NUMBERS else str
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=fields[name].description)
    for name in _LISTS:
        parser.add_argument(f"--{name.replace('_', '-')}", nargs="*", help=fields[name].description)
    for name in _SWITCHES:
        parser.add_argument(
            f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction, help=fields[name].description
        )


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("name", "url", *_TEXTS, *_NUMBERS, *_LISTS, *_SWITCHES)
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _settings(values: dict[str, Any]) -> RepositorySettings:
    try:
        return RepositorySettings.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise ConfigurationError(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}.") from error


def _add(command: Command) -> int:
    settings = _settings(_given(command.arguments))
    management.add_repository(service(command).database, settings)
    command.write({"name": settings.name}, f"Added {settings.name}; the schedule harvests it from now on.")
    return 0


def _edit(command: Command) -> int:
    database = service(command).database
    with database.reading() as session:
        row = management.repository_named(session, command.arguments.name)
    known = {name: getattr(row, name) for name in ("url", *_TEXTS, *_NUMBERS, *_LISTS, *_SWITCHES)}
    management.edit_repository(database, _settings({**known, **_given(command.arguments)}))
    command.write({"name": row.name}, f"Changed {row.name}.")
    return 0


def _list(command: Command) -> int:
    with service(command).database.reading() as session:
        rows = list(session.scalars(select(Repository).order_by(Repository.name)))
    command.write_table(({name: getattr(row, name) for name in _COLUMNS} for row in rows), _COLUMNS)
    return 0


def _check(command: Command) -> int:
    identify, formats = service(command).ask(command.arguments.name)
    values = {
        "name": identify.name,
        "granularity": identify.granularity,
        "deleted_record": identify.deleted_record,
        "earliest_datestamp": identify.earliest_datestamp,
        "formats": {found.prefix: found.namespace for found in formats},
        "is_opencast": any(found.is_matterhorn for found in formats),
    }
    text = [f"{identify.name}: {identify.granularity}, deleted records: {identify.deleted_record}"]
    text += [f"  {found.prefix}  {found.namespace}" for found in formats]
    command.write(values, "\n".join(text))
    return 0


def _harvest_now(command: Command) -> int:
    management.make_due(service(command).database, command.arguments.name)
    command.write({"name": command.arguments.name}, f"{command.arguments.name} is due.")
    return 0
