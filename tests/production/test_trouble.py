"""A back-fill of two months while a worker, the scheduler and the database are lost: the end is the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.production_server import Production
from tests.simulator import Library, Settings, Simulator

pytestmark = pytest.mark.timeout(1200)

BY_MONTH = "opencast_migrate_by_creation_month"
MIGRATE = "opencast_migrate"
MONTHS = ("2016-03", "2016-04")
#: Four events were created in each month of the generated library.
EVENTS = 480
PARAMS = {"source": "trouble_source", "target": "trouble_target", "campaign": "decade"}


class Story:
    """What happened, for the tests below."""

    def __init__(self, server: Production, source: Simulator, target: Simulator) -> None:
        self.server = server
        self.source = source
        self.target = target
        self.second_run = ""
        self.created_in_months = self._created()

    def _created(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {month: set() for month in MONTHS}
        for event in self.source.state.event_index.all():
            found.get(f"{event.created:%Y-%m}", set()).add(event.identifier)
        return found

    def tasks(self, task_id: str, states: set[str]) -> list[dict[str, Any]]:
        """Return the task instances of all runs of the back-fill."""
        runs = self.server.runs(BY_MONTH)
        tasks = [task for run in runs for task in self.server.tasks(BY_MONTH, run["dag_run_id"])]
        return [task for task in tasks if task["task_id"] == task_id and task["state"] in states]

    def wait(self, found: Callable[[], Any], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < deadline, "it took too long"
            # A component may notice only now that the database was away, and end.
            self.server.revive()
            time.sleep(0.5)

    def runs_have_ended(self) -> bool:
        """Tell whether all runs have ended; a run starts the next one of its chain before it ends."""
        return not any(run["state"] in {"queued", "running"} for run in self.server.runs(BY_MONTH))

    def lose_everything(self) -> None:
        """Kill a worker at work and the scheduler, stop the database for a while, and let all of it come back."""
        self.wait(lambda: self.tasks("migrate_mediapackage", {"running"}), 300)
        self.server.kill("airflow-worker-1", "airflow-scheduler")
        self.server.stop_database()
        time.sleep(10)
        self.server.start_database()
        self.server.revive()


@pytest.fixture(scope="module")
def story(server: Production, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Back-fill two months, lose a worker, the scheduler and the database meanwhile, and wait for the end."""
    folder: Path = tmp_path_factory.mktemp("trouble")
    library = Library("generated", EVENTS, 1000, lazy=True)
    with (
        Simulator(folder / "source", library) as source,
        Simulator(folder / "target", Library("empty"), Settings(operation_seconds=0.5)) as target,
    ):
        for name, simulator in (("trouble_source", source), ("trouble_target", target)):
            account = {"login": "admin", "password": "opencast", "extra": json.dumps({"auth": "basic"})}
            server.set_connection({
                "connection_id": name, "conn_type": "opencast", "host": simulator.url, **account
            })  # fmt: skip
        server.wait_for_dag(BY_MONTH)
        server.pause(BY_MONTH, paused=False)
        server.airflow(
            "backfill", "create", "--dag-id", BY_MONTH, "--from-date", "2016-03-01", "--to-date", "2016-04-30",
            "--run-backwards", "--max-active-runs", "2", "--dag-run-conf", json.dumps(PARAMS),
        )  # fmt: skip
        story = Story(server, source, target)
        story.lose_everything()
        both = {"created_from": "2016-03-01", "created_to": "2016-05-01"}
        story.second_run = server.trigger(MIGRATE, {**PARAMS, **both, "campaign": "somebody else's", "wave_size": 2})
        story.wait(story.runs_have_ended, 600)
        yield story
        server.pause(BY_MONTH, paused=True)


def test_every_run_of_the_back_fill_ends_well(story: Story) -> None:
    runs = story.server.runs(BY_MONTH)
    assert {run["state"] for run in runs} == {"success"}
    assert len(runs) == len(MONTHS)
    assert sorted(run["partition_key"] for run in runs if run["run_type"] == "backfill") == list(MONTHS)


def test_no_run_has_started_by_itself(story: Story) -> None:
    assert {run["run_type"] for run in story.server.runs(BY_MONTH)} == {"backfill"}


def test_the_target_holds_what_was_created_in_these_months_and_nothing_else(story: Story) -> None:
    wanted = set().union(*story.created_in_months.values())
    assert len(wanted) >= 8
    assert {event.identifier for event in story.target.state.event_index.all()} == wanted


def test_tasks_were_lost_and_repeated(story: Story) -> None:
    """Without that the tests here would show nothing."""
    assert [task for task in story.tasks("migrate_mediapackage", {"success"}) if task["try_number"] > 1]


def test_no_import_was_made_twice(story: Story) -> None:
    for event in story.target.state.event_index.all():
        runs = [workflow.title for workflow in story.target.state.workflows_of(event.identifier)]
        assert len(runs) == len(set(runs)) == len(event.channels) + 1, runs
        # The archive run makes two of them, as without any trouble.
        assert [snapshot.version for snapshot in story.target.state.events[event.identifier].snapshots] == [0, 1]


def test_a_second_campaign_over_the_same_months_says_who_is_at_work(story: Story) -> None:
    assert story.server.wait_for_run(MIGRATE, story.second_run, timeout=300) == "success"
    tasks = story.server.tasks(MIGRATE, story.second_run)
    assert [task for task in tasks if task["task_id"] == "migrate_mediapackage" and task["map_index"] >= 0] == []
    reports = story.server.report(MIGRATE, story.second_run)
    reasons = {line["reason"] for line in reports["objects"] if line["kind"] == "mediapackage"}
    assert any("the campaign decade is working on it" in reason for reason in reasons), reasons


def test_a_repeated_partition_finds_everything_done(story: Story) -> None:
    story.target.requests.clear()
    run_id = story.server.trigger(BY_MONTH, PARAMS, partition_key=MONTHS[0])
    assert story.server.wait_for_run(BY_MONTH, run_id, timeout=300) == "success"
    assert [task for task in story.server.tasks(BY_MONTH, run_id) if task["map_index"] >= 0] == []
    report = story.server.report(BY_MONTH, run_id)
    assert report["totals"]["outcomes"].keys() <= {"skipped", "cannot"}
    writes = [exchange for exchange in story.target.requests.all() if exchange.method not in {"GET", "HEAD"}]
    # The check before a run sends one small file and removes it.
    assert [exchange.path for exchange in writes if not exchange.path.startswith("/files/")] == []


def test_the_campaign_is_one_picture_of_all_its_runs(story: Story) -> None:
    picture = story.server.opencast("campaign", "show", "decade")
    assert picture[0]["percent_done"] == 100.0
    # The repeated partition is a run of the campaign, too.
    assert len(picture[0]["run_keys"]) == len(MONTHS) + 1
    (tally,) = [row for row in picture[1:] if row["kind"] == "mediapackage" and row["outcome"] == "done"]
    assert tally["objects"] == sum(map(len, story.created_in_months.values()))
