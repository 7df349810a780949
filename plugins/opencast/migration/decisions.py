"""What a plan does with an object, judged by what the ledger says of it."""

from __future__ import annotations

from dataclasses import dataclass

from opencast.store.ledger import Entry, State
from opencast.store.plans import Action


@dataclass(frozen=True)
class Repeat:
    """Which of the objects that the source has not changed since get another task.

    :param failed: those that failed.
    :param done: those that were migrated: somebody may have changed or deleted them on the target.
    """

    failed: bool = True
    done: bool = False


_FAILED = Repeat()


def decide(entry: Entry | None, version: str | None, change: str, repeat: Repeat = _FAILED) -> tuple[Action, str]:
    """Return what to do with an object that nothing keeps from being migrated, and why.

    :param entry: the ledger's row; None when nothing ever happened to the object.
    :param version: the version that the source has now.
    :param change: what another version means, such as ``a newer snapshot``.
    :param repeat: what is done again although the source has not changed it.
    """
    if entry is None:
        return Action.MIGRATE, "not migrated yet"
    if entry.state is State.FAILED and not repeat.failed and entry.source_version == version:
        return Action.SKIP, f"failed before, and unchanged since: {entry.reason}".rstrip(": ")
    if entry.state is not State.DONE:
        return Action.MIGRATE, f"{entry.state} before: {entry.reason}".rstrip(": ")
    if entry.source_version != version:
        return Action.UPDATE, f"the source has {change} since it was migrated"
    return (Action.UPDATE, "done before, looked at again") if repeat.done else (Action.SKIP, "done")
