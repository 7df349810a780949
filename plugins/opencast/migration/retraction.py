"""Publications that the target has and the source does not: retracted there since, or the target's own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from opencast.migration.sharing import base_channel, own_files
from opencast.model.mediapackage import MediaPackage, Publication
from opencast.store.ledger import Kind, Ledger, Outcome

_IMPORT, _FOUND = "import ", "found "


def import_step(where: str) -> str:
    """Name the ledger's step of an import run.

    :param where: id of the channel, or ``archive``.
    """
    return f"{_IMPORT}{where}"


def found_step(channel: str) -> str:
    """Name the ledger's step for a publication that the target held already, equal to the source's."""
    return f"{_FOUND}{channel}"


def imported_channels(ledger: Ledger, identifier: str) -> frozenset[str]:
    """Return the channels of which any run has published a mediapackage, or found it published just as on the source.

    The latter is all that is known where the store is newer than the target's library.
    """
    done = [step.step for step in ledger.steps(Kind.MEDIAPACKAGE, identifier) if step.outcome is Outcome.DONE]
    return frozenset(
        step.removeprefix(prefix) for step in done for prefix in (_IMPORT, _FOUND) if step.startswith(prefix)
    )


@dataclass(frozen=True)
class Further:
    """The publications of the target's package that the source's does not have.

    :param retracted: a migration published them, and the source has retracted them since: the target retracts them,
        too, or what was taken down on the source could still be watched.
    :param own: all others. They stay: people of the target published them, or they were added on request.
    """

    retracted: tuple[Publication, ...] = ()
    own: tuple[Publication, ...] = ()

    @property
    def archived(self) -> tuple[Publication, ...]:
        """What of them goes into the package that is archived; the operations take the retracted ones out of it."""
        return (*self.own, *(own_files(publication) for publication in self.retracted))

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels to retract."""
        return tuple(dict.fromkeys(publication.channel for publication in self.retracted))


def further_publications(package: MediaPackage, existing: MediaPackage | None, imported: Collection[str]) -> Further:
    """Sort the publications that only the target has.

    One that shares another channel's files was added on request (param ``external_api``) and belongs to that channel.

    :param package: the source's package.
    :param existing: the target's package, or None when it has none.
    :param imported: the channels that a migration has published.
    """
    if existing is None:
        return Further()
    further = [found for found in existing.publications if package.publication(found.channel) is None]
    gone = [found for found in further if found.channel in imported and not _belongs(package, existing, found)]
    return Further(tuple(gone), tuple(found for found in further if found not in gone))


def _belongs(package: MediaPackage, existing: MediaPackage, publication: Publication) -> bool:
    base = base_channel(existing, publication)
    return base is not None and package.publication(base) is not None
