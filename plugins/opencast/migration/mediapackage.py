"""Migrate one mediapackage: read, stage, send, import run by import run, verify.

Each step is noted before the next begins, so that a process that is killed anywhere is followed by one that goes on.
Nothing here waits for the target: ``begin`` and ``advance`` return, and the caller decides how to wait.
"""

from __future__ import annotations

import logging
from enum import StrEnum

from opencast.errors import MigrationError, ObjectBusy, StagingFull, VerificationFailed
from opencast.migration import runs
from opencast.migration.companions import MigratedCompanions
from opencast.migration.import_runs import ImportRuns
from opencast.migration.journal import Journal, SentRecord
from opencast.migration.means import Means
from opencast.migration.moving import Mover
from opencast.migration.oaipmh import shown_in_repositories
from opencast.migration.options import Existing
from opencast.migration.probes import Prober
from opencast.migration.replacement import make_way
from opencast.migration.retraction import found_step, imported_channels
from opencast.migration.source_package import SourcePackage
from opencast.migration.transfer import Staged
from opencast.migration.verification import PackageComparison, Verdict
from opencast.model.mediapackage import MediaPackage
from opencast.store.ledger import Kind, ObjectKey, Outcome, State

log = logging.getLogger(__name__)


class Progress(StrEnum):
    """What the caller has to do next."""

    #: All slots of the target are taken: come back later.
    NO_SLOT = "no slot"
    #: Staging is full and other imports will free some of it: come back when fewer than ``others`` are in flight.
    NO_ROOM = "no room"
    #: A workflow runs on the target: come back later.
    WAITING = "waiting"
    #: All workflows have ended well: call ``complete``.
    IMPORTED = "imported"
    #: The target held everything already; the ledger says done.
    NOTHING_TO_DO = "nothing to do"


