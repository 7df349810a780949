"""Show campaigns, and pause, resume, cancel or limit them while their runs go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opencast.errors import UnknownCampaign
from opencast.migration.limits import Limits
from opencast.store.campaigns import CampaignHead, Campaigns, CampaignState, Tally
from opencast.store.database import Database


@dataclass(frozen=True)
class Picture:
    """A campaign with all that it has reached over its runs.

    :param source: ``<url>#<organization>``.
    :param target: ``<url>#<organization>``.
    :param runs: ``<dag id>/<run id>`` of each, the oldest first.
    """

    head: CampaignHead
    source: str
    target: str
    runs: tuple[str, ...]
    tallies: tuple[Tally, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Objects of all kinds by outcome."""
        counts: dict[str, int] = {}
        for tally in self.tallies:
            counts[tally.outcome] = counts.get(tally.outcome, 0) + tally.objects
        return counts

    @property
    def percent_done(self) -> float:
        """How much of what can be migrated is done, from 0 to 100."""
        counts = self.counts
        wanted = sum(counts.get(outcome, 0) for outcome in ("done", "failed", "skipped", "running", "waiting"))
        return 100.0 * counts.get("done", 0) / wanted if wanted else 100.0


class CampaignControl:
    """The campaigns of a store, by name.

    A change takes effect with the next mediapackage that is begun, within seconds; what has begun is finished.
    """

    def __init__(self, database: Database) -> None:
        self._campaigns = Campaigns(database)

    def all(self) -> list[Picture]:
        """Return every campaign, the newest first."""
        return [self._picture(head) for head in self._campaigns.all()]

    def picture(self, name: str) -> Picture:
        """Return one campaign.

        :raises UnknownCampaign: there is none of this name, or one for each of several pairs of servers.
        """
        return self._picture(self._find(name))

    def pause(self, name: str, reason: str = "") -> None:
        """Let nothing begin until the campaign is resumed; its runs wait without a worker slot."""
        self._campaigns.set_state(self._find(name).id, CampaignState.PAUSED, reason)

    def resume(self, name: str) -> bool:
        """Let a campaign go on.

        :return: whether it goes on by itself; one that was cancelled or stopped needs a new run of its name.
        """
        head = self._find(name)
        self._campaigns.set_state(head.id, CampaignState.RUNNING)
        return not head.state.is_closed

    def cancel(self, name: str, reason: str = "") -> None:
        """Give up what has not begun; no further run starts."""
        self._campaigns.set_state(self._find(name).id, CampaignState.CANCELLED, reason)

    def limit(self, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change limits; see ``Limits.change`` for what the values may be.

        :return: all limits that differ from those of the runs' params.
        :raises InvalidFilter: an unknown limit, or a value that cannot be used.
        """
        head = self._find(name)
        limits = Limits.change(head.limits, changes)
        self._campaigns.set_limits(head.id, limits)
        return limits

    def _find(self, name: str) -> CampaignHead:
        found = self._campaigns.named(name)
        if len(found) == 1:
            return found[0]
        numbered = [head for head in self._campaigns.all() if f"#{head.id}" == name]
        if numbered:
            return numbered[0]
        if found:
            choices = ", ".join(f"#{head.id}" for head in found)
            raise UnknownCampaign(f"Several campaigns have the name {name!r}.", advice=f"Name one of them: {choices}.")
        raise UnknownCampaign(f"There is no campaign {name!r}.")

    def _picture(self, head: CampaignHead) -> Picture:
        source, target = self._campaigns.servers(head.id)
        runs, tallies = self._campaigns.runs(head.id), self._campaigns.tally(head.id)
        return Picture(head, source, target, tuple(runs), tuple(tallies))
