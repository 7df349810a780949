"""The address of an OAI-PMH repository and how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from opencast.api.server import Authentication, Server
from opencast.errors import ConfigurationError
from opencast.harvest.limits import MAX_PAGE_BYTES

HttpMethod = Literal["GET", "POST"]


@dataclass(frozen=True)
class Endpoint:
    """Everything a client must know to talk to one repository.

    :param url: base URL; may have a path and a query of its own, but no login.
    :param username: login, for ``basic`` and ``digest``.
    :param password: never shown by ``repr``.
    :param auth: how to log in. Opencast's own system account needs ``digest``, every other account ``basic``.
    :param http_method: how arguments are sent; OAI-PMH knows both (section 3.1.1).
    :param verify_tls: whether the certificate is checked, or the path of a file with the accepted authorities.
    :param connect_timeout: seconds.
    :param read_timeout: seconds without a single byte.
    :param page_timeout: seconds until a whole page must be there, however steadily it drips.
    :param max_tries: how often a page is asked for at most when it fails for a passing reason.
    :param patience: seconds spent waiting between tries in all; a server that asks for more is left alone until the
        next harvest.
    :param max_page_bytes: largest page after decompression.
    :raises ConfigurationError: a value that cannot be used.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    auth: Authentication = "none"
    http_method: HttpMethod = "GET"
    verify_tls: bool | str = True
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    page_timeout: float = 900.0
    max_tries: int = 5
    patience: float = 300.0
    max_page_bytes: int = MAX_PAGE_BYTES
    server: Server = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.http_method not in get_args(HttpMethod):
            raise ConfigurationError(f"http_method {self.http_method!r} is neither GET nor POST.")
        if self.page_timeout <= 0 or self.patience < 0 or self.max_page_bytes <= 0:
            raise ConfigurationError("page_timeout and max_page_bytes must be more than 0, patience not less.")
        parts = urlsplit(self.url.strip())
        if any(name in {"verb", "resumptionToken"} for name, _ in parse_qsl(parts.query)):
            raise ConfigurationError(
                "The repository's address holds a verb or a token.", advice="Give the base URL, as Identify names it."
            )
        object.__setattr__(self, "url", parts._replace(fragment="").geturl())
        server = Server(
            url=parts._replace(query="", fragment="").geturl(),
            username=self.username,
            password=self.password,
            auth=self.auth,
            verify_tls=self.verify_tls,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_tries=self.max_tries,
        )
        object.__setattr__(self, "server", server)
