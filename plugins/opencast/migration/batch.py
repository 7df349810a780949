"""Work on all small objects of one kind in one go: one that cannot be migrated does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opencast.errors import OpencastError
from opencast.migration.migrated import Migrated
from opencast.store.ledger import MIGRATE, Kind, Ledger, ObjectKey, Outcome, State
from opencast.store.plans import Item

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """How the objects of one kind fared.

    :param failed: identifier and reason of each object that is not migrated.
    :param passing: the first error that may pass by itself, when there is to be another try.
    """

    done: int
    written: int
    failed: tuple[tuple[str, str], ...]
    passing: OpencastError | None = None


def migrate_batch(
    ledger: Ledger,
    plan_key: str,
    kind: Kind,
    items: Iterable[Item],
    migrate: Callable[[str], Migrated],
    *,
    will_retry: Callable[[OpencastError], bool],
) -> Batch:
    """Migrate the objects of a plan one after another; each one's outcome is noted at once.

    What an earlier try of the same run has done is not done again.

    :param migrate: brings the object of an identifier to the target.
    :param will_retry: tells whether the whole batch is tried again because of an error; the object is left open then.
    """
    done = written = 0
    failed: list[tuple[str, str]] = []
    passing: OpencastError | None = None
    for item in items:
        if not item.is_work or _is_done(ledger, plan_key, item):
            continue
        key = ObjectKey(kind, item.identifier, plan_key, item.title)
        ledger.begin(key, item.source_version)
        try:
            migrated = migrate(item.identifier)
        except OpencastError as error:
            log.error("%s %s (%s): %s", kind.value, item.identifier, item.title, error)
            failed.append((item.identifier, str(error)))
            if will_retry(error):
                passing = passing or error
            else:
                ledger.finish(key, State.FAILED, reason=str(error))
            continue
        except Exception as error:
            # Whatever a server's answer makes of this program, it costs this object only.
            log.exception("%s %s (%s)", kind.value, item.identifier, item.title)
            failed.append((item.identifier, f"{type(error).__name__}: {error}"))
            ledger.finish(key, State.FAILED, reason=failed[-1][1])
            continue
        _note(ledger, key, migrated)
        done += 1
        written += bool(migrated.written)
    return Batch(done, written, tuple(failed), passing)


def _is_done(ledger: Ledger, plan_key: str, item: Item) -> bool:
    entry = ledger.entry(item.kind, item.identifier)
    return entry is not None and entry.plan_key == plan_key and entry.state is State.DONE


def _note(ledger: Ledger, key: ObjectKey, migrated: Migrated) -> None:
    what = ", ".join(migrated.written)
    log.info("%s %s (%s): %s", key.kind.value, key.identifier, migrated.title, what or "the same already")
    ledger.step(key, MIGRATE, Outcome.DONE, traffic=migrated.traffic, reason=what)
    notes = migrated.notes if migrated.written else (*migrated.notes, "The target held the same already.")
    ledger.finish(key, State.DONE, notes=notes, source_version=migrated.fingerprint)
