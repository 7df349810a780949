"""Keep the sessions of a client: one for each origin that may get the credentials, one without any for all others."""

from __future__ import annotations

import logging
import os
import socket
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection

from opencast import __version__
from opencast.api import addresses
from opencast.api.authentication import BasicAuth, DigestAuth
from opencast.api.server import Server

#: Bytes handed to the socket at once: a file of 2 GB in the default steps of 16 KiB costs much more processor time.
_SEND_BYTES = 256 * 1024
#: Idle connections kept for each origin; more threads may work, but then connections are not kept.
_KEPT_CONNECTIONS = 16

_ORGANIZATION = "X-Opencast-Matterhorn-Organization"
_RUN_AS = "X-RUN-AS-USER"


class Connections:
    """The open connections of one client; safe for several threads.

    Cookies ignore ports, so a jar shared by all origins would send the login session of one server to another program
    on the same host: every origin has its own session, and the one without credentials takes no cookies at all.

    ``.netrc`` is never read. Proxies of the environment are used except for this machine's own addresses.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._trusted: dict[str, requests.Session] = {}
        self._foreign: requests.Session | None = None
        self._verify = _verification(server)
        #: Set when the login is by Digest, which may have to answer a challenge.
        self.digest = DigestAuth(server.username, server.password) if server.auth == "digest" else None
        self._login = BasicAuth(server.username, server.password) if server.auth == "basic" else self.digest

    def send(
        self,
        request: requests.Request,
        *,
        credentials: bool,
        timeout: tuple[float, float],
        run_as: str | None = None,
    ) -> requests.Response:
        """Send a request once, following no redirect, and return as soon as the answer's headers are there.

        :param credentials: whether login, organization and the user to run as go along; the URL must be a trusted one.
        :param timeout: seconds for connecting and for each read.
        :raises requests.RequestException: no answer.
        """
        url = str(request.url)
        session = self._session(addresses.origin(url)) if credentials else self._session_for_foreign()
        if credentials:
            request.auth = self._login
            request.headers = {**self._identity(run_as), **request.headers}
        prepared = session.prepare_request(request)
        proxies = {} if addresses.is_loopback(url) else get_environ_proxies(url)
        return session.send(prepared, stream=True, timeout=timeout, proxies=proxies, verify=self._verify)

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        with self._lock:
            sessions = [*self._trusted.values(), *filter(None, [self._foreign])]
            self._trusted.clear()
            self._foreign = None
        for session in sessions:
            session.close()

    def _identity(self, run_as: str | None) -> dict[str, str]:
        headers = {}
        if self._server.organization is not None:
            headers[_ORGANIZATION] = self._server.organization
        if run_as is not None:
            headers[_RUN_AS] = run_as
        return headers

    def _session(self, origin: str) -> requests.Session:
        with self._lock:
            if origin not in self._trusted:
                self._trusted[origin] = _Session()
            return self._trusted[origin]

    def _session_for_foreign(self) -> requests.Session:
        with self._lock:
            if self._foreign is None:
                self._foreign = _Session()
                self._foreign.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            return self._foreign


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        # Otherwise requests would look for logins in .netrc, for any host that is asked.
        self.trust_env = False
        self.headers["User-Agent"] = f"opencast-airflow/{__version__}"
        adapter = _Adapter(pool_connections=4, pool_maxsize=_KEPT_CONNECTIONS, max_retries=0)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Hide redirects from requests, which would read their bodies without a bound even when told not to follow."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        super().init_poolmanager(*args, blocksize=_SEND_BYTES, socket_options=options, **kwargs)


class _WithoutQueries(logging.Filter):
    """Cut queries, and with them signatures, off the URLs that urllib3 writes to its log for debugging."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                addresses.shown(arg) if isinstance(arg, str) and "?" in arg else arg for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())


def _verification(server: Server) -> bool | str:
    if server.verify_tls is not True:
        return server.verify_tls
    # The variables that requests itself would honour; see _Session for why it does not read them here.
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
