"""Migrate capture agents: the whole configuration, address and state.

What an agent can do is derived by the server from its configuration and is not sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

from opencast.api.agents import STATES, Agent, AgentsService
from opencast.errors import (
    BadRequest,
    InvalidIdentifier,
    MigrationError,
    NotFound,
    ObjectGone,
    RedirectRefused,
    UnexpectedContent,
    VerificationFailed,
)
from opencast.migration.migrated import Migrated

#: The state of an agent that was never heard from.
_UNHEARD = "unknown"


def fingerprint(agent: Agent, configuration: Mapping[str, str]) -> str:
    """Return a digest that changes when address or configuration do; the state changes all the time."""
    return hashlib.sha256(repr((agent.url, sorted(configuration.items()))).encode()).hexdigest()


@contextmanager
def _addressing(name: str) -> Iterator[None]:
    """Say what is the matter when a server does not find an agent by the name that stands in the request's path.

    :raises MigrationError: instead of what the server answered.
    """
    try:
        yield
    except (BadRequest, InvalidIdentifier, NotFound, RedirectRefused, UnexpectedContent) as error:
        raise MigrationError(
            f"A server cannot be asked for the capture agent {name!r}: {error.message}",
            advice="Slashes, dots and the like may not reach it; a web server in front of it may refuse them (Apache: "
            "AllowEncodedSlashes). Use the server's own address for the connection, or rename the agent.",
        ) from error


class AgentMigrator:
    """Bring capture agents from one server to another."""

    def __init__(self, source: AgentsService, target: AgentsService) -> None:
        self._source = source
        self._target = target

    def migrate(self, name: str) -> Migrated:
        """Make the target's agent equal to the source's, and prove it.

        :raises ObjectGone: the source does not have it any more.
        :raises MigrationError: one of the servers cannot be asked for an agent of this name.
        :raises VerificationFailed: the target answers something else after the writes.
        """
        agent = self._agents.get(name)
        if agent is None:
            raise ObjectGone(f"The capture agent {name!r} is not on the source any more.")
        notes: list[str] = []
        written: list[str] = []
        with _addressing(name):
            configuration = self._source.configuration(name)
            there, known = self._read_target(name)
            if there is None or known != configuration:
                self._target.put_configuration(name, configuration)
                written.append("configuration")
            if self._is_state_due(agent, there, notes):
                self._target.put_state(name, agent.state, agent.url)
                written.append("state and address")
            if written:
                there, known = self._read_target(name)
        self._verify(agent, configuration, there, known)
        return Migrated(name, fingerprint(agent, configuration), tuple(written), tuple(notes))

    @cached_property
    def _agents(self) -> dict[str, Agent]:
        """The source's agents by name: the list also has those that cannot be asked for by it."""
        return {agent.name: agent for agent in self._source.list()}

    def _read_target(self, name: str) -> tuple[Agent | None, dict[str, str]]:
        try:
            agent = self._target.get(name)
        except NotFound:
            return None, {}
        return agent, self._target.configuration(name)

    def _is_state_due(self, agent: Agent, there: Agent | None, notes: list[str]) -> bool:
        """Tell whether state and address have to be written, which the interface takes only together.

        An agent that has reported to the target keeps the state that it has there.
        """
        if not agent.url:
            if agent.state != _UNHEARD:
                notes.append(
                    f"Its state {agent.state} was not set: it has no address, and the server would take this "
                    "program's for it."
                )
            return False
        if agent.state not in STATES:
            notes.append(f"Its state {agent.state!r} is none that a server accepts.")
            return False
        if there is None or there.url != agent.url:
            return True
        return there.state == _UNHEARD and agent.state != _UNHEARD

    def _verify(
        self, agent: Agent, configuration: Mapping[str, str], there: Agent | None, known: Mapping[str, str]
    ) -> None:
        if there is None:
            raise VerificationFailed(f"The capture agent {agent.name!r} is not on the target after it was written.")
        different = sorted(
            key for key in configuration.keys() | known.keys() if configuration.get(key) != known.get(key)
        )
        if different:
            raise VerificationFailed(
                f"The configuration of the capture agent {agent.name!r} differs on the target in {different[0]!r}."
            )
        if agent.url and agent.state in STATES and there.url != agent.url:
            raise VerificationFailed(
                f"The address of the capture agent {agent.name!r} is {there.url!r} on the target instead of "
                f"{agent.url!r}."
            )
