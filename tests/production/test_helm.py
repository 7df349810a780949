"""The values for the Helm chart say what the compose file says."""

from __future__ import annotations

import re
from typing import Any

import yaml

from scripts.compose import ROOT, ComposeFile

VALUES: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "helm-values.yaml").read_text())
ENVIRONMENT = {variable["name"]: variable["value"] for variable in VALUES["env"]}
COMPOSE = ComposeFile().service("airflow-init").environment
SERVICES = ComposeFile().document["services"]

#: What the chart sets by itself: the executor, where the API server is, its ports, the scheduler's health check.
BY_THE_CHART = {
    "AIRFLOW_HOME",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__API__HOST",
    "AIRFLOW__API__PORT",
    "AIRFLOW__API__WORKERS",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
}
#: What a cluster has and one machine has not, and the other way round.
OTHERWISE = {"AIRFLOW__API__BASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "AIRFLOW__CORE__AUTH_MANAGER"}
ONLY_COMPOSE = re.compile(r"(POSTGRES_|REDIS_|AIRFLOW__CELERY__).*|.*(?<!PASSWORDS)_FILE")


def test_every_setting_has_the_value_of_the_compose_file() -> None:
    shared = ENVIRONMENT.keys() - OTHERWISE
    assert {name: ENVIRONMENT[name] for name in shared} == {name: COMPOSE[name] for name in shared}


def test_no_setting_of_the_compose_file_is_forgotten() -> None:
    wanted = {name for name in COMPOSE if not ONLY_COMPOSE.fullmatch(name)}
    assert wanted - BY_THE_CHART <= ENVIRONMENT.keys()


def test_values_are_texts_because_kubernetes_takes_nothing_else() -> None:
    assert {type(value) for value in ENVIRONMENT.values()} == {str}


def test_the_executor_is_kubernetes_and_its_provider_is_pinned() -> None:
    assert VALUES["executor"] == "KubernetesExecutor"
    (provider,) = re.findall(
        r"^apache-airflow-providers-cncf-kubernetes==.+$",
        (ROOT / "requirements-kubernetes.txt").read_text(),
        re.MULTILINE,
    )
    assert provider in (ROOT / "constraints.txt").read_text().splitlines()


def test_it_is_the_airflow_that_the_image_holds() -> None:
    assert f"apache-airflow=={VALUES['airflowVersion']}" in (ROOT / "constraints.txt").read_text().splitlines()


def test_secrets_are_named_and_not_written_down() -> None:
    for name in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"):
        assert VALUES[name]
    assert VALUES["data"].keys() == {"metadataSecretName"}
    assert {entry["envName"] for entry in VALUES["secret"]} == {"AIRFLOW_CONN_OPENCAST_STORE", "ADMIN_PASSWORD"}
    assert not [name for name in ENVIRONMENT if re.search(r"PASSWORD$|SECRET|FERNET|ALCHEMY|^AIRFLOW_CONN", name)]


def test_nothing_runs_as_root_and_the_account_is_the_one_of_the_image() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    assert f"USER {VALUES['uid']}:{VALUES['gid']}" in dockerfile
    pod, container = VALUES["securityContexts"]["pod"], VALUES["securityContexts"]["container"]
    assert pod["runAsNonRoot"] and pod["runAsUser"] == VALUES["uid"]
    assert container == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_every_pod_has_the_one_mount_of_the_compose_file() -> None:
    (volume,), (mount,) = VALUES["volumes"], VALUES["volumeMounts"]
    assert volume["name"] == mount["name"]
    mounted = [volume.rpartition(":")[2] for volume in SERVICES["airflow-scheduler"]["volumes"]]
    assert mount["mountPath"] in mounted


def test_every_component_has_limits() -> None:
    for name in ("apiServer", "scheduler", "dagProcessor", "triggerer", "workers"):
        assert VALUES[name]["resources"]["limits"].keys() == {"cpu", "memory"}


def test_the_first_job_does_what_the_compose_file_does_first() -> None:
    assert VALUES["migrateDatabaseJob"]["args"] == SERVICES["airflow-init"]["command"]
