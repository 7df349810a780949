"""Themes, numbered by the server, read from an index that lags behind the writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.simulator import clock
from tests.simulator.index import LaggingIndex
from tests.simulator.state import State
from tests.simulator.static_files import StaticFiles

FILES = ("bumperFile", "trailerFile", "titleSlideBackground", "licenseSlideBackground", "watermarkFile")
TEXTS = ("description", "titleSlideMetadata", "licenseSlideDescription", "watermarkPosition")
FLAGS = ("bumperActive", "trailerActive", "titleSlideActive", "licenseSlideActive", "watermarkActive")


class NoSuchTheme(LookupError):
    """There is no theme of this number."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme; its texts and the ids of its files are empty where it has none."""

    id: int
    org: str
    name: str
    creator: str
    created: datetime
    default: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)


class Themes:
    """Reads come from ``index``, everything else from the database."""

    def __init__(self, state: State, files: StaticFiles) -> None:
        self._state, self._files = state, files
        self._held: dict[int, Theme] = {}
        self.index: LaggingIndex[Theme] = LaggingIndex(state.event_index.lag)

    def load(self, theme: Theme) -> None:
        """Put a theme in at once."""
        self._held[theme.id] = theme
        self._state.skip_job_ids(theme.id)
        self.index.load(str(theme.id), theme)

    def create(self, org: str, creator: str, form: Mapping[str, str]) -> Theme:
        """Make a theme and keep its files; one that is missing is not noticed."""
        theme = Theme(
            self._state.next_job_id(), org, form.get("name", ""), creator, clock.now(), _flag(form.get("default")),
            {name: form.get(name, "").strip() for name in TEXTS}, {name: form.get(name, "").strip() for name in FILES},
            {name: _flag(form.get(name)) for name in FLAGS},
        )  # fmt: skip
        for identifier in filter(None, theme.files.values()):
            self._files.persist(org, identifier)
        return self._write(theme)

    def update(self, org: str, number: int, form: Mapping[str, str]) -> Theme:
        """Change what the form names and does not leave empty; a file that is replaced is deleted.

        :raises NoSuchTheme: when there is none.
        :raises NoSuchFile: when the replaced file is gone already.
        """
        old = self._find(org, number)
        theme = replace(
            old, name=form.get("name", "").strip() or old.name,
            default=_flag(form["default"]) if form.get("default") else old.default,
            texts={name: form.get(name) or old.texts.get(name, "") for name in TEXTS},
            files={name: form.get(name) or old.files.get(name, "") for name in FILES},
            flags={name: _flag(form[name]) if form.get(name) else old.flags.get(name, False) for name in FLAGS},
        )  # fmt: skip
        for name in FILES:
            before, after = old.files.get(name, ""), theme.files[name]
            if before != after:
                if before:
                    self._files.delete(org, before)
                self._files.persist(org, after)
        return self._write(theme)

    def delete(self, org: str, number: int) -> None:
        """Remove a theme with its files, and from the series that have it.

        :raises NoSuchTheme: when there is none.
        :raises NoSuchFile: when one of its files is gone already; the theme stays then.
        """
        theme = self._find(org, number)
        for identifier in filter(None, theme.files.values()):
            self._files.delete(org, identifier)
        del self._held[number]
        self.index.update(str(number), lambda old: None)
        for series_id, _ in self.users(org, number):
            del self._state.series[series_id].properties["theme"]

    def users(self, org: str, number: int) -> list[tuple[str, str]]:
        """Give id and title of the series that have a theme."""
        with self._state.lock:
            held = [s for s in self._state.series.values() if s.org == org and s.properties.get("theme") == str(number)]
        return [(series.id, series.catalog.first("title") or "") for series in held]

    def _find(self, org: str, number: int) -> Theme:
        theme = self._held.get(number)
        if theme is None or theme.org != org:
            raise NoSuchTheme(number)
        return theme

    def _write(self, theme: Theme) -> Theme:
        self._held[theme.id] = theme
        self.index.update(str(theme.id), lambda old: theme)
        return theme


def _flag(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"
