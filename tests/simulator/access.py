"""Who a caller is (Basic, Digest, anonymous) and what the security rules let him call."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from tests.simulator.settings import Organization, Settings, User

REALM = "Opencast"
ANONYMOUS = User("anonymous", "", "", ("ROLE_ANONYMOUS",))
_ADMIN, _ANYONE = frozenset({"ROLE_ADMIN"}), frozenset({"ROLE_ANONYMOUS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The user and the organization of a request."""

    user: User
    organization: Organization

    @property
    def roles(self) -> frozenset[str]:
        """All roles."""
        return frozenset(self.user.roles)

    @property
    def anonymous(self) -> bool:
        """Whether nobody logged in."""
        return self.user.username == ANONYMOUS.username

    @property
    def admin(self) -> bool:
        """Whether the caller may do everything."""
        return "ROLE_ADMIN" in self.user.roles


class BadCredentials(Exception):
    """A login was tried and failed.

    :param scheme: ``Basic`` or ``Digest``; ``stale``: only the nonce was too old.
    """

    def __init__(self, scheme: str, stale: bool = False) -> None:
        super().__init__("Bad credentials")
        self.scheme, self.stale = scheme, stale


def _rule(pattern: str, roles: str, methods: str = "") -> tuple[re.Pattern[str], frozenset[str], frozenset[str]]:
    regex = re.escape(pattern).replace(r"/\*\*", "(/.*)?").replace(r"\*", "[^/]*")
    return re.compile(regex), frozenset(methods.split()), frozenset(roles.split()) | (_ADMIN if roles else _ANYONE)


# The default mh_default_org.xml as far as it concerns the paths simulated here; the first match decides.
RULES = (
    _rule("/", ""),
    _rule("/login.html", ""),
    _rule("/sysinfo/bundles/version", "", "GET HEAD"),
    _rule("/play/*", ""),
    _rule("/info/**", "", "GET HEAD"),
    _rule("/search/**", "", "GET HEAD"),
    _rule("/static/**", "", "GET HEAD"),
    _rule("/series/**", "", "GET HEAD"),
    _rule("/playlists/**", ""),
    _rule("/feeds/**", "", "GET HEAD"),
    _rule("/_simulator/**", ""),
    _rule("/admin-ng/acl/acls.json", "ROLE_UI_ACLS_VIEW", "GET HEAD"),
    _rule("/admin-ng/event/*/comments", "ROLE_UI_EVENTS_DETAILS_COMMENTS_VIEW", "GET HEAD"),
    _rule("/admin-ng/event/*/comment/*", "ROLE_UI_EVENTS_DETAILS_COMMENTS_VIEW", "GET HEAD"),
    _rule("/admin-ng/event/*/comment", "ROLE_UI_EVENTS_DETAILS_COMMENTS_CREATE", "POST"),
    _rule("/admin-ng/event/*/comment/*", "ROLE_UI_EVENTS_DETAILS_COMMENTS_CREATE", "POST"),
    _rule("/admin-ng/event/*/comment/*/reply", "ROLE_UI_EVENTS_DETAILS_COMMENTS_CREATE", "POST"),
    _rule("/admin-ng/event/*/comment/*", "ROLE_UI_EVENTS_DETAILS_COMMENTS_EDIT", "PUT"),
    _rule("/admin-ng/event/*/comment/*", "ROLE_UI_EVENTS_DETAILS_COMMENTS_DELETE", "DELETE"),
    _rule("/admin-ng/groups/groups.json", "ROLE_UI_GROUPS_VIEW", "GET HEAD"),
    _rule("/admin-ng/series/series.json", "ROLE_UI_SERIES_VIEW", "GET HEAD"),
    _rule("/admin-ng/themes/themes.json", "ROLE_UI_THEMES_VIEW", "GET HEAD"),
    _rule("/admin-ng/themes/*/usage.json", "ROLE_UI_THEMES_DETAILS_VIEW", "GET HEAD"),
    _rule("/admin-ng/themes/*.json", "ROLE_UI_THEMES_DETAILS_VIEW", "GET HEAD"),
    _rule("/admin-ng/themes/*", "ROLE_UI_THEMES_EDIT", "PUT"),
    _rule("/admin-ng/themes", "ROLE_UI_THEMES_CREATE", "POST"),
    _rule("/admin-ng/themes/*", "ROLE_UI_THEMES_DELETE", "DELETE"),
    _rule("/admin-ng/users/users.json", "ROLE_UI_USERS_VIEW", "GET HEAD"),
    _rule("/staticfiles", "ROLE_UI_THEMES_CREATE ROLE_UI_THEMES_EDIT", "POST"),
    _rule("/assets/assets/**", "ROLE_UI_EVENTS_DETAILS_ASSETS_VIEW", "GET HEAD"),
    _rule("/api", "ROLE_API", "GET HEAD"),
    _rule("/api/version", "ROLE_API", "GET HEAD"),
    _rule("/api/info/**", "ROLE_API", "GET HEAD"),
    _rule("/api/events", "ROLE_API_EVENTS_VIEW", "GET HEAD"),
    _rule("/api/events/*", "ROLE_API_EVENTS_VIEW", "GET HEAD"),
    _rule("/api/events/*", "ROLE_API_EVENTS_DELETE", "DELETE"),
    _rule("/api/events/*/acl", "ROLE_API_EVENTS_ACL_VIEW", "GET HEAD"),
    _rule("/api/events/*/media", "ROLE_API_EVENTS_MEDIA_VIEW", "GET HEAD"),
    _rule("/api/events/*/metadata", "ROLE_API_EVENTS_METADATA_VIEW", "GET HEAD"),
    _rule("/api/events/*/publications/**", "ROLE_API_EVENTS_PUBLICATIONS_VIEW", "GET HEAD"),
    _rule("/api/events/*/scheduling", "ROLE_API_EVENTS_SCHEDULING_VIEW", "GET HEAD"),
    _rule("/api/security/sign", "ROLE_API_SECURITY_EDIT", "POST"),
    _rule("/api/series/**", "ROLE_API_SERIES_VIEW", "GET HEAD"),
    _rule("/api/workflow-definitions/**", "ROLE_API_WORKFLOW_DEFINITION_VIEW", "GET HEAD"),
    _rule("/api/workflows/**", "ROLE_API_WORKFLOW_INSTANCE_VIEW", "GET HEAD"),
    _rule("/api/playlists/**", "ROLE_API_PLAYLISTS_VIEW", "GET HEAD"),
    _rule("/services/available.*", "ROLE_CAPTURE_AGENT", "GET HEAD"),
    _rule("/capture-admin/**", "ROLE_CAPTURE_AGENT"),
    _rule("/recordings/**", "ROLE_CAPTURE_AGENT", "GET HEAD"),
    _rule("/ingest/**", "ROLE_CAPTURE_AGENT ROLE_STUDIO"),
    _rule("/workflow/definitions.json", "ROLE_UI_EVENTS_CREATE", "GET HEAD"),
    _rule("/workflow/definitions.xml", "ROLE_CAPTURE_AGENT", "GET HEAD"),
)


