"""Migrate one scheduled event under its own id: plan, properties, access list and every catalog."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from opencast.api.opencast import Opencast
from opencast.api.recordings import Schedule
from opencast.errors import Conflict, MigrationError, ObjectBusy, ObjectGone, ScheduleConflict, VerificationFailed
from opencast.migration import replacement, runs
from opencast.migration.companions import Companions
from opencast.migration.hls import Playlists
from opencast.migration.options import Existing, Options
from opencast.migration.probes import Prober
from opencast.migration.schedules import (
    ScheduleComparison,
    ScheduledEvent,
    read_scheduled,
    schedule_differences,
    travelling,
)
from opencast.migration.transfer import Staged, Transfer
from opencast.migration.verification import Verdict
from opencast.model.identifiers import check_element_id, safe_file_name
from opencast.model.mediapackage import Element, ElementKind, MediaPackage
from opencast.model.xml import parse_xml
from opencast.staging.routes import Route
from opencast.staging.source import Digest, Fetcher
from opencast.store.base import utc_now
from opencast.store.imports import Imports
from opencast.store.ledger import Kind, Ledger, ObjectKey, Outcome, State

log = logging.getLogger(__name__)

#: Stands for the scheduler where a channel could stand.
_WHERE = "schedule"
_WRITE = "schedule"
_DEFINITION = "org.opencastproject.workflow.definition"


@dataclass(frozen=True)
class ScheduleMeans:
    """Everything that migrating one scheduled event needs.

    :param route: brings single files into the target's working file repository.
    :param prober: compares the access lists that are in force.
    """

    source: Opencast
    target: Opencast
    ledger: Ledger
    imports: Imports
    options: Options
    fetcher: Fetcher
    route: Route
    prober: Prober
    companions: Companions


class ScheduledEventMigrator:
    """Migrate one scheduled event.

    :param key: names the event and the run that migrates it.
    """

    def __init__(self, means: ScheduleMeans, key: ObjectKey, *, now: Callable[[], datetime] = utc_now) -> None:
        if key.kind is not Kind.SCHEDULED:
            raise ValueError(f"{key} is no scheduled event")
        self._means = means
        self._key = key
        self._id = key.identifier
        self._now = now
        self._comparison = ScheduleComparison(means.source, means.target)

    def migrate(self) -> Verdict:
        """Make the target's scheduled event equal to the source's, prove it, and note it as done.

        :raises ObjectGone: the source does not have it any more.
        :raises ObjectBusy: it has been recorded, or is being recorded, since the plan was made.
        :raises ScheduleConflict: the target's agent is taken at that time.
        :raises MigrationError: the target holds something else under the id.
        :raises VerificationFailed: the target answers something else after the writes.
        """
        ledger = self._means.ledger
        expected = self._read_source()
        known = self._is_ours()
        ledger.begin(self._key, expected.fingerprint)
        existing = self._read_target()
        notes = [*_left_out(expected.package), *self._notes(expected.schedule)]
        if existing is not None:
            verdict = self._comparison.compare(expected, existing)
            if verdict.is_equal and not self._means.prober.access_problems(self._id):
                return self._finish(expected, (_NOTHING_WRITTEN, *notes, *verdict.notes))
            if not known and self._means.options.existing is Existing.FAIL:
                what = verdict.differences[0] if verdict.differences else "its access list differs"
                raise MigrationError(
                    f"The target has another scheduled event {self._id}: {what}.",
                    advice="Compare both; to make it equal to the source's set the param existing to overwrite.",
                )
        staged = self._write(expected, existing)
        digests = {key.partition("/")[2]: file.md5 for key, file in staged.objects.items()}
        verdict = self._verify(expected, digests)
        if not verdict.is_equal:
            raise VerificationFailed(
                f"Scheduled event {self._id} differs on the target: {verdict.differences[0]}.",
                advice="Some changes cannot be written over what is there: the param replace_scheduled schedules anew.",
            )
        return self._finish(expected, (*notes, *staged.notes, *verdict.notes))

    def fail(self, error: Exception, *, skipped: bool = False) -> None:
        """Note that the event was not migrated, and why."""
        state = State.SKIPPED if skipped else State.FAILED
        self._means.ledger.finish(self._key, state, reason=str(error))

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read_source(self) -> ScheduledEvent:
        event = read_scheduled(self._means.source, self._id)
        if event is None:
            if self._means.source.assets.find(self._id) is None:
                raise ObjectGone(f"The scheduled event {self._id} is not on the source any more.")
            raise ObjectBusy(
                f"The event {self._id} has been recorded since the plan was made.",
                advice="The next run migrates the recording.",
            )
        if event.schedule.state and event.schedule.start <= self._now() < event.schedule.end:
            raise ObjectBusy(f"The event {self._id} is being recorded.", advice="Run again when it has been processed.")
        return event

    def _read_target(self) -> ScheduledEvent | None:
        existing = read_scheduled(self._means.target, self._id)
        if existing is None and self._means.target.assets.find(self._id) is not None:
            raise MigrationError(
                f"The target holds a recording under the id of the scheduled event {self._id}.",
                advice="Look at both events; a recording is never replaced by a plan.",
            )
        return existing

    def _is_ours(self) -> bool:
        """Tell whether a run before this one, or an earlier try of this one, brought it to the target."""
        return any(step.step == _WRITE for step in self._means.ledger.steps(Kind.SCHEDULED, self._id))

    def _notes(self, schedule: Schedule) -> list[str]:
        definition = schedule.agent_properties.get(_DEFINITION, "")
        if not definition or self._means.target.workflows.definition_exists(definition):
            return []
        return [
            f"Its workflow {definition} is not installed on the target: the recording would be processed by the "
            "default one."
        ]

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(self, expected: ScheduledEvent, existing: ScheduledEvent | None) -> Staged:
        """Send the files where the target's scheduler can read them, write the plan, and take the files away again."""
        means = self._means
        elements = [
            runs.RunElement(
                _WHERE, _plain(item), check_element_id(item.id or ""), safe_file_name(item.file_name), item.ref
            )
            for item in travelling(expected.package)
        ]

        def refer(digest: Digest) -> None:
            means.imports.refer(self._id, [(digest.md5, digest.size)])

        transfer = Transfer(means.fetcher, means.route, self._id, refer, Playlists(means.source.client))
        staged = transfer.stage(elements)
        means.ledger.step(self._key, "stage", Outcome.DONE, traffic=staged.traffic)
        staged = replace(staged, notes=(*staged.notes, *_check_catalogs(expected.package, staged)))
        places = {
            element.key: runs.location(file.md5, file.size, element.file_name)
            for element in elements
            for file in [staged.objects[element.key]]
        }
        try:
            sent = transfer.send(staged.objects, places)
            means.ledger.step(self._key, "send", Outcome.DONE, traffic=sent.traffic)
            urls = {element.key: sent.urls[places[element.key].folder] for element in elements}
            manifest = _manifest(expected.package, elements, urls)
            means.ledger.step(self._key, _WRITE, Outcome.STARTED)
            self._post(expected, existing, manifest)
            means.ledger.step(self._key, _WRITE, Outcome.DONE)
        finally:
            means.route.remove_sent(self._id, sorted({place.folder for place in places.values()}))
        return staged

    def _post(self, expected: ScheduledEvent, existing: ScheduledEvent | None, manifest: MediaPackage) -> None:
        recordings, schedule = self._means.target.recordings, expected.schedule
        try:
            if existing is None:
                recordings.create(schedule, manifest.to_xml())
                return
            if schedule_differences(schedule, existing.schedule):
                recordings.update(self._id, schedule, known=existing.schedule)
            # Times that change are written into the catalog by the scheduler; what the source's catalog says follows.
            recordings.update(self._id, schedule, manifest.to_xml(), known=schedule)
            if self._means.options.replace_scheduled and not self._is_equal(expected):
                replacement.remove(self._means.target, self._id)
                recordings.create(schedule, manifest.to_xml())
        except Conflict as error:
            raise self._conflict(schedule, error) from error

    def _is_equal(self, expected: ScheduledEvent) -> bool:
        """Tell whether the update did all: it overlooks some changes of attachments."""
        actual = read_scheduled(self._means.target, self._id)
        return actual is not None and self._comparison.compare(expected, actual).is_equal

    def _conflict(self, schedule: Schedule, error: Conflict) -> MigrationError:
        """Name the events that take the agent's time; those that this migration brought may still move away."""
        others = self._means.target.recordings.conflicts(schedule.agent, schedule.start, schedule.end)
        others = tuple(other for other in others if other != self._id)
        if not others:
            return MigrationError(f"The target refuses to schedule {self._id}: {error.message}", advice=error.advice)
        return ScheduleConflict(
            f"The agent {schedule.agent} of the target is taken from {schedule.start:%Y-%m-%d %H:%M} to "
            f"{schedule.end:%Y-%m-%d %H:%M} UTC by {', '.join(others)}.",
            retriable=any(self._means.ledger.entry(Kind.SCHEDULED, other) is not None for other in others),
        )

    # --- the end ---------------------------------------------------------------------------------------------------

    def _verify(self, expected: ScheduledEvent, digests: dict[str, str]) -> Verdict:
        actual = read_scheduled(self._means.target, self._id)
        if actual is None:
            return Verdict((f"the target has no scheduled event {self._id}",), ())
        verdict = self._comparison.compare(expected, actual, digests)
        if not verdict.is_equal:
            return verdict
        return Verdict(tuple(self._means.prober.access_problems(self._id)), verdict.notes)

    def _finish(self, expected: ScheduledEvent, notes: tuple[str, ...]) -> Verdict:
        self._means.ledger.step(self._key, "verify", Outcome.DONE)
        companions = self._means.companions.migrate(self._id)
        if companions.written:
            self._means.ledger.step(self._key, "companions", Outcome.DONE, reason=", ".join(companions.written))
        notes = (*notes, *companions.notes)
        self._means.ledger.finish(self._key, State.DONE, notes=notes, source_version=expected.fingerprint)
        self._means.imports.release(self._id)
        return Verdict((), notes)


