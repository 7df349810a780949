"""One attempt to harvest a repository: take the lease, write down how it ends, say when it is due again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType

from sqlalchemy import select

from opencast.errors import ConfigurationError, OpencastError, RepositoryBusy, Throttled
from opencast.harvest.lease import Lease
from opencast.harvest.limits import clipped
from opencast.harvest.stream_state import Mode
from opencast.harvest.tally import Tally
from opencast.harvest.transport import Transport
from opencast.store.database import Database
from opencast.store.harvesting import HarvestRun, Repository

#: After failures, a repository is left alone for longer and longer, up to this time.
_LONGEST_PAUSE = timedelta(hours=1)
#: A repository that asks for more patience than this is not believed.
_LONGEST_RETRY_AFTER = timedelta(hours=24)


class Attempt:
    """A harvest as the database sees it; a context manager around everything that it does.

    :param name: the repository's.
    :param transport: counts the requests.
    :param clock: our time, aware.
    :raises ConfigurationError: there is no such repository.
    """

    def __init__(
        self, database: Database, name: str, mode: Mode, transport: Transport, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._mode = mode
        self._transport = transport
        self._clock = clock
        with database.reading() as session:
            repository = session.scalars(select(Repository).where(Repository.name == name)).one_or_none()
        if repository is None:
            raise ConfigurationError(f"There is no repository {name!r}.", advice="Add it, or correct the name.")
        #: The repository's settings and what is known of it; a copy that no session belongs to.
        self.repository = repository
        self.lease = Lease(repository.id, name)
        self.tally = Tally(0)

    def __enter__(self) -> Attempt:
        with self._database.session() as session:
            now = self._clock()
            self.lease.acquire(session, now)
            run = HarvestRun(repository_id=self.repository.id, mode=self._mode, started=now)
            session.add(run)
            self.repository = session.get_one(Repository, self.repository.id)
            self.repository.last_started = now
            session.flush()
            self.tally = Tally(run.id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tally.measure(self._transport)
        with self._database.session() as session:
            outcome = "done" if error is None else "failed"
            self.tally.close(session, outcome=outcome, ended=self._clock(), error=_said(error))
        if not isinstance(error, RepositoryBusy):
            # Otherwise the lease has a new owner, who will say how the repository is.
            self._settle(error)

    def _settle(self, error: BaseException | None) -> None:
        with self._database.session() as session:
            now = self._clock()
            repository = session.get_one(Repository, self.repository.id)
            interval = timedelta(seconds=repository.interval_seconds)
            if error is None:
                repository.failures = 0
                repository.last_error = ""
                repository.last_success = now
                repository.next_due = now + interval
            else:
                repository.failures += 1
                repository.last_error = _said(error)
                repository.next_due = now + _pause(error, interval, repository.failures)
            session.flush()
            self.lease.release(session)


def _said(error: BaseException | None) -> str:
    """Give an error for the database: ours are written to be shown, others may hold anything."""
    if error is None:
        return ""
    return clipped(str(error)) if isinstance(error, OpencastError) else type(error).__name__


def _pause(error: BaseException, interval: timedelta, failures: int) -> timedelta:
    """Give the time to leave a repository alone after failures in a row."""
    if isinstance(error, Throttled) and error.retry_after is not None:
        return max(interval, min(timedelta(seconds=error.retry_after), _LONGEST_RETRY_AFTER))
    if not isinstance(error, OpencastError):
        return interval
    longer: timedelta = interval * (1 << min(failures - 1, 10))
    return min(longer, max(_LONGEST_PAUSE, interval))
