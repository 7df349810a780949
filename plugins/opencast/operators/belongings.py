"""The tasks that migrate all agents, all themes or all playlists of a plan: small objects need no task each."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from opencast.errors import ObjectsFailed
from opencast.migration.batch import Batch, migrate_batch
from opencast.migration.options import Mode
from opencast.operators.migration import MigrationOperator, plan_key, will_retry
from opencast.store.ledger import Kind

#: Failed objects that the task's error names; the report names all.
_NAMED = 5


class MigrateBelongingsOperator(MigrationOperator):
    """Migrate all planned objects of one small kind.

    :param kind: ``agent``, ``theme`` or ``playlist``, a value of ``opencast.store.ledger.Kind``.
    """

    def __init__(self, *, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def work(self, context: Context) -> dict[str, int]:
        """Migrate one object after another, and count; one that fails does not stop the others.

        :raises ObjectsFailed: when at least one failed, after all were tried.
        """
        if not self.has_plan(context):
            raise AirflowSkipException("There is no plan: a task before this one failed.")
        kind = Kind(self.kind)
        with self.workbench(context) as bench:
            if bench.options.mode is Mode.PLAN:
                raise AirflowSkipException("The run only plans.")
            items = [item for item in bench.plans.wave(plan_key(context), kind) if item.is_work]
            batch = migrate_batch(
                bench.ledger,
                plan_key(context),
                kind,
                items,
                bench.belonging_migrator(kind),
                will_retry=lambda error: will_retry(error, context),
            )
        return self._outcome(batch, kind)

    def _outcome(self, batch: Batch, kind: Kind) -> dict[str, int]:
        if batch.passing is not None:
            raise batch.passing
        if batch.failed:
            named = " ".join(f"{identifier}: {reason}" for identifier, reason in batch.failed[:_NAMED])
            raise ObjectsFailed(f"{len(batch.failed)} objects of the kind {kind.value} were not migrated. {named}")
        self.log.info("%d of the kind %s are the same on the target, %d were written.", batch.done, kind, batch.written)
        return {"done": batch.done, "written": batch.written}