_NOTHING_WRITTEN = "The target held the same already; it was compared and nothing was written."


def _manifest(package: MediaPackage, elements: list[runs.RunElement], urls: dict[str, str]) -> MediaPackage:
    """Return the package to send: without checksums, which the target would believe instead of computing them."""
    sent = tuple(replace(element.source, url=urls[element.key], checksum=None, size=None) for element in elements)
    return replace(package, elements=sent, publications=())


def _plain(element: Element) -> Element:
    """Do not let a catalog be judged by its checksum: the scheduler's are wrong on real servers (15.11 and 17)."""
    return replace(element, checksum=None, size=None) if element.kind is ElementKind.CATALOG else element


def _check_catalogs(package: MediaPackage, staged: Staged) -> list[str]:
    """Prove of the staged catalogs what their checksums cannot prove, and say where those were wrong.

    :raises InvalidXml: a catalog is no whole document.
    """
    notes = []
    for element in travelling(package):
        if element.kind is not ElementKind.CATALOG:
            continue
        file = staged.objects[f"{_WHERE}/{element.id}"]
        name = f"catalog {element.id} of {package.id}"
        parse_xml(file.path.read_bytes(), what=name)
        if element.checksum is not None and element.checksum.md5 not in {None, file.md5}:
            notes.append(
                f"The checksum that the source names for {name} is wrong; its file is whole, and migrated as it is."
            )
    return notes


def _left_out(package: MediaPackage) -> list[str]:
    travels = {id(element) for element in travelling(package)}
    notes = [
        f"The {element.kind.value} {element.id} ({element.flavor}) has no file and is not migrated."
        for element in package.elements
        if id(element) not in travels
    ]
    return notes + [
        f"The publication {publication.channel} of a scheduled event is not migrated: the target makes its own."
        for publication in package.publications
    ]
