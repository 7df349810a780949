"""Wait for a mediapackage on its way without holding a worker slot, and drive its remaining import runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
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
    :param waiting_for: what ``MediaPackageMigrator`` answered: ``waiting`` or ``no slot``.
    """

    def __init__(self, options: dict[str, Any], identifier: str, plan_key: str, waiting_for: str) -> None:
        super().__init__()
        self.options = options
        self.identifier = identifier
        self.plan_key = plan_key
        self.waiting_for = waiting_for

    @classmethod
    def of(cls, options: Options, identifier: str, plan_key: str, progress: Progress) -> ImportTrigger:
        """Make the trigger for what the migrator waits for."""
        return cls(options.model_dump(mode="json"), identifier, plan_key, progress.value)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments, for the triggerer."""
        arguments = {
            "options": self.options,
            "identifier": self.identifier,
            "plan_key": self.plan_key,
            "waiting_for": self.waiting_for,
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
        with Workbench(settings, options, database, Opencast(source), Opencast(target)) as bench:
            while True:
                await asyncio.sleep(pause(options))
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

    def _look(self, bench: Workbench) -> str:
        if self.waiting_for == Progress.NO_SLOT:
            claimed = bench.imports.claim(self.identifier, self.plan_key, bench.options.imports_in_flight)
            return SLOT if claimed else Progress.NO_SLOT.value
        return bench.mediapackage_migrator(self.identifier, self.plan_key).advance().value


def pause(options: Options) -> float:
    """Return the seconds between two looks at the target; never less than six, see ``ImportTrigger.run``."""
    return options.poll_seconds
