"""All services of one server in one place."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from opencast.api.assets import AssetsService
from opencast.api.client import Client
from opencast.api.events import EventsService
from opencast.api.files import FilesService
from opencast.api.info import InfoService, ServerVersion
from opencast.api.search import SearchService
from opencast.api.series import SeriesService
from opencast.api.server import Server
from opencast.api.static import StaticService
from opencast.api.workflows import WorkflowsService


class Opencast:
    """A server, service by service.

    :param server: its address and login, or a client that is there already.
    """

    def __init__(self, server: Server | Client) -> None:
        self.client = server if isinstance(server, Client) else Client(server)
        self.info = InfoService(self.client)
        self.events = EventsService(self.client)
        self.assets = AssetsService(self.client)
        self.series = SeriesService(self.client)
        self.files = FilesService(self.client)
        self.workflows = WorkflowsService(self.client)
        self.static = StaticService(self.client)

    @cached_property
    def full_version(self) -> ServerVersion:
        """The server's version, asked for once."""
        return self.info.version()

    @property
    def version(self) -> int:
        """The major number of the server's version, such as 17."""
        return self.full_version.major

    @cached_property
    def search(self) -> SearchService:
        """The search service, which speaks another language before version 16."""
        return SearchService(self.client, major=self.version)

    def running_as(self, username: str) -> Opencast:
        """Give the same server with requests in another user's name, see :meth:`Client.running_as`."""
        return Opencast(self.client.running_as(username))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Opencast:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
