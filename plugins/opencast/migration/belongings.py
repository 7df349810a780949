"""Plan the small objects of a library: agents and themes, which come before the series, and playlists, the last."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from opencast.api.agents import Agent
from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.api.playlists import Playlist
from opencast.errors import OpencastError
from opencast.migration import agents, playlists, themes
from opencast.migration.decisions import decide
from opencast.migration.options import Options
from opencast.migration.series import THEME
from opencast.model.event import EventRow
from opencast.store.ledger import Kind, Ledger, State
from opencast.store.plans import Action, Item

log = logging.getLogger(__name__)

#: Events that are named in a reason, at most.
_NAMED = 5


@dataclass
class Chosen:
    """What a plan has selected; it says which of the small objects come along.

    :param everything: whether no filter narrows the run.
    :param agents: of the selected events that are still to be recorded.
    """

    everything: bool
    events: set[str] = field(default_factory=set)
    series: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)

    def see(self, row: EventRow) -> None:
        """Note a selected event."""
        self.events.add(row.identifier)
        if row.series:
            self.series.add(row.series)
        if row.event_status.is_scheduled and row.location:
            self.agents.add(row.location)


class BelongingsPlanner:
    """Plan agents, themes and playlists.

    :param target: is asked for nothing but its version.
    """

    def __init__(self, source: Opencast, target: Opencast, ledger: Ledger) -> None:
        self._source = source
        self._target = target
        self._ledger = ledger

    def agents(self, chosen: Chosen, options: Options) -> Iterator[Item]:
        """Plan the capture agents: all, or those of the selected events."""
        if not options.include_agents or not (chosen.everything or chosen.agents):
            return
        found = set()
        for agent in self._source.agents.list():
            if chosen.everything or agent.name in chosen.agents:
                found.add(agent.name)
                yield self._item(Kind.AGENT, agent.name, agent.name, self._agent_version(agent), options)
        for name in sorted(chosen.agents - found):
            yield Item(Kind.AGENT, name, name, Action.CANNOT, "The source has no such agent; it only plans with it.")

    def themes(self, chosen: Chosen, options: Options) -> Iterator[Item]:
        """Plan the themes: all, or those of the selected series."""
        if not options.include_themes or not self._source.has(Feature.ADMIN_INTERFACE):
            return
        wanted = None if chosen.everything else self._themes_of(chosen.series)
        if wanted is not None and not wanted:
            return
        for theme in self._source.themes.list():
            if wanted is None or str(theme.id) in wanted:
                version = partial(themes.fingerprint, theme)
                yield self._item(Kind.THEME, str(theme.id), theme.name, version, options)

    def playlists(self, chosen: Chosen, options: Options) -> Iterator[Item]:
        """Plan the playlists: all, or those of which every event is selected or was migrated before."""
        if not options.include_playlists or not self._source.has(Feature.PLAYLISTS):
            return
        takes_them = self._target.has(Feature.PLAYLISTS)
        for playlist in self._source.playlists.list():
            events = {entry.content_id for entry in playlist.entries}
            if not chosen.everything and not events & chosen.events:
                continue
            yield self._playlist_item(playlist, events, chosen, options, takes_them=takes_them)

    def _playlist_item(
        self, playlist: Playlist, events: set[str], chosen: Chosen, options: Options, *, takes_them: bool
    ) -> Item:
        if not takes_them:
            reason = f"The target ({self._target.full_version}) has no playlists: they came with version 16."
            return Item(Kind.PLAYLIST, playlist.id, playlist.title, Action.CANNOT, reason)
        waiting = [] if chosen.everything else sorted(filter(self._is_to_come, events - chosen.events))
        if waiting:
            named = ", ".join(waiting[:_NAMED]) + (", ..." if len(waiting) > _NAMED else "")
            reason = f"{len(waiting)} of its events are neither selected nor migrated: {named}"
            return Item(Kind.PLAYLIST, playlist.id, playlist.title, Action.SKIP, reason)
        version = partial(playlists.fingerprint, playlist)
        return self._item(Kind.PLAYLIST, playlist.id, playlist.title, version, options)

    def _agent_version(self, agent: Agent) -> Callable[[], str]:
        return lambda: agents.fingerprint(agent, self._source.agents.configuration(agent.name))

    def _is_to_come(self, event: str) -> bool:
        """Tell whether an event that the plan has not selected is one that another run has to bring."""
        for kind in (Kind.MEDIAPACKAGE, Kind.SCHEDULED):
            entry = self._ledger.entry(kind, event)
            if entry is not None and entry.state is State.DONE:
                return False
        return bool(event) and self._source.events.exists(event)

    def _themes_of(self, series: Iterable[str]) -> set[str]:
        """Return the themes of series, as far as these can be read: their own tasks meet the same error."""
        found = set()
        for identifier in sorted(series):
            try:
                found.add(self._source.series.properties(identifier).get(THEME, ""))
            except OpencastError as error:
                log.info("The theme of series %s cannot be read: %s", identifier, error.message)
        return found - {""}

    def _item(self, kind: Kind, identifier: str, title: str, version: Callable[[], str], options: Options) -> Item:
        """Judge one object; what it is like now only matters when something was tried with it before."""
        entry = self._ledger.entry(kind, identifier)
        now = None
        if entry is not None:
            try:
                now = version()
            except OpencastError as error:
                # The task meets the same error, and notes it for this object alone.
                return Item(kind, identifier, title, Action.UPDATE, f"cannot be read: {error.message}")
        action, reason = decide(entry, now, "changes", options.repeat)
        return Item(kind, identifier, title, action, reason, now)
