"""Campaigns: a plan is worked on by run after run; nothing is done twice, whoever else is at work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import CampaignClosed, ObjectBusy, PlanInUse
from opencast.migration.campaign import NextRun
from opencast.migration.mediapackage import Progress
from opencast.migration.options import Options
from opencast.migration.workbench import Workbench
from opencast.store.campaigns import Campaigns, CampaignState
from opencast.store.ledger import MIGRATE, Kind, ObjectKey, Outcome, State
from opencast.store.plans import Action, has_plan

from tests.migration.pair import Pair, server

#: Events of the recorded library that need no param to be migrated.
READY = 9


class Runs:
    """Runs of a DAG, as far as their plans go; those in ``alive`` have not ended."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.alive: set[str] = set()
        self.bench = Workbench(
            pair.settings,
            Options(),
            pair.database,
            Opencast(server(pair.source)),
            Opencast(server(pair.target)),
            is_alive=lambda key: key in self.alive,
        )
        self.campaigns = Campaigns(pair.database)
        self.bench.library("test").take(Options().inventory, timedelta(0))

    def start(self, key: str, **params: object) -> list[str]:
        """Let a run plan, or go on, and return the mediapackages that it takes."""
        self.alive.add(key)
        options = self.options(params)
        planner = self.bench.planner()
        if options.continues:
            planner.go_on(key, options)
        else:
            planner.plan(key, params, options)
        return [item.identifier for item in self.bench.plans.wave(key, Kind.MEDIAPACKAGE)]

    def work(self, key: str, state: State = State.DONE, first: int | None = None) -> None:
        """Note an outcome for everything that a run has taken, or for the first of it."""
        for kind in Kind:
            for item in list(self.bench.plans.wave(key, kind))[:first]:
                name = ObjectKey(kind, item.identifier, key, item.title)
                self.bench.ledger.begin(name, item.source_version)
                self.bench.ledger.finish(name, state, source_version=item.source_version)

    def after(self, key: str, **params: object) -> NextRun:
        """End a run and return what follows it."""
        following = self.bench.desk.after(key, self.options(params), lambda wave: f"dag/1__{wave}")
        self.alive.discard(key)
        if following.key is not None:
            self.alive.add(following.key)
        return following

    def options(self, params: dict[str, object]) -> Options:
        return Options.from_params({"include_failed": True, **params})


@pytest.fixture
def runs(pair: Pair) -> Runs:
    return Runs(pair)


def test_runs_follow_each_other_until_nothing_is_left(runs: Runs) -> None:
    seen = runs.start("dag/1", wave_size=4)
    runs.work("dag/1")
    following = runs.after("dag/1", wave_size=4)
    lengths = [len(seen)]
    while following.key is not None:
        taken = runs.start(following.key, wave_size=4, continues=following.root_key, wave=following.wave)
        seen += taken
        lengths.append(len(taken))
        runs.work(following.key)
        following = runs.after(following.key, wave_size=4)
    assert len(seen) == len(set(seen))
    assert lengths[:-1] == [4] * (len(lengths) - 1)
    assert following.reason == "Nothing is left."
    campaign = runs.campaigns.of_run("dag/1")
    assert campaign is not None and campaign.state is CampaignState.ENDED
    tally = {(row.kind, row.outcome): row.objects for row in runs.campaigns.tally(campaign.id)}
    assert tally["mediapackage", "done"] == len(seen)
    assert not [key for key in tally if key[1] == "waiting"]


def test_a_library_that_fits_into_one_run_has_no_second_one(runs: Runs) -> None:
    runs.start("dag/1")
    runs.work("dag/1")
    assert runs.after("dag/1").key is None


def test_a_wave_of_failures_stops_the_campaign(runs: Runs) -> None:
    runs.start("dag/1", wave_size=2)
    runs.work("dag/1", State.FAILED)
    following = runs.after("dag/1", wave_size=2)
    assert following.key is None
    campaign = runs.campaigns.of_run("dag/1")
    assert campaign is not None and campaign.state is CampaignState.STOPPED
    assert "failed" in campaign.reason


