"""The connection type: its fields become a server, and its Test button says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import Connection
from opencast.errors import ConfigurationError
from opencast.hooks.opencast import OpencastHook, server_of
from opencast.provider import get_provider_info

from tests.simulator import Simulator, User


def connection(**fields: Any) -> Connection:
    values = {"conn_id": "c", "conn_type": "opencast", "host": "https://admin.example.org", "login": "admin"}
    extra = fields.pop("extra", {})
    return Connection(**{**values, "password": "pw", **fields}, extra=json.dumps(extra))


def test_all_fields_of_the_form_become_a_server() -> None:
    server = server_of(
        connection(
            extra={
                "organization": "tenant2",
                "auth": "digest",
                "ca_file": "/etc/ssl/ca.pem",
                "trusted_hosts": "https://static.example.org",
                "connect_timeout": 5,
                "read_timeout": 300,
            }
        )
    )
    assert (server.url, server.username, server.password) == ("https://admin.example.org", "admin", "pw")
    assert (server.organization, server.auth, server.verify_tls) == ("tenant2", "digest", "/etc/ssl/ca.pem")
    assert (server.connect_timeout, server.read_timeout) == (5.0, 300.0)
    assert server.trusts("https://static.example.org/x")


def test_tls_checks_can_be_switched_off() -> None:
    assert server_of(connection(extra={"verify_tls": False})).verify_tls is False
    assert server_of(connection()).verify_tls is True


def test_host_schema_and_port_may_be_given_apart() -> None:
    assert server_of(connection(host="oc.example.org", schema="http", port=8080)).url == "http://oc.example.org:8080"


@pytest.mark.parametrize("fields", [{"host": ""}, {"host": "ftp://x"}, {"extra": {"auth": "kerberos"}}])
def test_a_field_that_cannot_be_used_names_the_connection(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="Connection c: "):
        server_of(connection(**fields))


def test_the_password_is_not_shown() -> None:
    assert "pw" not in repr(server_of(connection(password="pw")))


def _set(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator, login: str = "admin", password: str = "opencast"
) -> None:
    value = {"conn_type": "opencast", "host": simulator.url, "login": login, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_OPENCAST_SOURCE", json.dumps(value))


def test_the_test_button_says_who_and_what(
    monkeypatch: pytest.MonkeyPatch, simulators: Callable[..., Simulator]
) -> None:
    _set(monkeypatch, simulators(library="empty"))
    good, message = OpencastHook("opencast_source").test_connection()
    assert good
    assert message == "Logged in as admin on Opencast 17.0.0.SNAPSHOT, organization mh_default_org."


def test_a_distribution_host_has_a_connection_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {"SOURCE": ("admin", "media cdn"), "MEDIA": ("reader", ""), "CDN": ("", "")}
    for name, (login, names) in hosts.items():
        extra = {"distribution_connections": names, "auth": "basic" if login else "none"}
        value = {
            "conn_type": "opencast",
            "host": f"https://{name.lower().replace('_', '-')}.example.org",
            "login": login,
            "extra": extra,
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({**value, "password": f"pw-{name}"}))
    server = OpencastHook("source").server()
    held = [server.holder(f"https://{name}.example.org/x") for name in ("media", "cdn", "source", "else")]
    assert [(one.username, one.auth) for one in held] == [
        ("reader", "basic"), ("", "none"), ("admin", "basic"), ("admin", "basic")
    ]  # fmt: skip
    assert not server.trusts("https://media.example.org/x")


def test_the_test_button_names_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch, simulators: Callable[..., Simulator]
) -> None:
    _set(monkeypatch, simulators(library="empty"), password="wrong")
    good, message = OpencastHook("opencast_source").test_connection()
    assert not good
    assert "Check login and password" in message


def test_the_test_button_refuses_who_is_no_administrator(
    monkeypatch: pytest.MonkeyPatch, simulators: Callable[..., Simulator]
) -> None:
    _set(monkeypatch, simulators(library="empty", users=(User("alice", "pw"),)), "alice", "pw")
    good, message = OpencastHook("opencast_source").test_connection()
    assert not good
    assert "no administrator" in message


def test_the_provider_names_this_hook_and_every_field_that_it_reads() -> None:
    kind = get_provider_info()["connection-types"][0]
    assert kind["hook-class-name"] == f"{OpencastHook.__module__}.{OpencastHook.__qualname__}"
    assert kind["connection-type"] == OpencastHook.conn_type
    assert set(kind["conn-fields"]) == {
        "organization", "auth", "verify_tls", "ca_file", "trusted_hosts", "distribution_connections",
        "connect_timeout", "read_timeout",
    }  # fmt: skip


def test_airflow_knows_the_connection_type() -> None:
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    assert "opencast" in ProvidersManagerTaskRuntime().hooks  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
