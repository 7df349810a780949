"""The task that keeps staging small."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import Context, Param

from opencast.hooks.store import open_store
from opencast.operators.use_case import UseCaseOperator
from opencast.settings import load_settings
from opencast.staging.clean import clean
from opencast.staging.store import ObjectStore
from opencast.store.imports import StagedNeeds


def clean_params() -> dict[str, Param]:
    """Return the trigger form of the cleaning of staging."""
    return {
        "dry_run": Param(
            False,
            type="boolean",
            title="Only say what would be removed",
            description_md="Counts files and bytes, and removes nothing.",
        ),
        "older_than_hours": Param(
            24,
            type="number",
            minimum=0,
            title="Hours a file is kept",
            description_md="Files that were staged or used later stay: the next event may need the same file.",
        ),
        "give_up_after_days": Param(
            7,
            type="number",
            minimum=1,
            title="Days after which an import is given up",
            description_md="The files of an import that failed or was killed are kept for its next try for so long.",
        ),
    }


class CleanStagingOperator(UseCaseOperator):
    """Remove the staged files that no open migration needs; the run's params say which.

    Its value is what was removed, or with ``dry_run`` what would be.
    """

    def work(self, context: Context) -> dict[str, Any]:
        """Clean, and return the numbers."""
        params = context["params"]
        settings = load_settings()
        needs = StagedNeeds(open_store(settings), patience=timedelta(days=float(params["give_up_after_days"])))
        result = clean(
            ObjectStore(settings.staging),
            lambda digest: needs.has(digest.md5, digest.size),
            min_age=float(params["older_than_hours"]) * 3600,
            dry_run=bool(params["dry_run"]),
        )
        self.log.info(
            "%s %d files with %d bytes; kept: %d needed, %d young, %d in use. Temporary files removed: %d.",
            "Would remove" if result.dry_run else "Removed",
            result.removed,
            result.bytes_freed,
            result.kept_needed,
            result.kept_young,
            result.kept_busy,
            result.leftovers,
        )
        return asdict(result)