def test_some_failures_do_not_stop_it(runs: Runs) -> None:
    runs.start("dag/1", wave_size=4)
    runs.work("dag/1")
    runs.work("dag/1", State.FAILED, first=1)
    assert runs.after("dag/1", wave_size=4, stop_at_failed_percent=80).key is not None


def test_objects_that_no_task_came_to_count_as_failed(runs: Runs) -> None:
    """As when the scheduler was down, or the mapped tasks were marked as failed by hand."""
    runs.start("dag/1", wave_size=2)
    assert runs.after("dag/1", wave_size=2).key is None


def test_a_series_that_another_run_works_on_since_is_no_failure(runs: Runs) -> None:
    """Two months of a back-fill side by side, and two campaigns, may need the same series."""
    runs.start("dag/1", wave_size=4)
    runs.work("dag/1")
    series = [item for item in runs.bench.plans.wave("dag/1", Kind.SERIES) if item.is_work]
    for item in series:
        runs.bench.ledger.step(ObjectKey(Kind.SERIES, item.identifier, "dag/1"), MIGRATE, Outcome.DONE)
        runs.bench.ledger.begin(ObjectKey(Kind.SERIES, item.identifier, "dag/2"), None)
    assert series
    assert runs.after("dag/1", wave_size=4, stop_at_failed_percent=1).key == "dag/1__2"


def test_a_stopped_campaign_takes_no_new_run_until_somebody_resumes_it(runs: Runs) -> None:
    runs.start("dag/1", wave_size=2, campaign="summer")
    runs.work("dag/1", State.FAILED)
    runs.after("dag/1", wave_size=2)
    with pytest.raises(CampaignClosed, match="summer was stopped"):
        runs.start("dag/2", campaign="summer")
    (campaign,) = runs.campaigns.named("summer")
    runs.campaigns.set_state(campaign.id, CampaignState.RUNNING)
    assert len(runs.start("dag/2", campaign="summer")) >= READY


def test_a_cancelled_campaign_ends_with_the_run_that_is_at_work(runs: Runs) -> None:
    runs.start("dag/1", wave_size=2, campaign="summer")
    (campaign,) = runs.campaigns.named("summer")
    runs.campaigns.set_state(campaign.id, CampaignState.CANCELLED)
    runs.work("dag/1", State.SKIPPED)
    following = runs.after("dag/1", wave_size=2)
    assert following.key is None and "cancelled" in following.reason


def test_a_second_campaign_says_who_is_at_work_and_takes_the_rest(runs: Runs) -> None:
    first = runs.start("dag/1", events=["a-ev-two-streams", "a-ev-shared-files"], campaign="first")
    runs.alive.add("dag/2")
    planned = runs.bench.planner().plan("dag/2", {}, runs.options({"campaign": "second"}))
    second = [item.identifier for item in runs.bench.plans.wave("dag/2", Kind.MEDIAPACKAGE)]
    assert planned.left_to == {"first": len(first)}
    assert not set(first) & set(second)
    left = runs.bench.plans.item("dag/2", Kind.MEDIAPACKAGE, first[0])
    assert left is not None and left.action is Action.SKIP and "the campaign first is working on it" in left.reason


def test_a_campaign_whose_runs_were_killed_holds_nothing_back(runs: Runs) -> None:
    first = runs.start("dag/1")
    runs.alive.clear()
    assert runs.start("dag/2") == first


def test_what_waits_for_a_later_run_is_held_while_the_chain_is_alive(runs: Runs) -> None:
    runs.start("dag/1", wave_size=3)
    runs.work("dag/1")
    assert runs.after("dag/1", wave_size=3).key == "dag/1__2"
    assert runs.start("dag/other") == []


def test_a_run_with_nothing_but_a_plan_is_no_campaign(runs: Runs) -> None:
    runs.start("dag/1", mode="plan")
    assert runs.campaigns.of_run("dag/1") is None
    assert runs.after("dag/1", mode="plan").key is None
    assert len(runs.start("dag/2")) >= READY


def test_a_plan_that_fails_leaves_neither_plan_nor_campaign_behind(runs: Runs) -> None:
    with pytest.raises(Exception, match="presenters"):
        runs.start("dag/1", presenters=["Nobody"], campaign="summer")
    assert not has_plan(runs.pair.database, "dag/1")
    (campaign,) = runs.campaigns.named("summer")
    assert campaign.state is CampaignState.ENDED


