"""Static files, which only themes refer to (``/staticfiles``). Their ids are given by the server."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import BinaryIO

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.api.downloads import Download
from opencast.errors import InvalidAnswer, NotFound

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: What cannot stand in the head of an upload, or would be taken for a folder.
_NOT_IN_NAMES = re.compile(r'["\\/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')


class StaticFilesService:
    """``/staticfiles``: reading needs ROLE_ADMIN, writing also ROLE_UI_THEMES_CREATE."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def upload(self, file_name: str, stream: BinaryIO, size: int) -> str:
        """Upload a file (``POST /staticfiles``), which the server removes after a while unless it is kept.

        :param file_name: shown to people; characters that a name cannot have become ``_``.
        :param stream: open for reading, at the file's first byte.
        :param size: bytes.
        :returns: the new id.
        :raises BadRequest: also when the file is larger than the server allows.
        """
        name = _NOT_IN_NAMES.sub("_", file_name) or "_"
        # A repeated upload leaves a temporary file without any reference, which the server removes by itself.
        response = self._client.post_file(
            "/staticfiles", name, stream, size, field_name="BODY", ok=(201,), idempotent=True
        )
        identifier = self._client.read.text(response)
        if not _UUID.fullmatch(identifier):
            raise InvalidAnswer(f"/staticfiles answered {identifier[:60]!r} instead of an id.")
        return identifier

    def persist(self, identifier: str) -> None:
        """Keep an uploaded file (``POST /staticfiles/{id}/persist``); creating a theme does that, too.

        :raises NotFound: there is no such file.
        """
        self._client.post_form(f"{path('/staticfiles', identifier)}/persist", {}, idempotent=True)

    def exists(self, identifier: str) -> bool:
        """Tell whether there is such a file: servers create themes with files that are missing."""
        try:
            self._client.get(f"{path('/staticfiles', identifier)}/url")
        except NotFound:
            return False
        return True

    def download(self, identifier: str) -> AbstractContextManager[Download]:
        """Open a file for reading (``GET /staticfiles/{id}``).

        :raises NotFound: there is no such file.
        """
        return self._client.open_download(self.url(identifier))

    def url(self, identifier: str) -> str:
        """Give the address of a file on the server itself; ``.../url`` may name another web server."""
        return self._client.base_url + path("/staticfiles", identifier)

    def delete(self, identifier: str) -> bool:
        """Delete a file (``DELETE /staticfiles/{id}``).

        :returns: False when there was none.
        """
        try:
            self._client.delete(path("/staticfiles", identifier))
        except NotFound:
            return False
        return True
