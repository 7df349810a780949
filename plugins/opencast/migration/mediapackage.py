"""Migrate one mediapackage: read, stage, send, import run by import run, verify.

Each step is noted before the next begins, so that a process that is killed anywhere is followed by one that goes on.
Nothing here waits for the target: ``begin`` and ``advance`` return, and the caller decides how to wait.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from enum import StrEnum

from opencast.api.opencast import Opencast
from opencast.errors import (
    Conflict,
    MigrationError,
    NotFound,
    ObjectBusy,
    ObjectGone,
    VerificationFailed,
    WorkflowFailed,
)
from opencast.migration import definitions, runs
from opencast.migration.companions import Companions, MigratedCompanions
from opencast.migration.journal import Journal, RunRecord, RunState, SentRecord
from opencast.migration.options import Existing, Options
from opencast.migration.probes import Prober
from opencast.migration.publications import placed_publication, restored_publication
from opencast.migration.replacement import make_way
from opencast.migration.servers import Party, moved_url
from opencast.migration.transfer import Transfer
from opencast.migration.verification import PackageComparison, Verdict
from opencast.model.mediapackage import MediaPackage, Publication
from opencast.model.workflow import OperationState, WorkflowInstance, WorkflowState
from opencast.staging.routes import Route
from opencast.staging.source import Fetcher, StagedObject
from opencast.store.imports import Imports
from opencast.store.ledger import Kind, Ledger, ObjectKey, Outcome, State

log = logging.getLogger(__name__)

#: Folders that the server itself makes in the working file repository for the policies that it writes.
_POLICY_FOLDERS = ("security-policy-series", "security-policy-episode")


class Progress(StrEnum):
    """What the caller has to do next."""

    #: All slots of the target are taken: come back later.
    NO_SLOT = "no slot"
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
    options: Options
    fetcher: Fetcher
    route: Route
    companions: Companions


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

    # --- the three steps -------------------------------------------------------------------------------------------

    def begin(self) -> Progress:
        """Read, compare, stage and send the mediapackage and start its first import run; or go on with a begun one.

        :raises ObjectBusy: the mediapackage has an active workflow on the source or the target.
        :raises ObjectGone: the source does not have it any more.
        :raises OpencastError: whatever stops this mediapackage; nothing was published or archived then.
        """
        if not self._imports.claim(self._id, self._key.plan_key, self._means.options.imports_in_flight):
            return Progress.NO_SLOT
        package, xml = self._read_source()
        version = self._source_version()
        journal = self._journal()
        if journal.is_sent and journal.source_version == version:
            log.info("Going on with the import that was begun before.")
            return self.advance()
        self._means.ledger.begin(self._key, version)
        plan = runs.plan_import(package)
        if self._is_there_already(package, plan, version):
            return Progress.NOTHING_TO_DO
        self._move(plan, version, xml)
        return self.advance()

    def advance(self) -> Progress:
        """Look how the current import run stands, and start the next one when it has ended.

        :raises WorkflowFailed: an import run did not end well.
        """
        journal = self._journal()
        package = self._package()
        plan = runs.plan_import(package)
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
        plan = runs.plan_import(package)
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

    def _read_source(self) -> tuple[MediaPackage, bytes]:
        source = self._means.source
        try:
            if source.workflows.has_active(self._id):
                raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the source.")
            xml = source.assets.episode_xml(self._id)
        except NotFound as error:
            raise ObjectGone(f"Mediapackage {self._id} has no snapshot on the source (any more).") from error
        package = MediaPackage.parse(xml, what=f"mediapackage {self._id}")
        if package.id != self._id:
            raise MigrationError(f"The source answers mediapackage {package.id} when it is asked for {self._id}.")
        return package, xml

    def _source_version(self) -> str | None:
        try:
            row = self._means.source.events.get(self._id)
        except NotFound as error:
            raise ObjectGone(f"Event {self._id} is not on the source any more.") from error
        return None if row.archive_version is None else str(row.archive_version)

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

    def _move(self, plan: runs.ImportPlan, version: str | None, xml: bytes) -> None:
        """Stage all files, then send them; a file that cannot be had stops the mediapackage before anything is sent."""
        means = self._means

        def refer(staged: StagedObject) -> None:
            self._imports.refer(self._id, [(staged.md5, staged.size)])
            self._imports.touch(self._id)

        transfer = Transfer(means.fetcher, means.route, self._id, refer)
        means.ledger.step(self._key, "stage", Outcome.STARTED)
        staged = transfer.stage(plan.elements())
        means.ledger.step(self._key, "stage", Outcome.DONE, traffic=staged.traffic)
        places = {
            element.key: runs.location(file.md5, file.size, element.file_name)
            for element in plan.elements()
            for file in [staged.objects[element.key]]
        }
        journal = Journal(
            source_version=version,
            sent={
                key: SentRecord(place.folder, "", staged.objects[key].md5, staged.objects[key].size)
                for key, place in places.items()
            },
            notes=[*plan.left_out, *plan.notes, *staged.notes],
        )
        # Where the files are going to lie is noted first: whatever happens, they are found and removed again.
        self._imports.save(self._id, journal.to_json(), xml.decode("utf-8"))
        means.ledger.step(self._key, "send", Outcome.STARTED)
        sent = transfer.send(staged.objects, places)
        means.ledger.step(self._key, "send", Outcome.DONE, traffic=sent.traffic)
        for record in journal.sent.values():
            record.url = sent.urls[record.folder]
        nonce = secrets.token_hex(6)
        names = [run.channel for run in plan.channels] + [runs.ARCHIVE]
        journal.runs = [RunRecord(name, f"opencast-airflow-{nonce}-{number}") for number, name in enumerate(names)]
        journal.notes += sent.notes
        self._imports.save(self._id, journal.to_json())

    def _remove_sent(self, journal: Journal) -> None:
        folders = sorted({record.folder for record in journal.sent.values()})
        self._means.route.remove_sent(self._id, [*folders, *_POLICY_FOLDERS])

    # --- import runs -----------------------------------------------------------------------------------------------

    def _start(self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan) -> None:
        if run.state is RunState.STARTING and self._found_again(run, journal):
            return
        run.state = RunState.STARTING
        self._imports.save(self._id, journal.to_json())
        definition, manifest = self._documents(run, journal, package, plan)
        try:
            instance = self._means.target.workflows.start(definition, manifest)
        except Conflict as error:
            if not self._found_again(run, journal):
                raise ObjectBusy(f"Mediapackage {self._id} has an active workflow on the target.") from error
            return
        self._note_started(run, journal, instance.id)

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
        if run.where == runs.ARCHIVE and run is journal.runs[-1]:
            publications = [
                restored_publication(_publication(record), channel)
                for record, channel in zip(journal.runs, plan.channels, strict=False)
            ]
            manifest = runs.archive_package(package, plan, urls, publications)
            return definitions.archive_definition(run.definition_id, plan.archive), manifest.to_xml()
        number = journal.runs.index(run)
        channel = plan.channels[number]
        later = [element for other in plan.channels[number + 1 :] for element in other.elements] + list(plan.archive)
        preserved = runs.flavors_needed_later(channel, later, folders)
        page = moved_url(channel.publication.url or "", self._means.source_party, self._means.target_party)
        manifest = runs.channel_package(package, channel, urls)
        manifest = placed_publication(manifest, self._target_package(), channel.channel)
        return definitions.channel_definition(run.definition_id, channel, page, preserved), manifest.to_xml()

    def _instance(self, run: RunRecord) -> WorkflowInstance:
        try:
            return self._means.target.workflows.get(run.workflow_id or "")
        except NotFound as error:
            raise WorkflowFailed(
                f"Workflow {run.workflow_id} ({run.where}) of mediapackage {self._id} is not on the target any more.",
                advice="It was removed before it was seen to end; run the migration again.",
            ) from error

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