def test_a_run_is_not_planned_anew_under_the_feet_of_those_that_follow_it(runs: Runs) -> None:
    runs.start("dag/1", wave_size=3)
    runs.work("dag/1")
    assert runs.after("dag/1", wave_size=3).key == "dag/1__2"
    with pytest.raises(PlanInUse, match="dag/1__2"):
        runs.start("dag/1", wave_size=3)
    runs.alive.clear()
    runs.start("dag/1", wave_size=3)


def test_a_run_cannot_go_on_with_a_plan_that_is_gone(runs: Runs) -> None:
    with pytest.raises(PlanInUse, match="has no plan"):
        runs.start("dag/9", continues="dag/gone")


def test_all_partitions_of_a_dag_are_one_campaign_by_default(runs: Runs) -> None:
    for key in ("by_month/a", "by_month/b"):
        runs.start(key, granularity="month", period="2026-11", created_from="2000-01-01")
    first, second = runs.campaigns.of_run("by_month/a"), runs.campaigns.of_run("by_month/b")
    assert first is not None and second is not None and first.id == second.id
    assert first.name == "by_month"


class TestAtWork:
    """What the tasks of mediapackages do when the campaign changes."""

    def test_a_paused_campaign_begins_nothing_and_goes_on_when_it_is_resumed(self, runs: Runs) -> None:
        event = runs.start("dag/1", campaign="summer")[0]
        (campaign,) = runs.campaigns.named("summer")
        runs.campaigns.set_state(campaign.id, CampaignState.PAUSED)
        migrator = runs.bench.mediapackage_migrator(event, "dag/1")
        assert migrator.begin() is Progress.NO_SLOT
        assert runs.pair.writes() == []
        runs.campaigns.set_state(campaign.id, CampaignState.RUNNING)
        assert migrator.begin() is not Progress.NO_SLOT

    def test_what_has_begun_goes_on_in_a_paused_or_cancelled_campaign(self, runs: Runs) -> None:
        event = runs.start("dag/1", campaign="summer")[0]
        runs.bench.mediapackage_migrator(event, "dag/1").begin()
        (campaign,) = runs.campaigns.named("summer")
        for state in (CampaignState.PAUSED, CampaignState.CANCELLED):
            runs.campaigns.set_state(campaign.id, state)
            assert runs.bench.mediapackage_migrator(event, "dag/1").begin() is not Progress.NO_SLOT

    def test_a_cancelled_campaign_gives_up_what_has_not_begun(self, runs: Runs) -> None:
        event = runs.start("dag/1", campaign="summer")[0]
        (campaign,) = runs.campaigns.named("summer")
        runs.campaigns.set_state(campaign.id, CampaignState.CANCELLED)
        with pytest.raises(CampaignClosed):
            runs.bench.mediapackage_migrator(event, "dag/1").begin()
        assert runs.pair.writes() == []

    def test_a_task_of_an_old_run_leaves_an_import_to_the_run_that_has_taken_it_over(self, runs: Runs) -> None:
        event = runs.start("dag/old")[0]
        runs.bench.mediapackage_migrator(event, "dag/old").begin()
        runs.alive.clear()
        assert event in runs.start("dag/new")
        with pytest.raises(ObjectBusy, match="dag/new"):
            runs.bench.mediapackage_migrator(event, "dag/old").begin()
        assert runs.bench.mediapackage_migrator(event, "dag/new").begin() is not Progress.NO_SLOT


def test_a_second_run_over_a_finished_library_takes_nothing(pairs: Callable[..., Pair]) -> None:
    pair = pairs()
    pair.migrate_all(include_failed=True)
    runs = Runs(pair)
    before = pair.writes()
    runs.bench.planner().plan("dag/2", {}, runs.options({}))
    taken = [item for kind in Kind for item in runs.bench.plans.wave("dag/2", kind)]
    assert [item.identifier for item in taken if item.kind in {Kind.SERIES, Kind.MEDIAPACKAGE}] == []
    assert pair.writes() == before
