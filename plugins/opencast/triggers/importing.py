"""Wait for a mediapackage on its way without holding a worker slot, and drive its remaining import runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from opencast.api.opencast import Opencast
from opencast.errors import OpencastError
from opencast.hooks.opencast import server_of
from opencast.hooks.store import aopen_store
from opencast.migration.mediapackage import Progress
from opencast.migration.options import Options
from opencast.migration.workbench import Workbench
from opencast.settings import load_settings

#: Failures in a row that are taken for a passing trouble of the target, while nothing else is known.
_PATIENCE = 20
#: What the trigger says when a slot on the target was taken for the mediapackage.
SLOT = "slot"


class ImportTrigger(BaseTrigger):
    """Poll until the imports of one mediapackage have ended, or until a slot on the target is free.

    :param options: the run's options as JSON.
    :param identifier: id of the mediapackage.
    :param plan_key: ``<dag id>/<run id>``.
    :param waiting_for: what ``MediaPackageMigrator`` answered: ``waiting``, ``no slot`` or ``no room``.
    :param slots: most imports in flight with which this one may begin; None: as many as the gate says.
    :param servers: the names of source and target in the store.
    """

    def __init__(
        self,
        options: dict[str, Any],
        identifier: str,
        plan_key: str,
        waiting_for: str,
        servers: Sequence[str],
        slots: int | None = None,
    ) -> None:
        super().__init__()
        self.slots = slots
        self.servers = (servers[0], servers[1])
        self.options = options
        self.identifier = identifier
        self.plan_key = plan_key
        self.waiting_for = waiting_for

    @classmethod
    def of(
        cls, bench: Workbench, identifier: str, plan_key: str, progress: Progress, slots: int | None = None
    ) -> ImportTrigger:
        """Make the trigger for what the migrator waits for."""
        servers = (bench.ledger.source, bench.ledger.target)
        return cls(bench.options.model_dump(mode="json"), identifier, plan_key, progress.value, servers, slots)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments, for the triggerer."""
        arguments = {
            "options": self.options,
            "identifier": self.identifier,
            "plan_key": self.plan_key,
            "waiting_for": self.waiting_for,
            "servers": list(self.servers),
            "slots": self.slots,
        }
        return "opencast.triggers.importing.ImportTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll; the first time after a pause, because a trigger that fires at once loses its task (Airflow 3.3)."""
        options = Options.from_params(self.options)
        source = server_of(await BaseHook.aget_connection(options.source))
        target = server_of(await BaseHook.aget_connection(options.target))
        settings = load_settings()
        database = await aopen_store(settings)
        failures = 0
        with Workbench(settings, options, database, Opencast(source), Opencast(target), names=self.servers) as bench:
            bench.keep_limits(self.plan_key)
            while True:
                await asyncio.sleep(pause(options) * self._patience())
                try:
                    progress = await asyncio.to_thread(self._look, bench)
                except OpencastError as error:
                    failures += 1
                    if not error.retriable or failures >= _PATIENCE:
                        yield TriggerEvent({"what": "error", "message": error.message})
                        return
                    continue
                failures = 0
                if progress != self.waiting_for:
                    yield TriggerEvent({"what": progress})
                    return

    def _patience(self) -> float:
        """Return how much longer to pause than usual: hundreds may wait for a slot, and need not all ask at once."""
        return 1.0 if self.waiting_for == Progress.WAITING else random.uniform(1, 3)

    def _look(self, bench: Workbench) -> str:
        if self.waiting_for in {Progress.NO_SLOT, Progress.NO_ROOM}:
            gate = bench.gate(self.plan_key)
            slots = gate.opening().slots
            limit = slots if self.slots is None else min(slots, self.slots)
            claimed = bench.imports.claim(self.identifier, self.plan_key, limit)
            # The task gives a mediapackage up whose campaign goes no further.
            return SLOT if claimed or gate.is_closed() else self.waiting_for
        return bench.mediapackage_migrator(self.identifier, self.plan_key).advance().value


def pause(options: Options) -> float:
    """Return the seconds between two looks at the target; never less than six, see ``ImportTrigger.run``."""
    return options.poll_seconds
