"""Campaigns: one picture of all runs that belong together."""

from __future__ import annotations

from opencast.store.campaigns import Campaigns, CampaignState
from opencast.store.database import Database
from opencast.store.ledger import Kind, Ledger, ObjectKey, Outcome, State, Traffic
from opencast.store.plans import Action, Item, Plans, PlanState
from opencast.store.waves import Waves


def test_a_campaign_is_made_once_for_each_pair_and_name(store: Database) -> None:
    campaigns = Campaigns(store)
    one, two = Ledger(store, "a", "b").pair_id, Ledger(store, "a", "c").pair_id
    assert campaigns.begin(one, "summer").id == campaigns.begin(one, "summer").id
    assert campaigns.begin(one, "summer").id != campaigns.begin(two, "summer").id
    assert {head.pair_id for head in campaigns.named("summer")} == {one, two}
    assert campaigns.servers(campaigns.begin(two, "summer").id) == ("a", "c")


def test_a_campaign_that_has_ended_goes_on_with_its_next_run_but_a_paused_one_stays_paused(store: Database) -> None:
    campaigns, pair = Campaigns(store), Ledger(store, "a", "b").pair_id
    for before, after in (
        (CampaignState.ENDED, CampaignState.RUNNING),
        (CampaignState.PAUSED, CampaignState.PAUSED),
        (CampaignState.CANCELLED, CampaignState.CANCELLED),
    ):
        campaigns.set_state(campaigns.begin(pair, before).id, before, "said so")
        assert campaigns.begin(pair, before).state is after


def test_limits_are_kept_with_the_campaign(store: Database) -> None:
    campaigns, pair = Campaigns(store), Ledger(store, "a", "b").pair_id
    head = campaigns.begin(pair, "summer")
    campaigns.set_limits(head.id, {"imports_in_flight": 2})
    again = campaigns.get(head.id)
    assert again is not None and again.limits == {"imports_in_flight": 2}


def test_a_campaign_ends_when_its_last_plan_is_closed(store: Database) -> None:
    campaigns, pair = Campaigns(store), Ledger(store, "a", "b").pair_id
    plans = Plans(store, pair)
    head = campaigns.begin(pair, "summer")
    for key in ("dag/1", "dag/2"):
        plans.begin(key, {}, campaign_id=head.id)
        plans.finish(key, {}, PlanState.OPEN)
    plans.close("dag/1")
    assert not campaigns.end_if_done(head.id)
    plans.close("dag/2")
    assert campaigns.end_if_done(head.id)
    ended = campaigns.of_run("dag/2")
    assert ended is not None and ended.state is CampaignState.ENDED


def test_the_tally_counts_each_object_once_over_all_runs(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    campaigns, plans = Campaigns(store), Plans(store, ledger.pair_id)
    head = campaigns.begin(ledger.pair_id, "summer")
    actions = {"done": Action.MIGRATE, "failed": Action.MIGRATE, "later": Action.MIGRATE, "old": Action.SKIP}
    for key in ("dag/1", "dag/2"):
        plans.begin(key, {}, campaign_id=head.id)
        plans.add(key, [Item(Kind.MEDIAPACKAGE, name, "", action, "") for name, action in actions.items()])
        plans.add(key, [Item(Kind.MEDIAPACKAGE, f"cannot-{key}", "", Action.CANNOT, "scheduled")], first=10)
        plans.finish(key, {})
    for name, state in (("done", State.DONE), ("failed", State.FAILED)):
        key_ = ObjectKey(Kind.MEDIAPACKAGE, name, "dag/1")
        ledger.begin(key_, "1")
        ledger.step(key_, "send", Outcome.DONE, traffic=Traffic(10, 20, 30))
        ledger.finish(key_, state)
    ledger.finish(ObjectKey(Kind.MEDIAPACKAGE, "old", "other/run"), State.DONE)
    counts = {tally.outcome: tally for tally in campaigns.tally(head.id)}
    assert {outcome: tally.objects for outcome, tally in counts.items()} == {
        "cannot": 2,
        "done": 2,
        "failed": 1,
        "waiting": 1,
    }
    assert (counts["done"].bytes_total, counts["done"].bytes_read, counts["done"].bytes_written) == (10, 20, 30)


def test_a_campaign_knows_its_runs(store: Database) -> None:
    ledger = Ledger(store, "a", "b")
    campaigns, plans, waves = Campaigns(store), Plans(store, ledger.pair_id), Waves(store, ledger.pair_id)
    head = campaigns.begin(ledger.pair_id, "summer")
    plans.begin("dag/1", {}, campaign_id=head.id)
    waves.follow("dag/1-2", "dag/1", 2)
    assert campaigns.runs(head.id) == ["dag/1", "dag/1-2"]
