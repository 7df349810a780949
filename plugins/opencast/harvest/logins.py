"""Log in to repositories: the login is in an Airflow connection, and goes to that connection's host only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from opencast.errors import ConfigurationError
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.endpoint import Endpoint
from opencast.store.harvesting import Repository

#: Airflow's own way to give connections by environment variables.
_VARIABLE = "AIRFLOW_CONN_"


@dataclass(frozen=True)
class Login:
    """What a connection says.

    :param connection_id: for messages.
    :param host: the only host that the login may go to; empty: that of the repository.
    :param extra: ``auth`` (``basic`` or ``digest``), ``verify_tls``, ``ca_file``, time-outs in seconds.
    """

    connection_id: str
    username: str
    password: str = field(repr=False)
    host: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def login_of(connection: Any) -> Login:
    """Read an Airflow connection."""
    return Login(
        connection_id=connection.conn_id,
        username=connection.login or "",
        password=connection.password or "",
        host=connection.host or "",
        extra=connection.extra_dejson or {},
    )


def login_from_environment(connection_id: str) -> Login:
    """Read a connection where there is no Airflow: from ``AIRFLOW_CONN_<ID>``, as JSON or as a URI.

    :raises ConfigurationError: there is no such variable, or it cannot be read; its value is not shown.
    """
    variable = _VARIABLE + connection_id.upper()
    text = os.environ.get(variable, "").strip()
    if not text:
        raise ConfigurationError(
            f"There is no connection {connection_id!r}.", advice=f"Set the environment variable {variable}."
        )
    try:
        return _from_json(connection_id, json.loads(text)) if text.startswith("{") else _from_uri(connection_id, text)
    except (ValueError, TypeError, AttributeError):
        raise ConfigurationError(f"The environment variable {variable} holds no connection.") from None


def _from_json(connection_id: str, values: dict[str, Any]) -> Login:
    extra = values.get("extra") or {}
    return Login(
        connection_id,
        values.get("login") or "",
        values.get("password") or "",
        values.get("host") or "",
        json.loads(extra) if isinstance(extra, str) else extra,
    )


def _from_uri(connection_id: str, text: str) -> Login:
    parts = urlsplit(text)
    extra = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    host = unquote(parts.hostname or "")
    return Login(connection_id, unquote(parts.username or ""), unquote(parts.password or ""), host, extra)


def endpoint(repository: Repository, login: Login | None = None, **more: Any) -> Endpoint:
    """Give the address of a repository together with its login.

    :param more: further values of :class:`~opencast.harvest.endpoint.Endpoint`.
    :raises ConfigurationError: a value that cannot be used, or a login that belongs to another host.
    """
    values: dict[str, Any] = {"url": repository.url, "http_method": repository.http_method, **more}
    if login is None:
        return Endpoint(**values)
    _check_host(repository, login)
    extra = login.extra
    try:
        values |= {
            "username": login.username,
            "password": login.password,
            "auth": extra.get("auth") or ("basic" if login.username else "none"),
            "verify_tls": _verification(extra),
            "connect_timeout": float(extra.get("connect_timeout") or 10),
            "read_timeout": float(extra.get("read_timeout") or 120),
        }
    except ValueError as error:
        raise ConfigurationError(f"Connection {login.connection_id}: {error}.") from error
    return Endpoint(**values)


def _check_host(repository: Repository, login: Login) -> None:
    """Refuse to send a login to another host: whoever may edit repositories may not see passwords."""
    own = login.host.strip()
    if not own:
        return
    host = urlsplit(own if "://" in own else f"//{own}").hostname
    there = urlsplit(repository.url).hostname
    if host != there:
        raise ConfigurationError(
            f"Connection {login.connection_id} belongs to {host}, and the repository {repository.name} is on {there}.",
            advice="Give the repository a connection of its own.",
        )


def _verification(extra: Mapping[str, Any]) -> bool | str:
    if str(extra.get("verify_tls", True)).lower() in {"false", "0", "no"}:
        return False
    return str(extra.get("ca_file") or "") or True


def client_for_repository(repository: Repository, login: Login | None = None, **more: Any) -> OaiPmhClient:
    """Give a sickle client that is ready for a repository: address, login, method.

    :param login: needed when the repository has a connection.
    :param more: further values of :class:`~opencast.harvest.endpoint.Endpoint`.
    """
    return OaiPmhClient(endpoint(repository, login, **more))
