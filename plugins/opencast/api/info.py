"""Who am I, which server is this, and what can it do: ``/info``, ``/sysinfo``, ``/api`` and the service registry."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from opencast.api import fields, jettison, retries
from opencast.api.client import Client
from opencast.errors import AuthenticationFailed, Forbidden, InvalidAnswer, NotFound, WrongOrganization

ROLE_ADMIN = "ROLE_ADMIN"
ROLE_SUDO = "ROLE_SUDO"
_ANONYMOUS = "anonymous"
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?![\d])")
#: Names of the bundles, newest first: Opencast was called Matterhorn up to 2.x.
_BUNDLES = ("opencast", "matterhorn")


@dataclass(frozen=True)
class Me:
    """The user as which the server sees this client (``GET /info/me.json``).

    :param organization: id of the tenant that answers.
    :param properties: of the tenant, such as ``org.opencastproject.engage.ui.url``.
    """

    username: str
    name: str
    roles: frozenset[str]
    organization: str
    organization_name: str
    admin_role: str
    anonymous_role: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Whether the server does not know who is asking."""
        return self.username == _ANONYMOUS

    @property
    def is_admin(self) -> bool:
        """Whether the user sees and may do everything in this tenant."""
        return not self.is_anonymous and bool(self.roles & {ROLE_ADMIN, self.admin_role} - {""})

    @property
    def may_run_as(self) -> bool:
        """Whether requests in another user's name are allowed."""
        return ROLE_SUDO in self.roles


@dataclass(frozen=True, order=True)
class ServerVersion:
    """Version of an Opencast server.

    :param text: as the server writes it, such as ``17.0.0.SNAPSHOT``.
    """

    major: int
    minor: int
    patch: int
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> ServerVersion:
        """Read ``17.0.0-SNAPSHOT``, ``17.0.0.SNAPSHOT``, ``15.11``, ``15.11.0`` or ``v1.10.0``.

        :raises InvalidAnswer: no number at the beginning.
        """
        found = _VERSION.match(text.strip())
        if not found:
            raise InvalidAnswer(f"{text[:60]!r} is no version of Opencast.")
        major, minor, patch = (int(number or 0) for number in found.groups())
        return cls(major, minor, patch, text.strip())

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Organization:
    """A tenant (``GET /api/info/organization``)."""

    id: str
    name: str
    admin_role: str
    anonymous_role: str


@dataclass(frozen=True)
class Health:
    """What a node says of its health (``GET /info/health``).

    :param status: ``pass``, ``warn`` or ``fail``.
    :param release: version of Opencast.
    """

    status: str
    release: str
    service: str


@dataclass(frozen=True)
class Component:
    """A service of the node that was asked (``GET /info/components.json``)."""

    path: str
    type: str
    version: str
    description: str


@dataclass(frozen=True)
class ServiceHost:
    """A host that offers a service (``GET /services/available.json``)."""

    type: str
    host: str
    path: str
    online: bool
    maintenance: bool
    state: str


@dataclass(frozen=True)
class ApiVersions:
    """Versions of the External API (``GET /api/version``), such as ``v1.11.0``."""

    default: str
    all: tuple[str, ...]


