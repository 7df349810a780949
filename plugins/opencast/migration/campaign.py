"""Campaigns: a run takes a part of its plan, the next one goes on, and together they are one campaign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opencast.errors import CampaignClosed, PlanInUse
from opencast.migration.options import Mode, Options
from opencast.store.campaigns import CampaignHead, Campaigns, CampaignState
from opencast.store.ledger import Kind, Ledger, State
from opencast.store.plans import WORK, PlanHead, Plans
from opencast.store.waves import Waves


@dataclass(frozen=True)
class NextRun:
    """What follows a run.

    :param key: of the run to start, or None when there is none.
    :param reason: why there is one, or none.
    """

    key: str | None
    root_key: str
    wave: int
    campaign: str
    reason: str


class CampaignDesk:
    """Keeps the campaigns between one source and one target.

    :param is_alive: tells of ``<dag id>/<run id>`` whether that run is waiting or running.
    """

    def __init__(self, ledger: Ledger, plans: Plans, waves: Waves, is_alive: Callable[[str], bool]) -> None:
        self._ledger = ledger
        self._plans = plans
        self._waves = waves
        self._campaigns = Campaigns(ledger.database)
        self._is_alive = is_alive

    def enrol(self, key: str, options: Options) -> CampaignHead:
        """Begin the campaign of a run that is about to plan, or join the one of the params.

        :raises CampaignClosed: it was cancelled or stopped, and nobody has resumed it.
        :raises PlanInUse: later runs are working on what this run planned before.
        """
        later = [head.key for head in self._plans.chain(key) if head.key != key and self._is_alive(head.key)]
        if later:
            raise PlanInUse(f"{key} cannot plan anew: {later[0]} is working on the plan that it made before.")
        dag_id = key.partition("/")[0]
        name = options.campaign or (dag_id if options.granularity else key)
        campaign = self._campaigns.begin(self._ledger.pair_id, name)
        if campaign.state.is_closed:
            why = f": {campaign.reason}" if campaign.reason else ""
            raise CampaignClosed(f"The campaign {name} was {campaign.state.value}{why}.")
        return campaign

    def leave(self, campaign: CampaignHead) -> None:
        """End the campaign of a run that could not plan, unless other runs go on with it."""
        self._campaigns.end_if_done(campaign.id)

    def open(self, key: str, size: int) -> dict[str, int]:
        """Let a run begin to work on its plan.

        What other campaigns are working on is left to them; plans whose runs have all ended hold nothing back.

        :param size: mediapackages that one run works on.
        :return: how many mediapackages are left to each other campaign, by its name.
        """
        for rival in self._waves.rivals(key):
            if not any(self._is_alive(run) for run in rival.keys):
                self._plans.close(rival.root_key)
        left = self._waves.open(key)
        self._waves.take(key, key, size)
        return left

    def join(self, key: str, options: Options) -> PlanHead:
        """Let a run go on with the plan of an earlier one.

        :raises PlanInUse: there is no such plan any more.
        """
        root = self._plans.head(options.continues)
        if root is None:
            raise PlanInUse(f"{key} cannot go on with {options.continues}, which has no plan.")
        self._waves.follow(key, root.key, options.wave)
        self._waves.take(key, root.key, options.wave_size)
        return root

    def after(self, key: str, options: Options, next_key: Callable[[int], str]) -> NextRun:
        """Say what follows a run whose objects have all been tried, and note it.

        :param next_key: gives the key of the run with this number in the chain.
        """
        head = self._plans.head(key)
        campaign = self._campaigns.of_run(key)
        if head is None or campaign is None or options.mode is Mode.PLAN:
            return NextRun(None, key, 1, "", "Nothing follows a run that only plans.")
        left = self._waves.left(head.root_key)
        reason = "" if left else "Nothing is left."
        if left and campaign.state.is_closed:
            reason = f"The campaign was {campaign.state.value}."
        failed, total = self._failures(key)
        if left and not reason and failed and failed * 100 >= options.stop_at_failed_percent * total:
            reason = f"{failed} of the {total} objects of a run failed; {left} were not begun"
            self._campaigns.set_state(campaign.id, CampaignState.STOPPED, reason)
        if reason:
            self._plans.close(head.root_key)
            self._campaigns.end_if_done(campaign.id)
            return NextRun(None, head.root_key, head.wave, campaign.name, reason)
        following = next_key(head.wave + 1)
        self._waves.follow(following, head.root_key, head.wave + 1)
        return NextRun(following, head.root_key, head.wave + 1, campaign.name, f"{left} objects are left.")

    def _failures(self, key: str) -> tuple[int, int]:
        """Count the objects of a run that were not migrated although they were tried, and all of them."""
        failed = total = 0
        for kind in Kind:
            identifiers = [item.identifier for item in self._plans.wave(key, kind) if item.action in WORK]
            entries = self._ledger.lookup(kind, identifiers)
            total += len(identifiers)
            for identifier in identifiers:
                entry = entries.get(identifier)
                if entry is not None and entry.plan_key == key:
                    failed += entry.state in {State.FAILED, State.RUNNING}
                else:
                    failed += self._ledger.done_at(kind, identifier, key) is None
        return failed, total
