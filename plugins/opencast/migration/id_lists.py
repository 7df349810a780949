"""Lists of event ids in files: one id in each line, in a folder that the administrator has chosen for them.

Whoever may trigger a run names the file. So it must lie in that folder, and no message quotes what is in it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from opencast.errors import InvalidFilter, InvalidIdentifier
from opencast.model.identifiers import check_mediapackage_id

#: Bytes of the largest file that is read: some 400,000 ids.
LARGEST = 16 * 1024 * 1024
#: Bad lines that a message names, at most.
_NAMED = 5


@dataclass(frozen=True)
class IdList:
    """The ids in a file.

    :param name: as the form gave it.
    """

    name: str
    ids: frozenset[str] = field(repr=False)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.ids

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"{len(self)} ids of {self.name}"


def read_ids(folder: Path, name: str, *, param: str) -> IdList:
    """Read a list of event ids; empty lines and those that begin with ``#`` are left out.

    :param folder: where lists lie.
    :param name: relative to the folder, such as ``cut-over.txt``.
    :param param: which filter names it, for messages.
    :raises InvalidFilter: a name that leads elsewhere, no such file, or a file that holds something else than ids.
    """
    text = _read(folder, name, param)
    found: set[str] = set()
    bad: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        try:
            found.add(check_mediapackage_id(entry))
        except InvalidIdentifier:
            bad.append(number)
    if bad:
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        lines = ", ".join(map(str, bad[:_NAMED]))
        raise InvalidFilter(
            f"{param} = {name!r}: no event ids stand in line {lines}{more} of the file.",
            advice="Write one id in each line, and nothing else; # begins a remark.",
        )
    if not found:
        raise InvalidFilter(f"{param} = {name!r}: the file holds no event ids.")
    return IdList(name, frozenset(found))


def _read(folder: Path, name: str, param: str) -> str:
    parts = PurePosixPath(name).parts
    if not name.isprintable() or "\\" in name or PurePosixPath(name).is_absolute() or ".." in parts or not parts:
        raise InvalidFilter(
            f"{param} = {name!r} is no file in the folder of lists.", advice=f"Name a file below {folder}."
        )
    try:
        home = folder.expanduser().resolve(strict=True)
        path = (home / name).resolve(strict=True)
        if not path.is_relative_to(home):
            raise InvalidFilter(f"{param} = {name!r} is a link that leads out of the folder of lists.")
        data = _contents(path, param, name)
    except OSError as error:
        raise InvalidFilter(
            f"{param} = {name!r} cannot be read: {error.strerror or 'no such file'}.",
            advice=f"Put the file into {folder}, where every worker can read it.",
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidFilter(f"{param} = {name!r} is no text in UTF-8.") from error


def _contents(path: Path, param: str, name: str) -> bytes:
    # Opened once and looked at then, so that nothing can be put in its place between; a pipe would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidFilter(f"{param} = {name!r} is no file.")
        if found.st_size > LARGEST:
            raise InvalidFilter(f"{param} = {name!r} has more than {LARGEST} bytes: it is no list of ids.")
        return stream.read(LARGEST)
