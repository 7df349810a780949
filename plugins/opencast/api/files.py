"""The working file repository, where files wait for the workflow that archives or publishes them (``/files``)."""

from __future__ import annotations

from typing import BinaryIO

from requests import Response

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import NotFound, UnexpectedContent
from opencast.model.identifiers import safe_file_name

_FOLDER = "/files/mediapackage"
_COLLECTION = "/files/collection"
#: Bytes a second that even a slow server reads and hashes.
_HASHING = 20e6


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

    def collect(self, collection: str, name: str, stream: BinaryIO, size: int) -> None:
        """Store a file in a collection (``POST /files/collection/{collection}``).

        A file of the same name would be overwritten in place, and with it everything that was linked to it: each name
        may be used once only. Not repeated when it may have arrived.

        :param stream: open for reading, at the file's first byte.
        :param size: bytes.
        """
        self._client.post_file(path(_COLLECTION, collection), safe_file_name(name), stream, size)

    def link_collected(
        self, collection: str, name: str, mediapackage_id: str, element_id: str, file_name: str, size: int
    ) -> None:
        """Let an element have a file of a collection (``POST /files/copy/...``): a hard link where that is possible.

        The server computes the checksum anew. Where the element has a file of that name already, or anything else goes
        wrong, it removes the element's folder and answers as if nothing had happened: ask :meth:`matches` afterwards.

        :param size: bytes of the file, by which the patience is measured.
        :raises NotFound: the collection has no such file.
        """
        where = path("/files/copy", collection, name, mediapackage_id, element_id, safe_file_name(file_name))
        patience = self._client.server.read_timeout + size / _HASHING
        self._client.post_form(where, {}, ok=(200,), read_timeout=patience)

    def discard_collected(self, collection: str, name: str) -> bool:
        """Remove a file from a collection (``DELETE /files/collection/{collection}/{name}``); links to it stay.

        :returns: False when there was none.
        """
        try:
            self._client.delete(path(_COLLECTION, collection, name))
        except NotFound:
            return False
        return True

    def _file(self, mediapackage_id: str, element_id: str, file_name: str) -> str:
        where = path(_FOLDER, mediapackage_id, element_id, safe_file_name(file_name))
        return self._client.base_url + where
