"""``series``: give series their playlists, permissions and tags."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from opencast.cli.command import Command, Subparsers, add, group
from opencast.cli.harvesting import service
from opencast.harvest import management

_COLUMNS = {
    "repository": "REPOSITORY",
    "identifier": "IDENTIFIER",
    "title": "TITLE",
    "playlist": "PLAYLIST",
    "recordings": "RECORDINGS",
    "items": "ITEMS",
}
_LISTS = {"users": "user", "groups": "group", "institutions": "institution"}
_SWITCHES = ("signed_in", "public")


def register(subparsers: Subparsers) -> None:
    """Add the commands."""
    commands = group(subparsers, "series", "series of the repositories, also before their first record arrived")
    parser = add(commands, "list", _list, "List the series.")
    parser.add_argument("--repository", metavar="NAME")

    parser = _of_series(commands, "set-playlist", _set_playlist, "Say where new media items of a series go.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("playlist", nargs="?", help="name of the playlist")
    where.add_argument("--none", action="store_true", help="no playlist: new recordings wait")
    parser.add_argument("--with-existing", action="store_true", help="also put the items there that exist already")

    parser = _of_series(
        commands,
        "set-permissions",
        _set_permissions,
        "Say who may see new media items of a series; what is left out stays, an option without values empties it.",
    )
    for name, singular in _LISTS.items():
        parser.add_argument(f"--{name}", nargs="*", metavar=singular.upper())
    for name in _SWITCHES:
        parser.add_argument(f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction)

    parser = _of_series(commands, "set-tags", _set_tags, "Say which tags new media items of a series get.")
    parser.add_argument("tags", nargs="*", metavar="TAG")


def _of_series(commands: Subparsers, name: str, run: Any, description: str) -> argparse.ArgumentParser:
    parser = add(commands, name, run, description)
    parser.add_argument("repository", help="name of the repository")
    parser.add_argument("identifier", help="identifier of the series, its UID in Opencast's admin UI")
    return parser


def _list(command: Command) -> int:
    rows = management.list_series(service(command).database, command.arguments.repository)
    command.write_table((asdict(row) for row in rows), _COLUMNS)
    return 0


def _done(command: Command) -> int:
    arguments = command.arguments
    command.write(
        {"repository": arguments.repository, "series": arguments.identifier}, f"Changed {arguments.identifier}."
    )
    return 0


def _set_playlist(command: Command) -> int:
    arguments = command.arguments
    management.set_playlist(
        service(command).database,
        arguments.repository,
        arguments.identifier,
        None if arguments.none else arguments.playlist,
        with_existing=arguments.with_existing,
    )
    return _done(command)


def _set_permissions(command: Command) -> int:
    arguments = command.arguments
    given = {name: getattr(arguments, name) for name in (*_LISTS, *_SWITCHES)}
    permissions = {name: value for name, value in given.items() if value is not None}
    management.set_series(
        service(command).database, arguments.repository, arguments.identifier, permissions=permissions
    )
    return _done(command)


def _set_tags(command: Command) -> int:
    arguments = command.arguments
    management.set_series(service(command).database, arguments.repository, arguments.identifier, tags=arguments.tags)
    return _done(command)
