"""The harvest as tasks and scripts call it: by the repositories' names, with logins from wherever they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from opencast.errors import OpencastError
from opencast.harvest import formats
from opencast.harvest.descriptions import Format, Identify
from opencast.harvest.harvester import HarvestOptions, harvest
from opencast.harvest.logins import Login, client_for_repository
from opencast.harvest.management import repository_named
from opencast.harvest.report import HarvestReport
from opencast.harvest.repository_settings import RepositoryFile, load_repositories, synchronise
from opencast.harvest.sinks import Delivery, deliver
from opencast.harvest.stream_state import Mode
from opencast.harvest.windows import Window
from opencast.store.database import Database
from opencast.store.harvesting import Repository


@dataclass(frozen=True)
class Outcome:
    """What came of harvesting one of several repositories: a report, or an error."""

    repository: str
    report: HarvestReport | None = None
    error: OpencastError | None = None


@dataclass(frozen=True)
class HarvestService:
    """Harvests repositories of one store.

    :param login: reads an Airflow connection by its id.
    :param file: the repositories that are configured in a file.
    """

    database: Database
    login: Callable[[str], Login]
    file: RepositoryFile = field(default_factory=load_repositories)
    options: HarvestOptions = field(default_factory=HarvestOptions)

    def synchronise(self) -> None:
        """Bring the store up to the file."""
        with self.database.session() as session:
            synchronise(session, self.file.repositories)

    def harvest(self, name: str, *, mode: Mode = Mode.INCREMENTAL, window: Window | None = None) -> HarvestReport:
        """Harvest one repository.

        :raises OpencastError: see :func:`opencast.harvest.harvester.harvest`.
        """
        repository = self.repository(name)
        with client_for_repository(repository, self._login_of(repository)) as client:
            return harvest(self.database, name, client, mode=mode, window=window, options=self.options)

    def harvest_all(
        self, names: Iterable[str], *, mode: Mode = Mode.INCREMENTAL, window: Window | None = None
    ) -> list[Outcome]:
        """Harvest several repositories one after the other; the error of one does not stop the others."""
        outcomes = []
        for name in names:
            try:
                outcomes.append(Outcome(name, self.harvest(name, mode=mode, window=window)))
            except OpencastError as error:
                outcomes.append(Outcome(name, error=error))
        return outcomes

    def deliver(self, name: str) -> list[Delivery]:
        """Tell a repository's sinks what has changed."""
        sinks = [sink for one in self.file.repositories if one.name == name for sink in one.sinks]
        return deliver(self.database, self.repository(name), sinks, self.login, self.options.clock)

    def ask(self, name: str) -> tuple[Identify, tuple[Format, ...]]:
        """Ask a repository what it is and what it offers; writes nothing.

        :raises OpencastError: it cannot be reached, or answers something else.
        """
        repository = self.repository(name)
        with client_for_repository(repository, self._login_of(repository)) as client:
            return formats.ask(client)

    def repository(self, name: str) -> Repository:
        """Give a repository's settings and state.

        :raises ConfigurationError: there is none of this name.
        """
        with self.database.reading() as session:
            return repository_named(session, name)

    def _login_of(self, repository: Repository) -> Login | None:
        return self.login(repository.connection_id) if repository.connection_id else None
