"""Route ``link``: hard links into the target's working file repository, so that no media byte is written.

A file is complete for Opencast when exactly one ``.md5`` lies in the element's folder
(``WorkingFileRepositoryImpl.getFile``). So the ``.md5`` goes first when something is removed, and comes last when
something is put there. Nothing is ever linked below ``collection/``: Opencast writes into existing files there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from opencast.errors import ChecksumMismatch, OpencastError, RouteUnavailable
from opencast.model.identifiers import check_element_id, check_mediapackage_id, safe_file_name
from opencast.staging.access import Account
from opencast.staging.copying import OpenFile, copy_into
from opencast.staging.disk import NOT_THIS_WAY, Disk, storage_errors
from opencast.staging.part import Part
from opencast.staging.routes import (
    PROBE_ELEMENT,
    PROBE_FILE,
    FileRepository,
    RouteProbe,
    SentFile,
    SentHow,
    stage_probe,
)
from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore

_MD5_SUFFIX = ".md5"
_PART_SUFFIX = ".part"
_FILE_MODE = 0o644
#: What a url path may hold unescaped (RFC 3986, pchar), besides letters and digits.
_URL_SAFE = "-._~!$&'()*+,;=:@"


@dataclass(frozen=True)
class _Place:
    """An element's folder, opened; names in it are safe."""

    fd: int
    path: Path
    name: str

    @property
    def md5_name(self) -> str:
        return self.name + _MD5_SUFFIX


