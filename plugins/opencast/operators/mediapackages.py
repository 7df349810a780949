"""Operators for a DAG of your own: stage a mediapackage, send it, or both at once.

Each takes the ids and needs nothing else of this package: no plan, no preflight, no series task. What they are told by
``choices`` are the fields of the migration's trigger form::

    MigrateMediaPackageOperator(task_id="migrate", identifier=event, choices={"target": "opencast_new"})

Series, themes and agents are not looked at: bring them before, or give the target's events their series later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from opencast.errors import ObjectBusy, StagingError
from opencast.operators.migration import MigrateMediaPackageOperator, MigrationOperator, plan_key

__all__ = ["MigrateMediaPackageOperator", "SendMediaPackageOperator", "StageMediaPackageOperator"]


class StageMediaPackageOperator(MigrationOperator):
    """Bring all files of one mediapackage into staging, ahead of its migration; nothing is written to the target.

    They are kept there until ``SendMediaPackageOperator`` or ``MigrateMediaPackageOperator`` has sent them, or until
    ``opencast_clean_staging`` gives the mediapackage up. Doing it again reads only what is missing.

    Its value is the number of files, the bytes of the different ones, and the bytes that were read from the source.

    :param identifier: id of the mediapackage; no template, since ids may come from a server.
    :param title: shown as the name of a mapped task.
    :param choices: fields of the trigger form, in a DAG whose params are others.
    """

    def __init__(
        self, *, identifier: str, title: str = "", choices: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(choices=choices, **kwargs)
        self.identifier = identifier
        self.title = title

    def work(self, context: Context) -> dict[str, int]:
        """Stage, and return the numbers."""
        with self.workbench(context) as bench:
            migrator = bench.mediapackage_migrator(self.identifier, plan_key(context), self.title)
            try:
                staged = migrator.prepare()
            except ObjectBusy as error:
                raise AirflowSkipException(str(error)) from error
        for note in staged.notes:
            self.log.info("%s", note)
        return {"files": len(staged.objects), "bytes": staged.traffic.total, "bytes_read": staged.traffic.read}


class SendMediaPackageOperator(MigrateMediaPackageOperator):
    """Bring a staged mediapackage to the target, import it there, and verify it; deferred while the target works.

    Like ``MigrateMediaPackageOperator``, but media are never read from the source: what is not staged fails the task,
    so that a source is read at night, say, and the target is filled by day.

    :param identifier: id of the mediapackage; no template, since ids may come from a server.
    :param title: shown as the name of a mapped task.
    :param route: the way of the files; see ``MigrateMediaPackageOperator``.
    :param choices: fields of the trigger form, in a DAG whose params are others.
    """

    def work(self, context: Context) -> str:
        """Check that everything is staged, then send it."""
        with self.workbench(context) as bench:
            missing = bench.mediapackage_migrator(self.identifier, plan_key(context), self.title).not_staged()
        if missing:
            raise StagingError(
                f"{len(missing)} files of mediapackage {self.identifier} are not in staging, such as {missing[0]}.",
                advice="Run StageMediaPackageOperator before, or use MigrateMediaPackageOperator.",
            )
        return super().work(context)
