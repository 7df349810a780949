"""Migrate one mediapackage: read, stage, send, import run by import run, verify.

Each step is noted before the next begins, so that a process that is killed anywhere is followed by one that goes on.
Nothing here waits for the target: ``begin`` and ``advance`` return, and the caller decides how to wait.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum

from opencast.api.opencast import Opencast
from opencast.errors import (
    Conflict,
    MigrationError,
    NotFound,
    ObjectBusy,
    StagingFull,
    VerificationFailed,
    WorkflowFailed,
)
from opencast.migration import definitions, runs
from opencast.migration.companions import Companions, MigratedCompanions
from opencast.migration.gate import Gate
from opencast.migration.journal import Journal, RunRecord, RunState, SentRecord
from opencast.migration.moving import Mover
from opencast.migration.oaipmh import shown_in_repositories
from opencast.migration.options import Existing, Options
from opencast.migration.probes import Prober
from opencast.migration.publications import channel_manifest, in_source_order, restored_publication
from opencast.migration.replacement import make_way
from opencast.migration.servers import Party, moved_url
from opencast.migration.source_package import SourcePackage, SourcePackages
from opencast.migration.transfer import Staged
from opencast.migration.verification import PackageComparison, Verdict
from opencast.model.mediapackage import MediaPackage, Publication
from opencast.model.workflow import OperationState, WorkflowInstance, WorkflowState
from opencast.staging.routes import Route
from opencast.staging.source import Fetcher
from opencast.store.imports import Imports
from opencast.store.ledger import Kind, Ledger, ObjectKey, Outcome, State

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


@dataclass(frozen=True)
class Means:
    """Everything that migrating one mediapackage needs."""

    source: Opencast
    target: Opencast
    source_party: Party
    target_party: Party
    ledger: Ledger
    imports: Imports
    gate: Gate
    options: Options
    fetcher: Fetcher
    route: Route
    companions: Companions
    packages: SourcePackages


class MediaPackageMigrator:
    """Migrate one mediapackage.

    :param key: names the mediapackage and the run that migrates it.
    """

    def __init__(self, means: Means, key: ObjectKey) -> None:
        if key.kind is not Kind.MEDIAPACKAGE:
            raise ValueError(f"{key} is no mediapackage")
        self._means = means
        self._key = key
        self._id = key.identifier
        self._imports = means.imports
        playlists = means.packages.playlists
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
        journal = self._journal()
        package = self._package()
        plan = self._plan(package)
        while (run := journal.current()) is not None:
            if run.state is not RunState.RUNNING:
                self._start(run, journal, package, plan)
            instance = self._instance(run)
            if instance.state.is_waiting:
                raise WorkflowFailed(
                    f"Workflow {run.workflow_id} ({run.where}) of mediapackage {self._id} is paused on the target and "
                    "waits for a person."
                )
            if not instance.state.is_final:
                self._imports.touch(self._id)
                return Progress.WAITING
            self._end_run(run, journal, instance)
        return Progress.IMPORTED

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

    def _target_package(self) -> MediaPackage | None:
        try:
            return self._means.target.assets.episode(self._id)
        except NotFound:
            return None

    # --- what the target has already -------------------------------------------------------------------------------

    def _is_there_already(self, package: MediaPackage, plan: runs.ImportPlan, version: str | None) -> bool:
        """Tell whether the target holds the same already; refuse to write over something else."""
        target = self._means.target
        if target.workflows.has_active(self._id):
            raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the target.")
        existing = self._target_package()
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

    # --- import runs -----------------------------------------------------------------------------------------------

    def _start(self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan) -> None:
        if run.state is RunState.STARTING and self._found_again(run, journal):
            return
        run.state = RunState.STARTING
        self._imports.save(self._id, journal.to_json())
        try:
            instance = self._request(run, journal, package, plan)
        except Conflict as error:
            if not self._found_again(run, journal):
                raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the target.") from error
            return
        self._note_started(run, journal, instance.id)

    def _request(
        self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan
    ) -> WorkflowInstance:
        """Start the workflow of an import run on the target.

        :raises Conflict: the mediapackage has an active workflow there.
        """
        return self._means.target.workflows.start(*self._documents(run, journal, package, plan))

    def _found_again(self, run: RunRecord, journal: Journal) -> bool:
        """Look for the workflow on the target: the request that starts it may have arrived before a crash."""
        workflows = self._means.target.workflows
        for identifier, _ in reversed(workflows.instances(self._id)):
            if workflows.get(identifier).template == run.definition_id:
                self._note_started(run, journal, identifier)
                return True
        return False

    def _note_started(self, run: RunRecord, journal: Journal, workflow_id: str) -> None:
        run.state = RunState.RUNNING
        run.workflow_id = workflow_id
        self._imports.save(self._id, journal.to_json())
        self._means.ledger.step(self._key, f"import {run.where}", Outcome.STARTED, workflow_id=int(workflow_id))
        log.info("Import run %s is workflow %s on the target.", run.where, workflow_id)

    def _documents(
        self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan
    ) -> tuple[bytes, bytes]:
        urls = {key: record.url for key, record in journal.sent.items()}
        folders = {key: record.folder for key, record in journal.sent.items()}
        made = [
            restored_publication(_publication(record), channel)
            for record, channel in zip(journal.runs, plan.channels, strict=False)
            if record.publication is not None
        ]
        if run.where == runs.ARCHIVE and run is journal.runs[-1]:
            manifest = runs.archive_package(package, plan, urls, in_source_order(made, package))
            return definitions.archive_definition(run.definition_id, plan.archive), manifest.to_xml()
        number = journal.runs.index(run)
        channel = plan.channels[number]
        later = [element for other in plan.channels[number + 1 :] for element in other.files] + list(plan.archive)
        preserved = runs.flavors_needed_later(channel, later, folders)
        page = moved_url(channel.publication.url or "", self._means.source_party, self._means.target_party)
        manifest = channel_manifest(package, channel, urls, made, self._target_package())
        return definitions.channel_definition(run.definition_id, channel, page, preserved), manifest.to_xml()

    def _instance(self, run: RunRecord) -> WorkflowInstance:
        try:
            return self._look(run.workflow_id or "")
        except NotFound as error:
            raise WorkflowFailed(
                f"Workflow {run.workflow_id} ({run.where}) of mediapackage {self._id} is not on the target any more.",
                advice="It was removed before it was seen to end; run the migration again.",
            ) from error

    def _look(self, workflow_id: str) -> WorkflowInstance:
        return self._means.target.workflows.get(workflow_id)

    def _end_run(self, run: RunRecord, journal: Journal, instance: WorkflowInstance) -> None:
        problem = _problem(run, instance)
        ledger = self._means.ledger
        if problem:
            ledger.step(
                self._key, f"import {run.where}", Outcome.FAILED, reason=problem, workflow_id=int(run.workflow_id or 0)
            )
            raise WorkflowFailed(
                f"Workflow {run.workflow_id} on the target, which imports {run.where} of mediapackage {self._id}, "
                f"{problem}."
            )
        if run.where != runs.ARCHIVE or run is not journal.runs[-1]:
            publication = None if instance.mediapackage is None else instance.mediapackage.publication(run.where)
            if publication is None:
                raise WorkflowFailed(f"Workflow {run.workflow_id} published nothing to {run.where} on the target.")
            run.publication = MediaPackage(id=self._id, publications=(publication,)).to_xml().decode()
        run.state = RunState.DONE
        self._imports.save(self._id, journal.to_json())
        ledger.step(self._key, f"import {run.where}", Outcome.DONE, workflow_id=int(run.workflow_id or 0))

    # --- the end ---------------------------------------------------------------------------------------------------

    def _verify(self, package: MediaPackage, plan: runs.ImportPlan, sent: dict[str, SentRecord]) -> Verdict:
        existing = self._target_package()
        if existing is None:
            return Verdict((f"the target has no mediapackage {self._id}",), ())
        existing = shown_in_repositories(existing, self._means.target)
        prober = Prober(self._means.source, self._means.target, self._means.options.verify)
        verdict = PackageComparison(package, plan, sent, prober.same_policy(package.series)).compare(existing)
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


def _publication(record: RunRecord) -> Publication:
    return MediaPackage.parse((record.publication or "").encode()).publications[0]


def _problem(run: RunRecord, instance: WorkflowInstance) -> str:
    """Say what went wrong in a workflow that has ended, or nothing.

    A workflow may succeed although an operation failed, and a publication that selects nothing is only skipped.
    """
    failed = instance.failed_operations
    if failed:
        return f"ended as {instance.state.value}: its operation {failed[0].id} failed"
    if instance.state is not WorkflowState.SUCCEEDED:
        return f"ended as {instance.state.value}"
    for operation in instance.operations:
        if operation.state is OperationState.SKIPPED and operation.id != definitions.CLEANUP:
            return f"skipped its operation {operation.id}"
    return ""


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