class LinkRoute:
    """Hard links from the store into ``<files root>/mediapackage/<mediapackage>/<element>/<safe name>``.

    New folders get owner, group and mode of the folder that they lie in as far as this process may do that, so that
    Opencast can remove them. The inode of a linked file is never changed, because the source may be using it: when
    Opencast could not read it, or it cannot be linked, it is copied instead and the report says so.

    :param files_root: the target's ``org.opencastproject.file.repo.path``, usually ``<storage>/files``.
    :param store: of the staged files.
    :param repository: of the target, for urls and for the probe.
    :param account: as whom the target runs; by default the owner of its ``mediapackage`` folder.
    :param allow_copy: whether to copy what cannot be linked; otherwise :class:`RouteUnavailable`.
    """

    def __init__(
        self,
        files_root: Path,
        store: ObjectStore,
        repository: FileRepository,
        *,
        account: Account | None = None,
        allow_copy: bool = True,
        disk: Disk | None = None,
    ) -> None:
        self._root = files_root
        self._store = store
        self._repository = repository
        self._account = account
        self._allow_copy = allow_copy
        self._disk = disk or store.disk
        self._base_uri: str | None = None

    # --- sending -----------------------------------------------------------------------------------------------

    def send(self, mp_id: str, element_id: str, file_name: str, staged: StagedObject) -> SentFile:
        """Link one staged file into the target's repository, with its ``.md5``.

        Whatever the element's folder held, such as the ``.md5`` of a killed run, is replaced.

        :raises InvalidIdentifier: an id or name that would leave its folder.
        :raises RouteUnavailable: it can only be copied, and that is not allowed.
        :raises StagingError: what the file system refuses.
        """
        check_mediapackage_id(mp_id)
        check_element_id(element_id)
        with self._element_folder(mp_id, element_id) as folder:
            place = _Place(folder, self._root / "mediapackage" / mp_id / element_id, safe_file_name(file_name))
            source = self._open_staged(staged)
            try:
                if self._is_there(place, staged, source):
                    return SentFile(self._url(mp_id, element_id, place.name), "present", 0)
                self._clear(folder, place.path)
                how, written, note = self._place(place, staged, source)
                self._write_md5(place, staged.md5)
            finally:
                with storage_errors(f"close {staged.path}"):
                    self._disk.close(source.fd)
        return SentFile(self._url(mp_id, element_id, place.name), how, written, note)

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Remove the folders of these elements, and the mediapackage's when it is empty then.

        :returns: how many of them were there.
        """
        check_mediapackage_id(mp_id)
        removed = 0
        with self._open_folders("mediapackage", mp_id) as package:
            if package is None:
                return 0
            for element_id in element_ids:
                removed += self._remove_element(package, mp_id, check_element_id(element_id))
        with self._open_folders("mediapackage") as parent:
            if parent is not None:
                self._remove_folder(mp_id, parent)
        return removed

    # --- probing -----------------------------------------------------------------------------------------------

    def probe(self) -> RouteProbe:
        """Link a probe object, let the target confirm its md5, and let the target remove it."""
        try:
            mp_id, staged = stage_probe(self._store)
        except OpencastError as error:
            return RouteProbe(False, f"staging does not work: {error.message}", error.advice)
        try:
            return self._probe(mp_id, staged)
        except OpencastError as error:
            return RouteProbe(False, error.message, error.advice)
        finally:
            with suppress(OpencastError):  # the folder itself refused: that is the probe's result already
                self.remove_sent(mp_id, [PROBE_ELEMENT])
            self._store.remove(staged.digest)

    def _probe(self, mp_id: str, staged: StagedObject) -> RouteProbe:
        sent = self.send(mp_id, PROBE_ELEMENT, PROBE_FILE, staged)
        if not self._repository.has(mp_id, PROBE_ELEMENT, PROBE_FILE, staged.md5):
            return RouteProbe(
                False,
                f"the target does not see what is put into {self._root}.",
                "Give the folder that the target's org.opencastproject.file.repo.path names, on the same storage.",
            )
        if not self._repository.delete(mp_id, PROBE_ELEMENT) or self._still_there(mp_id):
            return RouteProbe(
                False,
                f"the target cannot remove what is put into {self._root}.",
                "Run the workers as the user of the target's Opencast, or make the folders writable for its group "
                "(chmod g+ws).",
            )
        if sent.how == "link":
            return RouteProbe(True, "files are linked into the target; no media byte is written.", how="link")
        return RouteProbe(
            True,
            f"files are copied into the target's folder, because {sent.note}.",
            "For links, staging must lie on the target's file system and mount, and the workers must own the files.",
            sent.how,
        )

    def _still_there(self, mp_id: str) -> bool:
        with self._open_folders("mediapackage", mp_id, PROBE_ELEMENT) as folder:
            return folder is not None

    # --- one file ----------------------------------------------------------------------------------------------

    def _open_staged(self, staged: StagedObject) -> OpenFile:
        with storage_errors(f"open {staged.path}"):
            fd = self._disk.open_read(staged.path)
            try:
                status = self._disk.status_of(fd)
            except OSError:
                self._disk.close(fd)
                raise
        if status.st_size != staged.size:
            self._disk.close(fd)
            raise ChecksumMismatch(
                f"The staged object {staged.digest} has {status.st_size} bytes: it was changed in place.",
                advice="Run the audit of shared files to find who writes into them; the next run fetches it again.",
            )
        return OpenFile(staged.path, None, str(staged.path), fd, status)

    def _is_there(self, place: _Place, staged: StagedObject, source: OpenFile) -> bool:
        """Whether an earlier run, or this one before it was killed, sent just this."""
        with storage_errors(f"look into {place.path}"):
            if set(self._disk.names(place.fd)) != {place.name, place.md5_name}:
                return False
            status = self._disk.status(place.name, at=place.fd)
            if self._read_md5(place) != staged.md5.encode() or status.st_size != staged.size:
                return False
        same_inode = (status.st_dev, status.st_ino) == (source.status.st_dev, source.status.st_ino)
        # A copy got its name after it was checked and synced. Where a link is possible, a copy is not good enough.
        return same_inode or status.st_dev != source.status.st_dev

    def _read_md5(self, place: _Place) -> bytes:
        fd = self._disk.open_read(place.md5_name, at=place.fd)
        try:
            return self._disk.read(fd, 64)
        finally:
            self._disk.close(fd)

    def _clear(self, folder: int, path: Path) -> None:
        """Empty an element's folder, the sign of completeness first."""
        with storage_errors(f"clear {path}"):
            for name in sorted(self._disk.names(folder), key=lambda name: not name.endswith(_MD5_SUFFIX)):
                with suppress(FileNotFoundError):
                    self._disk.unlink(name, at=folder)

    def _place(self, place: _Place, staged: StagedObject, source: OpenFile) -> tuple[SentHow, int, str]:
        """Put the file itself there; answer how, the bytes written, and why it is no link."""
        if not self._opencast(place).may_read(source.status):
            note = "the target's user may not read the linked file"
        else:
            with storage_errors(f"link {staged.path} to {place.path / place.name}"):
                try:
                    self._disk.link(staged.path, place.name, to=place.fd)
                except OSError as error:
                    if error.errno not in NOT_THIS_WAY:
                        raise
                    note = f"a hard link is not possible: {error.strerror}"
                else:
                    return "link", 0, ""
        if not self._allow_copy:
            raise RouteUnavailable(f"{staged.digest} cannot be linked into {place.path}: {note}.")
        cloned, written = self._copy(place, staged, source)
        return ("reflink" if cloned else "copy"), written, note

    def _copy(self, place: _Place, staged: StagedObject, source: OpenFile) -> tuple[bool, int]:
        temporary = place.name[:200] + _PART_SUFFIX
        with storage_errors(f"create {place.path / temporary}"):
            fd = self._disk.create(temporary, _FILE_MODE, at=place.fd)
        with Part(self._disk, Path(temporary), fd, source.status.st_size, lambda: None, at=place.fd) as part:
            self._give_to_opencast(part.fd, place)
            cloned = copy_into(self._disk, source, part, lambda: None)
            digest = part.finish()
        if digest != staged.digest:
            raise ChecksumMismatch(
                f"The staged object {staged.digest} now holds {digest}: it was changed in place.",
                advice="Run the audit of shared files to find who writes into them, and remove the staged object.",
            )
        with storage_errors(f"rename {place.path / temporary}"):
            self._disk.rename(temporary, place.name, at=place.fd)
        return cloned, part.bytes_written

    def _write_md5(self, place: _Place, md5: str) -> None:
        temporary = place.name[:200] + _MD5_SUFFIX + _PART_SUFFIX
        with storage_errors(f"write {place.path / place.md5_name}"):
            fd = self._disk.create(temporary, _FILE_MODE, at=place.fd)
        with Part(self._disk, Path(temporary), fd, 32, lambda: None, at=place.fd) as part:
            self._give_to_opencast(part.fd, place)
            part.write(md5.encode("ascii"))
            part.finish()
        with storage_errors(f"write {place.path / place.md5_name}"):
            self._disk.rename(temporary, place.md5_name, at=place.fd)

    # --- folders and owners ------------------------------------------------------------------------------------

    @contextmanager
    def _element_folder(self, mp_id: str, element_id: str) -> Iterator[int]:
        """Open an element's folder, made when missing."""
        for folders in (("mediapackage",), ("mediapackage", mp_id), ("mediapackage", mp_id, element_id)):
            self._make_folder(*folders)
        with self._open_folders("mediapackage", mp_id, element_id) as folder:
            if folder is None:
                raise RouteUnavailable(f"A folder below {self._root} vanishes while files are put into it.")
            yield folder

    def _make_folder(self, *folders: str) -> None:
        *above, name = folders
        with self._open_folders(*above) as parent, storage_errors(f"make {self._root.joinpath(*folders)}"):
            if parent is None:
                raise RouteUnavailable(
                    f"There is no folder {self._root.joinpath(*above)}.",
                    advice="Mount the target's working file repository on every worker, under this path.",
                )
            like = self._disk.status_of(parent)
            with suppress(FileExistsError):
                self._disk.make_folder(name, 0o700, at=parent)
                fd = self._disk.open_folder(name, at=parent)
                try:
                    self._set_owner(fd, like)
                    self._disk.set_mode(fd, like.st_mode & 0o7777)
                finally:
                    self._disk.close(fd)

    @contextmanager
    def _open_folders(self, *folders: str) -> Iterator[int | None]:
        """Open a folder below the root without following links; None when it is not there."""
        opened: list[int] = []
        path = self._root.joinpath(*folders)
        try:
            with storage_errors(f"open {path}"):
                try:
                    opened.append(self._disk.open_folder(self._root, follow=True))
                    for folder in folders:
                        opened.append(self._disk.open_folder(folder, at=opened[-1]))
                except FileNotFoundError:
                    found = None
                else:
                    found = opened[-1]
            yield found
        finally:
            with storage_errors(f"close {path}"):
                for fd in reversed(opened):
                    self._disk.close(fd)

    def _remove_element(self, package: int, mp_id: str, element_id: str) -> bool:
        with self._open_folders("mediapackage", mp_id, element_id) as folder:
            if folder is None:
                return False
            self._clear(folder, self._root / "mediapackage" / mp_id / element_id)
        self._remove_folder(element_id, package)
        return True

    def _remove_folder(self, name: str, at: int) -> None:
        """Remove a folder unless something lies in it again, or it is gone."""
        with storage_errors(f"remove the folder {name}"):
            try:
                self._disk.remove_folder(name, at=at)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                    raise

    def _opencast(self, place: _Place) -> Account:
        if self._account is None:
            with storage_errors(f"read the status of {self._root}"):
                self._account = Account.owning(self._disk.status(self._root / "mediapackage"))
        return self._account

    def _give_to_opencast(self, fd: int, place: _Place) -> None:
        with storage_errors(f"set the owner in {place.path}"):
            self._set_owner(fd, self._disk.status_of(place.fd))

    def _set_owner(self, fd: int, like: os.stat_result) -> None:
        """Give a new file or folder the owner of the folder around it, as far as that is allowed."""
        mine = self._disk.status_of(fd)
        for uid, gid in ((like.st_uid, -1), (-1, like.st_gid)):
            if uid in {-1, mine.st_uid} and gid in {-1, mine.st_gid}:
                continue
            # Not permitted to anybody but root: then the folder's mode decides, and the probe finds out.
            with suppress(PermissionError):
                self._disk.set_owner(fd, uid, gid)

    def _url(self, mp_id: str, element_id: str, name: str) -> str:
        if self._base_uri is None:
            self._base_uri = self._repository.base_uri().rstrip("/")
        path = "/".join(quote(part, safe=_URL_SAFE) for part in (mp_id, element_id, name))
        return f"{self._base_uri}/mediapackage/{path}"
