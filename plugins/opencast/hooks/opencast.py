"""From an Airflow connection of type ``opencast`` to the REST client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import ConfigurationError, OpencastError

#: Field of a connection that names those of the distribution hosts.
DISTRIBUTION = "distribution_connections"


class OpencastHook(BaseHook):
    """Talk to an Opencast server.

    :param opencast_conn_id: id of the connection.
    """

    conn_name_attr = "opencast_conn_id"
    default_conn_name = "opencast_source"
    conn_type = "opencast"
    hook_name = "Opencast"

    def __init__(self, opencast_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.opencast_conn_id = opencast_conn_id

    def get_conn(self) -> Opencast:
        """Return a client of the connection's server.

        :raises ConfigurationError: the connection's fields cannot be used; the message names the connection.
        """
        return Opencast(self.server())

    def server(self) -> Server:
        """Return the connection's address and login, and those of its distribution hosts, which have connections too.

        :raises ConfigurationError: the connection's fields cannot be used; the message names the connection.
        """
        connection = self.get_connection(self.opencast_conn_id)
        names = str((connection.extra_dejson or {}).get(DISTRIBUTION) or "").split()
        return replace(server_of(connection), distribution=tuple(server_of(self.get_connection(n)) for n in names))

    def test_connection(self) -> tuple[bool, str]:
        """Log in and count what the server shows; called by the Test button of the connection form."""
        try:
            opencast = self.get_conn()
            me = opencast.info.me()
            version = opencast.info.version()
        except OpencastError as error:
            return False, str(error)
        who = f"{me.username} on Opencast {version}, organization {me.organization}"
        if not me.is_admin:
            return False, f"Logged in as {who}, who is no administrator: other accounts see a filtered library."
        return True, f"Logged in as {who}."


def server_of(connection: Any) -> Server:
    """Read an Airflow connection.

    :param connection: with ``host`` as URL (or host name beside ``schema`` and ``port``), ``login``, ``password`` and
        the fields of the connection form in its extra.
    :raises ConfigurationError: a field that cannot be used.
    """
    extra: Mapping[str, Any] = connection.extra_dejson or {}
    try:
        return Server(
            url=_url(connection),
            username=connection.login or "",
            password=connection.password or "",
            auth=extra.get("auth") or "basic",
            organization=extra.get("organization") or None,
            verify_tls=_verify(extra),
            connect_timeout=float(extra.get("connect_timeout") or 10),
            read_timeout=float(extra.get("read_timeout") or 60),
            trusted_hosts=tuple(str(extra.get("trusted_hosts") or "").split()),
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"Connection {connection.conn_id}: {error.message}", advice=error.advice) from error
    except ValueError as error:
        raise ConfigurationError(f"Connection {connection.conn_id}: {error}.") from error


def _url(connection: Any) -> str:
    host = (connection.host or "").strip()
    if not host:
        raise ConfigurationError(
            "It has no host.", advice="Set the admin node's URL, such as https://admin.example.org."
        )
    if "://" not in host:
        # Airflow's own URI form of a connection splits the address into its parts.
        host = f"{connection.schema or 'https'}://{host}"
    if connection.port and urlsplit(host).port is None:
        parts = urlsplit(host)
        host = parts._replace(netloc=f"{parts.netloc}:{connection.port}").geturl()
    return host


def _verify(extra: Mapping[str, Any]) -> bool | str:
    if str(extra.get("verify_tls", True)).lower() in {"false", "0", "no"}:
        return False
    return str(extra.get("ca_file") or "") or True
