"""docker/entrypoint.sh: secrets become settings, and are seen by nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.compose import ROOT

SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY", "ADMIN_PASSWORD")
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "docker" / "entrypoint.sh"), *(command or ("env", "-0"))],
        env={"PATH": PATH, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def seen(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of the command that the entrypoint runs."""
    result = run(environment)
    assert result.returncode == 0, result.stderr
    return dict(line.split("=", 1) for line in result.stdout.split("\0") if "=" in line)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Each secret in a file."""
    for name in SECRETS:
        (tmp_path / name).write_text(f"{name.lower()} /:@ü\n")
    return {f"{name}_FILE": str(tmp_path / name) for name in SECRETS}


def test_the_addresses_of_the_databases_are_made_of_hosts_and_passwords(files: dict[str, str]) -> None:
    settings = seen(files | {"POSTGRES_HOST": "db.example.org", "POSTGRES_PORT": "5433"})
    account = "opencast:postgres_password%20%2F%3A%40%C3%BC@db.example.org:5433"
    assert settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"postgresql+psycopg2://{account}/airflow"
    assert settings["AIRFLOW_CONN_OPENCAST_STORE"] == f"postgresql://{account}/opencast"
    assert settings["AIRFLOW__CELERY__RESULT_BACKEND"] == f"db+postgresql+psycopg2://{account}/airflow"
    assert settings["AIRFLOW__CELERY__BROKER_URL"] == "redis://:redis_password%20%2F%3A%40%C3%BC@redis:6379/0"


def test_keys_are_handed_on_as_they_are(files: dict[str, str]) -> None:
    settings = seen(files)
    assert settings["AIRFLOW__CORE__FERNET_KEY"] == "fernet_key /:@ü"
    assert settings["AIRFLOW__API_AUTH__JWT_SECRET"] == "jwt_secret /:@ü"
    assert settings["AIRFLOW__API__SECRET_KEY"] == "api_secret_key /:@ü"


def test_no_secret_is_left_under_its_own_name(files: dict[str, str]) -> None:
    settings = seen(files)
    assert not {*SECRETS, *files} & settings.keys()


def test_secrets_may_come_from_the_environment_instead(files: dict[str, str]) -> None:
    settings = seen({name: "x" for name in SECRETS})
    assert settings["AIRFLOW__CORE__FERNET_KEY"] == "x"


def test_a_secret_that_is_missing_is_named(files: dict[str, str]) -> None:
    missing = {name: path for name, path in files.items() if not name.startswith("JWT")}
    result = run(missing)
    assert result.returncode != 0 and "JWT_SECRET" in result.stderr
    result = run(missing | {"JWT_SECRET_FILE": "/nowhere"})
    assert result.returncode != 0 and "/nowhere" in result.stderr


def test_connections_may_come_from_files(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "source").write_text('{"conn_type": "opencast", "password": "p"}\n')
    settings = seen(files | {"AIRFLOW_CONN_OPENCAST_SOURCE_FILE": str(tmp_path / "source")})
    assert json.loads(settings["AIRFLOW_CONN_OPENCAST_SOURCE"])["password"] == "p"
    assert "AIRFLOW_CONN_OPENCAST_SOURCE_FILE" not in settings


def test_a_store_of_its_own_may_be_given(files: dict[str, str]) -> None:
    settings = seen(files | {"AIRFLOW_CONN_OPENCAST_STORE": "postgresql://elsewhere/x"})
    assert settings["AIRFLOW_CONN_OPENCAST_STORE"] == "postgresql://elsewhere/x"


def test_who_gives_airflows_own_settings_needs_no_secrets_of_the_compose_file() -> None:
    """As the Helm chart does."""
    settings = seen({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://elsewhere/airflow"})
    assert settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql://elsewhere/airflow"
    assert "AIRFLOW__CORE__FERNET_KEY" not in settings


def test_the_administrators_password_is_in_a_file_of_its_own(files: dict[str, str], tmp_path: Path) -> None:
    passwords = tmp_path / "passwords.json"
    seen(files | {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords)})
    assert json.loads(passwords.read_text()) == {"admin": "admin_password /:@ü"}
    assert passwords.stat().st_mode & 0o777 == 0o600


def test_the_command_replaces_the_shell_and_keeps_its_arguments(files: dict[str, str]) -> None:
    result = run(files, "python", "-c", "import sys; print(sys.argv[1:])", "a b", "$HOME")
    assert result.stdout.strip() == "['a b', '$HOME']"
