"""Limits: what the run's params say, and what was changed since."""

from __future__ import annotations

import pytest
from opencast.errors import InvalidFilter
from opencast.migration.limits import Limits
from opencast.migration.options import Options


def test_the_params_of_the_run_are_the_limits_until_somebody_changes_them() -> None:
    options = Options.from_params({"imports_in_flight": 4, "requests_per_second": 20, "timezone": "Europe/Berlin"})
    limits = Limits.of(options)
    assert (limits.imports_in_flight, limits.requests_per_second, limits.timezone) == (4, 20, "Europe/Berlin")
    assert Limits.of(options, {"imports_in_flight": 2}).imports_in_flight == 2


def test_changes_are_given_as_text_and_kept_as_values() -> None:
    kept = Limits.change({}, {"imports_in_flight": "3", "megabytes_per_second": "12.5", "hours": "22-6"})
    assert kept == {"imports_in_flight": 3, "megabytes_per_second": 12.5, "hours": "22-6"}


def test_an_empty_change_gives_the_runs_own_limit_back_and_none_takes_it_away() -> None:
    options = Options.from_params({"requests_per_second": 20})
    kept = Limits.change({"requests_per_second": 5.0}, {"requests_per_second": ""})
    assert Limits.of(options, kept).requests_per_second == 20
    kept = Limits.change({}, {"requests_per_second": "none", "hours": "none"})
    assert Limits.of(options, kept).requests_per_second is None
    assert Limits.of(options, kept).hours == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imports_in_flight", "0"),
        ("imports_in_flight", "many"),
        ("requests_per_second", "-1"),
        ("hours", "at night"),
        ("timezone", "Mars/Olympus"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidFilter, match=name):
        Limits.change({}, {name: value})


def test_an_unknown_limit_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="no limit 'speed'"):
        Limits.change({}, {"speed": "1"})
