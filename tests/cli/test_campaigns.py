"""``python -m opencast campaign``: what scripts and administrators without a browser can do with a migration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from opencast.cli.main import main
from opencast.store.campaigns import Campaigns, CampaignState
from opencast.store.database import Database
from opencast.store.ledger import Kind, Ledger, ObjectKey, State
from opencast.store.plans import Action, Item, Plans

from tests.airflow_home import ROOT

PLUGINS = ROOT / "plugins"


@pytest.fixture
def store(tmp_path: Path) -> Database:
    """A store with a campaign of two events, one of them done."""
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    ledger = Ledger(database, "https://old#org", "https://new#org")
    campaign = Campaigns(database).begin(ledger.pair_id, "summer")
    plans = Plans(database, ledger.pair_id)
    plans.begin("dag/run", {}, campaign_id=campaign.id)
    plans.add("dag/run", [Item(Kind.MEDIAPACKAGE, name, name, Action.MIGRATE, "") for name in ("a", "b")])
    ledger.finish(ObjectKey(Kind.MEDIAPACKAGE, "a", "dag/run"), State.DONE)
    return database


class Shell:
    """Runs commands over the store."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._url = f"sqlite:///{folder}/store.db"
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, list[Any], str]:
        """Return status, the JSON objects written, and what was complained about."""
        status = main(["--store", self._url, "--json", *arguments])
        written = self._capsys.readouterr()
        return status, [json.loads(line) for line in written.out.splitlines()], written.err

    def text(self, *arguments: str) -> str:
        assert main(["--store", self._url, *arguments]) == 0
        return self._capsys.readouterr().out


@pytest.fixture
def shell(store: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def state(store: Database) -> CampaignState:
    (head,) = Campaigns(store).named("summer")
    return head.state


def test_a_campaign_is_listed_with_what_it_has_reached(shell: Shell) -> None:
    _, (row,), _ = shell("campaign", "list")
    assert (row["name"], row["state"], row["done"], row["waiting"], row["percent_done"]) == (
        "summer", "running", 1, 1, 50.0
    )  # fmt: skip


def test_one_campaign_is_shown_by_kind_and_outcome(shell: Shell) -> None:
    _, (head, *tallies), _ = shell("campaign", "show", "summer")
    assert (head["source"], head["target"], head["run_keys"]) == ("https://old#org", "https://new#org", ["dag/run"])
    assert {(tally["outcome"], tally["objects"]) for tally in tallies} == {("done", 1), ("waiting", 1)}
    assert "50.0 % done" in shell.text("campaign", "show", "summer")


def test_a_campaign_is_paused_and_goes_on_by_itself(shell: Shell, store: Database) -> None:
    shell("campaign", "pause", "summer", "--reason", "the disk is full")
    assert state(store) is CampaignState.PAUSED
    _, (answer,), _ = shell("campaign", "resume", "summer")
    assert state(store) is CampaignState.RUNNING
    assert answer["goes_on_by_itself"]


def test_a_cancelled_campaign_needs_a_new_run(shell: Shell, store: Database) -> None:
    shell("campaign", "cancel", "summer")
    assert state(store) is CampaignState.CANCELLED
    assert "Trigger the DAG again with the param campaign = summer" in shell.text("campaign", "resume", "summer")


def test_limits_are_changed_one_by_one(shell: Shell, store: Database) -> None:
    shell("campaign", "limit", "summer", "--imports-in-flight", "2", "--hours", "22-6")
    _, (limits,), _ = shell("campaign", "limit", "summer", "--imports-in-flight", "")
    assert limits == {"hours": "22-6"}
    assert Campaigns(store).named("summer")[0].limits == {"hours": "22-6"}


def test_a_limit_that_cannot_be_used_changes_nothing(shell: Shell, store: Database) -> None:
    status, _, complaint = shell("campaign", "limit", "summer", "--hours", "at night")
    assert status == 1 and "hours" in complaint
    assert Campaigns(store).named("summer")[0].limits == {}


def test_an_unknown_campaign_is_an_error_with_advice(shell: Shell) -> None:
    status, _, complaint = shell("campaign", "pause", "winter")
    assert status == 1 and "no campaign 'winter'" in complaint and "campaign list" in complaint


def test_of_two_campaigns_with_one_name_the_number_says_which(shell: Shell, store: Database) -> None:
    other = Campaigns(store).begin(Ledger(store, "https://old#org", "https://third#org").pair_id, "summer")
    status, _, complaint = shell("campaign", "pause", "summer")
    assert status == 1 and f"#{other.id}" in complaint
    assert shell("campaign", "pause", f"#{other.id}")[0] == 0
    found = Campaigns(store).get(other.id)
    assert found is not None and found.state is CampaignState.PAUSED


def test_without_a_store_given_it_is_the_one_of_the_dags(store: Database, tmp_path: Path) -> None:
    """The connection says where that is, and what Airflow logs is not taken for a result."""
    connection = {"conn_type": "sqlite", "schema": f"{tmp_path}/store.db"}
    environment = {**os.environ, "AIRFLOW_CONN_OPENCAST_STORE": json.dumps(connection), "PYTHONPATH": str(PLUGINS)}
    command = [sys.executable, "-m", "opencast", "--json", "campaign", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout)["name"] == "summer"
