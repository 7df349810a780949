"""What no migration over Opencast's REST interfaces can bring along; part of every plan and report."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from opencast.api.features import Feature
from opencast.api.opencast import Opencast
from opencast.errors import OpencastError
from opencast.migration.oaipmh import Repositories, is_repository, repository_of
from opencast.model.event import EventRow
from opencast.model.publication import LIVE_CHANNEL

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loss:
    """Something that stays behind.

    :param what: such as ``Older snapshots``.
    :param why: in a sentence.
    :param count: how much of it the source has, such as ``12 users``; empty when that cannot be had.
    """

    what: str
    why: str
    count: str = ""


#: What stays behind, and why.
_LOSSES = (
    ("Users, groups and roles", "Passwords are stored as hashes that no endpoint hands out."),
    ("Older snapshots", "Only the last version of a mediapackage is offered; older ones stay on the source's disk."),
    ("Statistics and user tracking", "There is no endpoint that takes them."),
    ("Annotations", "They belong to a service of their own."),
    ("Jobs and workflow history", "The target writes its own."),
    ("Live publications", "A live stream is no file."),
    ("Formats of streaming servers", "They are made by the server, not stored as files."),
    ("Ids of engage-player elements", "The target gives published elements new ids; their URL paths are kept."),
    ("Modification dates", "The target counts from the import on; OAI-PMH harvesters fetch everything again."),
    ("Creation dates and creators of themes", "The target notes the date of the migration and its account."),
    (
        "Dates of comments and replies",
        "The target notes the date of the migration. Authors are kept where both servers have the account and the "
        "migration's may write for others (ROLE_SUDO); the notes of an event name the others.",
    ),
    ("Archived catalogs of comments", "The target writes them by itself, with its own ids and dates."),
    ("Dates of playlists", "The target notes the date of the migration."),
    ("Scheduler roles of capture agents", "No endpoint shows them."),
    ("Templates of access lists", "They are configuration of the server."),
    ("LTI and OAuth settings, Tobira pages", "They are configuration of the server, or another program's."),
)


#: Of a source before version 4.
_PLANS = ("Scheduled events", "Before version 4 the scheduler keeps them apart from the archive; plan them anew.")


@dataclass
class LossCounter:
    """Count what stays behind of the selected events, and of the source as a whole.

    :param older_versions: of selected events; versions that were deleted on the source are counted as well.
    :param repositories: how many selected events are published in each OAI-PMH repository.
    """

    events: int = 0
    older_versions: int = 0
    live: int = 0
    repositories: Counter[str] = field(default_factory=Counter)

    def see(self, row: EventRow) -> None:
        """Count a selected event."""
        self.events += 1
        self.older_versions += row.archive_version or 0
        self.live += LIVE_CHANNEL in row.publication_status
        self.repositories.update(repository_of(c) for c in row.publication_status if is_repository(c))

    def lacking(self, repositories: Repositories) -> list[Loss]:
        """Return the OAI-PMH repositories of selected events to which the target cannot publish."""
        problems = {name: repositories.problem(name) for name in sorted(self.repositories)}
        return [
            Loss(
                f"Publications of the OAI-PMH repository {name}",
                f"{problem[:1].upper()}{problem[1:]}.",
                f"{self.repositories[name]} of {self.events} selected events",
            )
            for name, problem in problems.items()
            if problem
        ]

    def losses(self, source: Opencast) -> list[Loss]:
        """Ask the source for the numbers that it tells, and return everything that stays behind."""
        counts = {
            "Older snapshots": f"up to {self.older_versions} of {self.events} selected events",
            "Live publications": f"{self.live} of {self.events} selected events",
            "Jobs and workflow history": _counted(source.workflows.count, "workflows"),
            "Annotations": _counted(source.accounts.annotations, "annotations"),
            "Statistics and user tracking": _counted(source.accounts.user_actions, "actions of users"),
            "Scheduler roles of capture agents": _counted(lambda: len(source.agents.list()), "agents"),
        }
        if source.has(Feature.ADMIN_INTERFACE):
            accounts = source.accounts
            users, groups = _counted(accounts.users, "users"), _counted(accounts.groups, "groups")
            counts["Users, groups and roles"] = ", ".join(filter(None, (users, groups)))
            counts["Templates of access lists"] = _counted(accounts.access_lists, "templates")
            counts["Creation dates and creators of themes"] = _counted(lambda: len(source.themes.list()), "themes")
        lost = _LOSSES if source.has(Feature.SCHEDULES) else (*_LOSSES, _PLANS)
        return [Loss(what, why, counts.get(what, "")) for what, why in lost]


def _counted(count: Callable[[], int], what: str) -> str:
    """Count something, or return nothing when the source does not tell: a number is worth no failed run."""
    try:
        return f"{count()} {what}"
    except OpencastError as error:
        log.info("The number of %s cannot be had: %s", what, error.message)
        return ""
