"""The gate before the target: what is changed in the store takes effect with the next import."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opencast.errors import CampaignClosed
from opencast.migration.gate import Gate
from opencast.migration.options import Options
from opencast.store.campaigns import Campaigns, CampaignState
from opencast.store.database import Database
from opencast.store.ledger import Ledger
from opencast.store.pace import TargetPaces
from opencast.store.plans import Plans

KEY = "dag/run"
NOON = datetime(2024, 6, 3, 12, 0, tzinfo=UTC)


class Situation:
    """A run of a campaign before the gate."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder}/store.db")
        self.database.upgrade()
        self.campaigns = Campaigns(self.database)
        self.paces = TargetPaces(self.database)
        pair_id = Ledger(self.database, "source", "target").pair_id
        self.campaign = self.campaigns.begin(pair_id, "summer")
        Plans(self.database, pair_id).begin(KEY, {}, campaign_id=self.campaign.id)
        self.workflows = 0
        self.asked = 0

    def gate(self, key: str = KEY, target: str = "target", **params: Any) -> Gate:
        def count() -> int:
            self.asked += 1
            return self.workflows

        options = Options.from_params(params)
        return Gate(self.campaigns, self.paces, key, options, target, count, now=lambda: NOON)


@pytest.fixture
def situation(tmp_path: Path) -> Situation:
    return Situation(tmp_path)


def test_a_running_campaign_gets_as_many_slots_as_its_limit_says(situation: Situation) -> None:
    assert situation.gate(imports_in_flight=5).opening().slots == 5


def test_a_changed_limit_takes_effect_at_once(situation: Situation) -> None:
    gate = situation.gate(imports_in_flight=5)
    situation.campaigns.set_limits(situation.campaign.id, {"imports_in_flight": 1})
    assert gate.opening().slots == 1


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.CANCELLED])
def test_nothing_begins_in_a_campaign_that_is_held(situation: Situation, state: CampaignState) -> None:
    gate = situation.gate()
    situation.campaigns.set_state(situation.campaign.id, state)
    assert gate.opening().slots == 0
    assert state.value in gate.opening().reason
    situation.campaigns.set_state(situation.campaign.id, CampaignState.RUNNING)
    assert gate.opening().slots == 8


def test_what_waits_is_given_up_when_the_campaign_is_cancelled_but_not_when_it_is_paused(situation: Situation) -> None:
    gate = situation.gate()
    situation.campaigns.set_state(situation.campaign.id, CampaignState.PAUSED)
    gate.require_open()
    situation.campaigns.set_state(situation.campaign.id, CampaignState.CANCELLED, "the disk is full")
    assert gate.is_closed()
    with pytest.raises(CampaignClosed, match="summer was cancelled: the disk is full"):
        gate.require_open()


def test_nothing_begins_outside_of_the_hours(situation: Situation) -> None:
    opening = situation.gate(hours="22:00-06:00", timezone="Europe/Berlin").opening()
    assert opening.slots == 0
    assert "next at 2024-06-03 22:00" in opening.reason
    assert situation.gate(hours="14:00-15:00", timezone="Europe/Berlin").opening().slots == 8


def test_a_target_in_trouble_gets_fewer(situation: Situation) -> None:
    situation.paces.slow_down("target", 8, "HTTP 503")
    opening = situation.gate().opening()
    assert opening.slots == 4
    assert "HTTP 503" in opening.reason


def test_the_targets_own_count_of_workflows_holds_imports_back(situation: Situation) -> None:
    situation.workflows = 10
    assert situation.gate(target="busy", workflows_on_target=10).opening().slots == 0
    assert situation.gate(target="free", workflows_on_target=11).opening().slots == 8


def test_the_target_is_not_asked_for_each_import(situation: Situation) -> None:
    for _ in range(5):
        situation.gate(target="asked once", workflows_on_target=10).opening()
    assert situation.asked == 1


def test_the_target_is_not_asked_without_such_a_limit(situation: Situation) -> None:
    situation.gate().opening()
    assert situation.asked == 0


def test_a_run_without_campaign_keeps_to_its_params(situation: Situation) -> None:
    gate = situation.gate("another/run", imports_in_flight=3)
    gate.require_open()
    assert gate.opening().slots == 3
