"""Sign URLs of protected files (``/signing``). A signed URL is a secret: never store or log it."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from opencast.api.client import Client
from opencast.errors import InvalidAnswer


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
