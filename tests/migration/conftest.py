"""Fixtures for the migration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.migration.pair import Pair, make_pair
from tests.simulator import Simulator


@pytest.fixture
def pairs(simulators: Callable[..., Simulator], tmp_path: Path) -> Callable[..., Pair]:
    """Make pairs: ``pairs(library="recorded", source={...}, target={...})``."""

    def make(library: str = "recorded", source: Any = None, target: Any = None) -> Pair:
        return make_pair(
            simulators(library=library, **(source or {})), simulators(**{"library": "empty"} | (target or {})), tmp_path
        )

    return make


@pytest.fixture
def pair(pairs: Callable[..., Pair]) -> Pair:
    """A source with the recorded library of an Opencast 17, and an empty target of the same version."""
    return pairs()
