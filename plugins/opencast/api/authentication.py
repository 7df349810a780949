"""Log in by HTTP Basic (sent before it is asked for) or Digest (RFC 7616) as Opencast's security filters want it."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.utils import parse_dict_header

from opencast.errors import AuthenticationFailed

#: With this header, whatever its value, Opencast answers 401 instead of redirecting to its login page, and never lets a
#: request pass as the anonymous user (security filters ``DelegatingAuthenticationEntryPoint``,
#: ``TrustedAnonymousAuthenticationFilter``): a wrong login cannot look like an empty library.
REQUESTED_AUTH = "X-Requested-Auth"

#: Opencast accepts a nonce for 300 seconds (``etc/security``). Before a long upload, an older one than this is renewed.
FRESH_SECONDS = 120.0

_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}


class BasicAuth(AuthBase):
    """Send login and password with every request, in UTF-8, which is what Spring Security decodes."""

    def __init__(self, username: str, password: str) -> None:
        token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        self._value = f"Basic {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers."""
        request.headers[REQUESTED_AUTH] = "Basic"
        request.headers["Authorization"] = self._value
        return request


@dataclass(frozen=True)
class _Challenge:
    realm: str
    nonce: str
    algorithm: str
    opaque: str | None
    quality: bool
    received: float


class DigestAuth(AuthBase):
    """Answer the server's last challenge; the first request of all, and one with an expired nonce, meet a 401 first.

    The client sends such a request once more after :meth:`learn`. Safe for several threads.

    :param clock: monotonic seconds, for the age of a nonce.
    """

    def __init__(self, username: str, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._username = username
        self._password = password
        self._clock = clock
        self._lock = threading.Lock()
        self._challenge: _Challenge | None = None
        self._count = 0

    @property
    def is_fresh(self) -> bool:
        """Whether there is a nonce that the server will still accept when a request starts now."""
        challenge = self._challenge
        return challenge is not None and self._clock() - challenge.received < FRESH_SECONDS

    def forget(self) -> None:
        """Drop the nonce, so that the next request brings a new one."""
        self._challenge = None

    def learn(self, response: Response) -> bool:
        """Take the challenge out of a 401.

        :returns: False when the answer holds no Digest challenge.
        :raises AuthenticationFailed: the server asks for a variant of Digest that is not known here.
        """
        scheme, _, rest = response.headers.get("WWW-Authenticate", "").strip().partition(" ")
        if scheme.lower() != "digest":
            return False
        values: dict[str, str | None] = parse_dict_header(rest)  # type: ignore[no-untyped-call]
        algorithm = (values.get("algorithm") or "MD5").upper()
        qualities = [quality.strip() for quality in (values.get("qop") or "").split(",") if quality.strip()]
        if algorithm not in _ALGORITHMS or (qualities and "auth" not in qualities) or not values.get("nonce"):
            raise AuthenticationFailed(
                f"The server asks for a kind of Digest authentication that is not supported (algorithm {algorithm}).",
                advice="Use Basic authentication for this connection.",
            )
        with self._lock:
            self._count = 0
            self._challenge = _Challenge(
                realm=values.get("realm") or "",
                nonce=values["nonce"] or "",
                algorithm=algorithm,
                opaque=values.get("opaque"),
                quality=bool(qualities),
                received=self._clock(),
            )
        return True

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the headers."""
        request.headers[REQUESTED_AUTH] = "Digest"
        request.headers.pop("Authorization", None)
        with self._lock:
            challenge = self._challenge
            if challenge is not None:
                self._count += 1
                # Headers are written as Latin-1: this brings the bytes of UTF-8 through it.
                answer = self._answer(request, challenge, self._count).encode().decode("latin-1")
                request.headers["Authorization"] = answer
        return request

    def _answer(self, request: PreparedRequest, challenge: _Challenge, count: int) -> str:
        def digest(text: str) -> str:
            return hashlib.new(_ALGORITHMS[challenge.algorithm], text.encode(), usedforsecurity=False).hexdigest()

        parts = urlsplit(request.url or "/")
        uri = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        who = digest(f"{self._username}:{challenge.realm}:{self._password}")
        what = digest(f"{request.method}:{uri}")
        fields = {
            "username": _quoted(self._username),
            "realm": _quoted(challenge.realm),
            "nonce": _quoted(challenge.nonce),
            "uri": _quoted(uri),
            "algorithm": challenge.algorithm,
        }
        if challenge.quality:
            own = secrets.token_hex(8)
            middle = f"{challenge.nonce}:{count:08x}:{own}:auth"
            fields |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": _quoted(own)}
        else:
            middle = challenge.nonce
        fields["response"] = _quoted(digest(f"{who}:{middle}:{what}"))
        if challenge.opaque is not None:
            fields["opaque"] = _quoted(challenge.opaque)
        return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
