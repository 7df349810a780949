"""Waves: each object of a plan belongs to exactly one run, and to no two campaigns."""

from __future__ import annotations

import threading

import pytest
from opencast.store.campaigns import Campaigns
from opencast.store.database import Database
from opencast.store.imports import Imports
from opencast.store.ledger import Kind, Ledger
from opencast.store.plans import Action, Item, Plans, PlanState
from opencast.store.waves import Waves


class Library:
    """Plans between one source and one target."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.ledger = Ledger(database, "source", "target")
        self.plans = Plans(database, self.ledger.pair_id)
        self.waves = Waves(database, self.ledger.pair_id)
        self.imports = Imports(self.ledger)

    def plan(self, key: str, events: int, *, first: int = 0, series: int = 2, campaign: str = "") -> None:
        """Plan events, each in one of a few series, and one series without events."""
        campaign_id = Campaigns(self.database).begin(self.ledger.pair_id, campaign or key).id
        self.plans.begin(key, {}, campaign_id=campaign_id)
        self.plans.add(key, (_series(f"s{number}") for number in range(series)), first=-series - 1)
        self.plans.add(key, [_series("s-empty")], first=-1)
        self.plans.add(key, (_event(number, series) for number in range(first, first + events)))
        self.plans.finish(key, {}, PlanState.MAKING)

    def taken(self, key: str, kind: Kind = Kind.MEDIAPACKAGE) -> list[str]:
        """Return what a run has taken."""
        return [item.identifier for item in self.plans.items(key, kind) if item.wave_key == key]


@pytest.fixture
def library(store: Database) -> Library:
    return Library(store)


def _series(identifier: str) -> Item:
    return Item(Kind.SERIES, identifier, identifier, Action.MIGRATE, "not migrated yet")


def _event(number: int, series: int) -> Item:
    return Item(
        Kind.MEDIAPACKAGE, f"e{number:03}", "", Action.MIGRATE, "not migrated yet", series=f"s{number % series}"
    )


def chain(library: Library, root: str, size: int) -> list[list[str]]:
    """Let run after run take its part until nothing is left."""
    library.waves.open(root)
    parts, key, number = [], root, 1
    while library.waves.take(key, root, size):
        parts.append(library.taken(key))
        if not library.waves.left(root):
            break
        number += 1
        key = f"{root}-{number}"
        library.waves.follow(key, root, number)
    return parts


def test_runs_take_the_events_in_their_order_and_each_once(library: Library) -> None:
    library.plan("dag/a", 7)
    assert chain(library, "dag/a", 3) == [["e000", "e001", "e002"], ["e003", "e004", "e005"], ["e006"]]


def test_a_run_takes_the_series_of_its_events_before_or_with_them(library: Library) -> None:
    library.plan("dag/a", 4, series=4)
    library.waves.open("dag/a")
    library.waves.take("dag/a", "dag/a", 2)
    assert library.taken("dag/a", Kind.SERIES) == ["s0", "s1"]


def test_series_without_events_come_with_the_last_events(library: Library) -> None:
    library.plan("dag/a", 3)
    library.waves.open("dag/a")
    library.waves.take("dag/a", "dag/a", 2)
    assert "s-empty" not in library.taken("dag/a", Kind.SERIES)
    library.waves.follow("dag/a-2", "dag/a", 2)
    library.waves.take("dag/a-2", "dag/a", 2)
    assert library.taken("dag/a-2", Kind.SERIES) == ["s-empty"]


def test_many_series_without_events_are_divided_too(library: Library) -> None:
    library.plans.begin("dag/a", {})
    library.plans.add("dag/a", (_series(f"s{number:02}") for number in range(7)))
    library.waves.open("dag/a")
    assert library.waves.take("dag/a", "dag/a", 3) == 3
    assert library.waves.left("dag/a") == 4


def test_a_run_that_is_tried_again_keeps_what_it_has(library: Library) -> None:
    library.plan("dag/a", 5)
    library.waves.open("dag/a")
    before = library.waves.take("dag/a", "dag/a", 2)
    assert library.waves.take("dag/a", "dag/a", 2) == before
    assert library.taken("dag/a") == ["e000", "e001"]


def test_what_is_skipped_or_cannot_be_migrated_is_in_no_wave(library: Library) -> None:
    library.plans.begin("dag/a", {})
    items = [
        Item(Kind.MEDIAPACKAGE, "done", "", Action.SKIP, "done"),
        Item(Kind.MEDIAPACKAGE, "cannot", "", Action.CANNOT, "nothing is archived"),
        Item(Kind.MEDIAPACKAGE, "new", "", Action.UPDATE, "the source has changes"),
    ]
    library.plans.add("dag/a", items)
    library.waves.open("dag/a")
    library.waves.take("dag/a", "dag/a", 10)
    assert library.taken("dag/a") == ["new"]


def test_the_items_of_a_later_run_are_those_that_it_took(library: Library) -> None:
    library.plan("dag/a", 3)
    chain(library, "dag/a", 2)
    assert [item.identifier for item in library.plans.items("dag/a-2", Kind.MEDIAPACKAGE)] == ["e002"]
    assert library.plans.counts("dag/a-2")[Kind.MEDIAPACKAGE, Action.MIGRATE] == 1
    assert library.plans.item("dag/a-2", Kind.MEDIAPACKAGE, "e000") is None
    assert [head.wave for head in library.plans.chain("dag/a")] == [1, 2]


def test_a_second_campaign_leaves_what_the_first_one_works_on(library: Library) -> None:
    library.plan("dag/a", 4, campaign="first")
    library.plan("dag/b", 4, first=2, campaign="second")
    assert library.waves.open("dag/a") == {}
    assert library.waves.open("dag/b") == {"first": 2}
    library.waves.take("dag/b", "dag/b", 10)
    assert library.taken("dag/b") == ["e004", "e005"]
    left = library.plans.item("dag/b", Kind.MEDIAPACKAGE, "e002")
    assert left is not None and left.action is Action.SKIP and "campaign first is working on it" in left.reason


def test_a_scheduled_event_too_is_in_one_campaign_only(library: Library) -> None:
    for key, campaign in (("dag/a", "first"), ("dag/b", "second")):
        library.plan(key, 0, campaign=campaign)
        library.plans.add(key, [Item(Kind.SCHEDULED, "tomorrow", "", Action.MIGRATE, "not migrated yet")], first=10)
    library.waves.open("dag/a")
    assert library.waves.open("dag/b") == {"first": 1}
    library.waves.take("dag/b", "dag/b", 10)
    assert library.taken("dag/b", Kind.SCHEDULED) == []


def test_both_campaigns_may_need_the_same_series(library: Library) -> None:
    library.plan("dag/a", 2)
    library.plan("dag/b", 2, first=2)
    library.waves.open("dag/a")
    library.waves.open("dag/b")
    library.waves.take("dag/b", "dag/b", 10)
    assert set(library.taken("dag/b", Kind.SERIES)) == {"s0", "s1", "s-empty"}


def test_a_closed_plan_holds_nothing_back(library: Library) -> None:
    library.plan("dag/a", 2)
    library.waves.open("dag/a")
    library.plans.close("dag/a")
    library.plan("dag/b", 2)
    assert library.waves.rivals("dag/b") == []
    assert library.waves.open("dag/b") == {}


def test_a_rival_is_known_by_all_its_runs(library: Library) -> None:
    library.plan("dag/a", 4, campaign="first")
    chain(library, "dag/a", 2)
    (rival,) = library.waves.rivals("dag/b")
    assert (rival.root_key, rival.campaign, rival.keys) == ("dag/a", "first", ("dag/a", "dag/a-2"))


def test_of_two_campaigns_that_plan_at_the_same_time_each_event_is_in_one(library: Library) -> None:
    for key in ("dag/a", "dag/b"):
        library.plan(key, 50)
    barrier = threading.Barrier(2)

    def run(key: str) -> None:
        barrier.wait()
        library.waves.open(key)
        library.waves.take(key, key, 100)

    threads = [threading.Thread(target=run, args=(key,)) for key in ("dag/a", "dag/b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = library.taken("dag/a") + library.taken("dag/b")
    assert sorted(taken) == [f"e{number:03}" for number in range(50)]


def test_an_import_that_a_run_left_in_the_middle_becomes_the_next_runs(library: Library) -> None:
    assert library.imports.claim("e000", "dag/dead", 8)
    library.plan("dag/a", 1)
    library.waves.open("dag/a")
    library.waves.take("dag/a", "dag/a", 10)
    job = library.imports.load("e000")
    assert job is not None and job.plan_key == "dag/a"
    assert (library.waves.unfinished("dag/a"), library.waves.unfinished("dag/dead")) == (1, 0)


def test_planning_anew_forgets_the_runs_that_went_on_with_the_old_plan(library: Library) -> None:
    library.plan("dag/a", 4)
    chain(library, "dag/a", 2)
    library.plan("dag/a", 1)
    assert [head.key for head in library.plans.chain("dag/a")] == ["dag/a"]
