"""The trigger form offers every filter and every choice that a run understands, and no other."""

from __future__ import annotations

from dataclasses import fields

from opencast.migration.options import Options
from opencast.migration.selection import Selection
from opencast.operators.params import migration_params
from opencast.operators.profiles import PARAM

#: Set by the run itself: of a calendar period, or of the run before in a chain.
SET_BY_RUNS = {"undated", "period", "granularity", "unfinished_period", "continues", "wave"}


def test_every_filter_is_in_the_form() -> None:
    filters = {field.name for field in fields(Selection)} - SET_BY_RUNS
    assert filters <= set(migration_params())


def test_everything_that_selects_can_be_left_out_too() -> None:
    filters = {field.name for field in fields(Selection)} - SET_BY_RUNS
    selecting = {name for name in filters if not name.startswith("exclude_")}
    assert {f"exclude_{name}" for name in selecting} == filters - selecting


def test_the_form_asks_nothing_that_a_run_does_not_understand() -> None:
    assert set(migration_params()) - {PARAM} == set(Options.model_fields) - SET_BY_RUNS