class InfoService:
    """What a server says about itself."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def me(self) -> Me:
        """Ask as whom the server sees this client (``GET /info/me.json``).

        :raises AuthenticationFailed: a login was sent, and the answer is for the anonymous user nevertheless.
        :raises WrongOrganization: the tenant of the connection does not exist, may not be chosen, or another answers.
        """
        wanted = self._client.server.organization
        try:
            document = fields.an_object(self._client.get_json("/info/me.json"), what="/info/me.json")
        except Forbidden as error:
            # This path is open to everybody: only the filter that switches tenant and user answers 403 here.
            if wanted is None or self._client.server.run_as is not None:
                raise
            raise WrongOrganization(
                f"The server refuses to switch to the organization {wanted!r}.", status=error.status, url=error.url
            ) from None
        me = _me(document)
        if me.is_anonymous and self._client.server.auth != "none":
            raise AuthenticationFailed(f"{self._client.base_url} takes this login for the anonymous user.")
        if wanted is not None and me.organization != wanted:
            raise WrongOrganization(
                f"{self._client.base_url} answers for the organization {me.organization!r} instead of {wanted!r}."
            )
        return me

    def version(self) -> ServerVersion:
        """Ask for the version (``GET /sysinfo/bundles/version``); of a node in mid-update, the oldest one.

        :raises NotFound: the server has no bundles of Opencast.
        """
        for prefix in _BUNDLES:
            try:
                answer = self._client.get_json("/sysinfo/bundles/version", params={"prefix": prefix})
            except NotFound:
                if prefix == _BUNDLES[-1]:
                    raise
                continue
            break
        document = fields.an_object(answer, what="/sysinfo/bundles/version")
        if "version" in document:
            return ServerVersion.parse(fields.text(document, "version"))
        found = fields.objects(document.get("versions"), what="/sysinfo/bundles/version")
        versions = [ServerVersion.parse(fields.text(entry, "version")) for entry in found]
        if not versions:
            raise InvalidAnswer("/sysinfo/bundles/version names no version.")
        return min(versions)

    def health(self) -> Health:
        """Ask for the node's health (``GET /info/health``)."""
        document = fields.an_object(self._client.get_json("/info/health"), what="/info/health")
        return Health(
            status=fields.text(document, "status"),
            release=fields.text(document, "releaseId"),
            service=fields.text(document, "serviceId"),
        )

    def operations(self) -> frozenset[str]:
        """Ask which workflow operations the server can run (``GET /workflow/handlers.json``)."""
        handlers = fields.objects(self._client.get_json("/workflow/handlers.json"), what="/workflow/handlers.json")
        # Real servers list handlers whose id is null.
        return frozenset(filter(None, (fields.text(handler, "id") for handler in handlers)))

    def api_versions(self) -> ApiVersions:
        """Ask for the versions of the External API (``GET /api/version``)."""
        document = fields.an_object(self._client.get_json("/api/version"), what="/api/version")
        return ApiVersions(
            fields.required(document, "default", what="/api/version"), fields.texts(document, "versions")
        )

    def api_version(self) -> ServerVersion:
        """Ask for the newest version of the External API."""
        return ServerVersion.parse(self.api_versions().default)

    def organization(self) -> Organization:
        """Ask which tenant answers (``GET /api/info/organization``)."""
        what = "/api/info/organization"
        document = fields.an_object(self._client.get_json(what), what=what)
        return Organization(
            id=fields.required(document, "id", what=what),
            name=fields.text(document, "name"),
            admin_role=fields.text(document, "adminRole"),
            anonymous_role=fields.text(document, "anonymousRole"),
        )

    def components(self) -> tuple[Component, ...]:
        """Ask which services the node runs (``GET /info/components.json``)."""
        document = fields.an_object(self._client.get_json("/info/components.json"), what="/info/components.json")
        return tuple(
            Component(
                path=fields.text(entry, "path"),
                type=fields.text(entry, "type"),
                version=fields.text(entry, "version"),
                description=fields.text(entry, "description"),
            )
            for entry in fields.objects(document.get("rest"), what="/info/components.json")
        )

    def services(self, service_type: str) -> tuple[ServiceHost, ...]:
        """Ask which hosts offer a service, the least busy one first (``GET /services/available.json``).

        :param service_type: such as ``org.opencastproject.ingest``.
        """
        answer = self._client.get_json("/services/available.json", params={"serviceType": service_type})
        found = jettison.entries(answer, "services", "service")
        return tuple(
            ServiceHost(
                type=fields.text(entry, "type"),
                host=fields.text(entry, "host"),
                path=fields.text(entry, "path"),
                online=fields.flag(entry, "online"),
                maintenance=fields.flag(entry, "maintenance"),
                state=fields.text(entry, "service_state"),
            )
            for entry in fields.objects(found, what="/services/available.json")
        )

    def clock(self) -> datetime | None:
        """Ask for the server's time (header ``Date``), in UTC and whole seconds; None when it does not send it."""
        sent = retries.http_date(self._client.get("/info/me.json").headers.get("Date", ""))
        return None if sent is None else datetime.fromtimestamp(sent, UTC)

    def clock_offset(self) -> float | None:
        """Tell by how many seconds the server's clock is ahead of this machine's, to about a second."""
        before = time.time()
        clock = self.clock()
        return None if clock is None else clock.timestamp() - (before + time.time()) / 2


def _me(document: fields.Json) -> Me:
    what = "/info/me.json"
    # Version 1 names the user beside the rest.
    user = document if "user" not in document else fields.an_object(document.get("user"), what=what)
    organization = fields.an_object(document.get("org"), what=what)
    return Me(
        username=fields.required(user, "username", what=what),
        name=fields.text(user, "name"),
        roles=frozenset(fields.texts(document, "roles")),
        organization=fields.text(organization, "id"),
        organization_name=fields.text(organization, "name"),
        admin_role=fields.text(organization, "adminRole"),
        anonymous_role=fields.text(organization, "anonymousRole"),
        properties=fields.mapping(organization, "properties"),
    )
