"""What a server's own OAI-PMH repositories hold (``/oaipmh/{repository}``), as far as a migration needs it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from lxml import etree

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import InvalidAnswer, NotFound, ServiceMissing
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import parse_xml

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_PACKAGE = "{http://mediapackage.opencastproject.org}mediapackage"
_LARGEST = 16 * 1024 * 1024


class OaiPmhService:
    """``/oaipmh``: needs ROLE_ADMIN, unless the server's security configuration opens it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def has(self, repository: str) -> bool:
        """Tell whether the server has a repository of this name (``?verb=Identify``)."""
        where = f"{path('/oaipmh', repository)}?{urlencode({'verb': 'Identify'})}"
        try:
            root = self._document(self._client.base_url + where)
        except NotFound:
            return False
        except ServiceMissing:
            self._client.get("/info/me.json")  # a server that starts has not got this service either, and raises
            return False
        return root.find(f"{_OAI}Identify") is not None

    def mediapackage(self, repository: str, event_id: str, *, base: str = "") -> MediaPackage | None:
        """Get the mediapackage that a repository shows of an event; None when it shows none, or none any more.

        Its elements have the ids that their published paths have, unlike those of other publications.

        :param base: address of the repository, where it is not ``/oaipmh/{repository}`` of this server.
        """
        query = urlencode({"verb": "GetRecord", "metadataPrefix": "matterhorn", "identifier": event_id}, safe=":")
        where = base or self._client.base_url + path("/oaipmh", repository)
        try:
            root = self._document(f"{where}?{query}")
        except NotFound:
            return None
        error = root.find(f"{_OAI}error")
        if error is not None:
            if error.get("code") == "idDoesNotExist":
                return None
            raise InvalidAnswer(f"The repository {repository} answers {quote(error.get('code', ''))} for {event_id}.")
        package = root.find(f"{_OAI}GetRecord/{_OAI}record/{_OAI}metadata/{_PACKAGE}")
        if package is None:
            return None  # a deleted record is a header without metadata
        data = etree.tostring(package, encoding="UTF-8", with_tail=False)
        return MediaPackage.parse(data, what=f"the record {event_id} of the repository {repository}")

    def _document(self, url: str) -> etree._Element:
        data = bytearray()
        with self._client.open_download(url) as download:
            for chunk in download.iter():
                data += chunk
                if len(data) > _LARGEST:
                    raise InvalidAnswer(f"{download.url} answers more than {_LARGEST} bytes.")
        root = parse_xml(bytes(data), what="an answer of /oaipmh")
        if root.tag != f"{_OAI}OAI-PMH":
            raise InvalidAnswer("/oaipmh answers something that is no OAI-PMH.")
        return root
