"""The compose file: valid, safe by default, and what scripts/production.py starts without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opencast.settings import Settings

from scripts.compose import AIRFLOW_SERVICES, FILE, ROOT, ComposeFile, Places

COMPOSE = ComposeFile()
SERVICES: dict[str, Any] = COMPOSE.document["services"]
DAEMONS = ("airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "airflow-worker")
PORTS = {"api": 1, "postgres": 2, "redis": 3, "health": 4, "source": 5, "target": 6}


def test_it_is_valid_by_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_component_of_airflow_is_a_service_of_its_own() -> None:
    commands = {name: COMPOSE.service(name).command for name in DAEMONS}
    assert {name: command[1] for name, command in commands.items()} == {
        "airflow-apiserver": "api-server",
        "airflow-scheduler": "scheduler",
        "airflow-dag-processor": "dag-processor",
        "airflow-triggerer": "triggerer",
        "airflow-worker": "celery",
    }


def test_all_of_them_have_the_same_settings() -> None:
    first = COMPOSE.service("airflow-init").environment
    for name in DAEMONS:
        assert COMPOSE.service(name).environment == first


def test_without_profiles_it_is_the_local_executor_and_postgresql() -> None:
    default = {name for name in SERVICES if not COMPOSE.service(name).profiles}
    assert default == {"postgres", "airflow-init", *DAEMONS} - {"airflow-worker"}
    assert COMPOSE.service("airflow-scheduler").environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_the_profile_celery_brings_redis_and_any_number_of_workers() -> None:
    assert {name for name in SERVICES if "celery" in COMPOSE.service(name).profiles} == {"redis", "airflow-worker"}
    executor = ComposeFile({"AIRFLOW_EXECUTOR": "CeleryExecutor"}).service("airflow-worker").environment
    assert executor["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    # What only one container can have keeps others from being started.
    assert not {"container_name", "hostname", "ports"} & SERVICES["airflow-worker"].keys()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_limits_rotated_logs_and_no_new_privileges(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert limits["cpus"] and limits["memory"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", AIRFLOW_SERVICES)
def test_nothing_of_the_image_runs_as_root(name: str) -> None:
    assert not COMPOSE.value(SERVICES[name]["user"]).startswith(("0", "root"))
    assert SERVICES[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["postgres", "redis", *DAEMONS])
def test_every_service_that_stays_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", DAEMONS)
def test_no_component_starts_before_the_tables_are_there(name: str) -> None:
    assert COMPOSE.service(name).ready["airflow-init"] == "service_completed_successfully"
    assert COMPOSE.service("airflow-init").ready["postgres"] == "service_healthy"


def test_only_the_web_interface_is_reachable_and_only_from_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.keys() == {"airflow-apiserver"}
    assert COMPOSE.value(ports["airflow-apiserver"][0]) == "127.0.0.1:8080:8080"


@pytest.mark.parametrize("name", DAEMONS)
def test_source_staging_and_target_are_one_mount(name: str) -> None:
    """Hard links cannot cross two mounts, even of one disk."""
    mounts = [COMPOSE.value(volume).split(":")[1] for volume in SERVICES[name]["volumes"]]
    assert [mount for mount in mounts if mount.startswith("/srv")] == ["/srv/opencast"]
    environment = COMPOSE.service(name).environment
    assert environment["OPENCAST_STAGING_FOLDER"].startswith("/srv/opencast/")
    assert environment["OPENCAST_REPORT_FOLDER"].startswith("/srv/opencast/")


def test_images_are_pinned() -> None:
    images = {COMPOSE.value(service["image"]) for service in SERVICES.values()}
    assert all(re.search(r":\d+\.?\d*", image) for image in images), images


def test_no_secret_is_written_into_the_file() -> None:
    for name in AIRFLOW_SERVICES:
        for variable, value in COMPOSE.service(name).environment.items():
            if re.search(r"PASSWORD|SECRET|FERNET", variable) and not variable.endswith("PASSWORDS_FILE"):
                assert value.startswith("/run/secrets/"), variable


def test_every_secret_is_made_by_the_script_and_mounted_where_it_is_read(tmp_path: Path) -> None:
    subprocess.run([ROOT / "docker" / "make-secrets.sh", tmp_path / "s"], check=True, capture_output=True)
    made = {path.name for path in (tmp_path / "s").iterdir()}
    assert made == COMPOSE.document["secrets"].keys() == set(SERVICES["airflow-init"]["secrets"])
    environment = COMPOSE.service("airflow-init").environment
    read = {value.rpartition("/")[2] for value in environment.values() if value.startswith("/run/secrets/")}
    assert read == made
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "s").iterdir()} == {0o600}


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    for _ in range(2):
        subprocess.run([ROOT / "docker" / "make-secrets.sh", tmp_path / "s"], check=True, capture_output=True)
        (tmp_path / "s" / "jwt_secret").write_text("mine")
    assert (tmp_path / "s" / "jwt_secret").read_text() == "mine"


def test_the_example_of_the_environment_names_what_the_file_knows() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {match[1] for line in lines if (match := re.match(r"#? ?([A-Z_]+)=", line))}
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    assert named - {"COMPOSE_PROFILES"} <= used


def test_every_setting_of_the_package_exists() -> None:
    environment = COMPOSE.service("airflow-init").environment
    own = {name.removeprefix("OPENCAST_").lower() for name in environment if name.startswith("OPENCAST_")}
    assert own <= Settings.model_fields.keys()


def test_every_setting_of_airflow_exists() -> None:
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    providers = ProvidersManager()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
    providers.initialize_providers_configuration()
    known = conf.configuration_description
    unknown = []
    for name in COMPOSE.service("airflow-init").environment:
        if name.startswith("AIRFLOW__"):
            _, section, option = name.split("__")
            if option.lower() not in known.get(section.lower(), {}).get("options", {}):
                unknown.append(name)
    assert unknown == []


def test_the_image_has_everything_where_the_settings_look_for_it() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    environment = COMPOSE.service("airflow-init").environment
    assert "WORKDIR /opt/opencast-airflow" in text
    for folder in ("dags", "plugins", "include", "docker"):
        assert f"COPY {folder} ./{folder}" in text
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == "/opt/opencast-airflow/dags"
    assert environment["AIRFLOW__CORE__PLUGINS_FOLDER"] == "/opt/opencast-airflow/plugins"
    assert "ARG REQUIREMENTS=requirements-production.txt" in text and '-r "$REQUIREMENTS" -c constraints.txt' in text
    assert re.search(r"^USER \d{4,}:0$", text, re.MULTILINE)


class TestWithoutDocker:
    """scripts/production.py runs this file's services, translated to one machine."""

    places = Places(Path("/somewhere/.production"), PORTS)

    @pytest.mark.parametrize("name", ["airflow-init", *DAEMONS])
    def test_the_settings_are_those_of_the_file_but_for_addresses(self, name: str) -> None:
        service = COMPOSE.service(name)
        used = self.places.environment(service)
        different = {
            variable
            for variable, value in service.environment.items()
            if used[variable] != self.places.translated(value)
        }
        assert different <= self.places.overrides().keys()
        assert all("HOST" in v or "PORT" in v or "BASE_URL" in v for v in self.places.overrides())

    @pytest.mark.parametrize("name", AIRFLOW_SERVICES)
    def test_no_name_or_folder_of_a_container_is_left(self, name: str) -> None:
        service = COMPOSE.service(name)
        used = {variable: self.places.environment(service)[variable] for variable in service.environment}
        text = "\n".join([*self.places.command(service), *(f"{key}={value}" for key, value in used.items())])
        for inside in ("/opt/airflow", "/opt/opencast-airflow", "/srv/", "/run/secrets", "airflow-apiserver:"):
            assert inside not in text

    def test_nothing_listens_for_other_machines(self) -> None:
        used = self.places.environment(COMPOSE.service("airflow-apiserver"))
        assert used["AIRFLOW__API__HOST"] == "127.0.0.1"
        for name in ("airflow-scheduler", "airflow-triggerer", "airflow-worker"):
            # Their servers of log files would listen on every address.
            assert "--skip-serve-logs" in COMPOSE.service(name).command


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "1"),
        ("${B:-2}", "2"),
        ("${A:-2}", "1"),
        ("${B}", ""),
        ("$${HOSTNAME}", "${HOSTNAME}"),
        ("x:${A}:y", "x:1:y"),
    ],
)
def test_variables_are_replaced_as_compose_does(text: str, value: str) -> None:
    assert ComposeFile({"A": "1"}).value(text) == value
