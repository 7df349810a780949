"""Playlists as feeds under ``/opencast/feeds``: open where the playlist is public, otherwise for its token.

The token travels as the password of Basic authentication, as players of podcasts send it: an address with a token in it
would end up in the logs of servers and proxies. Other logins are Airflow's own affair and say nothing about a feed; an
Airflow that lets everybody in adds one to each request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from opencast.errors import FeedUnavailable
from opencast.harvest.feed_documents import JSON_TYPE, RSS_TYPE, json_feed, rss
from opencast.harvest.feeds import Feed, read_feed
from opencast.hooks.store import open_store
from opencast.settings import load_settings

router = APIRouter(prefix="/feeds")

_FORMS: Mapping[str, tuple[str, Callable[..., bytes]]] = {"rss": (RSS_TYPE, rss), "json": (JSON_TYPE, json_feed)}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="feed", charset="UTF-8"'}


@router.get("/{name}.{form}")
def feed(
    request: Request,
    name: str,
    form: str,
    authorization: Annotated[str | None, Header(max_length=1000)] = None,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Answer a playlist's feed as ``<name>.rss`` or ``<name>.json``.

    Whoever may not see it cannot tell whether it exists: both are asked for a token.
    """
    if form not in _FORMS:
        return Response("A feed is <name>.rss or <name>.json.", 404, media_type="text/plain")
    try:
        found: Feed = read_feed(open_store(load_settings()), name, token_of(authorization))
    except FeedUnavailable as error:
        return Response(str(error), 401, _CHALLENGE, "text/plain")
    media_type, write = _FORMS[form]
    body = write(found, address=str(request.url.replace(query="")), site=str(request.base_url))
    tag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def token_of(authorization: str | None) -> str | None:
    """Read the token of a header ``Authorization``.

    :returns: None where there is none; a login that cannot be read is a token that opens nothing.
    """
    scheme, _, value = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
