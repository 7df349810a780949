"""A running simulator: its parts put together, served by uvicorn on a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from tests.simulator import application, clock
from tests.simulator.agents import Agents
from tests.simulator.assets import AssetManager
from tests.simulator.comments import Comments
from tests.simulator.distribution import Distribution
from tests.simulator.faults import Faults
from tests.simulator.gatekeeper import RequestLog
from tests.simulator.ingest import Ingest
from tests.simulator.libraries import Library
from tests.simulator.oaipmh import OaiRepositories
from tests.simulator.playlists import Playlists
from tests.simulator.recordings import Recordings
from tests.simulator.scheduler import Scheduler
from tests.simulator.series_service import SeriesService
from tests.simulator.settings import Organization, Settings
from tests.simulator.state import State
from tests.simulator.static_files import StaticFiles
from tests.simulator.storage import Storage
from tests.simulator.themes import Themes
from tests.simulator.workflows import definition
from tests.simulator.workflows.engine import Engine
from tests.simulator.workspace import Workspace

START_TIMEOUT = 30.0
#: Operations that work although the list of handlers shows them with an empty id.
NAMELESS_HANDLERS = frozenset({"publish-oaipmh"})


def _bound(host: str | None) -> socket.socket | None:
    if host is None:
        return None
    opened = socket.socket()
    opened.bind((host, 0))
    return opened


class _PromptServer(uvicorn.Server):
    """A uvicorn that starts and ends without its tenths of seconds, which add up over hundreds of tests."""

    _loop: asyncio.AbstractEventLoop | None = None
    _ended: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Wait until :meth:`end` is called."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        if not self.should_exit:
            await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything at once."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.sleep(0)

    def end(self) -> None:
        """Make it end, from any thread."""
        self.should_exit = True
        if self._loop is not None and self._ended is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)


class Simulator:
    """An Opencast server for tests.

    :param storage: directory for all files; must be empty or made by a simulator, and is emptied.
    :param library: what it holds at the start.
    :param port: 0 takes a free one.
    """

    def __init__(
        self, storage: Path, library: Library | None = None, settings: Settings | None = None,
        host: str = "127.0.0.1", port: int = 0,
    ) -> None:  # fmt: skip
        self.settings, self.library = settings or Settings(), library or Library()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._media_socket = _bound(self.settings.delivery.host)
        self.media_url = self.url
        if self._media_socket is not None:
            self.media_url = "http://{}:{}".format(*self._media_socket.getsockname())
        self.started_millis = clock.epoch_millis(clock.now())
        self.storage = Storage(Path(storage))
        self.storage.prepare()
        self.state = State(self.settings.index_lag, self.settings.merge_mode)
        self.state.oai = OaiRepositories(
            self.settings.oai_repositories, self.settings.oai_whole_seconds, self.settings.oai_tokens
        )  # fmt: skip
        self.requests, self.faults = RequestLog(), Faults()
        self._installation = Recordings(self.settings.recorded)
        self.workspace = Workspace(self.storage, self.state, self.url, self.media_url)
        self.assets = AssetManager(self.storage, self.state, self.workspace)
        self.scheduler = Scheduler(self.state, self.assets)
        self.distribution = Distribution(self.storage, self.state, self.workspace)
        self.series = SeriesService(self.state, self.assets, self.workspace)
        self.agents, self.playlists = Agents(), Playlists(self.state)
        self.static_files = StaticFiles(self.storage)
        self.themes = Themes(self.state, self.static_files)
        self.comments = Comments(self.state, self.assets, self.workspace, self.settings.users)
        names = frozenset(str(handler["id"]) for handler in self.handler_list() if handler["id"])
        names |= NAMELESS_HANDLERS - self.settings.without_handlers
        self.engine = Engine(self.settings, self.state, self.assets, self.distribution, self.series, names, self.faults)
        self.ingest = Ingest(self)
        self._load_definitions()
        self.library.fill(self)
        self._config = uvicorn.Config(
            application.build(self), log_level="warning", access_log=False, lifespan="off", server_header=False,
            date_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        self._server = _PromptServer(self._config)
        self._thread: threading.Thread | None = None

    def start(self) -> Simulator:
        """Serve in the background; gives itself when requests are answered.

        :raises RuntimeError: when that does not happen in time.
        """
        self.listen()
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), daemon=True, name=self.url)
        self._thread.start()
        limit = time.monotonic() + START_TIMEOUT
        while not self._server.started:
            if time.monotonic() > limit or not self._thread.is_alive():
                raise RuntimeError("the simulator did not start")
            time.sleep(0.001)
        return self

    def listen(self) -> None:
        """Take connections; they are answered as soon as it serves."""
        for opened in self._sockets:
            opened.listen(512)

    def serve(self) -> None:
        """Serve on this thread until a signal ends it."""
        uvicorn.Server(self._config).run(self._sockets)
        self.engine.close()

    def stop(self) -> None:
        """End serving and running workflows."""
        self.faults.clear()
        self._server.end()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.engine.close()
        for opened in self._sockets:
            opened.close()

    @property
    def _sockets(self) -> list[socket.socket]:
        return [opened for opened in (self._socket, self._media_socket) if opened is not None]

    def is_media_host(self, address: tuple[str, int]) -> bool:
        """Tell whether a request came in by the address of the distribution host."""
        return self._media_socket is not None and address == self._media_socket.getsockname()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_for_workflows(self, timeout: float = 30.0) -> None:
        """Wait until no workflow is running.

        :raises TimeoutError: when one still is after that many seconds.
        """
        limit = time.monotonic() + timeout
        while any(workflow.active for workflow in list(self.state.workflows.values())):
            if time.monotonic() > limit:
                raise TimeoutError("a workflow is still running")
            time.sleep(0.005)

    def behave(
        self, *, index_lag: float | None = None, operation_seconds: float | None = None,
        dispatch_seconds: float | None = None, room: int | None = None,
    ) -> None:  # fmt: skip
        """Change its behaviour while it runs; what is not given stays.

        :param index_lag: 0 also shows what is waiting.
        :param room: bytes that can still be written; a negative number is no limit.
        """
        if index_lag is not None:
            for index in (self.state.event_index, self.state.series_index, self.themes.index):
                index.lag = index_lag
                if not index_lag:
                    index.catch_up()
        if operation_seconds is not None:
            self.engine.operation_seconds = operation_seconds
        if dispatch_seconds is not None:
            self.engine.dispatch_seconds = dispatch_seconds
        if room is not None:
            self.storage.room = room if room >= 0 else None

    # --- what the installation is --------------------------------------------------------------------------------

    def handler_list(self) -> list[dict[str, Any]]:
        """Give the operations of this installation, as recorded, less those that it is to lack."""
        held: list[dict[str, Any]] = self._installation.json("preflight/handlers", self.url)
        return [handler for handler in held if handler["id"] not in self.settings.without_handlers]

    def organization_properties(self, organization: Organization) -> dict[str, str]:
        """Give the properties of an organization: the recorded ones, and its own over them."""
        document = self._installation.json("preflight/me", self.url)
        return {**document["org"]["properties"], **dict(organization.properties)}

    def _load_definitions(self) -> None:
        document = self._installation.json("workflows/definitions", self.url)
        for held in document["definitions"]["definition"]:
            shipped = definition.from_json(held)
            self.state.definitions[shipped.id] = shipped

    def remove_event(self, event_id: str) -> None:
        """Remove an event with everything that belongs to it; its version numbers are not used again."""
        event = self.state.events.get(event_id)
        if event is None:
            return
        for workflow in self.state.workflows_of(event_id):
            if workflow.active:
                self.engine.stop(workflow)
            self.engine.remove(workflow)
        if event.latest is not None:
            package = event.latest.load().package
            for publication in package.publications:
                self.distribution.retract(event.org, publication.channel, package, publication.elements)
        self.distribution.remove_from_search(event_id)
        self.comments.forget(event_id)
        self.assets.delete(event_id)
        with self.state.lock, contextlib.suppress(KeyError):
            self.state.retracting.discard(event_id)
            del self.state.events[event_id]
        self.state.event_index.update(event_id, lambda old: None)
