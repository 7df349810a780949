"""Drive the import runs of one mediapackage on the target: start each, look how it stands, keep what it made."""

from __future__ import annotations

import logging

from opencast.errors import Conflict, NotFound, ObjectBusy, WorkflowFailed
from opencast.migration import definitions, runs
from opencast.migration.journal import Journal, RunRecord, RunState
from opencast.migration.means import Means
from opencast.migration.publications import channel_manifest, in_source_order, restored_publication
from opencast.migration.retraction import further_publications, import_step, imported_channels
from opencast.migration.servers import moved_url
from opencast.model.mediapackage import MediaPackage, Publication
from opencast.model.workflow import OperationState, WorkflowInstance, WorkflowState
from opencast.store.ledger import ObjectKey, Outcome

log = logging.getLogger(__name__)

_RETRACTED = "The publication {} is retracted: the source has retracted it since it was migrated."


class ImportRuns:
    """The import runs of one mediapackage.

    The journal notes the intention before each request, so that after a crash a workflow is found again by the id of
    its definition instead of being started twice.

    :param key: names the mediapackage and the run that migrates it.
    """

    def __init__(self, means: Means, key: ObjectKey) -> None:
        self._means = means
        self._key = key
        self._id = key.identifier

    def advance(self, journal: Journal, package: MediaPackage, plan: runs.ImportPlan) -> bool:
        """Look how the current run stands, and start the next one when it has ended.

        :returns: whether all have ended well; if not, a workflow runs on the target.
        :raises WorkflowFailed: a run did not end well.
        :raises ObjectBusy: another workflow of the mediapackage is active on the target.
        """
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
                self._means.imports.touch(self._id)
                return False
            self._end(run, journal, instance)
        return True

    # --- starting --------------------------------------------------------------------------------------------------

    def _start(self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan) -> None:
        if run.state is RunState.STARTING and self._found_again(run, journal):
            return
        run.state = RunState.STARTING
        self._means.imports.save(self._id, journal.to_json())
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
            if self._is_of(workflows.get(identifier), run):
                self._note_started(run, journal, identifier)
                return True
        return False

    def _is_of(self, instance: WorkflowInstance, run: RunRecord) -> bool:
        return instance.template == run.definition_id

    def _note_started(self, run: RunRecord, journal: Journal, workflow_id: str) -> None:
        run.state = RunState.RUNNING
        run.workflow_id = workflow_id
        self._means.imports.save(self._id, journal.to_json())
        self._means.ledger.step(self._key, import_step(run.where), Outcome.STARTED, workflow_id=int(workflow_id))
        log.info("Import run %s is workflow %s on the target.", run.where, workflow_id)

    def _documents(
        self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan
    ) -> tuple[bytes, bytes]:
        """Return the workflow definition and the mediapackage that start a run."""
        urls = {key: record.url for key, record in journal.sent.items()}
        made = [
            restored_publication(_publication(record), channel)
            for record, channel in zip(journal.runs, plan.channels, strict=False)
            if record.publication is not None
        ]
        if _is_archive(run, journal):
            existing = self._means.target_package(self._id)
            further = further_publications(package, existing, imported_channels(self._means.ledger, self._id))
            publications = (*in_source_order(made, package), *further.archived)
            manifest = runs.archive_package(package, plan, urls, publications)
            retracted = [_RETRACTED.format(channel) for channel in further.channels]
            journal.notes.extend(note for note in retracted if note not in journal.notes)
            definition = definitions.archive_definition(run.definition_id, plan.archive, further.channels)
            return definition, manifest.to_xml()
        number = journal.runs.index(run)
        channel = plan.channels[number]
        later = [element for other in plan.channels[number + 1 :] for element in other.files] + list(plan.archive)
        folders = {key: record.folder for key, record in journal.sent.items()}
        preserved = runs.flavors_needed_later(channel, later, folders)
        page = moved_url(channel.publication.url or "", self._means.source_party, self._means.target_party)
        manifest = channel_manifest(package, channel, urls, made, self._means.target_package(self._id))
        return definitions.channel_definition(run.definition_id, channel, page, preserved), manifest.to_xml()

    # --- looking ---------------------------------------------------------------------------------------------------

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

    # --- ending ----------------------------------------------------------------------------------------------------

    def _end(self, run: RunRecord, journal: Journal, instance: WorkflowInstance) -> None:
        number = int(run.workflow_id or 0)
        step = import_step(run.where)
        problem = _problem(instance)
        if problem:
            self._means.ledger.step(self._key, step, Outcome.FAILED, reason=problem, workflow_id=number)
            raise WorkflowFailed(
                f"Workflow {run.workflow_id} on the target, which imports {run.where} of mediapackage {self._id}, "
                f"{problem}."
            )
        if not _is_archive(run, journal):
            publication = None if instance.mediapackage is None else instance.mediapackage.publication(run.where)
            if publication is None:
                raise WorkflowFailed(f"Workflow {run.workflow_id} published nothing to {run.where} on the target.")
            run.publication = MediaPackage(id=self._id, publications=(publication,)).to_xml().decode()
        run.state = RunState.DONE
        self._means.imports.save(self._id, journal.to_json())
        self._means.ledger.step(self._key, step, Outcome.DONE, workflow_id=number)


def _is_archive(run: RunRecord, journal: Journal) -> bool:
    """Tell the last run from that of a channel which happens to be called like it."""
    return run.where == runs.ARCHIVE and run is journal.runs[-1]


def _publication(record: RunRecord) -> Publication:
    return MediaPackage.parse((record.publication or "").encode()).publications[0]


def _problem(instance: WorkflowInstance) -> str:
    """Say what went wrong in a workflow that has ended, or nothing.

    A workflow may succeed although an operation failed, and a publication that selects nothing is only skipped.
    """
    failed = instance.failed_operations
    if failed:
        return f"ended as {instance.state.value}: its operation {failed[0].id} failed"
    if instance.state is not WorkflowState.SUCCEEDED:
        return f"ended as {instance.state.value}"
    for operation in instance.operations:
        if operation.state is OperationState.SKIPPED and operation.id not in definitions.MAY_BE_SKIPPED:
            return f"skipped its operation {operation.id}"
    return ""
