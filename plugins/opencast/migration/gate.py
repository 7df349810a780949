"""May the import of a mediapackage begin now? Asked before each, so that changed limits take effect at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from opencast.errors import CampaignClosed
from opencast.migration.hours import Hours
from opencast.migration.limits import Limits
from opencast.migration.options import Options
from opencast.migration.windows import read_zone
from opencast.store.base import utc_now
from opencast.store.campaigns import CampaignHead, Campaigns, CampaignState
from opencast.store.pace import TargetPaces

#: Seconds for which a count of the target's workflows is believed, by all gates of this process.
_COUNT_LIFETIME_S = 5.0


@dataclass(frozen=True)
class Opening:
    """What the gate says.

    :param slots: imports that may be in flight on the target at the same time; 0: nothing may begin.
    :param reason: why there are fewer than the limit says, or none.
    """

    slots: int
    reason: str = ""


class Gate:
    """The gate before the target, for one run.

    :param target: name of the target in the store.
    :param count_workflows: asks the target how many workflows it has that have not ended.
    """

    def __init__(
        self,
        campaigns: Campaigns,
        paces: TargetPaces,
        plan_key: str,
        options: Options,
        target: str,
        count_workflows: Callable[[], int],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._campaigns = campaigns
        self._paces = paces
        self._plan_key = plan_key
        self._options = options
        self._target = target
        self._count_workflows = count_workflows
        self._now = now

    def opening(self) -> Opening:
        """Return how many imports may be in flight right now."""
        campaign = self._campaigns.of_run(self._plan_key)
        limits = Limits.of(self._options, None if campaign is None else campaign.limits)
        held = _held(campaign) or self._outside_of_hours(limits) or self._busy_target(limits)
        if held:
            return Opening(0, held)
        allowed = self._paces.allowed(self._target, limits.imports_in_flight)
        if allowed < limits.imports_in_flight:
            trouble = self._paces.trouble(self._target)
            return Opening(allowed, f"the target had trouble: {trouble.reason if trouble else ''}")
        return Opening(allowed)

    def require_open(self) -> None:
        """Refuse what has not begun yet when the campaign goes no further.

        :raises CampaignClosed: it was cancelled, or stopped.
        """
        campaign = self._campaigns.of_run(self._plan_key)
        if campaign is not None and campaign.state.is_closed:
            why = f": {campaign.reason}" if campaign.reason else ""
            raise CampaignClosed(f"The campaign {campaign.name} was {campaign.state.value}{why}.")

    def is_closed(self) -> bool:
        """Tell whether waiting makes no sense any more."""
        campaign = self._campaigns.of_run(self._plan_key)
        return campaign is not None and campaign.state.is_closed

    def _outside_of_hours(self, limits: Limits) -> str:
        hours = Hours.parse(limits.hours)
        local = self._now().astimezone(read_zone(limits.timezone))
        if hours.is_open(local):
            return ""
        opens = hours.opens(local)
        return f"imports begin in the hours {limits.hours} only, next at {opens:%Y-%m-%d %H:%M}" if opens else "closed"

    def _busy_target(self, limits: Limits) -> str:
        if limits.workflows_on_target is None:
            return ""
        count = _counts.get(self._target, self._count_workflows)
        if count < limits.workflows_on_target:
            return ""
        return f"the target counts {count} workflows, and may have {limits.workflows_on_target}"


def _held(campaign: CampaignHead | None) -> str:
    if campaign is None or campaign.state in {CampaignState.RUNNING, CampaignState.ENDED}:
        return ""
    return f"the campaign {campaign.name} is {campaign.state.value}"


class _Counts:
    """Counts of the targets' workflows, each asked for once in a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, int]] = {}

    def get(self, target: str, ask: Callable[[], int]) -> int:
        """Return the count, asking when the last answer is too old."""
        with self._lock:
            at, count = self._known.get(target, (float("-inf"), 0))
            if self._clock() - at >= _COUNT_LIFETIME_S:
                count = ask()
                self._known[target] = (self._clock(), count)
            return count


_counts = _Counts()
