"""Everything about a simulated server that can be chosen when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulator import generations
from tests.simulator.delivery import Delivery

ADMIN_ROLES = (
    "ROLE_USER", "ROLE_GROUP_MH_DEFAULT_ORG_SYSTEM_ADMINS", "ROLE_ADMIN", "ROLE_SUDO", "ROLE_ANONYMOUS",
    "ROLE_USER_ADMIN", "ROLE_OAUTH_USER",
)  # fmt: skip
DEFAULT_ORGANIZATION = "mh_default_org"
_BUILDS = {17: "436e953", 15: "61f4d7e"}


@dataclass(frozen=True, slots=True)
class User:
    """An account; ``in_memory`` ones can log in by Digest too, as their password is known in plain text."""

    username: str
    password: str = field(repr=False)
    name: str = ""
    roles: tuple[str, ...] = ("ROLE_USER", "ROLE_ANONYMOUS")
    in_memory: bool = False
    email: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant; ``hosts`` are the values of the ``Host`` header that select it."""

    id: str = DEFAULT_ORGANIZATION
    name: str = "Opencast Project"
    hosts: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


def _default_users() -> tuple[User, ...]:
    return (
        User("admin", "opencast", "Administrator", ADMIN_ROLES, in_memory=True),
        User("opencast_system_account", "CHANGE_ME", "System", ADMIN_ROLES, in_memory=True),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server behaves.

    :param generation: 1 to 17, see ``generations.py``; 17 (OpenSearch) and 15 (Solr) were recorded.
    :param version: what ``/sysinfo/bundles/version`` says, when it is not the generation's own.
    :param index_lag: seconds until a write shows in ``/api``.
    :param dispatch_seconds: wait before an operation starts, as the job dispatcher causes it.
    :param operation_seconds: length of each operation on top of its real work.
    :param running_workflows: how many run at the same time.
    :param delete_seconds: how long a deleted event is still there (some 25 s on a real server).
    :param without_handlers: operations that this installation lacks.
    :param digest_nonce_seconds: life of a Digest nonce.
    :param ingest_limit: how many zips are taken at the same time; None for no limit.
    :param admin_email: mail address of the installation.
    :param oai_open: whether anybody may harvest; otherwise it takes ``ROLE_ADMIN``.
    :param oai_repositories: the registered OAI-PMH repositories, the default one first.
    :param oai_page: records on a page.
    :param oai_tokens: how many resumption tokens are remembered.
    :param oai_whole_seconds: the database keeps the dates of records in seconds.
    :param merge_mode: ``override``, ``roles`` or ``actions``: how policies of episode and series become one.
    :param annotations: how many annotations it says that it has, ``user_actions``: how many actions of users.
    :param delivery: how published files are delivered.
    """

    generation: int = 17
    version: str | None = None
    index_lag: float = 0.0
    dispatch_seconds: float = 0.0
    operation_seconds: float = 0.002
    running_workflows: int = 8
    delete_seconds: float = 0.0
    without_handlers: frozenset[str] = frozenset()
    digest_nonce_seconds: float = 300.0
    ingest_limit: int | None = None
    admin_email: str = ""
    oai_open: bool = False
    oai_repositories: tuple[str, ...] = ("default",)
    oai_page: int = 50
    oai_tokens: int = 100
    oai_whole_seconds: bool = False
    merge_mode: str = "override"
    annotations: int = 0
    user_actions: int = 0
    delivery: Delivery = field(default_factory=Delivery)
    users: tuple[User, ...] = field(default_factory=_default_users)
    organizations: tuple[Organization, ...] = (Organization(),)

    def __post_init__(self) -> None:
        if not generations.OLDEST <= self.generation <= generations.NEWEST:
            raise ValueError(f"there is no generation {self.generation}, only 1 to 17")

    @property
    def bundle_version(self) -> str:
        """Version of the bundles."""
        return self.version or generations.version_of(self.generation)

    @property
    def newest_api(self) -> int:
        """Minor number of the newest version of the external API."""
        return generations.newest_api(self.generation)

    @property
    def recorded(self) -> int:
        """The recorded generation by which this one behaves."""
        return generations.recorded(self.generation)

    @property
    def build_number(self) -> str:
        """Commit that the bundles say they were built from."""
        return _BUILDS[self.recorded]
