"""See to it that a repository is harvested by one process at a time, also after a process died."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from opencast.errors import RepositoryBusy
from opencast.store.harvesting import Repository

#: How long a lease is believed without a sign of life; longer than any page takes with all its tries.
DURATION = timedelta(minutes=30)

# Built once: it is part of every page's transaction.
_RENEW = (
    update(Repository)
    .where(Repository.id == bindparam("row"), Repository.lease_owner == bindparam("owner"))
    .values(lease_until=bindparam("until"))
)


class Lease:
    """The right to harvest one repository; every page's transaction proves it again, so that a loser writes nothing.

    :param repository_id: row of the repository.
    :param name: the repository's name, for messages.
    """

    def __init__(self, repository_id: int, name: str) -> None:
        self._repository_id = repository_id
        self._name = name
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex}"

    def acquire(self, session: Session, now: datetime) -> None:
        """Take the lease if nobody has it, if it ran out, or if its owner was a process of this machine that is dead.

        :raises RepositoryBusy: somebody else has it.
        """
        repository = session.get_one(Repository, self._repository_id)
        owner = repository.lease_owner
        free = or_(Repository.lease_owner.is_(None), Repository.lease_until < now)
        if owner is not None and _is_dead(owner):
            free = Repository.lease_owner == owner
        taken = session.connection().execute(
            update(Repository)
            .where(Repository.id == self._repository_id, free)
            .values(lease_owner=self._owner, lease_until=now + DURATION)
        )
        if taken.rowcount != 1:
            raise RepositoryBusy(f"{self._name} is being harvested by another process.")
        session.refresh(repository)

    def renew(self, session: Session, now: datetime) -> None:
        """Prove and extend the lease.

        :raises RepositoryBusy: it was given to somebody else in the meantime.
        """
        values = {"row": self._repository_id, "owner": self._owner, "until": now + DURATION}
        if session.connection().execute(_RENEW, values).rowcount != 1:
            raise RepositoryBusy(f"The harvest of {self._name} was taken over by another process.")

    def release(self, session: Session) -> None:
        """Give the lease back; one that was lost stays with its new owner."""
        session.execute(
            update(Repository)
            .where(Repository.id == self._repository_id, Repository.lease_owner == self._owner)
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


def _is_dead(owner: str) -> bool:
    """Tell whether a lease's owner was a process of this machine that does not exist any more."""
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
