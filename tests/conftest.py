"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.airflow_home import prepare
from tests.simulator import Library, Settings, Simulator

prepare()

_LIBRARY = {field.name for field in fields(Library)} - {"name"}


@pytest.fixture
def simulators(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Start Opencast simulators that end with the test.

    ``simulators(library="recorded", generation=17, **options)`` gives a running one; options are the fields of
    :class:`tests.simulator.Library` and :class:`tests.simulator.Settings`, and ``storage`` (a directory).
    """
    running: list[Simulator] = []

    def start(library: str = "recorded", generation: int = 17, **options: Any) -> Simulator:
        storage = Path(options.pop("storage", tmp_path / f"opencast-{len(running)}"))
        filling = {name: options.pop(name) for name in list(options) if name in _LIBRARY}
        settings = Settings(generation=generation, **options)
        simulator = Simulator(storage, Library(library, **filling), settings)
        running.append(simulator)
        return simulator.start()

    yield start
    for simulator in running:
        simulator.stop()
