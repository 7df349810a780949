"""Read docker-compose.yaml, and translate its services to processes of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.yaml"
#: Services of the package's own image.
AIRFLOW_SERVICES = (
    "airflow-init", "airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
    "airflow-worker", "opencast-source", "opencast-target", "demo",
)  # fmt: skip

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


@dataclass(frozen=True)
class Service:
    """A service as the compose file describes it, variables replaced.

    :param ready: names of the services that have to be there before, each with compose's condition.
    :param check: command that tells whether it is healthy; empty when it has none.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    profiles: frozenset[str]
    ready: Mapping[str, str]
    check: tuple[str, ...]


class ComposeFile:
    """The compose file with the values of its variables.

    :param variables: what ``.env`` or the environment would give.
    """

    def __init__(self, variables: Mapping[str, str] | None = None, path: Path = FILE) -> None:
        self._variables = dict(variables or {})
        self.document: dict[str, Any] = yaml.safe_load(path.read_text())

    def service(self, name: str) -> Service:
        """Return one service."""
        raw = self.document["services"][name]
        environment = raw.get("environment") or {}
        return Service(
            name,
            tuple(self.value(part) for part in raw.get("command") or ()),
            {key: self.value(value) for key, value in environment.items()},
            frozenset(raw.get("profiles") or ()),
            {other: condition["condition"] for other, condition in (raw.get("depends_on") or {}).items()},
            self._check(raw.get("healthcheck") or {}),
        )

    def _check(self, healthcheck: Mapping[str, Any]) -> tuple[str, ...]:
        kind, *parts = [self.value(part) for part in healthcheck.get("test") or ("NONE",)]
        if kind == "NONE":
            return ()
        return tuple(parts) if kind == "CMD" else ("sh", "-c", *parts)

    def value(self, text: Any) -> str:
        """Replace the variables of a value as compose does."""

        def found(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            return self._variables.get(match["name"]) or match["default"] or ""

        return _VARIABLE.sub(found, str(text))


@dataclass(frozen=True)
class Places:
    """Where on this machine is what the containers find at fixed places.

    :param folder: holds everything that the services write.
    :param ports: of ``api``, ``postgres``, ``redis``, ``health``, ``source`` and ``target``.
    """

    folder: Path
    ports: Mapping[str, int]

    @property
    def api(self) -> str:
        """Address of the API server."""
        return f"http://127.0.0.1:{self.ports['api']}"

    def translated(self, text: str) -> str:
        """Replace paths and host names of the containers."""
        for inside, here in self._places():
            text = text.replace(inside, here)
        return text

    def overrides(self) -> dict[str, str]:
        """Return the settings that differ from the compose file's, because one machine has one address for all."""
        return {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["api"]),
            "AIRFLOW__API__BASE_URL": self.api,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["health"]),
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.ports["postgres"]),
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(self.ports["redis"]),
        }

    def environment(self, service: Service) -> dict[str, str]:
        """Return the whole environment of a service's process."""
        own = {name: self.translated(value) for name, value in service.environment.items()}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AIRFLOW", "OPENCAST_", "POSTGRES_", "REDIS_", "PG")) and name != "PYTHONPATH"
        }
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        overrides = self.overrides() if "AIRFLOW_HOME" in own else {}
        return inherited | own | overrides | {"PYTHONUNBUFFERED": "1"}

    def check(self, service: Service) -> list[str]:
        """Return the command of a service's health check."""
        return [self.translated(part) for part in service.check]

    def command(self, service: Service) -> list[str]:
        """Return the command of a service's process."""
        return [self.translated(part) for part in service.command]

    def _places(self) -> tuple[tuple[str, str], ...]:
        return (
            ("/opt/opencast-airflow", str(ROOT)),
            ("/opt/airflow", str(self.folder / "airflow")),
            ("/srv/opencast", str(self.folder / "storage")),
            ("/run/secrets", str(self.folder / "secrets")),
            ("/srv/simulator", str(self.folder / "simulators")),
            ("http://airflow-apiserver:8080", self.api),
            ("http://localhost:8080", self.api),
            ("http://localhost:8974", f"http://127.0.0.1:{self.ports['health']}"),
            ("http://opencast-source:8080", f"http://127.0.0.1:{self.ports['source']}"),
            ("http://opencast-target:8080", f"http://127.0.0.1:{self.ports['target']}"),
        )
