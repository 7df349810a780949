"""Static files, which only themes refer to: temporary until somebody keeps them."""

from __future__ import annotations

import uuid
from pathlib import Path

from tests.simulator.storage import Storage


class NoSuchFile(LookupError):
    """There is no file of this id."""


class StaticFiles:
    """Files by id, in ``staticfiles/<org>/<id>/<name>``, and in ``temp`` beside the ids before they are kept."""

    def __init__(self, storage: Storage) -> None:
        self._root = storage.root / "staticfiles"

    def begin(self, org: str) -> tuple[str, Path]:
        """Give a new id and the path of a file to be written."""
        identifier = str(uuid.uuid4())
        directory = self._root / org / "temp" / identifier
        directory.mkdir(parents=True)
        return identifier, directory / "upload.tmp"

    def finish(self, temporary: Path, name: str) -> None:
        """Give a written file its name."""
        temporary.rename(temporary.with_name(name.replace("\\", "/").rsplit("/", 1)[-1]))

    def load(self, org: str, identifier: str, name: str, data: bytes) -> None:
        """Put a kept file in."""
        path = self._root / org / identifier / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def find(self, org: str, identifier: str) -> Path:
        """Find a file, kept or temporary.

        :raises NoSuchFile: when there is none.
        """
        for directory in (self._root / org, self._root / org / "temp"):
            if identifier and "/" not in identifier and identifier not in (".", "..", "temp"):
                found = sorted((directory / identifier).glob("*"))
                if found:
                    return found[0]
        raise NoSuchFile(identifier)

    def persist(self, org: str, identifier: str) -> None:
        """Keep a temporary file; one that is kept or missing is no error."""
        directory = self._root / org / "temp" / identifier
        if identifier and directory.is_dir():
            directory.rename(self._root / org / identifier)

    def delete(self, org: str, identifier: str) -> None:
        """Remove a file, but not its directory.

        :raises NoSuchFile: when there is none.
        """
        self.find(org, identifier).unlink()
