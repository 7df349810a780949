"""Scheduled events as a whole: their plan on an agent and the files that belong to it, read and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from opencast.api.opencast import Opencast
from opencast.api.recordings import Schedule
from opencast.errors import InvalidDublinCore, InvalidXml, ServerError
from opencast.migration.runs import COMMENTS_CATALOG
from opencast.migration.verification import Verdict
from opencast.model.compare import Difference
from opencast.model.dublincore import DublinCore
from opencast.model.mediapackage import Checksum, Element, ElementKind, MediaPackage, compare_elements

#: A catalog larger than this (bytes) is none.
_CATALOG_LIMIT = 4 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class ScheduledEvent:
    """What a server knows of an event that is still to be recorded."""

    schedule: Schedule
    package: MediaPackage

    @property
    def fingerprint(self) -> str:
        """A digest that changes when anything of the event does; a plan may change without a new snapshot."""
        schedule = self.schedule
        facts = [
            schedule.agent,
            schedule.start.isoformat(),
            schedule.end.isoformat(),
            sorted(schedule.presenters),
            sorted(schedule.workflow_properties.items()),
            sorted(schedule.own_agent_properties.items()),
            [
                [element.id, str(element.flavor), str(element.checksum), sorted(element.tags)]
                for element in self.package.elements
            ],
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def read_scheduled(opencast: Opencast, identifier: str) -> ScheduledEvent | None:
    """Read a scheduled event, or return None for any other: also for one that has been recorded.

    The plan of a recorded event stays where it was; only the owner of the latest snapshot tells that it is recorded
    (``GET /recordings/{id}/mediapackage.xml`` answers 404 then).
    """
    package = opencast.recordings.mediapackage(identifier)
    if package is None:
        return None
    schedule = opencast.recordings.schedule(identifier)
    return None if schedule is None else ScheduledEvent(schedule, package)


class ScheduleComparison:
    """Compare one scheduled event on both servers."""

    def __init__(self, source: Opencast, target: Opencast) -> None:
        self._source = source
        self._target = target

    def compare(
        self, expected: ScheduledEvent, actual: ScheduledEvent, digests: Mapping[str, str] | None = None
    ) -> Verdict:
        """Return all differences, those of the plan first.

        The catalog of comments is the server's own, as in the archive of a recorded event.

        :param expected: of the source.
        :param actual: of the target.
        :param digests: md5 of the bytes that were sent, by element id; by default what the source claims.
        """
        differences = [str(difference) for difference in schedule_differences(expected.schedule, actual.schedule)]
        notes: list[str] = []
        for element in travelling(expected.package):
            wanted = _with_digest(element, (digests or {}).get(element.id or ""))
            found = actual.package.element(element.id or "")
            if element.flavor == COMMENTS_CATALOG:
                continue
            if found is None:
                differences.append(f"{element.kind.value} {element.id} ({element.flavor}) is missing")
                continue
            differences.extend(self._element_differences(wanted, found, notes))
        own = {element.id for element in expected.package.elements}
        differences.extend(
            f"{element.kind.value} {element.id} ({element.flavor}) is only on the target"
            for element in actual.package.elements
            if element.id not in own and element.flavor != COMMENTS_CATALOG
        )
        return Verdict(tuple(differences), tuple(notes))

    def _element_differences(self, wanted: Element, found: Element, notes: list[str]) -> Iterator[str]:
        differences = compare_elements(wanted, found)
        rewritten = {f" {name}" for name in ("checksum", "size")}
        if any(difference.path.endswith(tuple(rewritten)) for difference in differences) and self._same_catalog(
            wanted, found
        ):
            notes.append(f"The catalogs {wanted.id} ({wanted.flavor}) have different checksums and say the same.")
            differences = compare_elements(wanted, found, ignore=frozenset({"checksum", "size"}))
        yield from map(str, differences)

    def _same_catalog(self, wanted: Element, found: Element) -> bool:
        """Tell whether two catalogs say the same: the scheduler writes times and agent into them by itself."""
        if wanted.kind is not ElementKind.CATALOG:
            return False
        try:
            return _read(self._source, wanted).canonical() == _read(self._target, found).canonical()
        except (ServerError, InvalidDublinCore, InvalidXml):
            return False


def travelling(package: MediaPackage) -> tuple[Element, ...]:
    """Return the elements of a scheduled event that are migrated: those that have a file."""
    return tuple(element for element in package.elements if element.url and not element.is_live)


def schedule_differences(expected: Schedule, actual: Schedule) -> list[Difference]:
    """Return how two plans differ, without what the server derives by itself."""
    facts = [
        ("agent", expected.agent, actual.agent),
        ("start", expected.start.isoformat(), actual.start.isoformat()),
        ("end", expected.end.isoformat(), actual.end.isoformat()),
        ("presenters", _joined(expected.presenters), _joined(actual.presenters)),
    ]
    found = [Difference(name, wanted or "nothing", got or "nothing") for name, wanted, got in facts if wanted != got]
    for name, wanted_properties, got_properties in (
        ("workflow property", expected.workflow_properties, actual.workflow_properties),
        ("agent property", expected.own_agent_properties, actual.own_agent_properties),
    ):
        found.extend(
            Difference(f"{name} {key}", repr(wanted_properties.get(key)), repr(got_properties.get(key)))
            for key in sorted(wanted_properties.keys() | got_properties.keys())
            if wanted_properties.get(key) != got_properties.get(key)
        )
    return found


def _with_digest(element: Element, md5: str | None) -> Element:
    return element if md5 is None else replace(element, checksum=Checksum("md5", md5))


def _joined(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def _read(opencast: Opencast, element: Element) -> DublinCore:
    data = bytearray()
    with opencast.client.open_download(element.url or "") as download:
        for chunk in download.iter(_CHUNK):
            data += chunk
            if len(data) > _CATALOG_LIMIT:
                break
    return DublinCore.parse(bytes(data[:_CATALOG_LIMIT]), what=f"catalog {element.id}")
