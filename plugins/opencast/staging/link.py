"""Route ``link``: hard links into the target's working file repository, so that no media byte is written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from opencast.errors import ChecksumMismatch, OpencastError, RouteUnavailable
from opencast.model.identifiers import check_element_id, check_mediapackage_id, safe_file_name
from opencast.staging.access import Account
from opencast.staging.copying import OpenFile, copy_into
from opencast.staging.disk import NOT_THIS_WAY, storage_errors
from opencast.staging.element_folders import MD5_SUFFIX, ElementFolders
from opencast.staging.part import Part
from opencast.staging.routes import (
    PROBE_ELEMENT,
    PROBE_FILE,
    FileRepository,
    RouteProbe,
    SentFile,
    SentHow,
    file_url,
    probe_object,
)
from opencast.staging.source import StagedObject
from opencast.staging.staged_file import CHANGED_ADVICE, open_staged
from opencast.staging.store import ObjectStore

_PART_SUFFIX = ".part"
#: A file name has 255 bytes at most; room for the endings of temporary names.
_LONGEST_STEM = 200
_FILE_MODE = 0o644


@dataclass(frozen=True)
class _Place:
    """Where one file goes: an open folder, its path for messages, and a safe name."""

    folder: int
    path: Path
    name: str

    @property
    def md5_name(self) -> str:
        return self.name + MD5_SUFFIX


class LinkRoute:
    """Hard links from the store to ``<files root>/mediapackage/<mediapackage>/<element>/<safe name>``.

    The inode of a linked file is never changed in owner or mode, because the source may be using it: where Opencast
    could not read it, or where it cannot be linked, the file is copied instead, and the note says so.

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
    ) -> None:
        self._folders = ElementFolders(files_root, store.disk)
        self._store = store
        self._disk = store.disk
        self._repository = repository
        self._account = account
        self._allow_copy = allow_copy
        self._base_uri: str | None = None

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Link one staged file into the target's repository, with its ``.md5``.

        Whatever the element's folder held, such as the ``.md5`` of a killed run, is replaced.

        :raises InvalidIdentifier: an id or name that would leave its folder.
        :raises RouteUnavailable: it can only be copied, and that is not allowed; or there is no such folder.
        :raises ChecksumMismatch: the staged object was changed since it was staged.
        :raises StagingError: what the file system refuses.
        """
        check_mediapackage_id(mp_id)
        check_element_id(element_id)
        name = safe_file_name(file_name)
        with self._folders.element(mp_id, element_id) as folder, open_staged(self._disk, staged) as source:
            place = _Place(folder, self._folders.path(mp_id, element_id), name)
            url = self._url(mp_id, element_id, name)
            if self._is_there(place, staged):
                return SentFile(url, "present", 0)
            self._folders.clear(folder, place.path)
            how, written, note = self._put(place, staged, source)
            self._write(place, place.md5_name, staged.md5.encode("ascii"))
            return SentFile(url, how, written, note)

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Remove the folders of these elements, and the mediapackage's when it is empty then.

        :returns: how many of them were there.
        """
        check_mediapackage_id(mp_id)
        removed = sum(self._folders.remove(mp_id, check_element_id(element_id)) for element_id in element_ids)
        self._folders.remove_if_empty(mp_id)
        return removed

    def probe(self) -> RouteProbe:
        """Link a probe object, let the target confirm its md5, and let the target remove it."""
        try:
            with probe_object(self._store) as (mp_id, staged):
                try:
                    return self._probe(mp_id, staged)
                finally:
                    with suppress(OpencastError):  # whatever refuses this has refused the probe as well
                        self.remove_sent(mp_id, [PROBE_ELEMENT])
        except OpencastError as error:
            return RouteProbe(False, error.message, error.advice)

    def _probe(self, mp_id: str, staged: StagedObject) -> RouteProbe:
        sent = self.send(mp_id, PROBE_ELEMENT, PROBE_FILE, staged)
        if not self._repository.matches(mp_id, PROBE_ELEMENT, PROBE_FILE, staged.md5):
            return RouteProbe(
                False,
                f"The target does not see what is put into {self._folders.root}.",
                "Give the folder that the target's org.opencastproject.file.repo.path names, on the same storage.",
            )
        if not self._repository.delete(mp_id, PROBE_ELEMENT) or self._folders.has(mp_id, PROBE_ELEMENT):
            return RouteProbe(
                False,
                f"The target cannot remove what is put into {self._folders.root}.",
                "Run the workers as the user of the target's Opencast, or make its files/mediapackage folder "
                "writable for a group that both belong to (chmod g+rws).",
            )
        if sent.how == "link":
            return RouteProbe(True, "Files are linked into the target; no media byte is written.", how="link")
        return RouteProbe(
            True,
            f"Files are copied into the target's folder: {sent.note}.",
            "For links staging must lie on the target's file system, under the same mount, and the workers must run "
            "as the user that owns the files, or as root.",
            sent.how,
        )

    # --- one file ----------------------------------------------------------------------------------------------

    def _is_there(self, place: _Place, staged: StagedObject) -> bool:
        """Whether an earlier run, or this one before it was killed, has put just this there.

        The ``.md5`` comes last, and a copy gets its name after it was checked and synced: so both are believed.
        """
        with storage_errors(f"look into {place.path}"):
            if set(self._disk.names(place.folder)) != {place.name, place.md5_name}:
                return False
            status = self._disk.status(place.name, at=place.folder)
            return status.st_size == staged.size and self._read(place) == staged.md5.encode("ascii")

    def _read(self, place: _Place) -> bytes:
        fd = self._disk.open_read(place.md5_name, at=place.folder)
        try:
            return self._disk.read(fd, 64)
        finally:
            self._disk.close(fd)

    def _put(self, place: _Place, staged: StagedObject, source: OpenFile) -> tuple[SentHow, int, str]:
        """Put the file itself there; answer how, the bytes written, and why it is no link."""
        if not self._opencast().may_read(source.status):
            note = "the target's user may not read the shared inode"
        else:
            with storage_errors(f"link {staged.path} to {place.path / place.name}"):
                try:
                    self._disk.link(staged.path, place.name, to=place.folder)
                except OSError as error:
                    if error.errno not in NOT_THIS_WAY:
                        raise
                    note = f"a hard link is not possible ({error.strerror})"
                else:
                    return "link", 0, ""
        if not self._allow_copy:
            raise RouteUnavailable(f"{staged.digest} cannot be linked into {place.path}: {note}.")
        cloned, written = self._copy(place, staged, source)
        return ("reflink" if cloned else "copy"), written, note

    def _copy(self, place: _Place, staged: StagedObject, source: OpenFile) -> tuple[bool, int]:
        with self._new_file(place, place.name, staged.size) as part:
            cloned = copy_into(self._disk, source, part, lambda: None)
            digest = part.finish()
        if digest != staged.digest:
            self._store.drop_damaged(staged.digest)
            raise ChecksumMismatch(f"The staged object {staged.digest} holds {digest} by now.", advice=CHANGED_ADVICE)
        self._name(place, part.path.name, place.name)
        return cloned, part.bytes_written

    def _write(self, place: _Place, name: str, content: bytes) -> None:
        with self._new_file(place, name, len(content)) as part:
            part.write(content)
            part.finish()
        self._name(place, part.path.name, name)

    def _new_file(self, place: _Place, name: str, size: int) -> Part:
        temporary = name[:_LONGEST_STEM] + _PART_SUFFIX
        with storage_errors(f"create {place.path / temporary}"):
            fd = self._disk.create(temporary, _FILE_MODE, at=place.folder)
            try:
                self._folders.give_owner(fd, place.folder)
            except OSError:
                self._disk.close(fd)
                raise
        return Part(self._disk, Path(temporary), fd, size, _always_room, at=place.folder)

    def _name(self, place: _Place, temporary: str, name: str) -> None:
        with storage_errors(f"rename {place.path / temporary}"):
            self._disk.rename(temporary, name, at=place.folder)

    def _opencast(self) -> Account:
        if self._account is None:
            self._account = self._folders.owner()
        return self._account

    def _url(self, mp_id: str, element_id: str, name: str) -> str:
        if self._base_uri is None:
            self._base_uri = self._repository.base_uri()
        return file_url(self._base_uri, mp_id, element_id, name)


def _always_room(extra: int) -> None:
    """Keep nothing in reserve on the target's file system: a full one answers by itself."""
