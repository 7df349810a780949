"""All services of one server in one place."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from opencast.api.accounts import AccountsService
from opencast.api.agents import AgentsService
from opencast.api.assets import AssetsService
from opencast.api.client import Client
from opencast.api.comments import CommentsService
from opencast.api.events import EventsService
from opencast.api.features import Feature
from opencast.api.files import FilesService
from opencast.api.holdings import BareHoldings, Holdings, OldHoldings
from opencast.api.info import InfoService, ServerVersion
from opencast.api.ingest import IngestService
from opencast.api.legacy import LegacyArchiveService
from opencast.api.oaipmh import OaiPmhService
from opencast.api.playlists import PlaylistsService
from opencast.api.recordings import RecordingsService
from opencast.api.search import SearchService
from opencast.api.series import SeriesService
from opencast.api.server import Server
from opencast.api.signing import SigningService
from opencast.api.static import StaticService
from opencast.api.staticfiles import StaticFilesService
from opencast.api.themes import ThemesService
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
        self.series = SeriesService(self.client, self.has)
        self.files = FilesService(self.client)
        self.workflows = WorkflowsService(self.client, self.has)
        self.static = StaticService(self.client)
        self.themes = ThemesService(self.client)
        self.staticfiles = StaticFilesService(self.client)
        self.agents = AgentsService(self.client)
        self.recordings = RecordingsService(self.client)
        self.comments = CommentsService(self.client)
        self.playlists = PlaylistsService(self.client)
        self.signing = SigningService(self.client)
        self.ingest = IngestService(self.client)
        self.oaipmh = OaiPmhService(self.client)
        self.accounts = AccountsService(self.client)

    @cached_property
    def full_version(self) -> ServerVersion:
        """The server's version, asked for once."""
        return self.info.version()

    @property
    def version(self) -> int:
        """The major number of the server's version, such as 17."""
        return self.full_version.major

    def has(self, feature: Feature) -> bool:
        """Tell whether the server's version can do something."""
        return feature.is_in(self.version)

    @cached_property
    def search(self) -> SearchService:
        """The search service, which speaks another language before version 16."""
        return SearchService(self.client, major=self.version)

    @cached_property
    def archive(self) -> LegacyArchiveService:
        """The archive of a server before 4.0, which has no :attr:`assets`."""
        return LegacyArchiveService(self.client, major=self.version)

    @cached_property
    def holdings(self) -> Holdings:
        """The events and their archived packages, whatever the server's version."""
        if self.has(Feature.EVENT_ROWS):
            return Holdings(self.events, self.assets)
        if self.has(Feature.ASSETS):
            return BareHoldings(self.client, self.events, self.assets)
        return OldHoldings(self.client, self.events, self.assets, self.archive, self.workflows)

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
