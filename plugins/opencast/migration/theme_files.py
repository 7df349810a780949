"""The files of themes: from the source into the staging store, and from there to the target."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from opencast.api.opencast import Opencast
from opencast.api.themes import FILE_FIELDS, Theme
from opencast.errors import NotFound
from opencast.staging.source import Fetcher, SourceFile, StagedObject
from opencast.store.imports import Imports
from opencast.store.ledger import Traffic


@dataclass(frozen=True)
class ThemeFile:
    """A file of a theme of the source.

    :param name: shown to people.
    """

    name: str
    staged: StagedObject


@dataclass(frozen=True)
class StagedTheme:
    """A theme of the source with its files in the staging store.

    :param files: by field of the theme.
    :param missing: fields whose file the source does not have any more, with its id.
    """

    theme: Theme
    files: Mapping[str, ThemeFile]
    missing: Mapping[str, str]

    @property
    def traffic(self) -> Traffic:
        """Bytes of the unique files, and how many of them were read from the source."""
        unique = {(file.staged.md5, file.staged.size) for file in self.files.values()}
        read = sum(file.staged.bytes_read for file in self.files.values())
        return Traffic(total=sum(size for _, size in unique), read=read)


class ThemeFiles:
    """Move and compare the files of themes.

    :param imports: is told which staged files are needed.
    """

    def __init__(self, source: Opencast, target: Opencast, fetcher: Fetcher, imports: Imports) -> None:
        self._source = source
        self._target = target
        self._fetcher = fetcher
        self._imports = imports

    def stage(self, theme: Theme, holder: str) -> StagedTheme:
        """Bring the files of a theme of the source into the staging store.

        :param holder: in whose name they are kept from being cleaned away.
        """
        files: dict[str, ThemeFile] = {}
        missing: dict[str, str] = {}
        for field in FILE_FIELDS:
            identifier = theme.files.get(field)
            if not identifier:
                continue
            url = self._source.staticfiles.url(identifier)
            try:
                staged = self._fetcher.fetch(SourceFile(url, None, None, f"{field} of the theme {theme.name!r}"))
            except NotFound:
                missing[field] = identifier
                continue
            self._imports.refer(holder, [(staged.md5, staged.size)])
            files[field] = ThemeFile(theme.file_names.get(field) or field, staged)
        return StagedTheme(theme, files, missing)

    def release(self, holder: str) -> None:
        """Let the files of a theme be cleaned away."""
        self._imports.release(holder)

    def upload(self, files: Mapping[str, ThemeFile]) -> dict[str, str]:
        """Send files to the target, which removes by itself what no theme comes to refer to.

        :returns: the new ids, by field.
        """
        uploaded = {}
        for field, file in files.items():
            with file.staged.path.open("rb") as stream:
                uploaded[field] = self._target.staticfiles.upload(file.name, stream, file.staged.size)
        return uploaded

    def is_same(self, file: ThemeFile, identifier: str | None) -> bool:
        """Tell whether a file of the target has the bytes of a staged one; the target names no checksums."""
        if not identifier:
            return False
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with self._target.staticfiles.download(identifier) as download:
                for piece in download.iter():
                    digest.update(piece)
        except NotFound:
            return False
        return digest.hexdigest() == file.staged.md5
