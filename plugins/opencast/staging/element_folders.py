"""The folders ``<files root>/mediapackage/<mediapackage>/<element>`` of a target's working file repository.

They are opened one by one without following symbolic links. What is made gets owner, group and mode of the folder
around it as far as this process may do that, so that Opencast can remove it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from opencast.errors import RouteUnavailable
from opencast.staging.access import Account
from opencast.staging.disk import Disk, storage_errors

#: The one folder that is linked into. Never ``collection``: Opencast writes into files that exist there.
_PACKAGES = "mediapackage"
#: A folder is complete for Opencast when exactly one such file lies in it (``WorkingFileRepositoryImpl.getFile``).
MD5_SUFFIX = ".md5"


class ElementFolders:
    """:param root: the target's ``org.opencastproject.file.repo.path``; ids given to the methods are checked before."""

    def __init__(self, root: Path, disk: Disk) -> None:
        self.root = root
        self._disk = disk

    def path(self, mp_id: str, element_id: str) -> Path:
        """Answer the path of an element's folder."""
        return self.root / _PACKAGES / mp_id / element_id

    def owner(self) -> Account:
        """Answer who owns the repository."""
        with self._open(_PACKAGES) as folder:
            if folder is None:
                raise RouteUnavailable(f"There is no folder {self.root / _PACKAGES}.")
            with storage_errors(f"read the status of {self.root / _PACKAGES}"):
                return Account.owning(self._disk.status_of(folder))

    @contextmanager
    def element(self, mp_id: str, element_id: str) -> Iterator[int]:
        """Open an element's folder, made when missing."""
        names = (_PACKAGES, mp_id, element_id)
        for depth in range(len(names)):
            self._make(*names[: depth + 1])
        with self._open(*names) as folder:
            if folder is None:
                raise RouteUnavailable(f"{self.path(mp_id, element_id)} vanished just after it was made.")
            yield folder

    def has(self, mp_id: str, element_id: str) -> bool:
        """Whether an element's folder is there."""
        with self._open(_PACKAGES, mp_id, element_id) as folder:
            return folder is not None

    def clear(self, folder: int, path: Path) -> None:
        """Empty an open folder, the sign of completeness first.

        :param path: for messages.
        """
        with storage_errors(f"clear {path}"):
            for name in sorted(self._disk.names(folder), key=lambda name: not name.endswith(MD5_SUFFIX)):
                with suppress(FileNotFoundError):
                    self._disk.unlink(name, at=folder)

    def remove(self, mp_id: str, element_id: str) -> bool:
        """Remove an element's folder with what lies in it; False when it was not there."""
        with self._open(_PACKAGES, mp_id, element_id) as folder:
            if folder is None:
                return False
            self.clear(folder, self.path(mp_id, element_id))
        self._remove_folder(_PACKAGES, mp_id, element_id)
        return True

    def remove_if_empty(self, mp_id: str) -> None:
        """Remove a mediapackage's folder when no element lies in it."""
        self._remove_folder(_PACKAGES, mp_id)

    def give_owner(self, fd: int, folder: int) -> None:
        """Give a new file or folder the owner of the folder around it, as far as this process may do that.

        Where it may not, the folder's mode decides what Opencast can do; the route's probe finds that out.
        """
        like, mine = self._disk.status_of(folder), self._disk.status_of(fd)
        if like.st_gid != mine.st_gid:
            self._disk.set_owner(fd, -1, like.st_gid)
        if like.st_uid != mine.st_uid:
            self._disk.set_owner(fd, like.st_uid, -1)

    def _make(self, *names: str) -> None:
        *above, name = names
        path = self.root.joinpath(*names)
        with self._open(*above) as parent:
            if parent is None:
                raise RouteUnavailable(
                    f"There is no folder {path.parent}.",
                    advice="Mount the target's working file repository on every worker, under this path.",
                )
            with storage_errors(f"make {path}"), suppress(FileExistsError):
                mode = self._disk.status_of(parent).st_mode & 0o7777
                self._disk.make_folder(name, mode & 0o777, at=parent)
                fd = self._disk.open_folder(name, at=parent)
                try:
                    self.give_owner(fd, parent)
                    self._disk.set_mode(fd, mode)
                finally:
                    self._disk.close(fd)

    @contextmanager
    def _open(self, *names: str) -> Iterator[int | None]:
        """Open a folder below the root without following links; None when it is not there."""
        opened = ExitStack()
        path = self.root.joinpath(*names)
        try:
            with storage_errors(f"open {path}"):
                folder = self._walk(names, opened)
            yield folder
        finally:
            with storage_errors(f"close {path}"):
                opened.close()

    def _walk(self, names: tuple[str, ...], opened: ExitStack) -> int | None:
        try:
            folder = self._disk.open_folder(self.root, follow=True)
            opened.callback(self._disk.close, folder)
            for name in names:
                folder = self._disk.open_folder(name, at=folder)
                opened.callback(self._disk.close, folder)
        except FileNotFoundError:
            return None
        return folder

    def _remove_folder(self, *names: str) -> None:
        """Remove a folder unless something lies in it again, or it is gone."""
        *above, name = names
        with self._open(*above) as parent, storage_errors(f"remove {self.root.joinpath(*names)}"):
            if parent is None:
                return
            try:
                self._disk.remove_folder(name, at=parent)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                    raise
