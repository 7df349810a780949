"""Ask a server of this process without a network."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import requests
from opencast.api.authentication import DigestAuth
from urllib3 import HTTPResponse

from tests.harvest.oai_server import Reply

Answering = Callable[[dict[str, str]], Reply]


class InProcess:
    """Stands where the product's connections stand; a reply may also be an exception to raise."""

    digest: DigestAuth | None = None

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self.urls: list[str] = []
        self.with_login: list[bool] = []

    def send(self, request: requests.Request, *, credentials: bool, timeout: tuple[float, float]) -> requests.Response:
        url = str(request.url)
        self.urls.append(url)
        self.with_login.append(credentials)
        form = request.data.decode() if isinstance(request.data, bytes) else ""
        reply = self._answer(dict(parse_qsl(form or urlsplit(url).query, keep_blank_values=True)))
        response = requests.Response()
        response.status_code = reply.status
        response.headers.update(reply.headers)
        response.url = url
        response.request = request.prepare()
        response.raw = HTTPResponse(
            body=BytesIO(reply.body), headers=reply.headers, status=reply.status, preload_content=False
        )
        return response

    def close(self) -> None:
        pass
