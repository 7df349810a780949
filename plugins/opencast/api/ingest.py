"""Ingest of zipped mediapackages (``/ingest``), for accounts that may not use the file repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from opencast.api.addresses import path
from opencast.api.client import Client
from opencast.model.workflow import WorkflowInstance

#: Seconds after the last byte: the server unpacks the whole zip before it answers.
_UNPACKING = 3600.0


class IngestService:
    """``/ingest``: needs ROLE_ADMIN or ROLE_CAPTURE_AGENT."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add_zipped(
        self,
        workflow: str,
        stream: BinaryIO,
        size: int,
        *,
        file_name: str = "mediapackage.zip",
        configuration: Mapping[str, str] | None = None,
    ) -> WorkflowInstance:
        """Send a zip and start an installed workflow (``POST /ingest/addZippedMediaPackage/{workflow}``).

        Not repeated when it may have arrived. A server that does not know the workflow starts its default one without a
        word: compare :attr:`WorkflowInstance.template` with the id that was asked for.

        :param stream: a zip whose entries are deflated, or stored with their sizes in front of them.
        :param size: bytes.
        :param configuration: the workflow's properties; the server keeps them with the event.
        :raises Throttled: the server takes no more ingests at the moment.
        :raises BadRequest: no zip, or a manifest that does not fit.
        :raises ServerFailure: also when the mediapackage has an active workflow.
        """
        response = self._client.post_file(
            path("/ingest/addZippedMediaPackage", workflow),
            file_name,
            stream,
            size,
            fields=tuple((configuration or {}).items()),
            field_name="BODY",
            file_type="application/zip",
            ok=(200,),
            read_timeout=max(_UNPACKING, self._client.server.read_timeout),
        )
        return WorkflowInstance.from_xml(self._client.read.xml(response), what="the workflow of the zip")
