"""Tell others what changed in the catalogue: an interface that a site can implement, and the delivery to it.

Every sink gets every change at least once and in order. What it did not take is kept, and given again next time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from opencast.errors import ConfigurationError, OpencastError
from opencast.harvest.announcements import ChangeBatch, read_changes
from opencast.harvest.limits import clipped
from opencast.harvest.logins import Login
from opencast.harvest.repository_settings import PythonSinkSettings, SinkSettings, WebhookSettings
from opencast.harvest.webhook import Webhook
from opencast.store.catalogue import SinkCursor
from opencast.store.database import Database
from opencast.store.harvesting import Repository

#: Batches that one delivery gives to a sink; the rest comes with the next one.
_MAX_BATCHES = 200


class Sink(Protocol):
    """Takes changes of the catalogue.

    A site writes a class with this method and names it in ``repositories.yaml`` (``type: python``).
    """

    def deliver(self, batch: ChangeBatch) -> None:
        """Take some changes; the same ones may come again.

        :raises SinkFailed: they could not be taken and are to be delivered again.
        """


@dataclass(frozen=True)
class Delivery:
    """What came of delivering to one sink.

    :param changes: how many it took.
    :param error: why it did not take more; empty when it took all.
    """

    sink: str
    changes: int
    error: str = ""


def open_sink(settings: SinkSettings, login: Callable[[str], Login]) -> Sink:
    """Make a sink.

    :param login: reads a connection by its id.
    :raises ConfigurationError: a class that cannot be loaded, or a connection that is missing.
    """
    if isinstance(settings, WebhookSettings):
        secret = login(settings.connection_id).password if settings.connection_id else ""
        return Webhook(settings.url, secret=secret)
    return _load(settings)


def _load(settings: PythonSinkSettings) -> Sink:
    module, _, name = settings.target.partition(":")
    try:
        found: Sink = getattr(importlib.import_module(module), name)(**settings.options)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"The sink {settings.name} ({settings.target}) cannot be made: {error}.") from error
    return found


def deliver(
    database: Database,
    repository: Repository,
    sinks: Sequence[SinkSettings],
    login: Callable[[str], Login],
    clock: Callable[[], datetime],
) -> list[Delivery]:
    """Give each sink of a repository what it has not got yet; one sink's error does not stop another.

    :param login: reads a connection by its id.
    :param clock: our time, aware.
    """
    return [_deliver(database, repository, settings, login, clock) for settings in sinks]


def _deliver(
    database: Database,
    repository: Repository,
    settings: SinkSettings,
    login: Callable[[str], Login],
    clock: Callable[[], datetime],
) -> Delivery:
    with database.session() as session:
        after = _cursor(session, repository, settings.name).change_id
    taken = 0
    try:
        sink = open_sink(settings, login)
        for _ in range(_MAX_BATCHES):
            batch = read_changes(database, repository, after=after)
            if batch is None:
                break
            sink.deliver(batch)
            after = batch.last
            taken += len(batch.changes)
            _note(database, repository, settings.name, after, clock(), "")
    except OpencastError as error:
        _note(database, repository, settings.name, after, None, clipped(str(error)))
        return Delivery(settings.name, taken, str(error))
    except Exception as error:
        # A site's own class may raise anything; it must not cost the harvest.
        message = f"{type(error).__name__} in the sink {settings.name}"
        _note(database, repository, settings.name, after, None, message)
        return Delivery(settings.name, taken, message)
    return Delivery(settings.name, taken)


def _cursor(session: Session, repository: Repository, name: str) -> SinkCursor:
    cursor = session.get(SinkCursor, (repository.id, name))
    if cursor is None:
        cursor = SinkCursor(repository_id=repository.id, sink=name, change_id=0)
        session.add(cursor)
        session.flush()
    return cursor


def _note(
    database: Database, repository: Repository, name: str, change_id: int, delivered: datetime | None, error: str
) -> None:
    with database.session() as session:
        cursor = _cursor(session, repository, name)
        values: dict[str, Any] = {"change_id": change_id, "last_error": error}
        values["failures"] = cursor.failures + 1 if error else 0
        if delivered is not None:
            values["delivered"] = delivered
        for field, value in values.items():
            setattr(cursor, field, value)
