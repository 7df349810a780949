"""Build and judge URLs: escaped paths, origins, and URLs that may be shown in a log."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit

from opencast.errors import ConfigurationError, InvalidIdentifier, UnexpectedContent

_DEFAULT_PORTS = {"http": 80, "https": 443}


def path(*parts: str) -> str:
    """Join a fixed first part and variable segments into a path; every segment is percent-escaped.

    ``path("/assets/episode", "a b/c")`` gives ``/assets/episode/a%20b%2Fc``.

    :param parts: the first part is taken as it is, each further one becomes exactly one segment.
    :raises InvalidIdentifier: a segment that is empty, ``.`` or ``..``. Clients and servers resolve such segments (also
        when they are escaped), so that the request would reach another resource than the one that was meant.
    """
    fixed, *segments = parts
    escaped = [fixed.rstrip("/")]
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise InvalidIdentifier(f"{segment!r} cannot be a part of a path below {fixed}.")
        escaped.append(quote(segment, safe=""))
    return "/".join(escaped)


def split(url: str) -> SplitResult:
    """Take an ``http`` or ``https`` URL apart.

    :raises UnexpectedContent: another scheme, no host, or a port that is no number.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UnexpectedContent(f"{shown(url)!r} is no http(s) address.", url=shown(url))
    return parts


def origin(url: str) -> str:
    """Give ``scheme://host:port`` of a URL in lower case, with the port always written out.

    :raises UnexpectedContent: no http(s) URL.
    """
    parts = split(url)
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def configured_origin(text: str, *, scheme: str, setting: str) -> str:
    """Give the origin that a setting names, as ``https://host[:port]`` or as ``host[:port]``.

    :param scheme: taken when the text has none.
    :param setting: name of the setting, for the message.
    :raises ConfigurationError: no host name can be made out.
    """
    text = text.strip()
    try:
        return origin(text if "://" in text else f"{scheme}://{text}")
    except UnexpectedContent as error:
        raise ConfigurationError(f"{setting}: {text!r} names no host.") from error


def shown(url: str) -> str:
    """Cut everything off a URL that may be secret: user info, path parameters, query and fragment.

    Signed URLs carry their policy and signature in the query; Jetty writes session ids as path parameters.
    Never fails, so that it can be used while another error is being reported.
    """
    bare = url.split("#", 1)[0].split("?", 1)[0].split(";", 1)[0]
    scheme, separator, rest = bare.partition("://")
    if not separator:
        return bare
    authority, slash, tail = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{tail}"


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine; such requests never go through a proxy."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False
