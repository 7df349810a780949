"""What every migrator of a small object tells about what it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from opencast.store.ledger import Traffic


@dataclass(frozen=True)
class Migrated:
    """What was done with one object, which is the same on both servers now.

    :param fingerprint: of the source's object; another one means that it has changed since.
    :param written: what was written, in words; empty when both were equal before.
    :param notes: what could not come along, or is different for a reason.
    """

    title: str
    fingerprint: str
    written: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    traffic: Traffic = field(default_factory=Traffic)
