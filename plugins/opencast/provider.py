"""Airflow's entry point: the connection type ``opencast`` with its own fields."""

from __future__ import annotations

from typing import Any

from opencast import __version__


def get_provider_info() -> dict[str, Any]:
    """Describe this package to Airflow (entry point ``apache_airflow_provider``)."""
    return {
        "package-name": "opencast-airflow",
        "name": "Opencast",
        "description": "Migrate Opencast lecture-video servers and harvest their OAI-PMH repositories.",
        "versions": [__version__],
        "connection-types": [
            {
                "connection-type": "opencast",
                "hook-name": "Opencast",
                "hook-class-name": "opencast.hooks.opencast.OpencastHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"host": "Admin node URL", "login": "User", "password": "Password"},
                    "placeholders": {"host": "https://admin.opencast.example.org", "login": "admin"},
                },
                "conn-fields": _CONNECTION_FIELDS,
            }
        ],
    }


_CONNECTION_FIELDS: dict[str, Any] = {
    "organization": {
        "label": "Organization",
        "description": "Id of the tenant; empty: the one to which the host name belongs.",
        "schema": {"type": ["string", "null"], "default": None},
    },
    "auth": {
        "label": "Authentication",
        "description": "basic works for every account, digest for the system account only; none sends no login.",
        "schema": {"type": "string", "enum": ["basic", "digest", "none"], "default": "basic"},
    },
    "verify_tls": {
        "label": "Verify TLS",
        "description": "Check the server's certificate.",
        "schema": {"type": "boolean", "default": True},
    },
    "ca_file": {
        "label": "CA file",
        "description": "Path of a file with the accepted authorities, when they are not the system's.",
        "schema": {"type": ["string", "null"], "default": None},
    },
    "trusted_hosts": {
        "label": "Trusted hosts",
        "description": "Further addresses of this installation that may get the login, separated by blanks.",
        "schema": {"type": ["string", "null"], "default": None},
    },
    "distribution_connections": {
        "label": "Connections of distribution hosts",
        "description": "Ids of further connections of this type, separated by blanks: hosts of published files that "
        "want a login of their own. Other hosts get none.",
        "schema": {"type": ["string", "null"], "default": None},
    },
    "connect_timeout": {
        "label": "Connect time-out (s)",
        "schema": {"type": "number", "minimum": 1, "maximum": 300, "default": 10},
    },
    "read_timeout": {
        "label": "Read time-out (s)",
        "schema": {"type": "number", "minimum": 1, "maximum": 3600, "default": 60},
    },
}
