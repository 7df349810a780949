"""The working file repository, where files wait for the workflow that archives or publishes them (``/files``)."""

from __future__ import annotations

from typing import BinaryIO

from requests import Response

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import NotFound, UnexpectedContent
from opencast.model.identifiers import safe_file_name

_FOLDER = "/files/mediapackage"


class FilesService:
    """``/files``: needs ROLE_ADMIN. Each element of a mediapackage has a folder that holds one file."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def base_uri(self) -> str:
        """Get the address under which the repository's files have their URLs (``GET /files/baseUri``)."""
        return self._client.get_text("/files/baseUri").rstrip("/")

    def put(
        self,
        mediapackage_id: str,
        element_id: str,
        file_name: str,
        stream: BinaryIO,
        size: int,
        *,
        read_timeout: float | None = None,
    ) -> str:
        """Store a file (``POST /files/mediapackage/{mediapackage}/{element}``); an older one there is replaced.

        :param file_name: made safe as the repository would do it.
        :param stream: open for reading, at the file's first byte.
        :param size: bytes.
        :param read_timeout: seconds that the server may need to answer after the last byte.
        :returns: URL of the stored file.
        :raises SizeMismatch: the stream ends before ``size`` bytes.
        :raises SourceChanged: it holds more.
        """
        response = self._client.post_file(
            path(_FOLDER, mediapackage_id, element_id),
            safe_file_name(file_name),
            stream,
            size,
            idempotent=True,
            read_timeout=read_timeout,
        )
        # The service declares the URL as HTML.
        url = self._client.read.text(response, declared_html=True)
        if not url.startswith(("http://", "https://")) or any(character.isspace() for character in url):
            raise UnexpectedContent(f"The file repository answered {url[:80]!r} instead of the stored file's address.")
        return url

    def matches(self, mediapackage_id: str, element_id: str, file_name: str, md5: str) -> bool:
        """Tell whether a file is there with these bytes, without transferring it (304 to ``If-None-Match``).

        :param md5: hexadecimal.
        """
        try:
            return self._client.unchanged(self._file(mediapackage_id, element_id, file_name), md5)
        except NotFound:
            return False

    def head(self, mediapackage_id: str, element_id: str, file_name: str) -> Response:
        """Get the headers of a stored file.

        :raises NotFound: there is no such file.
        """
        return self._client.head(self._file(mediapackage_id, element_id, file_name))

    def delete(self, mediapackage_id: str, element_id: str) -> bool:
        """Delete an element's file and folder (``DELETE /files/mediapackage/{mediapackage}/{element}``).

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(_FOLDER, mediapackage_id, element_id))
        except NotFound:
            return False
        return True

    def _file(self, mediapackage_id: str, element_id: str, file_name: str) -> str:
        where = path(_FOLDER, mediapackage_id, element_id, safe_file_name(file_name))
        return self._client.base_url + where
