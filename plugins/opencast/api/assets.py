"""The asset manager: archived mediapackages, their files, and the workflow properties kept with them (``/assets``)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from opencast.api import fields
from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.errors import NotFound
from opencast.model.mediapackage import MediaPackage


class AssetsService:
    """``/assets``: needs ROLE_ADMIN."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def episode_xml(self, event_id: str) -> bytes:
        """Get the mediapackage of the latest snapshot as it is written (``GET /assets/episode/{id}``).

        Elements have URLs of ``/assets/assets``; publications are in it since version 11, with URLs of their own.

        :raises NotFound: nothing is archived under this id.
        """
        return self._client.get_xml(path("/assets/episode", event_id))

    def episode(self, event_id: str) -> MediaPackage:
        """Get the mediapackage of the latest snapshot.

        :raises NotFound: nothing is archived under this id.
        :raises ModelError: what came cannot be understood.
        """
        return MediaPackage.parse(self.episode_xml(event_id), what=f"the archive's mediapackage {event_id}")

    def find(self, event_id: str) -> MediaPackage | None:
        """Get the mediapackage of the latest snapshot, or None when nothing is archived under this id."""
        try:
            return self.episode(event_id)
        except NotFound:
            return None

    def matches(self, url: str, md5: str) -> bool:
        """Tell whether an archived file has these bytes, without transferring it.

        ``GET /assets/assets/{mediapackage}/{element}/{version}/{name}`` answers 304 to ``If-None-Match`` with the plain
        hexadecimal MD5, so the server's own checksum is what is compared.

        :param url: of the element.
        :raises NotFound: there is no such file.
        """
        return self._client.unchanged(url, md5)

    def workflow_properties(self, event_id: str) -> dict[str, str]:
        """Get the properties that workflows left with an event (``GET /assets/{id}/workflowProperties.json``).

        :raises NotFound: nothing is archived under this id.
        """
        where = f"{path('/assets', event_id)}/workflowProperties.json"
        document = fields.an_object(self._client.get_json(where), what=where)
        return {name: fields.text(document, name) for name in document}

    def set_workflow_properties(self, event_id: str, properties: Mapping[str, str]) -> None:
        """Add or replace properties (``POST /assets/{id}/workflowProperties``); the others stay.

        :raises NotFound: nothing is archived under this id.
        """
        where = f"{path('/assets', event_id)}/workflowProperties"
        text = json.dumps(dict(properties), ensure_ascii=False)
        self._client.post_form(where, {"properties": text}, idempotent=True)

    def snapshot(self, mediapackage_xml: bytes) -> None:
        """Archive a mediapackage without a workflow (``POST /assets/snapshot``).

        The URLs of its elements must be readable by the server. Sending it twice makes two versions.
        """
        self._client.post_form("/assets/snapshot", {"mediapackage": mediapackage_xml.decode("utf-8")}, ok=(204,))

    def delete(self, event_id: str) -> bool:
        """Delete all snapshots but the scheduler's (``DELETE /assets/delete/{id}``).

        :returns: False when there were none.
        """
        try:
            self._client.delete(path("/assets/delete", event_id))
        except NotFound:
            return False
        return True
