"""Judge answers: which are errors, what they say in one clean line, and whether they are web pages or redirects."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urljoin

from requests import Response

from opencast.api import absence, addresses
from opencast.api.retries import retry_after
from opencast.errors import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RedirectRefused,
    ServerError,
    ServerFailure,
    ServiceMissing,
    Throttled,
    UnexpectedContent,
    WrongOrganization,
)

#: Characters of an answer's body that an error message quotes at most, and bytes that are looked at for it.
QUOTED_CHARACTERS = 240
_LOOKED_AT = 64 * 1024

_PUBLISHED = re.compile(r"[^:/]+://[^/]+/static/")
_NOT_HANDED_OUT = (
    "Opencast hands out the files of a channel that no rule names to nobody, not even to administrators: add a pattern "
    "to org.opencastproject.fsresources.SimpleConfigurableStaticFileAuthorization.cfg there, or mount the source's "
    "folder (setting source_storage)."
)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOGIN_PAGES = ("/login.html", "/login", "/j_spring_security_check", "/j_spring_security_logout")
_FORBIDDEN_PAGE = "/403.html"
#: Part of the sentence with which Opencast refuses a second workflow for a mediapackage, as a 500.
_BUSY = b"another workflow is currently active"

_HTML_START = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_HTML_TITLE = re.compile(r"<(title|h2)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_HTML_NOISE = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
_URL = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_SECRETS = re.compile(
    r"(?i)\b(authorization|(?:set-)?cookie|jsessionid|password|policy|signature|keyid|token|nonce)\b(\s*[=:]\s*)"
    r"(?:(?:basic|digest|bearer)\s+)?[^\s&;,\"'<>]+"
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


def quote(body: bytes, *, masked: tuple[str, ...] = ()) -> str:
    """Give what an answer's body says as one short line without markup and without secrets.

    :param masked: texts that must not appear, such as the password.
    """
    text = body[:_LOOKED_AT].decode("utf-8", errors="replace")
    if "<" in text:
        title = _HTML_TITLE.search(text)
        text = html.unescape(_HTML_NOISE.sub(" ", title.group(2) if title else text))
    text = clean(text, masked=masked)
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS].rstrip()} ..."


def clean(text: str, *, masked: tuple[str, ...] = ()) -> str:
    """Take secrets, queries of URLs and line breaks out of a text that a server or a library wrote."""
    for secret in filter(None, masked):
        # Whole words only: a password such as "opencast" would otherwise blacken half of every stack trace.
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    text = _URL.sub(lambda found: addresses.shown(found.group()), text)
    text = _SECRETS.sub(r"\1\2***", text)
    return _CONTROLS.sub(" ", text).strip()


def is_html(response: Response) -> bool:
    """Tell whether an answer declares itself as a web page."""
    return media_type(response) in {"text/html", "application/xhtml+xml"}


def begins_like_html(body: bytes) -> bool:
    """Tell whether a body is a web page, whatever is declared."""
    return bool(_HTML_START.match(body[:1024]))


def unexpected(response: Response, what: str, *, masked: tuple[str, ...] = ()) -> UnexpectedContent:
    """Make the error for an answer of the right status with a wrong body.

    :param what: what came instead, to complete the sentence "answered with ...".
    """
    said = quote(response.content, masked=masked)
    message = f"{_method(response)} {addresses.shown(response.url)} was answered with {what}"
    message = f"{message}: {said}" if said else f"{message}."
    return UnexpectedContent(message, status=response.status_code, url=addresses.shown(response.url))


def media_type(response: Response) -> str:
    """Give the content type without parameters, in lower case; empty when there is none."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def redirect_target(response: Response) -> str | None:
    """Give the absolute URL that an answer redirects to, however strange it is; None when it is no redirect."""
    location = response.headers.get("Location")
    if response.status_code not in REDIRECTS or not location:
        return None
    try:
        return urljoin(response.url, location)
    except ValueError:
        return location


def is_login_page(url: str) -> bool:
    """Tell whether a redirect leads to a login page, with which Opencast answers whoever is not logged in."""
    return _path(url).endswith(_LOGIN_PAGES)


def is_forbidden_page(url: str) -> bool:
    """Tell whether a redirect leads to the page for users who lack a role."""
    return _path(url).endswith(_FORBIDDEN_PAGE)


def _path(url: str) -> str:
    return "/" + addresses.shown(url).partition("://")[2].partition("/")[2]