class MediaPackageMigrator:
    """Migrate one mediapackage.

    :param key: names the mediapackage and the run that migrates it.
    :param import_runs: drives the workflows on the target, when not in the usual way.
    """

    def __init__(self, means: Means, key: ObjectKey, import_runs: ImportRuns | None = None) -> None:
        if key.kind is not Kind.MEDIAPACKAGE:
            raise ValueError(f"{key} is no mediapackage")
        self._means = means
        self._key = key
        self._id = key.identifier
        self._imports = means.imports
        playlists = means.packages.playlists
        self._import_runs = import_runs or ImportRuns(means, key)
        self._mover = Mover(means.fetcher, means.route, means.imports, means.ledger, key, playlists)
        #: How many other imports were in flight when there was no room.
        self.others = 0

    # --- the three steps -------------------------------------------------------------------------------------------

    def begin(self) -> Progress:
        """Read, compare, stage and send the mediapackage and start its first import run; or go on with a begun one.

        :raises CampaignClosed: the campaign was cancelled or stopped before the mediapackage was begun.
        :raises ObjectBusy: the mediapackage has an active workflow on the source or the target, or another run is
            importing it.
        :raises ObjectGone: the source does not have it any more.
        :raises OpencastError: whatever stops this mediapackage; nothing was published or archived then.
        """
        owner = self._imports.owner(self._id)
        if owner not in {None, self._key.plan_key}:
            raise ObjectBusy(f"The run {owner} is importing mediapackage {self._id}.")
        opening = self._means.gate.opening()
        if not self._imports.claim(self._id, self._key.plan_key, opening.slots):
            self._means.gate.require_open()
            log.info("No import can begin right now: %s.", opening.reason or "all slots of the target are taken")
            return Progress.NO_SLOT
        read = self._read_source()
        journal = self._journal()
        if journal.is_sent and journal.source_version == read.version:
            log.info("Going on with the import that was begun before.")
            return self.advance()
        self._means.ledger.begin(self._key, read.version)
        plan = self._plan(read.package).with_notes(read.notes)
        if self._is_there_already(read.package, plan, read.version):
            return Progress.NOTHING_TO_DO
        staged = self._stage(plan)
        if staged is None:
            return Progress.NO_ROOM
        self._send(plan, staged, read.version, read.xml)
        return self.advance()

    def prepare(self) -> Staged:
        """Stage all files ahead of the import, which finds them in staging later.

        :raises ObjectBusy: the mediapackage has an active workflow on the source.
        :raises ObjectGone: the source does not have it any more.
        :raises StagingFull: there is no room.
        """
        self._imports.hold(self._id, self._key.plan_key)
        return self._mover.fetch(self._plan(self._read_source().package))

    def not_staged(self) -> list[str]:
        """Name the files that are not in staging yet, by run and element."""
        return self._mover.missing(self._plan(self._read_source().package))

    def advance(self) -> Progress:
        """Look how the current import run stands, and start the next one when it has ended.

        :raises WorkflowFailed: an import run did not end well.
        """
        package = self._package()
        has_ended = self._import_runs.advance(self._journal(), package, self._plan(package))
        return Progress.IMPORTED if has_ended else Progress.WAITING

    def complete(self) -> Verdict:
        """Verify what was imported, remove what the import left behind, and note the mediapackage as done.

        :raises VerificationFailed: naming the first difference.
        """
        journal = self._journal()
        package = self._package()
        plan = self._plan(package)
        verdict = self._verify(package, plan, journal.sent)
        if not verdict.is_equal:
            raise VerificationFailed(f"Mediapackage {self._id} differs on the target: {verdict.differences[0]}.")
        companions = self._migrate_companions()
        self._remove_sent(journal)
        self._finish(journal.source_version, (*journal.notes, *verdict.notes, *companions.notes))
        return verdict

    def fail(self, error: Exception, *, skipped: bool = False) -> None:
        """Note that the mediapackage was not migrated, and why; its slot is given back.

        What was sent to the target's working file repository is removed, so that nothing is left over.
        """
        journal = self._journal()
        if journal.sent:
            self._remove_sent(journal)
        state = State.SKIPPED if skipped else State.FAILED
        self._means.ledger.finish(self._key, state, reason=str(error), notes=tuple(journal.notes))
        self._imports.release(self._id)

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read_source(self) -> SourcePackage:
        if self._means.source.workflows.has_active(self._id):
            raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the source.")
        return self._means.packages.read(self._id)

    def _journal(self) -> Journal:
        job = self._imports.load(self._id)
        return Journal.from_json({} if job is None else job.journal)

    def _package(self) -> MediaPackage:
        job = self._imports.load(self._id)
        if job is None or job.package is None:
            raise MigrationError(f"No import of mediapackage {self._id} is in flight.")
        return MediaPackage.parse(job.package.encode(), what=f"mediapackage {self._id}")

    # --- what the target has already -------------------------------------------------------------------------------

    def _is_there_already(self, package: MediaPackage, plan: runs.ImportPlan, version: str | None) -> bool:
        """Tell whether the target holds the same already; refuse to write over something else."""
        target = self._means.target
        if target.workflows.has_active(self._id):
            raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the target.")
        existing = self._means.target_package(self._id)
        if existing is None or make_way(target, self._means.ledger, self._means.options, self._key):
            return False
        foreign = _foreign_elements(package, existing)
        known = self._means.ledger.was_migrated(Kind.MEDIAPACKAGE, self._id)
        if foreign and not known and self._means.options.existing is Existing.FAIL:
            raise MigrationError(
                f"The target holds another mediapackage {self._id}, with {foreign[0]} that the source does not have.",
                advice="Compare both; to add the source's as a new version set the param existing to overwrite.",
            )
        sent = _claimed_digests(plan)
        if sent is None:
            return False
        verdict = self._verify(package, plan, sent)
        if not verdict.is_equal:
            log.info("The target holds a mediapackage of this id that differs: %s", verdict.differences[0])
            return False
        companions = self._migrate_companions()
        note = "The target held the same already; it was compared and nothing was written."
        if companions.written:
            note = f"The target held the same mediapackage already; written: {', '.join(companions.written)}."
        for run in plan.channels:
            self._means.ledger.step(self._key, found_step(run.channel), Outcome.DONE)
        self._finish(version, (note, *plan.left_out, *plan.notes, *verdict.notes, *companions.notes))
        return True

    # --- moving ----------------------------------------------------------------------------------------------------

    def _stage(self, plan: runs.ImportPlan) -> Staged | None:
        """Stage all files; None when there is no room until other imports have freed some.

        Slot and staged files are given back then: two that hold half of what they need would wait for each other.

        :raises StagingFull: nothing else is in flight that could free room.
        """
        for is_last in (False, True):
            try:
                return self._mover.stage(plan)
            except StagingFull as error:
                self.others = self._imports.others(self._id)
                if self.others:
                    log.info("%s Waiting for %d other imports.", error.message, self.others)
                    self._give_back()
                    return None
                if is_last:
                    raise
                # The others may have ended, or given way, while this one was being staged.
        return None

    def _plan(self, package: MediaPackage) -> runs.ImportPlan:
        """Decide what is imported of the mediapackage, and how."""
        return runs.plan_import(package)

    def _send(self, plan: runs.ImportPlan, staged: Staged, version: str | None, xml: bytes) -> None:
        """Bring the staged files to the target, and plan the import runs."""
        self._mover.send(plan, staged, version, xml)

    def _remove_sent(self, journal: Journal) -> None:
        """Remove what was sent for the import runs."""
        self._mover.remove_sent(journal)

    def _give_back(self) -> None:
        journal = self._journal()
        if journal.sent:
            self._remove_sent(journal)
        self._imports.release(self._id)

    # --- the end ---------------------------------------------------------------------------------------------------

    def _verify(self, package: MediaPackage, plan: runs.ImportPlan, sent: dict[str, SentRecord]) -> Verdict:
        existing = self._means.target_package(self._id)
        if existing is None:
            return Verdict((f"the target has no mediapackage {self._id}",), ())
        existing = shown_in_repositories(existing, self._means.target)
        prober = Prober(self._means.source, self._means.target, self._means.options.verify)
        imported = imported_channels(self._means.ledger, self._id)
        verdict = PackageComparison(package, plan, sent, prober.same_policy(package.series), imported).compare(existing)
        if not verdict.is_equal:
            return verdict
        return prober.probe(verdict, package, plan, sent, existing)

    def _migrate_companions(self) -> MigratedCompanions:
        done = self._means.companions.migrate(self._id)
        if done.written:
            self._means.ledger.step(self._key, "companions", Outcome.DONE, reason=", ".join(done.written))
        return done

    def _finish(self, version: str | None, notes: tuple[str, ...]) -> None:
        ledger = self._means.ledger
        ledger.step(self._key, "verify", Outcome.DONE)
        ledger.finish(self._key, State.DONE, notes=tuple(dict.fromkeys(notes)), source_version=version)
        self._imports.release(self._id)


def _foreign_elements(package: MediaPackage, existing: MediaPackage) -> list[str]:
    """Name the tracks of the target that the source's package does not have: then it is another recording."""
    own = {element.id for element in package.elements}
    return [f"track {track.id}" for track in existing.tracks if track.id not in own]


def _claimed_digests(plan: runs.ImportPlan) -> dict[str, SentRecord] | None:
    """Return the digests that the source claims for the archive, or None when it does not know all of them.

    Published files often have none; a package whose archive is the same is compared by their sizes then.
    """
    sent: dict[str, SentRecord] = {}
    for element in plan.archive:
        checksum = element.source.checksum
        if checksum is None or checksum.md5 is None:
            return None
        sent[element.key] = SentRecord("", "", checksum.md5, element.source.size or 0)
    return sent
