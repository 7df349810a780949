"""Capture agents: their state, their address and the configuration from which their capabilities are derived."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from tests.simulator import clock

STATES = ("idle", "shutting_down", "capturing", "uploading", "error", "unknown", "offline")
UNKNOWN = "unknown"
_NAMES, _PREFIX = "capture.device.names", "capture.device."


class NoSuchAgent(LookupError):
    """There is no agent of this name."""


@dataclass(slots=True)
class Agent:
    """A capture agent; ``heard`` is when it reported for the last time."""

    name: str
    org: str
    state: str = UNKNOWN
    url: str = ""
    configuration: dict[str, str] = field(default_factory=dict)
    heard: datetime = field(default_factory=clock.now)

    @property
    def capabilities(self) -> dict[str, str]:
        """The part of the configuration that describes its devices."""
        names = self.configuration.get(_NAMES)
        if names is None:
            return {}
        devices = names.split(",")
        held = {k: v for k, v in self.configuration.items() if any(_PREFIX + device in k for device in devices)}
        return {_NAMES: names, **held}

    @property
    def silent_millis(self) -> int:
        """Milliseconds since it reported."""
        return clock.epoch_millis(clock.now()) - clock.epoch_millis(self.heard)


class Agents:
    """All agents; whoever reports or is configured is created when unknown."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: dict[tuple[str, str], Agent] = {}

    def load(self, agent: Agent) -> None:
        """Put an agent in."""
        self._held[agent.org, agent.name] = agent

    def all(self, org: str) -> list[Agent]:
        """Give the agents of an organization by name."""
        with self._lock:
            return sorted((agent for agent in self._held.values() if agent.org == org), key=lambda agent: agent.name)

    def get(self, org: str, name: str) -> Agent:
        """Find an agent.

        :raises NoSuchAgent: when there is none.
        """
        agent = self._held.get((org, name))
        if agent is None:
            raise NoSuchAgent(name)
        return agent

    def report(self, org: str, name: str, state: str, url: str) -> bool:
        """Set state and address; False when the agent had both already."""
        with self._lock:
            known = self._held.get((org, name))
            agent = known or Agent(name, org)
            changed = known is None or (agent.state, agent.url) != (state, url)
            agent.state, agent.url = state, url
            if state != UNKNOWN:
                agent.heard = clock.now()
            self.load(agent)
            return changed

    def configure(self, org: str, name: str, configuration: dict[str, str]) -> None:
        """Replace the whole configuration; a new agent has the state unknown and no address."""
        with self._lock:
            agent = self._held.get((org, name)) or Agent(name, org)
            agent.configuration = dict(configuration)
            self.load(agent)

    def remove(self, org: str, name: str) -> None:
        """Forget an agent.

        :raises NoSuchAgent: when there is none.
        """
        with self._lock:
            del self._held[self.get(org, name).org, name]
