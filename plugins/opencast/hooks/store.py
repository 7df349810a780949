"""From the connection ``opencast_store``, or the settings, to the project's own database."""

from __future__ import annotations

import functools
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy.engine import URL, make_url

from opencast.settings import Settings
from opencast.store.database import Database

CONNECTION_ID = "opencast_store"


def open_store(settings: Settings) -> Database:
    """Open the store and bring its schema up to date; one engine for each process.

    The connection ``opencast_store`` wins over the settings. Its password is used, and shown nowhere.

    :raises StoreError: the database cannot be opened.
    """
    try:
        return _database(_url_of(BaseHook.get_connection(CONNECTION_ID)))
    except AirflowNotFoundException:
        return _database(settings.store)


async def aopen_store(settings: Settings) -> Database:
    """Open the store from a trigger, where a blocking look at a connection would stop the event loop."""
    try:
        return _database(_url_of(await BaseHook.aget_connection(CONNECTION_ID)))
    except AirflowNotFoundException:
        return _database(settings.store)


@functools.lru_cache(maxsize=2)
def _database(url: str) -> Database:
    database = Database(url)
    database.upgrade()
    return database


def _url_of(connection: Any) -> str:
    """Return the SQLAlchemy URL of a connection: its own fields, or ``sqlalchemy_url`` of its extra."""
    given = connection.extra_dejson.get("sqlalchemy_url")
    if given:
        url = make_url(str(given))
        return (url.set(password=connection.password) if connection.password else url).render_as_string(False)
    postgres = connection.conn_type in {"postgres", "postgresql"}
    url = URL.create(
        "postgresql+psycopg2" if postgres else connection.conn_type,
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
    )
    return url.render_as_string(hide_password=False)
