"""Compare what is not an event: series, capture agents, themes, playlists."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields

from opencast.api.agents import AgentsService
from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.api.playlists import Playlist
from opencast.api.themes import FILE_FIELDS, Theme
from opencast.audit.comparison import Compared, finding, require_both
from opencast.errors import NotFound
from opencast.migration.series import SeriesMigrator
from opencast.store.audits import Finding

_CHUNK = 1024 * 1024


class SeriesAudit:
    """Compare series, with their access lists, properties and further elements.

    :param theme_on_target: the target's id of a source's theme, or None when nobody knows it.
    """

    def __init__(self, source: Opencast, target: Opencast, theme_on_target: Callable[[str], str | None]) -> None:
        self._migrator = SeriesMigrator(source.series, target.series, theme_on_target)

    def compare(self, identifier: str, title: str = "") -> Finding:
        """Compare one series."""

        def compare() -> Compared:
            comparison = self._migrator.compare(identifier)
            require_both(comparison.source, comparison.target)
            return Compared([str(difference) for difference in comparison.differences], comparison.notes)

        return finding("series", identifier, title, compare)


def agent_findings(source: AgentsService, target: AgentsService) -> Iterator[Finding]:
    """Compare all capture agents: configuration and address; the state changes all the time."""
    before = {agent.name: agent for agent in source.list()}
    after = {agent.name: agent for agent in target.list()}

    def compare(name: str) -> Compared:
        require_both(before.get(name), after.get(name))
        expected, actual = source.configuration(name), target.configuration(name)
        differences = list(_mapping_differences("configuration", expected, actual))
        if before[name].url and before[name].url != after[name].url:
            differences.append(f"address: expected {before[name].url}, found {after[name].url or 'nothing'}")
        return Compared(differences)

    for name in sorted(before.keys() | after.keys()):
        yield finding("agent", name, name, lambda name=name: compare(name))  # type: ignore[misc]


def playlist_findings(source: Opencast, target: Opencast) -> Iterator[Finding]:
    """Compare all playlists: texts, entries, rights."""
    before = _playlists(source)
    after = _playlists(target)

    def compare(identifier: str) -> Compared:
        expected, actual = before.get(identifier), after.get(identifier)
        require_both(expected, actual)
        return Compared([] if expected is None or actual is None else list(_playlist_differences(expected, actual)))

    for identifier in sorted(before.keys() | after.keys()):
        title = (before.get(identifier) or after[identifier]).title
        yield finding("playlist", identifier, title, lambda identifier=identifier: compare(identifier))  # type: ignore[misc]


class ThemeAudit:
    """Compare themes with their files.

    :param known: the target's ids by those of the source, as far as a migration noted them; the others are found by
        their names.
    """

    def __init__(self, source: Opencast, target: Opencast, known: Mapping[str, str]) -> None:
        self._source = source
        self._target = target
        self._known = known

    def findings(self) -> Iterator[Finding]:
        """Compare all themes; those that only the target has come last."""
        if not (self._source.has(Feature.ADMIN_INTERFACE) and self._target.has(Feature.ADMIN_INTERFACE)):
            return
        left = {str(theme.id): theme for theme in self._target.themes.list()}
        for theme in self._source.themes.list():
            twin = self._twin(theme, left.values())
            if twin is not None:
                left.pop(str(twin.id))
            yield finding("theme", str(theme.id), theme.name, lambda pair=(theme, twin): self._compare(*pair))  # type: ignore[misc]
        for theme in left.values():
            yield finding("theme", f"target {theme.id}", theme.name, lambda theme=theme: self._compare(None, theme))  # type: ignore[misc]

    def _twin(self, theme: Theme, candidates: Iterable[Theme]) -> Theme | None:
        known = self._known.get(str(theme.id))
        found = list(candidates)
        by_id = next((other for other in found if known is not None and str(other.id) == known), None)
        return by_id or next((other for other in found if other.name == theme.name), None)

    def _compare(self, expected: Theme | None, actual: Theme | None) -> Compared:
        require_both(expected, actual)
        if expected is None or actual is None:
            return Compared()
        files = set(FILE_FIELDS)
        wanted = {name: str(value).strip() for name, value in expected.form().items() if name not in files}
        found = {name: str(value).strip() for name, value in actual.form().items() if name not in files}
        differences = list(_mapping_differences("field", wanted, found))
        notes = []
        for name in FILE_FIELDS:
            before = self._digest(self._source, expected.files.get(name))
            if before is None and expected.files.get(name):
                notes.append(f"Its file {name} is missing on the source.")
            elif before != self._digest(self._target, actual.files.get(name)):
                differences.append(f"the file {name} differs")
        return Compared(differences, notes)

    def _digest(self, opencast: Opencast, identifier: str | None) -> str | None:
        if not identifier:
            return None
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with opencast.staticfiles.download(identifier) as download:
                for chunk in download.iter(_CHUNK):
                    digest.update(chunk)
        except NotFound:
            return None
        return digest.hexdigest()


def _playlists(opencast: Opencast) -> dict[str, Playlist]:
    if not opencast.has(Feature.PLAYLISTS):
        return {}
    return {playlist.id: playlist for playlist in opencast.playlists.list()}


def _playlist_differences(expected: Playlist, actual: Playlist) -> Iterator[str]:
    for item in fields(Playlist):
        wanted, found = getattr(expected, item.name), getattr(actual, item.name)
        if item.name == "acl":
            yield from map(str, expected.acl.differences(actual.acl))
        elif item.name != "updated" and wanted != found:
            yield f"{item.name}: expected {wanted!r}, found {found!r}"


def _mapping_differences(what: str, expected: Mapping[str, str], actual: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(expected.keys() | actual.keys()):
        if expected.get(key) != actual.get(key):
            yield f"{what} {key}: expected {expected.get(key)!r}, found {actual.get(key)!r}"