def error_for(
    response: Response,
    body: bytes,
    *,
    sent_credentials: bool = True,
    masked: tuple[str, ...] = (),
) -> ServerError:
    """Make the named error for an answer that is not the one that was asked for.

    :param body: the answer's body, or its beginning.
    :param sent_credentials: whether the request carried login and password; else the advice names that as the cause.
    :param masked: texts that must not appear in the message.
    """
    target = redirect_target(response)
    if target is not None:
        return _redirect_error(response, target, sent_credentials=sent_credentials)
    said = quote(body, masked=masked)
    status = response.status_code
    if absence.is_service_away(response, body):
        return service_missing(response, said)
    builder = _BUILDERS.get(status)
    if builder is not None:
        return builder(response, said, sent_credentials)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and _BUSY in body:
        return _make(Conflict, response, said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _make(ServerFailure, response, said)
    if status >= HTTPStatus.BAD_REQUEST:
        return _make(BadRequest, response, said)
    return _make(UnexpectedContent, response, said)


def service_missing(response: Response, said: str) -> ServerError:
    """Make the error for an answer of a server whose service is away for the moment."""
    return _make(ServiceMissing, response, said)


def _make(kind: type[ServerError], response: Response, said: str, *, advice: str | None = None) -> ServerError:
    return kind(_message(response, said), status=response.status_code, url=addresses.shown(response.url), advice=advice)


def _method(response: Response) -> str:
    return str(response.request.method)


def _message(response: Response, said: str) -> str:
    try:
        phrase = HTTPStatus(response.status_code).phrase
    except ValueError:
        phrase = "unknown status"
    message = f"{_method(response)} {addresses.shown(response.url)} was answered with {response.status_code} {phrase}"
    return f"{message}: {said}" if said and said != phrase else f"{message}."


def _unauthorized(response: Response, said: str, sent_credentials: bool) -> ServerError:
    # Services answer 401 with the bare word, and without a challenge, to a user who is known but may not do this.
    if sent_credentials and "WWW-Authenticate" not in response.headers and said.lower() == "unauthorized":
        return _make(Forbidden, response, said)
    return _make(AuthenticationFailed, response, said, advice=_login_advice(response, sent_credentials))


def _forbidden(response: Response, said: str, sent_credentials: bool) -> ServerError:
    advice = _login_advice(response, sent_credentials)
    if advice is None and _PUBLISHED.match(addresses.shown(response.url)):
        advice = _NOT_HANDED_OUT
    return _make(Forbidden, response, said, advice=advice)


def _not_found(response: Response, said: str, _sent_credentials: bool) -> ServerError:
    return _make(WrongOrganization if "No organization is mapped" in said else NotFound, response, said)


def _conflict(response: Response, said: str, _sent_credentials: bool) -> ServerError:
    return _make(Conflict, response, said)


def _throttled(response: Response, said: str, _sent_credentials: bool) -> ServerError:
    return Throttled(
        _message(response, said),
        status=response.status_code,
        url=addresses.shown(response.url),
        retry_after=retry_after(response),
    )


_BUILDERS: dict[int, Callable[[Response, str, bool], ServerError]] = {
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    409: _conflict,
    429: _throttled,
    503: _throttled,
}


def _login_advice(response: Response, sent_credentials: bool) -> str | None:
    if sent_credentials:
        return None
    return (
        f"No login was sent to {_origin_or_url(response.url)}: it goes to the connection's own host and to its trusted "
        "hosts only, never after a redirect, and not at all when the connection has none."
    )


def _redirect_error(response: Response, target: str, *, sent_credentials: bool) -> ServerError:
    url = addresses.shown(response.url)
    where = addresses.shown(target)
    message = f"{url} redirects to {where}."
    status = response.status_code
    if is_login_page(target):
        advice = _login_advice(response, sent_credentials)
        return AuthenticationFailed(message, status=status, url=url, advice=advice)
    if is_forbidden_page(target):
        return Forbidden(message, status=status, url=url, advice=_login_advice(response, sent_credentials))
    here, there = _origin_or_url(url), _origin_or_url(target)
    advice = None
    if here != there:
        advice = f"Set the connection's host to {there} if that is the server's right address."
    return RedirectRefused(message, status=status, url=url, advice=advice)


def _origin_or_url(url: str) -> str:
    try:
        parts = addresses.split(url)
    except UnexpectedContent:
        return addresses.shown(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
