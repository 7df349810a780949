"""The address of an Opencast server and how to log in to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urlsplit

from opencast.api import addresses
from opencast.errors import ConfigurationError

Authentication = Literal["basic", "digest", "none"]


@dataclass(frozen=True)
class Server:
    """Everything a client must know to talk to one Opencast server.

    :param url: ``https://host[:port][/path]``, without user info, query and fragment.
    :param username: login; needed unless ``auth`` is ``none``.
    :param password: never shown by ``repr``.
    :param auth: ``basic`` works for every account; ``digest`` only for accounts whose password the server holds in
        plain text (the system account); ``none`` sends no credentials.
    :param organization: id of the tenant; sent as a header, which needs ROLE_ADMIN of the server's default tenant.
        None means: the tenant to which the host name belongs.
    :param verify_tls: whether the certificate is checked, or the path of a file with the accepted authorities.
    :param connect_timeout: seconds.
    :param read_timeout: seconds without a single byte of an answer.
    :param max_tries: how often a request is sent at most when it fails for a passing reason.
    :param run_as: user in whose name requests are made; needs ROLE_SUDO.
    :param trusted_hosts: further origins (``https://host[:port]``; without a scheme, the one of ``url`` is taken) that
        may get the credentials, such as the presentation node of the same installation.
    :param distribution: servers of published files that want a login of their own, or another way to log in.
    :raises ConfigurationError: a value that cannot be used; the message names it.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    auth: Authentication = "basic"
    organization: str | None = None
    verify_tls: bool | str = True
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_tries: int = 5
    run_as: str | None = None
    trusted_hosts: tuple[str, ...] = ()
    distribution: tuple[Server, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", _checked_url(self.url))
        _check_login(self)
        _check_header_value("organization", self.organization)
        _check_header_value("run_as", self.run_as)
        if self.connect_timeout <= 0 or self.read_timeout <= 0:
            raise ConfigurationError("Time-outs must be more than 0 seconds.")
        if self.max_tries < 1:
            raise ConfigurationError("max_tries must be 1 or more.")
        scheme = urlsplit(self.url).scheme
        trusted = (
            addresses.configured_origin(host, scheme=scheme, setting="trusted_hosts") for host in self.trusted_hosts
        )
        object.__setattr__(self, "trusted_hosts", tuple(dict.fromkeys(trusted)))

    def holder(self, url: str) -> Server:
        """Give the settings with which a file is asked for: of the distribution server that holds it, or these.

        :raises UnexpectedContent: no http(s) URL.
        """
        return next((server for server in self.distribution if server.trusts(url)), self)

    @property
    def origin(self) -> str:
        """``scheme://host:port`` of the server."""
        return addresses.origin(self.url)

    def trusts(self, url: str) -> bool:
        """Tell whether a URL's origin may get the credentials: the server's own, or one of ``trusted_hosts``."""
        origin = addresses.origin(url)
        return origin == self.origin or origin in self.trusted_hosts


def _checked_url(url: str) -> str:
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"{addresses.shown(url)!r} is no server address.", advice="Write it as https://host or https://host:port."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            f"The address {addresses.shown(url)} must hold no login, query or fragment.",
            advice="Put login and password into the connection's own fields.",
        )
    return url


def _check_login(server: Server) -> None:
    if server.auth not in get_args(Authentication):
        raise ConfigurationError(f"Authentication {server.auth!r} is none of {', '.join(get_args(Authentication))}.")
    if server.auth != "none" and not server.username:
        raise ConfigurationError(
            f"The connection to {server.url} has no login.", advice="Set login and password, or authentication 'none'."
        )
    if ":" in server.username and server.auth == "basic":
        # RFC 7617, section 2: the first colon ends the user's name.
        raise ConfigurationError(f"The login of the connection to {server.url} holds a colon.")


def _check_header_value(name: str, value: str | None) -> None:
    if value is None:
        return
    if not value or not value.isprintable() or value != value.strip():
        raise ConfigurationError(f"{name} {value!r} is empty, or holds blanks at its ends or control characters.")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{name} {value!r} holds characters that a header cannot carry.") from error
