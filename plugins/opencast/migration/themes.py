"""Migrate themes with their files. The target gives them new ids, which are kept in the store.

A theme is found again by that id, or by its content: nothing else tells two themes apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from opencast.api.themes import Theme, ThemesService
from opencast.errors import MigrationError, NotFound, ObjectGone, VerificationFailed
from opencast.migration.migrated import Migrated
from opencast.migration.patience import Patience
from opencast.migration.theme_files import StagedTheme, ThemeFiles
from opencast.store.idmap import IdMaps
from opencast.store.ledger import Kind, Traffic


def fingerprint(theme: Theme) -> str:
    """Return a digest that changes when anything of a theme does; a file that was replaced has another id."""
    mappings = (theme.flags, theme.texts, theme.files)
    parts = (theme.name, theme.description, theme.is_default, *(sorted(mapping.items()) for mapping in mappings))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class ThemeMigrator:
    """Bring themes from one server to another.

    :param lock: held while a theme is worked on; of two runs that met the same theme, both would create it.
    :param patience: waits until the target shows what was written.
    """

    def __init__(
        self,
        source: ThemesService,
        target: ThemesService,
        files: ThemeFiles,
        ids: IdMaps,
        lock: Callable[[str], AbstractContextManager[None]],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._files = files
        self._ids = ids
        self._lock = lock
        self._patience = patience or Patience()

    def migrate(self, identifier: str) -> Migrated:
        """Make a theme of the target equal to the source's, or create it, and prove it.

        :param identifier: the theme's number on the source.
        :raises ObjectGone: the source does not have it any more.
        :raises VerificationFailed: the target answers something else after the writes.
        """
        try:
            theme = self._source.get(identifier)
        except NotFound as error:
            raise ObjectGone(f"The theme {identifier} is not on the source any more.") from error
        # No mediapackage has a slash in its id.
        holder = f"theme/{identifier}"
        with self._lock(holder):
            try:
                return self._migrate(identifier, self._files.stage(theme, holder))
            finally:
                self._files.release(holder)

    def _migrate(self, identifier: str, staged: StagedTheme) -> Migrated:
        existing = self._mapped(identifier) or self._equal(staged)
        if existing is None:
            number, expected, written = self._create(staged)
        else:
            number, expected, written = self._update(staged, existing)
        # Noted before anything else can fail: what was created is found again by the next try.
        self._ids.put(Kind.THEME, identifier, str(number))
        shown = self._verify(number, expected, staged)
        sent = sum(staged.files[field].staged.size for field in written if field in staged.files)
        return Migrated(
            title=staged.theme.name,
            fingerprint=fingerprint(staged.theme),
            written=tuple(written),
            notes=tuple(_notes(staged, shown)),
            traffic=staged.traffic + Traffic(written=sent),
        )

    # --- writing ---------------------------------------------------------------------------------------------------

    def _create(self, staged: StagedTheme) -> tuple[int, Theme, list[str]]:
        expected = _expected(staged.theme, self._files.upload(staged.files))
        made = self._target.create(expected)
        return _number(made), expected, ["theme", *staged.files]

    def _update(self, staged: StagedTheme, existing: Theme) -> tuple[int, Theme, list[str]]:
        """Write what is different; a file that only the target still has stays."""
        number = _number(existing)
        files = {field: existing.files[field] for field in staged.missing if field in existing.files}
        changed = {}
        for field, file in staged.files.items():
            if self._files.is_same(file, existing.files.get(field)):
                files[field] = existing.files[field]
            else:
                changed[field] = file
        if not changed and _flat(_expected(staged.theme, files)) == _flat(existing):
            return number, existing, []
        expected = _expected(staged.theme, {**files, **self._files.upload(changed)})
        self._target.update(replace(expected, id=number))
        return number, expected, ["fields", *changed]

    # --- the target's theme ----------------------------------------------------------------------------------------

    def _mapped(self, identifier: str) -> Theme | None:
        """Return the theme that an earlier try or run made, if the target still has it."""
        known = self._ids.target(Kind.THEME, identifier)
        return None if known is None else self._patience.until(lambda: self._target.get(known))

    def _equal(self, staged: StagedTheme) -> Theme | None:
        """Look for a theme of the target with the same fields and the same bytes, which no other theme became."""
        taken = set(self._ids.all(Kind.THEME).values())
        wanted = _flat(_expected(staged.theme, {}))
        for candidate in self._target.list():
            if str(candidate.id) in taken or _flat(_expected(candidate, {})) != wanted:
                continue
            if candidate.files.keys() - staged.missing.keys() != staged.files.keys():
                continue
            if all(self._files.is_same(file, candidate.files[field]) for field, file in staged.files.items()):
                return candidate
        return None

    def _verify(self, number: int, expected: Theme, staged: StagedTheme) -> Theme:
        """Read the theme back, with the bytes of its files.

        :raises VerificationFailed: naming the first difference.
        """

        def look() -> Theme | None:
            theme = self._target.get(number)
            return theme if _flat(theme) == _flat(expected) else None

        shown = self._patience.until(look)
        if shown is None:
            what = self._difference(number, expected)
            raise VerificationFailed(
                f"The theme {expected.name!r} is theme {number} on the target, and {what}.",
                advice="What the source's theme does not have (any more) cannot be removed over REST: remove it in the "
                "target's admin interface.",
            )
        for field, file in staged.files.items():
            if not self._files.is_same(file, shown.files.get(field)):
                raise VerificationFailed(f"The file {field} of the theme {expected.name!r} differs on the target.")
        return shown

    def _difference(self, number: int, expected: Theme) -> str:
        try:
            found = _flat(self._target.get(number))
        except NotFound:
            return "the target does not show it"
        wanted = _flat(expected)
        names = [name for name in wanted if wanted[name] != found[name]]
        return "; ".join(f"its {name} is {found[name]!r} instead of {wanted[name]!r}" for name in names) or "shows late"


def _number(theme: Theme) -> int:
    if theme.id is None:
        raise MigrationError(f"The target has given the theme {theme.name!r} no id.")
    return theme.id


def _expected(theme: Theme, files: Mapping[str, str]) -> Theme:
    """Return a theme as it has to be on the target, where its files have other ids."""
    return replace(theme, id=None, files=dict(files))


def _flat(theme: Theme) -> dict[str, object]:
    """Return everything that is posted; the server cuts blanks off the ends of texts."""
    return {name: value.strip() if isinstance(value, str) else value for name, value in theme.form().items()}


def _notes(staged: StagedTheme, shown: Theme) -> list[str]:
    notes = []
    for field, identifier in staged.missing.items():
        there = "keeps the one that it has" if shown.files.get(field) else "has none"
        notes.append(f"Its file {field} ({identifier}) is missing on the source; the theme on the target {there}.")
    for field, file in staged.files.items():
        name = shown.file_names.get(field, "")
        if name != file.name and field in staged.theme.file_names:
            notes.append(f"Its file {field} is called {name!r} on the target, {file.name!r} on the source.")
    if shown.creator != staged.theme.creator:
        notes.append(f"Its creator is {shown.creator!r} on the target, {staged.theme.creator!r} on the source.")
    return notes
