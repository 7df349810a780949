"""Migrate one mediapackage as a zip: its archive in one request, with an import workflow that the target has installed.

For accounts that may ingest but are no administrators. Publications cannot travel like this: the reader of the zip
wants a file for each element, and one run has only one set of element ids. The report names them as left out.
"""

from __future__ import annotations

import re
from dataclasses import replace

from opencast.errors import InvalidMediaPackage, StorageFailure
from opencast.migration import runs
from opencast.migration.companions import MigratedCompanions
from opencast.migration.import_runs import ImportRuns
from opencast.migration.journal import Journal, RunRecord, SentRecord
from opencast.migration.means import Means
from opencast.migration.mediapackage import MediaPackageMigrator
from opencast.migration.restricted import ArchivedFiles
from opencast.migration.transfer import Staged
from opencast.migration.verification import Verdict
from opencast.migration.workflow_properties import WorkflowPropertyMigrator
from opencast.model.mediapackage import MediaPackage
from opencast.model.workflow import WorkflowInstance
from opencast.staging.source import StagedObject
from opencast.staging.zip_route import ZippedFile, ZipRoute
from opencast.store.ledger import Kind, ObjectKey, Outcome, Traffic

#: Properties of the import workflow: which elements are archived.
FLAVORS = "opencastAirflowFlavors"
TAGS = "opencastAirflowTags"
#: Stands for no flavor at all: a property without a value is not replaced in the workflow.
_NO_FLAVOR = "none/none"
_PLAIN_TAG = re.compile(r"[\w.+\-:]+")
#: Fields of the request that the ingest service takes for something else than a property (``IngestRestService``).
_NO_PROPERTIES = frozenset({"workflowDefinitionId", "workflowInstanceId"})
_POLICY_FOLDERS = ("security-policy-series", "security-policy-episode")


class ZippedImportRuns(ImportRuns):
    """The one import run of a zip: the request that brings the files starts it.

    :param route: makes and sends the zip.
    """

    def __init__(self, means: Means, key: ObjectKey, route: ZipRoute) -> None:
        super().__init__(means, key)
        self._zip = route
        self._is_admin = means.target_party.is_admin

    def _request(
        self, run: RunRecord, journal: Journal, package: MediaPackage, plan: runs.ImportPlan
    ) -> WorkflowInstance:
        """Send the zip."""
        urls = {key: record.url for key, record in journal.sent.items()}
        manifest = runs.archive_package(package, plan, urls, ()).to_xml()
        files = [ZippedFile(record.url, self._staged(record, journal)) for record in journal.sent.values()]
        flavors = ",".join(runs.flavors(plan.archive)) or _NO_FLAVOR
        tags = ",".join(runs.tags_of_flavorless(plan.archive))
        ledger = self._means.ledger
        ledger.step(self._key, "send", Outcome.STARTED)
        properties = self._properties() | {FLAVORS: flavors} | ({TAGS: tags} if tags else {})
        instance = self._zip.ingest(manifest, files, properties)
        traffic = Traffic(written=sum(file.staged.size for file in files))
        ledger.step(self._key, "send", Outcome.DONE, traffic=traffic)
        self._means.imports.forget_staged(self._id)
        return instance

    def _properties(self) -> dict[str, str]:
        """Give what the source keeps with the event: the one way for an account that may not write it afterwards."""
        if not self._means.options.include_workflow_properties:
            return {}
        found = WorkflowPropertyMigrator(self._means.source, self._means.target).of_source(self._id)
        return {name: value for name, value in found.items() if name not in _NO_PROPERTIES}

    def _staged(self, record: SentRecord, journal: Journal) -> StagedObject:
        found = self._means.fetcher.store.find(record.md5, record.size)
        if found is None:
            journal.runs = []
            self._means.imports.save(self._id, journal.to_json())
            raise StorageFailure(
                f"The staged file {record.md5} of mediapackage {self._id} is gone.", advice="It is staged again."
            )
        return StagedObject(record.md5, record.size, found.path, "present")

    def _found_again(self, run: RunRecord, journal: Journal) -> bool:
        """Look for a workflow of this import; who may not look sends the zip again, which adds one more version."""
        return self._is_admin and super()._found_again(run, journal)

    def _is_of(self, instance: WorkflowInstance, run: RunRecord) -> bool:
        """Tell by the number too: the installed workflow has the same id in all imports."""
        return int(instance.id) > run.after and super()._is_of(instance, run)

    def _look(self, workflow_id: str) -> WorkflowInstance:
        return super()._look(workflow_id) if self._is_admin else self._means.target.workflows.result(workflow_id)


