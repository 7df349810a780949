"""Every recorded request of both generations is answered as it was, apart from the listed differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.replay.accepted import ACCEPTED, Accepted
from tests.replay.comparison import Difference, compare
from tests.replay.replay import Replayer, recorded
from tests.simulator import Library, Settings, Simulator, User
from tests.simulator.recordings import Exchange, Recordings

GENERATIONS = (17, 15)


class Found(dict[str, list[Difference]]):
    """Differences by name of the recording; says little when a test shows it."""

    def __repr__(self) -> str:
        return f"<{len(self)} answers>"


@cache
def reading(generation: int) -> tuple[Exchange, ...]:
    """Give the exchanges that change nothing, in the order of their names."""
    return tuple(e for e in Recordings(generation).all() if not e.name.startswith("writes/"))


def settings(generation: int) -> Settings:
    """Give the accounts that the recorded server had."""
    plain = Settings(generation=generation)
    # The rig with Opencast 15 had set a mail address for the administrator.
    admin = replace(plain.users[0], email="admin@localhost" if generation == 15 else "")
    alice = User("alice", "alice", "Alice", ("ROLE_USER", "ROLE_USER_ALICE", "ROLE_ANONYMOUS"))
    return replace(plain, users=(admin, *plain.users[1:], alice))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Found]]:
    """Send all reading requests and give the differences by generation and name."""
    result: dict[int, Found] = {}
    for generation in GENERATIONS:
        storage: Path = tmp_path_factory.mktemp("replay") / str(generation)
        with Simulator(storage, Library("recorded", others=True), settings(generation)) as simulator:
            replayer = Replayer(simulator)
            answers = ((e.name, compare(recorded(e), replayer.send(e))) for e in reading(generation))
            result[generation] = Found(answers)
    yield result


def unlisted(generation: int, name: str, differences: list[Difference]) -> list[str]:
    """Give the differences that no entry accepts."""
    return [str(d) for d in differences if not any(entry.covers(generation, name, d) for entry in ACCEPTED)]


@pytest.mark.parametrize(
    ("generation", "name"),
    [pytest.param(g, e.name, id=f"{g}-{e.name}") for g in GENERATIONS for e in reading(g)],
)
def test_a_reading_request_is_answered_as_recorded(found: dict[int, Found], generation: int, name: str) -> None:
    assert unlisted(generation, name, found[generation][name]) == []


@pytest.mark.parametrize("entry", ACCEPTED, ids=lambda entry: f"{entry.name} {entry.place}")
def test_an_accepted_difference_still_occurs(found: dict[int, Found], entry: Accepted) -> None:
    for generation in entry.generations:
        held = found[generation].items()
        assert any(entry.covers(generation, name, d) for name, differences in held for d in differences), generation
