"""What a plan does with an object, judged by what the ledger says of it."""

from __future__ import annotations

from opencast.store.ledger import Entry, State
from opencast.store.plans import Action


def decide(entry: Entry | None, version: str | None, change: str, *, repeat_failed: bool = True) -> tuple[Action, str]:
    """Return what to do with an object that nothing keeps from being migrated, and why.

    :param entry: the ledger's row; None when nothing ever happened to the object.
    :param version: the version that the source has now.
    :param change: what another version means, such as ``a newer snapshot``.
    :param repeat_failed: whether an object that failed is tried again although the source has not changed it since.
    """
    if entry is None:
        return Action.MIGRATE, "not migrated yet"
    if entry.state is State.FAILED and not repeat_failed and entry.source_version == version:
        return Action.SKIP, f"failed before, and unchanged since: {entry.reason}".rstrip(": ")
    if entry.state is not State.DONE:
        return Action.MIGRATE, f"{entry.state} before: {entry.reason}".rstrip(": ")
    if entry.source_version != version:
        return Action.UPDATE, f"the source has {change} since it was migrated"
    return Action.SKIP, "done"
