"""The whole production set-up on one machine: PostgreSQL, Redis, two Celery workers, every component apart."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.production_server import Production
from scripts.services import missing
from tests.production.receivers import Collector, Mailbox, collector, mailbox

#: Airflow's own patience with what was lost, shortened from minutes.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    # Only the scheduler that has started a task looks after it: a new one has to take over first.
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    # 4 seconds: every run takes longer.
    "OPENCAST_NOTIFY_AFTER_HOURS": "0.001",
}


@pytest.fixture(scope="session")
def metrics() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(scope="session")
def mails() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture(scope="session")
def server(metrics: Collector, mails: Mailbox) -> Iterator[Production]:
    """The set-up with two Celery workers, and the demo's two simulated Opencasts."""
    if missing():
        pytest.skip(f"needs the packages {', '.join(missing())}")
    folder = Path(tempfile.mkdtemp(prefix="opencast-production-"))
    # PostgreSQL runs under an account of its own.
    folder.chmod(0o755)
    variables = {
        "AIRFLOW_OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{metrics.port}",
        "OPENCAST_NOTIFY_MAIL": "video-team@example.org",
    }
    smtp = f"smtp://127.0.0.1:{mails.port}/?disable_ssl=True&disable_tls=True&from_email=airflow%40example.org"
    server = Production(folder, 2, variables, IMPATIENT | {"AIRFLOW_CONN_SMTP_DEFAULT": smtp})
    try:
        server.start()
        server.log_in()
        server.start_simulators()
        server.wait_for_dag("opencast_migrate")
        yield server
    finally:
        server.end()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
