"""What belongs to an event besides its mediapackage, and is written after it: workflow properties and comments."""

from __future__ import annotations

from dataclasses import dataclass

from opencast.api.opencast import Opencast
from opencast.migration.comments import CommentMigrator
from opencast.migration.options import Options
from opencast.migration.workflow_properties import WorkflowPropertyMigrator


@dataclass(frozen=True)
class MigratedCompanions:
    """What was done for one event.

    :param written: in words; empty when the target held the same before.
    """

    written: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Companions:
    """Migrate what belongs to an event that is on both servers."""

    def __init__(self, source: Opencast, target: Opencast, options: Options) -> None:
        self._options = options
        self._properties = WorkflowPropertyMigrator(source, target)
        self._comments = CommentMigrator(source, target, as_authors=options.comments_as_authors)

    def migrate(self, event_id: str) -> MigratedCompanions:
        """Write what the target's event lacks, and prove it.

        :raises OpencastError: whatever keeps it from being complete.
        """
        written: list[str] = []
        notes: list[str] = []
        for wanted, migrate in (
            (self._options.include_workflow_properties, self._properties.migrate),
            (self._options.include_comments, self._comments.migrate),
        ):
            if wanted:
                done = migrate(event_id)
                written += done.written
                notes += done.notes
        return MigratedCompanions(tuple(written), tuple(notes))