def needed_roles(method: str, path: str) -> frozenset[str]:
    """Give the roles of which one is needed."""
    for pattern, methods, roles in RULES:
        if (not methods or method in methods) and pattern.fullmatch(path):
            return roles
    return _ADMIN


class Authentication:
    """Recognises callers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._key = secrets.token_hex(8)

    def user(self, name: str) -> User | None:
        """Find an account."""
        return next((user for user in self.settings.users if user.username == name), None)

    def identify(self, authorization: str | None, method: str) -> User | None:
        """Give the user who logged in with an ``Authorization`` header; None when there is none.

        :raises BadCredentials: when the login is wrong.
        """
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            return self._basic(rest)
        if scheme.lower() == "digest":
            return self._digest(rest, method)
        return None

    def _basic(self, token: str) -> User:
        try:
            name, _, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise BadCredentials("Basic") from error
        user = self.user(name)
        if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
            raise BadCredentials("Basic")
        return user

    def _digest(self, parameters: str, method: str) -> User:
        given = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', parameters)}
        user = self.user(given.get("username", ""))
        if user is None or not user.in_memory or given.get("realm") != REALM:
            raise BadCredentials("Digest")
        one = _md5(f"{user.username}:{REALM}:{user.password}")
        two = _md5(f"{method}:{given.get('uri', '')}")
        middle = ":".join(given.get(key, "") for key in ("nonce", "nc", "cnonce", "qop"))
        expected = _md5(f"{one}:{middle}:{two}" if "qop" in given else f"{one}:{given.get('nonce', '')}:{two}")
        expiry = self._expiry(given.get("nonce", ""))
        if expiry is None or not hmac.compare_digest(expected, given.get("response", "")):
            raise BadCredentials("Digest")
        if expiry < time.time():
            raise BadCredentials("Digest", stale=True)
        return user

    def nonce(self) -> str:
        """Make a nonce that carries the moment when it ends."""
        expiry = str(int((time.time() + self.settings.digest_nonce_seconds) * 1000))
        return base64.b64encode(f"{expiry}:{_md5(f'{expiry}:{self._key}')}".encode()).decode()

    def _expiry(self, nonce: str) -> float | None:
        try:
            expiry, _, sign = base64.b64decode(nonce).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return int(expiry) / 1000 if expiry.isdigit() and sign == _md5(f"{expiry}:{self._key}") else None

    def challenge(self, scheme: str, *, stale: bool = False) -> str:
        """Give the value of ``WWW-Authenticate``."""
        if scheme == "Basic":
            return f'Basic realm="{REALM}"'
        text = f'Digest realm="{REALM}", qop="auth", nonce="{self.nonce()}"'
        return text + ', stale="true"' if stale else text


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
