"""Compare one event on both servers: archive, publications, access, schedule, comments, workflow properties."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.audit.comparison import Compared, finding, require_both
from opencast.errors import MigrationError, NotFound
from opencast.migration.comments import paired
from opencast.migration.hls import is_playlist
from opencast.migration.journal import SentRecord
from opencast.migration.oaipmh import shown_in_repositories
from opencast.migration.options import Verify
from opencast.migration.probes import Prober
from opencast.migration.retraction import imported_channels
from opencast.migration.runs import ImportPlan, RunElement, plan_import
from opencast.migration.schedules import ScheduleComparison, read_scheduled
from opencast.migration.source_package import SourcePackages
from opencast.migration.verification import PackageComparison
from opencast.model.mediapackage import ElementKind, MediaPackage
from opencast.store.audits import Finding
from opencast.store.ledger import Ledger

EVENT = "event"
_CHUNK = 1024 * 1024


class EventAudit:
    """Compare events.

    :param verify: ``bytes`` reads every file of the source and every published file of the target.
    :param ledger: of these two servers; it knows what was migrated and has been retracted on the source since.
    """

    def __init__(self, source: Opencast, target: Opencast, verify: Verify, ledger: Ledger) -> None:
        self._source = source
        self._target = target
        self._verify = verify
        self._ledger = ledger
        # What an audit meets has settled long ago: nobody waits for the index.
        self._prober = Prober(source, target, verify, patience_s=0.0)
        self._packages = SourcePackages(source, target)
        self._schedules = ScheduleComparison(source, target)

    def compare(self, identifier: str, title: str = "") -> Finding:
        """Compare one event."""
        return finding(EVENT, identifier, title, lambda: self._compare(identifier))

    def _compare(self, identifier: str) -> Compared:
        source, target = self._source.holdings.find(identifier), self._target.assets.find(identifier)
        require_both(source, target)
        if source is None or target is None:
            before, after = (server.events.exists(identifier) or None for server in (self._source, self._target))
            require_both(before, after)
            if before is None:
                raise MigrationError("A list had the event, and neither server has it any more: it was deleted since.")
            raise MigrationError("Both servers list the event, and neither has archived anything of it.")
        scheduled = self._scheduled(identifier)
        compared = scheduled or self._recorded(identifier, target)
        differences, notes = list(compared.differences), list(compared.notes)
        differences += self._comments(identifier)
        differences += self._workflow_properties(identifier)
        return Compared(differences, notes)

    # --- scheduled -------------------------------------------------------------------------------------------------

    def _scheduled(self, identifier: str) -> Compared | None:
        """Compare an event that is still to be recorded on one of the servers; None for a recording."""
        source, target = read_scheduled(self._source, identifier), read_scheduled(self._target, identifier)
        if source is None and target is None:
            return None
        if source is None or target is None:
            where, other = ("target", "source") if source is None else ("source", "target")
            return Compared((f"it is scheduled on the {where} and recorded on the {other}",))
        verdict = self._schedules.compare(source, target)
        return Compared((*verdict.differences, *self._prober.access_problems(identifier)), verdict.notes)

    # --- recorded --------------------------------------------------------------------------------------------------

    def _recorded(self, identifier: str, target: MediaPackage) -> Compared:
        read = self._packages.read(identifier)
        package, plan = read.package, plan_import(read.package)
        target = shown_in_repositories(target, self._target)
        notes = [*read.notes, *plan.left_out, *plan.notes]
        sent = self._digests(plan, target, notes)
        same_policy = self._prober.same_policy(package.series)
        imported = imported_channels(self._ledger, identifier)
        verdict = PackageComparison(package, plan, sent, same_policy, imported).compare(target)
        verdict = self._prober.probe(verdict, package, plan, sent, target)
        return Compared(verdict.differences, (*notes, *verdict.notes))

    def _digests(self, plan: ImportPlan, target: MediaPackage, notes: list[str]) -> dict[str, SentRecord]:
        """Return what each file of the source holds, as far as the source tells or as far as it has to be read."""
        found: dict[str, SentRecord] = {}
        for element in plan.archive:
            there = target.element(element.element_id)
            held = None if there is None or there.checksum is None else there.checksum.md5
            claimed = _claimed(element)
            if self._has_to_be_read(element, claimed, held):
                found[element.key] = self._read(element)
            elif claimed is None:
                notes.append(f"The source has no checksum of {element.source.kind.value} {element.element_id}.")
                found[element.key] = SentRecord("", "", held or "", element.source.size or 0)
            else:
                found[element.key] = SentRecord("", "", claimed, element.source.size or 0)
        for element in (element for run in plan.channels for element in run.elements):
            if is_playlist(element.source):
                continue  # compared by what it refers to
            claimed = _claimed(element)
            if self._verify is Verify.BYTES:
                found[element.key] = self._read(element)
            elif claimed is not None and element.source.size:
                found[element.key] = SentRecord("", "", claimed, element.source.size)
        return found

    def _has_to_be_read(self, element: RunElement, claimed: str | None, held: str | None) -> bool:
        """Tell whether a checksum is not enough: the source's are wrong for some catalogs of scheduled events."""
        if self._verify is Verify.BYTES:
            return True
        return element.source.kind is ElementKind.CATALOG and held is not None and claimed != held

    def _read(self, element: RunElement) -> SentRecord:
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with self._source.client.open_download(element.url) as download:
            for chunk in download.iter(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        return SentRecord("", "", digest.hexdigest(), size)

    # --- what belongs to an event ----------------------------------------------------------------------------------

    def _comments(self, identifier: str) -> Iterator[str]:
        if not (self._source.has(Feature.ADMIN_INTERFACE) and self._target.has(Feature.ADMIN_INTERFACE)):
            return
        for comment, found in paired(self._source.comments.list(identifier), self._target.comments.list(identifier)):
            if found is None:
                yield f"comment {comment.id} is missing"
                continue
            yield from (
                f"reply {reply.id} to comment {comment.id} is missing"
                for reply, same in paired(comment.replies, found.replies)
                if same is None
            )
            if comment.is_resolved != found.is_resolved:
                yield f"comment {comment.id} is resolved on one server only"

    def _workflow_properties(self, identifier: str) -> Iterator[str]:
        if not (self._source.has(Feature.WORKFLOW_PROPERTIES) and self._target.has(Feature.WORKFLOW_PROPERTIES)):
            return
        try:
            expected = self._source.assets.workflow_properties(identifier)
            actual = self._target.assets.workflow_properties(identifier)
        except NotFound:
            return  # nothing is archived that could have any
        for name in sorted(expected):
            if actual.get(name) != expected[name]:
                yield f"workflow property {name}: expected {expected[name]!r}, found {actual.get(name)!r}"


def _claimed(element: RunElement) -> str | None:
    checksum = element.source.checksum
    return None if checksum is None else checksum.md5
