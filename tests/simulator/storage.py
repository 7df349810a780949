"""The storage directory, laid out as ``org.opencastproject.storage.dir``, with links where Opencast links.

::

    archive/<org>/<mp>/<version>/<element>.<ext>     and manifest.xml beside the elements
    downloads/<org>/<channel>/<mp>/<element>/<file>  what /static delivers
    files/mediapackage/<mp>/<element>/<file>         with <file>.md5 beside it: the working file repository
    files/collection/<collection>/<file>
    workspace/...                                    what operations work on
    staticfiles/<org>/<uuid>/<file>
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

CHUNK = 1024 * 1024
_UNSAFE = re.compile(r"(^\W|[^\w\-.]|\.\.|\.$)", re.ASCII)
_ROOMS = ("archive", "downloads", "files/mediapackage", "files/collection", "workspace", "staticfiles")
_MARK = ".opencast-simulator"


class UnsafePath(ValueError):
    """An id holds ``..`` or a slash."""


class IntegrityError(RuntimeError):
    """A directory of the working file repository holds more than one finished file."""


def safe_name(name: str) -> str:
    """Make a file name as the working file repository does: base name and extension by themselves."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    base, dot, extension = name.rpartition(".")
    if not dot:
        base, extension = name, ""
    base, extension = _UNSAFE.sub("_", base), _UNSAFE.sub("_", extension)
    return f"{base[:255]}.{extension[:255]}" if extension else base[:255]


def check_id(value: str) -> str:
    """Refuse what could leave a directory.

    :raises UnsafePath: for such an id.
    """
    if not value or ".." in value or "/" in value:
        raise UnsafePath("Invalid media package, element ID, or file name")
    return value


def link(source: Path, target: Path) -> None:
    """Hard-link, or copy when the file system refuses; an existing target is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def copy(source: Path, target: Path) -> None:
    """Copy the bytes into a new inode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)


