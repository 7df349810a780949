"""Bring the files of one mediapackage to the target: all are staged first, then all are sent; noted before done."""

from __future__ import annotations

import secrets

from opencast.migration import runs
from opencast.migration.hls import Playlists
from opencast.migration.journal import Journal, RunRecord, SentRecord
from opencast.migration.transfer import Staged, Transfer
from opencast.staging.routes import Route
from opencast.staging.source import Digest, Fetcher
from opencast.store.imports import Imports
from opencast.store.ledger import Ledger, ObjectKey, Outcome

#: Folders that the server itself makes in the working file repository for the policies that it writes.
_POLICY_FOLDERS = ("security-policy-series", "security-policy-episode")


class Mover:
    """Move the files of one mediapackage.

    :param key: names the mediapackage, which has a slot among the imports.
    :param playlists: reads those of the source.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        route: Route,
        imports: Imports,
        ledger: Ledger,
        key: ObjectKey,
        playlists: Playlists,
    ) -> None:
        self._route = route
        self._imports = imports
        self._ledger = ledger
        self._key = key
        self._id = key.identifier
        self._transfer = Transfer(fetcher, route, self._id, self._refer, playlists)

    def stage(self, plan: runs.ImportPlan) -> Staged:
        """Stage every file; one that cannot be had stops the mediapackage before anything is sent.

        :raises StagingFull: there is no room for all of them at the moment.
        """
        self._ledger.step(self._key, "stage", Outcome.STARTED)
        staged = self.fetch(plan)
        self._ledger.step(self._key, "stage", Outcome.DONE, traffic=staged.traffic)
        return staged

    def fetch(self, plan: runs.ImportPlan) -> Staged:
        """Stage every file without a word in the ledger: nothing is migrated by that."""
        return self._transfer.stage(plan.elements())

    def missing(self, plan: runs.ImportPlan) -> list[str]:
        """Name the files that are not in staging, by ``RunElement.key``."""
        return [element.key for element in plan.elements() if not self._transfer.has(element)]

    def send(self, plan: runs.ImportPlan, staged: Staged, version: str | None, xml: bytes) -> None:
        """Send every file, and plan the import runs; afterwards the staged files are not needed any more.

        :param version: archive version of the source's package.
        :param xml: the source's package as it was read.
        """
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
        before = self._sent_before()
        self._remove_outdated(before, journal)
        # Where the files are going to lie is noted first: whatever happens, they are found and removed again.
        self._imports.save(self._id, journal.to_json(), xml.decode("utf-8"))
        self._ledger.step(self._key, "send", Outcome.STARTED)
        sent = self._transfer.send(staged.objects, places, is_new=not before)
        self._ledger.step(self._key, "send", Outcome.DONE, traffic=sent.traffic)
        for record in journal.sent.values():
            record.url = sent.urls[record.folder]
        nonce = secrets.token_hex(6)
        names = [run.channel for run in plan.channels] + [runs.ARCHIVE]
        journal.runs = [RunRecord(name, f"opencast-airflow-{nonce}-{number}") for number, name in enumerate(names)]
        journal.notes += sent.notes
        self._imports.save(self._id, journal.to_json())
        self._imports.forget_staged(self._id)

    def remove_sent(self, journal: Journal) -> None:
        """Remove what lies in the target's working file repository for this import."""
        folders = sorted({record.folder for record in journal.sent.values()})
        self._route.remove_sent(self._id, [*folders, *_POLICY_FOLDERS])

    def _sent_before(self) -> set[str]:
        """Return the folders of what an earlier try has sent, or was going to send."""
        job = self._imports.load(self._id)
        journal = Journal.from_json({} if job is None else job.journal)
        return {record.folder for record in journal.sent.values()}

    def _remove_outdated(self, before: set[str], journal: Journal) -> None:
        """Remove what an earlier try has sent of an older version of the source's package."""
        outdated = before - {record.folder for record in journal.sent.values()}
        if outdated:
            self._route.remove_sent(self._id, sorted(outdated))

    def _refer(self, digest: Digest) -> None:
        self._imports.refer(self._id, [(digest.md5, digest.size)])
        self._imports.touch(self._id)