class ZippedMediaPackageMigrator(MediaPackageMigrator):
    """Migrate one mediapackage as a zip.

    :param route: makes and sends the zip.
    :param workflow_id: the import workflow that is installed on the target.
    """

    def __init__(self, means: Means, key: ObjectKey, route: ZipRoute, workflow_id: str) -> None:
        super().__init__(means, key, ZippedImportRuns(means, key, route))
        self._zip = route
        self._workflow_id = workflow_id
        self._is_admin = means.target_party.is_admin
        self._archived = ArchivedFiles(means.target, self._id)

    # --- moving ----------------------------------------------------------------------------------------------------

    def _plan(self, package: MediaPackage) -> runs.ImportPlan:
        """Import the archive only, and name the publications as left out."""
        plan = runs.plan_import(replace(package, publications=()))
        for tag in runs.tags_of_flavorless(plan.archive):
            if not _PLAIN_TAG.fullmatch(tag):
                raise InvalidMediaPackage(
                    f"Mediapackage {self._id} has an element without flavor, with the tag {tag!r}.",
                    advice="The import workflow cannot select it: give it a flavor on the source, or choose upload.",
                )
        left_out = [
            f"The publication {publication.channel} does not travel in a zip: publish the event on the target again."
            for publication in package.publications
        ]
        return replace(plan, left_out=(*plan.left_out, *left_out))

    def _send(self, plan: runs.ImportPlan, staged: Staged, version: str | None, xml: bytes) -> None:
        """Decide where each file lies in the zip; it is sent with the request that starts the import."""
        journal = Journal(source_version=version, notes=[*plan.left_out, *plan.notes, *staged.notes], is_zip=True)
        for element in plan.archive:
            file = staged.objects[element.key]
            sent = self._zip.send(self._id, element.element_id, element.file_name, file)
            journal.sent[element.key] = SentRecord(element.element_id, sent.url, file.md5, file.size)
            journal.notes += [sent.note] if sent.note else []
        journal.runs = [RunRecord(runs.ARCHIVE, self._workflow_id, after=self._last_workflow())]
        self._imports.save(self._id, journal.to_json(), xml.decode("utf-8"))

    def _remove_sent(self, journal: Journal) -> None:
        """Remove what an import that failed has left; the workflow of one that succeeded has done it already."""
        if self._is_admin:
            for folder in (*sorted({record.folder for record in journal.sent.values()}), *_POLICY_FOLDERS):
                self._means.target.files.delete(self._id, folder)

    def _last_workflow(self) -> int:
        if not self._is_admin:
            return 0
        return max((int(found) for found, _ in self._means.target.workflows.instances(self._id)), default=0)

    # --- what an account sees that is no administrator -------------------------------------------------------------

    def _is_there_already(self, package: MediaPackage, plan: runs.ImportPlan, version: str | None) -> bool:
        if self._is_admin:
            return super()._is_there_already(package, plan, version)
        verdict = self._archived.compare_claimed(plan)
        if verdict is None or not verdict.is_equal:
            return False
        note = "The target held the same files already; nothing was written."
        self._finish(version, (note, *plan.left_out, *plan.notes, *verdict.notes))
        return True

    def _verify(self, package: MediaPackage, plan: runs.ImportPlan, sent: dict[str, SentRecord]) -> Verdict:
        if self._is_admin:
            return super()._verify(package, plan, sent)
        return self._archived.compare(plan, {key: record.md5 for key, record in sent.items()})

    def _migrate_companions(self) -> MigratedCompanions:
        if self._is_admin:
            return super()._migrate_companions()
        return MigratedCompanions(
            notes=("Comments need an administrator's account; workflow properties came along unseen.",)
        )


def must_travel_as_zip(means: Means, key: ObjectKey, *, is_chosen: bool) -> bool:
    """Tell whether a mediapackage goes as a zip: as it was begun, as it was chosen, or because nothing else may be."""
    job = means.imports.load(key.identifier) if key.kind is Kind.MEDIAPACKAGE else None
    if job is not None and (journal := Journal.from_json(job.journal)).is_sent:
        return journal.is_zip
    return is_chosen or not means.target_party.is_admin
