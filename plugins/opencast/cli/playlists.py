"""``playlist``: add playlists, and write their feeds."""

from __future__ import annotations

import sys

from sqlalchemy import func, select

from opencast.cli.command import Command, Subparsers, add, group
from opencast.cli.harvesting import service
from opencast.harvest import management
from opencast.harvest.feed_documents import json_feed, rss
from opencast.harvest.feeds import read_feed
from opencast.store.catalogue import Playlist, PlaylistItem

_COLUMNS = {"name": "NAME", "title": "TITLE", "public": "PUBLIC", "items": "ITEMS"}


def register(subparsers: Subparsers) -> None:
    """Add the commands."""
    commands = group(subparsers, "playlist", "playlists, which leave the catalogue as feeds")
    parser = add(commands, "add", _add, "Add a playlist.")
    parser.add_argument("name", help="part of its address: a-z, 0-9 and hyphens")
    parser.add_argument("--title", default="")
    parser.add_argument("--description", default="")
    parser.add_argument("--public", action="store_true", help="whether the feed of its public items is open")

    add(commands, "list", _list, "List the playlists.")
    parser = add(commands, "token", _token, "Show the token that opens the feed of all items.")
    parser.add_argument("name")
    parser.add_argument("--renew", action="store_true", help="make a new one; the old one does not work any more")

    parser = add(commands, "feed", _feed, "Write a playlist's feed.")
    parser.add_argument("name")
    parser.add_argument("--format", choices=("rss", "json"), default="rss")
    parser.add_argument("--token", help="opens items that are not public")
    parser.add_argument("--address", default="http://localhost/", metavar="URL", help="the feed's own address")
    parser.add_argument("--site", default="http://localhost/", metavar="URL", help="the page that it belongs to")


def _add(command: Command) -> int:
    arguments = command.arguments
    playlist = management.add_playlist(
        service(command).database,
        arguments.name,
        title=arguments.title,
        description=arguments.description,
        public=arguments.public,
    )
    command.write({"name": playlist.name}, f"Added {playlist.name}.")
    return 0


def _list(command: Command) -> int:
    query = (
        select(Playlist, func.count(PlaylistItem.media_item_id))
        .outerjoin(PlaylistItem, PlaylistItem.playlist_id == Playlist.id)
        .group_by(Playlist.id)
        .order_by(Playlist.name)
    )
    with service(command).database.reading() as session:
        rows = [
            {"name": playlist.name, "title": playlist.title, "public": playlist.public, "items": items}
            for playlist, items in session.execute(query)
        ]
    command.write_table(rows, _COLUMNS)
    return 0


def _token(command: Command) -> int:
    database = service(command).database
    if command.arguments.renew:
        token = management.renew_feed_token(database, command.arguments.name)
    else:
        with database.reading() as session:
            token = management.playlist_named(session, command.arguments.name).feed_token
    command.write({"token": token}, token)
    return 0


def _feed(command: Command) -> int:
    arguments = command.arguments
    feed = read_feed(service(command).database, arguments.name, arguments.token)
    write = rss if arguments.format == "rss" else json_feed
    sys.stdout.write(write(feed, address=arguments.address, site=arguments.site).decode("utf-8") + "\n")
    return 0
