"""Map urls of the source to files of its mounted storage, and open them without leaving the mounted folder."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from opencast.errors import StagingError, UnsafePath
from opencast.model.identifiers import shown
from opencast.staging.copying import OpenFile
from opencast.staging.disk import Disk, storage_errors


@dataclass(frozen=True)
class Mount:
    """A folder of the source's storage that is mounted here.

    :param url_prefix: ``<server>/assets/assets`` for an archive root, ``<server>/static`` for the downloads folder
        (or what ``org.opencastproject.download.url`` of the source says).
    :param root: the folder that holds one folder for each organization.
    :param kind: which of Opencast's two layouts lies below.
    :param organization: only used for ``archive``: the url of an asset does not name it.
    """

    url_prefix: str
    root: Path
    kind: Literal["archive", "downloads"]
    organization: str = "mh_default_org"

    def parts_below(self, url: str) -> tuple[str, ...] | None:
        """Answer the decoded path of a url below the prefix, or None when it belongs elsewhere.

        :raises UnsafePath: for a url whose path would leave the folder.
        """
        try:
            mine, theirs = urlsplit(self.url_prefix), urlsplit(url)
            if _origin(mine) != _origin(theirs):
                return None
        except ValueError as error:
            raise UnsafePath(f"{shown(url.partition('?')[0])} is no url: {error}.") from error
        prefix = mine.path.rstrip("/") + "/"
        if not theirs.path.startswith(prefix):
            return None
        parts = tuple(unquote(part) for part in theirs.path.removeprefix(prefix).split("/"))
        if any(part in {".", ".."} or "/" in part or "\0" in part for part in parts):
            raise UnsafePath(f"The url path {shown(theirs.path)} would leave the mounted folder {self.root}.")
        return parts if all(parts) else None


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Answer scheme, host and port, the usual port also where it is not written."""
    scheme = url.scheme.lower()
    return scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(scheme)


class NotMapped(StagingError):
    """There is no usable file for a url in any mount; the message says why. The fetcher then asks the server."""


@contextmanager
def open_mounted(disk: Disk, mounts: Sequence[Mount], url: str) -> Iterator[OpenFile | None]:
    """Open the first mounted file that a url maps to; None when there are no mounts at all.

    Every folder below a mount's root is opened without following symbolic links.

    :raises NotMapped: when no mount is meant for the url, or none of them holds a plain file for it.
    :raises UnsafePath: for a url whose path would leave the folder.
    """
    reasons: list[str] = []
    for mount in mounts:
        parts = mount.parts_below(url)
        if parts is None:
            continue
        with _opened(disk, mount, parts) as found:
            if isinstance(found, OpenFile):
                yield found
                return
            reasons.append(found)
    if mounts:
        raise NotMapped("; ".join(reasons) or f"no mount is configured for {urlsplit(url)._replace(query='').geturl()}")
    yield None


@contextmanager
def _opened(disk: Disk, mount: Mount, parts: tuple[str, ...]) -> Iterator[OpenFile | str]:
    """Open the file in one mount; a string says why there is none."""
    path = mount.root.joinpath(*parts)
    opened = ExitStack()
    try:
        try:
            found: OpenFile | str = _walk(disk, mount, parts, opened)
        except OSError as error:
            found = f"{path}: {error.strerror or error}"
        yield found
    finally:
        with storage_errors(f"close {path}"):
            opened.close()


def _walk(disk: Disk, mount: Mount, parts: tuple[str, ...], opened: ExitStack) -> OpenFile | str:
    """Open folder by folder, then the file; ``opened`` closes them."""
    *folders, name = parts
    if mount.kind == "archive":
        if len(parts) != 4:
            return f"{'/'.join(parts)} is no path of an asset"
        mediapackage, element, version, _ = parts
        folders = [mount.organization, mediapackage, version]
    above = disk.open_folder(mount.root, follow=True)
    opened.callback(disk.close, above)
    for folder in folders:
        above = disk.open_folder(folder, at=above)
        opened.callback(disk.close, above)
    if mount.kind == "archive":
        name = _archived_name(disk, above, element, name)
    path = mount.root.joinpath(*folders, name)
    fd = disk.open_read(name, at=above)
    opened.callback(disk.close, fd)
    status = disk.status_of(fd)
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is no plain file"
    return OpenFile(path, above, name, fd, status)


def _archived_name(disk: Disk, folder: int, element: str, url_name: str) -> str:
    """Answer the name of an element's file in a folder of the archive.

    Opencast stores ``<element id>.<extension of the file>`` and itself looks for the one file whose name without its
    last extension is the element id; the extension of the url's file name is only the usual one.
    """
    usual = element + PurePosixPath(url_name).suffix
    names = disk.names(folder)
    if usual in names:
        return usual
    matching = [name for name in names if element in {name, name.rpartition(".")[0]}]
    if len(matching) != 1:
        raise FileNotFoundError(errno.ENOENT, "no file of this element" if not matching else "several files of it")
    return matching[0]
