"""Sign URLs of protected files (``/signing``). A signed URL is a secret: never store or log it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from opencast.api import addresses
from opencast.errors import InvalidAnswer, ServerError

if TYPE_CHECKING:
    from opencast.api.client import Client

#: How long a signature is good for. It is made right before a download, and anew for each part of a broken one; a
#: server looks at it when the download begins.
VALID = timedelta(hours=2)
#: Statuses for a request without a signature (400), with a wrong one (403) or one that is over (410), and 401, which
#: some web servers in front of the files make of them. A redirect to the login page is none of these.
_REFUSALS = frozenset({400, 401, 403, 410})
#: What a signature consists of.
_PARAMETERS = frozenset({"policy", "keyId", "signature"})
#: Files below the same organization and channel have the same key: ``/static/<organization>/<channel>``.
_SAME_KEY_SEGMENTS = 4


class SigningService:
    """``/signing``: needs ROLE_ADMIN."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def accepts(self, url: str) -> bool:
        """Tell whether the server signs URLs like this one (``GET /signing/accepts``)."""
        return self._client.get_text("/signing/accepts", params={"baseUrl": url}) == "true"

    def sign(self, url: str, valid_until: datetime) -> str:
        """Sign a URL (``GET /signing/sign``).

        :param valid_until: aware.
        :returns: the URL with a policy and a signature in its query.
        :raises BadRequest: the server does not sign such URLs.
        :raises InvalidAnswer: the answer leads to another file than the one that was asked for.
        """
        params: dict[str, str | int] = {"baseUrl": url, "validUntil": int(valid_until.timestamp())}
        signed = self._client.get_text("/signing/sign", params=params)
        if urlsplit(signed)[:3] != urlsplit(url)[:3]:
            raise InvalidAnswer(
                "/signing/sign answered the address of another file than the one that was to be signed."
            )
        return signed


class Signer:
    """Signs the URLs of files that are not given out otherwise, and of nothing else.

    Whether a file is protected shows only when it is asked for: signing can be set up on the server, on a distribution
    host, or on neither. So the first file of a channel is asked for as it is, and all further ones signed.

    :param service: of the server that has the keys.
    :param now: aware.
    """

    def __init__(self, service: SigningService, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._service = service
        self._now = now
        self._protected: set[str] = set()

    def address(self, url: str) -> str:
        """Return the address to ask for: freshly signed when files beside this one are protected.

        A signature that came with the URL, out of an archive or a search result, is never used.
        """
        url = without_signature(url)
        return self._sign(url) if _place(url) in self._protected else url

    def after_refusal(self, url: str, refusal: ServerError) -> str | None:
        """Return a freshly signed address for a file that was refused; None when a signature would not help."""
        url = without_signature(url)
        try:
            if refusal.status not in _REFUSALS or not self._service.accepts(url):
                return None
        except (ServerError, InvalidAnswer):
            # No signing service (before 2.1), or none for this account: the refusal has another reason.
            return None
        self._protected.add(_place(url))
        return self._sign(url)

    def _sign(self, url: str) -> str:
        return self._service.sign(url, self._now() + VALID)


def without_signature(url: str) -> str:
    """Cut a signature off a URL; whatever else is in its query stays as it is written."""
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if name not in _PARAMETERS]
    return url if len(kept) == len(given) else urlunsplit(parts._replace(query=urlencode(kept)))


def _place(url: str) -> str:
    return "/".join([addresses.origin(url), *urlsplit(url).path.split("/")[1:_SAME_KEY_SEGMENTS]])
