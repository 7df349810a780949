"""Migrate one series: Dublin Core with all fields, access list, properties, further elements.

A write is made only where source and target differ: each write of a series' catalog or access list makes a new
snapshot of every event of that series on the target.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from opencast.api.series import SeriesService
from opencast.errors import InvalidDublinCore, InvalidXml, NotFound, ObjectGone, VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.model.acl import Acl
from opencast.model.compare import Difference
from opencast.model.dublincore import DublinCore
from opencast.model.series import Series, SeriesElement

THEME = "theme"


def read_series(service: SeriesService, identifier: str) -> Series | None:
    """Read a series completely, or return None when the server does not have it."""
    try:
        dublincore = service.dublincore(identifier)
    except NotFound:
        return None
    return Series(
        identifier=identifier,
        dublincore=dublincore,
        acl=service.acl(identifier),
        properties=tuple(sorted(service.properties(identifier).items())),
        elements=tuple(
            SeriesElement(kind, service.element(identifier, kind)) for kind in sorted(service.elements(identifier))
        ),
    )


def fingerprint(series: Series, theme_on_target: str | None = None) -> str:
    """Return a digest that changes when anything of the series does, or when its theme gets to the target.

    :param theme_on_target: the target's id of the series' theme.
    """
    digest = hashlib.sha256()
    digest.update(repr(series.dublincore.canonical()).encode())
    digest.update(repr(sorted((series.acl or Acl()).entries)).encode())
    digest.update(repr(series.properties).encode())
    digest.update(repr(theme_on_target).encode())
    for element in series.elements:
        digest.update(element.type.encode() + b"\0" + hashlib.sha256(element.data).digest())
    return digest.hexdigest()


@dataclass(frozen=True)
class SeriesComparison:
    """One series on both servers; None where a server does not have it.

    :param notes: what the target cannot have, with the reason.
    """

    source: Series | None
    target: Series | None
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


class SeriesMigrator:
    """Bring series from one server to another.

    :param theme_on_target: the target's id of a source's theme, or None when that theme was not migrated.
    """

    def __init__(
        self, source: SeriesService, target: SeriesService, theme_on_target: Callable[[str], str | None]
    ) -> None:
        self._source = source
        self._target = target
        self._theme_on_target = theme_on_target

    def migrate(self, identifier: str) -> Migrated:
        """Make the target's series equal to the source's, and prove it.

        :raises ObjectGone: the source does not have it any more.
        :raises VerificationFailed: the target answers something else after the writes.
        """
        source = read_series(self._source, identifier)
        if source is None:
            raise ObjectGone(f"The series {identifier} is not on the source any more.")
        expected, notes = self._expected(source)
        target = read_series(self._target, identifier)
        written = self._write(expected, target)
        if written:
            target = read_series(self._target, identifier)
        if target is None:
            raise VerificationFailed(f"The series {identifier} is not on the target after it was written.")
        different = _differences(expected, target)
        if different:
            raise VerificationFailed(f"The series {identifier} differs on the target: {different[0]}.")
        theme = source.property(THEME)
        now = fingerprint(source, self._theme_on_target(theme) if theme else None)
        return Migrated(source.title, now, tuple(written), notes)

    def compare(self, identifier: str) -> SeriesComparison:
        """Read a series on both servers and say how they differ; what only the target has is no difference."""
        source, target = read_series(self._source, identifier), read_series(self._target, identifier)
        if source is None or target is None:
            return SeriesComparison(source, target)
        expected, notes = self._expected(source)
        return SeriesComparison(source, target, tuple(_differences(expected, target)), notes)

    def _expected(self, source: Series) -> tuple[Series, tuple[str, ...]]:
        """Return the series as it must be on the target, where themes have other ids."""
        properties = dict(source.properties)
        notes = []
        theme = properties.get(THEME)
        if theme:
            mapped = self._theme_on_target(theme)
            if mapped is None:
                del properties[THEME]
                notes.append(f"Its theme {theme} is not on the target; the series has no theme there.")
            else:
                properties[THEME] = mapped
        blank = sorted(name for name, value in properties.items() if not value.strip())
        for name in blank:
            del properties[name]
        if blank:
            notes.append(f"Properties without a value cannot be written: {', '.join(blank)}.")
        return replace(source, properties=tuple(sorted(properties.items()))), tuple(notes)

    def _write(self, expected: Series, target: Series | None) -> list[str]:
        written: list[str] = []
        there = target or Series(expected.identifier, DublinCore())
        if target is None or _catalog_differs(expected, there):
            self._target.put_dublincore(expected.dublincore, acl=expected.acl)
            written.append("series" if target is None else "Dublin Core")
            # The list travels with the catalog; whether it arrived is read back, not assumed.
            there = read_series(self._target, expected.identifier) or there
        if expected.acl is not None and (expected.acl.differences(there.acl or Acl())):
            self._target.put_acl(expected.identifier, expected.acl)
            written.append("access list")
        for name, value in expected.properties:
            if there.property(name) != value:
                self._target.put_property(expected.identifier, name, value)
                written.append(f"property {name}")
        known = {element.type: element.data for element in there.elements}
        for element in expected.elements:
            if known.get(element.type) != element.data:
                self._put_element(expected.identifier, element)
                written.append(f"element {element.type}")
        return written

    def _put_element(self, identifier: str, element: SeriesElement) -> None:
        """Write one further element; a metadata catalog goes through the interface that also fills the index.

        That interface writes the catalog in its own way. Where this gives other bytes the exact ones follow behind,
        but only there: each change of an element makes new snapshots of the series' events.
        """
        if _is_catalog(element):
            self._target.put_extended_metadata(identifier, element.type, element.data)
            if self._target.element(identifier, element.type) == element.data:
                return
        self._target.put_element(identifier, element.type, element.data)


def _is_catalog(element: SeriesElement) -> bool:
    try:
        DublinCore.parse(element.data, what=f"element {element.type}")
    except (InvalidDublinCore, InvalidXml):
        return False
    return True


def _catalog_differs(expected: Series, target: Series) -> bool:
    plain = replace(expected, acl=None, properties=(), elements=())
    return bool(plain.differences(replace(target, acl=None, properties=(), elements=())))


def _differences(expected: Series, target: Series) -> list[Difference]:
    """Compare all that the source has; what only the target has was not ours to remove."""
    names = {name for name, _ in expected.properties}
    types = {element.type for element in expected.elements}
    seen = replace(
        target,
        properties=tuple(pair for pair in target.properties if pair[0] in names),
        elements=tuple(element for element in target.elements if element.type in types),
    )
    return expected.differences(seen)
