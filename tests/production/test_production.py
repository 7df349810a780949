"""The demo on the production set-up: healthy, shared by the workers, observed from outside, without a leaked secret."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from scripts.production import MIGRATE
from scripts.production_server import Production
from tests.production.receivers import Collector, Mailbox

pytestmark = pytest.mark.timeout(900)


def until(found: Callable[[], bool], seconds: float = 120) -> bool:
    """Wait until something is so, and tell whether it came to that."""
    deadline = time.monotonic() + seconds
    while not found() and time.monotonic() < deadline:
        time.sleep(0.5)
    return found()


def text(mail: EmailMessage) -> str:
    return "".join(str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text")


@pytest.fixture(scope="module")
def mistake(server: Production) -> str:
    """Trigger a run that fails, after the demo's, and return its id."""
    server.run_once("demo")
    return server.trigger(MIGRATE, {"created_from": "2024-02-31"})


@pytest.fixture(scope="module")
def demo(server: Production, mistake: str) -> str:
    """Wait for the end of the demo's migration, and return the run's id."""
    run_id = server.first_run(MIGRATE)
    assert server.wait_for_run(MIGRATE, run_id, timeout=600) == "success"
    return run_id


def test_every_component_is_healthy(server: Production) -> None:
    health = server.components_health()
    assert {health[name] for name in ("metadatabase", "scheduler", "triggerer", "dag_processor")} == {"healthy"}


@pytest.mark.parametrize(
    "name", ["airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer", "airflow-worker-2"]
)
def test_its_health_check_says_so(server: Production, name: str) -> None:
    """The command of the compose file, in the environment of the container: no entrypoint has run for it."""
    done = server.check(name)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]


def test_the_demo_migrates_the_library_in_the_pool_of_the_imports(server: Production, demo: str) -> None:
    tasks = [task for task in server.tasks(MIGRATE, demo) if task["task_id"] == "migrate_mediapackage"]
    assert len(tasks) >= 9
    assert {task["pool"] for task in tasks} == {"opencast_imports"}


@pytest.mark.parametrize("number", [1, 2])
def test_each_worker_has_taken_tasks(server: Production, demo: str, number: int) -> None:
    log = server.log(f"airflow-worker-{number}").read_text(errors="replace")
    assert "execute_workload" in log and "succeeded" in log


def test_the_metrics_of_the_operators_guide_arrive(demo: str, metrics: Collector) -> None:
    wanted = {
        "opencast_airflow.scheduler.scheduler_loop_duration",
        "opencast_airflow.scheduler_heartbeat",
        "opencast_airflow.executor.open_slots",
        "opencast_airflow.pool.open_slots",
        "opencast_airflow.pool.deferred_slots",
        "opencast_airflow.ti.finish",
        "opencast_airflow.dag_processing.import_errors",
    }
    assert until(lambda: wanted <= metrics.names), wanted - metrics.names
    count, _ = metrics.histograms["opencast_airflow.scheduler.scheduler_loop_duration"]
    assert count > 0


def test_a_run_that_takes_too_long_is_told_by_mail(demo: str, mails: Mailbox) -> None:
    assert until(lambda: f"Airflow: {MIGRATE} has not ended" in mails.subjects()), mails.subjects()
    mail = next(mail for mail in mails.mails if "not ended" in str(mail["subject"]))
    assert mail["to"] == "video-team@example.org" and mail["from"] == "airflow@example.org"
    assert demo in text(mail)


def test_a_run_that_fails_is_told_by_mail(server: Production, mistake: str, mails: Mailbox) -> None:
    assert server.wait_for_run(MIGRATE, mistake, timeout=300) == "failed"
    assert until(lambda: f"Airflow: {MIGRATE} has failed" in mails.subjects()), mails.subjects()
    assert mistake in "".join(text(mail) for mail in mails.mails if "has failed" in str(mail["subject"]))


def test_secrets_are_among_the_arguments_of_no_process(server: Production) -> None:
    folder = server.secrets_folder
    arguments = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert not [path.name for path in folder.iterdir() if path.read_text() in arguments]
