"""Remove scheduled events from the target, where a recording is to take their place. Only ever on request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from opencast.api.opencast import Opencast
from opencast.errors import DeletionPending, MigrationError
from opencast.migration.options import Existing, Options
from opencast.store.ledger import Kind, Ledger, ObjectKey, State

log = logging.getLogger(__name__)

#: Seconds that a deletion may take: a real server needs some 25 s to forget an event.
PATIENCE_S = 120.0
_PAUSE_S = 1.0


def make_way(
    target: Opencast,
    ledger: Ledger,
    options: Options,
    key: ObjectKey,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Remove the scheduled event that the target has under the id of a recording, if there is one.

    Left there, its plan would go on to take the agent's time, and the event would be listed as scheduled as soon as
    its workflow is cleaned up.

    :param key: of the recording.
    :returns: whether one was removed.
    :raises MigrationError: it must not be removed.
    :raises DeletionPending: it was deleted, but the target still shows it.
    """
    planned = target.recordings.mediapackage(key.identifier)
    if planned is None:
        return False
    entry = ledger.entry(Kind.SCHEDULED, key.identifier)
    if entry is None and options.existing is not Existing.OVERWRITE:
        raise MigrationError(
            f"The target has a scheduled event {key.identifier} that no migration brought there.",
            advice="Compare both; to replace it set the params existing to overwrite and replace_scheduled.",
        )
    if not options.replace_scheduled:
        raise MigrationError(
            f"The target has {key.identifier} as a scheduled event; on the source it has been recorded since.",
            advice="Set the param replace_scheduled to remove it there and to bring the recording.",
        )
    remove(target, key.identifier, sleep=sleep)
    if entry is not None:
        scheduled = ObjectKey(Kind.SCHEDULED, key.identifier, key.plan_key)
        ledger.finish(scheduled, State.SKIPPED, reason="It was recorded, and replaced by the recording.")
    return True


def remove(target: Opencast, identifier: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Delete an event on the target (``DELETE /api/events/{id}``) and wait until it is gone.

    :raises DeletionPending: it is still there after :data:`PATIENCE_S`.
    """
    log.info("Removing the scheduled event %s from the target.", identifier)
    target.events.delete(identifier)
    deadline = time.monotonic() + PATIENCE_S
    while target.events.exists(identifier) or target.assets.find(identifier) is not None:
        if time.monotonic() >= deadline:
            raise DeletionPending(f"The scheduled event {identifier} is still on the target after its deletion.")
        sleep(_PAUSE_S)