def md5_of(path: Path) -> str:
    """Read a file and give its md5 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def prune(directory: Path, stop: Path) -> None:
    """Remove empty directories upwards, but not ``stop``."""
    while directory != stop:
        try:
            directory.rmdir()
        except OSError:
            return
        directory = directory.parent


class Storage(os.PathLike[str]):
    """Paths and moves inside one storage directory; usable as a path: ``storage / "archive"``, ``Path(storage)``.

    ``room`` is how many bytes can still be written before the disk counts as full; None is no limit. Links are free.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.room: int | None = None

    def __fspath__(self) -> str:
        return str(self.root)

    def __truediv__(self, part: str) -> Path:
        return self.root / part

    def prepare(self) -> None:
        """Make the empty rooms.

        :raises FileExistsError: when the directory holds something that no simulator made.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        mark = self.root / _MARK
        if not mark.exists() and any(self.root.iterdir()):
            raise FileExistsError(f"{self.root} is not empty and was not made by a simulator")
        mark.touch()
        for room in _ROOMS:
            shutil.rmtree(self.root / room.split("/")[0], ignore_errors=True)
        for room in _ROOMS:
            (self.root / room).mkdir(parents=True, exist_ok=True)

    def take(self, size: int) -> None:
        """Use up room.

        :raises OSError: ENOSPC when there is not enough; nothing fits any more then.
        """
        if self.room is None:
            return
        if size > self.room:
            self.room = 0
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= size

    # --- archive -------------------------------------------------------------------------------------------------

    def archive(self, org: str, package: str, version: int, element: str, extension: str) -> Path:
        """Give the path of an archived element."""
        name = f"{check_id(element)}.{extension}" if extension else check_id(element)
        return self.root / "archive" / org / check_id(package) / str(version) / name

    def drop_archive(self, org: str, package: str) -> None:
        """Remove all versions of a package."""
        shutil.rmtree(self.root / "archive" / org / check_id(package), ignore_errors=True)

    # --- downloads -----------------------------------------------------------------------------------------------

    @property
    def downloads(self) -> Path:
        """What ``/static`` delivers."""
        return self.root / "downloads"

    def distributed(self, org: str, channel: str, package: str, element: str, file_name: str) -> Path:
        """Give the path of a published file."""
        parts = [check_id(part) for part in (channel, package, element, file_name)]
        return self.downloads.joinpath(org, *parts)

    def same_file(self, org: str, package: str, source: Path) -> Path:
        """Find an equal file published for the same package on any channel, as the distribution service does."""
        size = source.stat().st_size
        for candidate in sorted(self.downloads.glob(f"{org}/*/{check_id(package)}/*/*")):
            stat = candidate.stat()
            if stat.st_size == size and (stat.st_ino == source.stat().st_ino or md5_of(candidate) == md5_of(source)):
                return candidate
        return source

    # --- working file repository ---------------------------------------------------------------------------------

    def element_directory(self, package: str, element: str) -> Path:
        """Give the directory of an element in the working file repository."""
        return self.root / "files" / "mediapackage" / check_id(package) / check_id(element)

    def working_file(self, package: str, element: str) -> Path | None:
        """Find the one finished file of an element: the one with an ``.md5`` beside it.

        :raises IntegrityError: when two are finished.
        """
        marks = sorted(self.element_directory(package, element).glob("*.md5"))
        if not marks:
            return None
        if len(marks) > 1:
            raise IntegrityError(f"{package}/{element} does not contain exactly one element")
        path = marks[0].with_name(marks[0].name[: -len(".md5")])
        return path if path.exists() else None

    def begin(self, directory: Path) -> Path:
        """Open a temporary file in the directory where it will be renamed."""
        directory.mkdir(parents=True, exist_ok=True)
        return directory / f"{uuid.uuid4().hex}.tmp"

    def finish(self, package: str, element: str, name: str, temporary: Path, md5: str) -> Path:
        """Put a written file in place with its ``.md5``, and drop whatever else the element held."""
        directory = self.element_directory(package, element)
        target = directory / safe_name(name)
        mark = target.with_name(target.name + ".md5")
        fresh = mark.with_name(f"{uuid.uuid4().hex}.tmp")
        fresh.write_text(md5, encoding="ascii")
        fresh.replace(mark)
        temporary.replace(target)
        for other in directory.iterdir():
            if other not in (target, mark):
                other.unlink(missing_ok=True)
        return target

    def put(self, package: str, element: str, name: str, data: bytes) -> Path:
        """Store bytes as an element's file."""
        self.take(len(data))
        temporary = self.begin(self.element_directory(package, element))
        temporary.write_bytes(data)
        return self.finish(package, element, name, temporary, hashlib.md5(data).hexdigest())

    def put_copy(self, package: str, element: str, name: str, source: Path) -> Path:
        """Store a copy of a file as an element's file, hashing while writing."""
        self.take(source.stat().st_size)
        temporary = self.begin(self.element_directory(package, element))
        digest = hashlib.md5()
        with source.open("rb") as stream, temporary.open("wb") as out:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
        return self.finish(package, element, name, temporary, digest.hexdigest())

    # --- collections of the working file repository ----------------------------------------------------------------

    def collected(self, collection: str, name: str) -> Path | None:
        """Find a finished file of a collection: one with an ``.md5`` beside it."""
        path = self.root / "files" / "collection" / check_id(collection) / safe_name(name)
        return path if path.is_file() and path.with_name(path.name + ".md5").is_file() else None

    def put_in_collection(self, collection: str, name: str, chunks: Iterable[bytes]) -> Path:
        """Write a file of a collection: in place, so that a link to a file of this name changes too.

        :raises OSError: when the disk is full; the file is removed then.
        """
        path = self.root / "files" / "collection" / check_id(collection) / safe_name(check_id(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.md5()
        try:
            with path.open("wb") as out:
                for chunk in chunks:
                    self.take(len(chunk))
                    digest.update(chunk)
                    out.write(chunk)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        path.with_name(path.name + ".md5").write_text(digest.hexdigest(), encoding="ascii")
        return path

    def drop_collection(self, collection: str) -> None:
        """Remove a collection with all that is left in it."""
        shutil.rmtree(self.root / "files" / "collection" / check_id(collection), ignore_errors=True)

    def move_from_collection(self, collection: str, name: str, package: str, element: str, file_name: str) -> Path:
        """Rename a collected file to an element's; where the element has one already, that one's name stays.

        :raises FileNotFoundError: when there is no such file.
        """
        source = self.collected(collection, name)
        if source is None:
            raise FileNotFoundError(name)
        held = self.working_file(package, element)
        target = held or self.element_directory(package, element) / safe_name(file_name)
        if held is not None:
            self.delete_working_file(package, element)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        source.with_name(source.name + ".md5").rename(target.with_name(target.name + ".md5"))
        return target

    def link_from_collection(self, collection: str, name: str, package: str, element: str, file_name: str) -> Path:
        """Link a collected file to an element's; where that name is taken, the element's directory gets lost.

        :raises FileNotFoundError: when there is no such file.
        """
        source = self.collected(collection, name)
        if source is None:
            raise FileNotFoundError(name)
        target = self.element_directory(package, element) / safe_name(file_name)
        if target.exists():
            # The real service does not expect that: it cleans up, and gives the url all the same.
            shutil.rmtree(target.parent)
            return target
        link(source, target)
        target.with_name(target.name + ".md5").write_text(md5_of(target), encoding="ascii")
        return target

    def delete_working_file(self, package: str, element: str) -> bool:
        """Remove an element's directory; False when it had no finished file."""
        if self.working_file(package, element) is None:
            return False
        directory = self.element_directory(package, element)
        shutil.rmtree(directory)
        with contextlib.suppress(OSError):
            directory.parent.rmdir()
        return True


def spoil(storage: Storage, package: str, element: str, corrected: bool) -> None:
    """Invert the first byte of an element's file.

    :param corrected: the noted md5 is that of the changed bytes.
    """
    path = storage.working_file(package, element)
    if path is None:
        return
    data = path.read_bytes()
    path.unlink()  # It may be linked into the workspace or the archive.
    path.write_bytes(bytes([data[0] ^ 0xFF]) + data[1:])
    if corrected:
        path.with_name(path.name + ".md5").write_text(md5_of(path), encoding="ascii")
