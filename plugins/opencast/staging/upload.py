"""Route ``upload``: ``POST /files/mediapackage/{mediapackage}/{element}``, streamed, skipped when it is there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from opencast.errors import ChecksumMismatch, OpencastError
from opencast.model.identifiers import check_element_id, check_mediapackage_id, safe_file_name
from opencast.staging.routes import (
    PROBE_ELEMENT,
    PROBE_FILE,
    FileRepository,
    RouteProbe,
    SentFile,
    file_url,
    probe_object,
)
from opencast.staging.source import StagedObject
from opencast.staging.staged_file import CHANGED_ADVICE, open_staged
from opencast.staging.store import ObjectStore

#: A file that arrived damaged is sent once more before giving up.
_TRIES = 2


class UploadRoute:
    """Uploads from the store into the target's working file repository; the account needs ROLE_ADMIN.

    :param store: of the staged files.
    :param repository: of the target.
    """

    def __init__(self, store: ObjectStore, repository: FileRepository) -> None:
        self._store = store
        self._repository = repository
        self._base_uri: str | None = None

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Upload one staged file, unless the target says that it has these bytes there.

        :param is_new: nothing was sent under these ids before: the target is not asked.
        :raises InvalidIdentifier: an id or name that would leave its folder.
        :raises ChecksumMismatch: the target received other bytes, twice; or the staged object was changed.
        :raises ServerError: what the target answers.
        """
        check_mediapackage_id(mp_id)
        check_element_id(element_id)
        name = safe_file_name(file_name)
        if not is_new and self._repository.matches(mp_id, element_id, name, staged.md5):
            return SentFile(self._url(mp_id, element_id, name), "present", 0)
        written = 0
        for _ in range(_TRIES):
            url = self._put(mp_id, element_id, name, staged)
            written += staged.size
            if self._repository.matches(mp_id, element_id, _name_in(url), staged.md5):
                return SentFile(url, "upload", written)
        self._repository.delete(mp_id, element_id)
        if self._store.drop_damaged(staged.digest):
            raise ChecksumMismatch(
                f"The staged object {staged.digest} holds other bytes by now.", advice=CHANGED_ADVICE
            )
        raise ChecksumMismatch(
            f"The target stored other bytes for {element_id} of {mp_id} than it was sent, {_TRIES} times.",
            advice="Look for a proxy between the workers and the target that changes or cuts uploads.",
        )

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Delete these elements from the repository (``DELETE /files/mediapackage/{mediapackage}/{element}``)."""
        check_mediapackage_id(mp_id)
        return sum(self._repository.delete(mp_id, check_element_id(element_id)) for element_id in element_ids)

    def probe(self) -> RouteProbe:
        """Upload a probe object, compare its md5, delete it."""
        try:
            with probe_object(self._store) as (mp_id, staged):
                try:
                    self.send(mp_id, PROBE_ELEMENT, PROBE_FILE, staged, is_new=True)
                finally:
                    with suppress(OpencastError):  # a target that refuses the upload may refuse this, too
                        self.remove_sent(mp_id, [PROBE_ELEMENT])
                if self._repository.matches(mp_id, PROBE_ELEMENT, PROBE_FILE, staged.md5):
                    return RouteProbe(
                        False,
                        "The target does not delete what was uploaded to /files.",
                        "Look into the target's log for the deletion of a probe object.",
                    )
        except OpencastError as error:
            return RouteProbe(False, error.message, error.advice)
        return RouteProbe(True, "Files can be uploaded to the target.", how="upload")

    def _put(self, mp_id: str, element_id: str, name: str, staged: StagedObject) -> str:
        with (
            open_staged(self._store.disk, staged) as source,
            os.fdopen(source.fd, "rb", buffering=0, closefd=False) as stream,
        ):
            return self._repository.put(mp_id, element_id, name, stream, staged.size)

    def _url(self, mp_id: str, element_id: str, name: str) -> str:
        if self._base_uri is None:
            self._base_uri = self._repository.base_uri()
        return file_url(self._base_uri, mp_id, element_id, name)


def _name_in(url: str) -> str:
    """Answer the name under which the target stored a file: its rule for safe names can be configured."""
    return unquote(urlsplit(url).path.rpartition("/")[2])
