"""What happens to each request before its service sees it: counted, logged in, checked against the rules."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from tests.simulator import generations, media_host, responses
from tests.simulator.access import ANONYMOUS, Authentication, BadCredentials, Caller, needed_roles
from tests.simulator.disruption import Disruption
from tests.simulator.settings import Organization

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
CONTROL = "/_simulator/"
ORGANIZATION = "x-opencast-matterhorn-organization"
_RUN_AS = ("x-opencast-matterhorn-user", "x-run-as-user")
_RUN_WITH = ("x-opencast-matterhorn-roles", "x-run-with-roles")


@dataclass(slots=True)
class Exchange:
    """One request as it was seen.

    :param status: 0 when the connection ended before an answer.
    :param received: bytes of the request's body, ``sent``: of the answer's.
    :param fault: number of the fault that happened to it.
    """

    method: str
    path: str
    query: str
    user: str = ""
    status: int = 0
    received: int = 0
    sent: int = 0
    seconds: float = 0.0
    fault: int | None = None
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class RequestLog:
    """The last requests, and totals over all of them."""

    def __init__(self, keep: int = 100_000) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque(maxlen=keep)
        self.count = self.received = self.sent = 0

    def begin(self, exchange: Exchange) -> None:
        """Note a request when it comes, so that the order is the client's."""
        with self._lock:
            self._kept.append(exchange)
            self.count += 1

    def end(self, exchange: Exchange) -> None:
        """Add up what a finished request has moved."""
        with self._lock:
            self.received += exchange.received
            self.sent += exchange.sent

    def all(self, method: str | None = None, prefix: str = "") -> list[Exchange]:
        """Give the requests seen, oldest first, of one method or path prefix."""
        with self._lock:
            kept = list(self._kept)
        return [e for e in kept if method in (None, e.method) and e.path.startswith(prefix)]

    def clear(self) -> None:
        """Forget everything and count from zero."""
        with self._lock:
            self._kept.clear()
            self.count = self.received = self.sent = 0


class Refused(Exception):
    """The request ends here with this answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Gatekeeper:
    """ASGI middleware; the caller is left in ``scope["caller"]``."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], simulator: Simulator) -> None:
        self.app, self.simulator, self.settings = app, simulator, simulator.settings
        self.authentication = Authentication(simulator.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; those that steer the simulator itself are neither counted nor disturbed."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        exchange = Exchange(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
        exchange.headers = dict(headers)
        exchange.headers.pop("authorization", None)
        started = time.perf_counter()

        async def counted_receive() -> Message:
            message = await receive()
            exchange.received += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            exchange.sent += len(message.get("body", b""))
            await send(message)

        async def serve(receive: Receive, send: Send) -> None:
            try:
                self._require_signature(scope)
                if self.simulator.is_media_host(tuple(scope["server"])):
                    request = Request(scope)
                    exchange.user = (media_host.login_of(request) or ("",))[0]
                    await media_host.answer(request, self.simulator)(scope, receive, send)
                    return
                caller = self._admit(scope, headers)
                exchange.user = caller.user.username
                scope["caller"] = caller
                await self.app(scope, receive, send)
            except Refused as refusal:
                await refusal.answer(scope, receive, send)

        self.simulator.requests.begin(exchange)
        fault = self.simulator.faults.for_request(exchange.method, exchange.path, exchange.query)
        try:
            if fault is None:
                await serve(counted_receive, counted_send)
            else:
                exchange.fault = fault.number
                # uvicorn has no way to end a connection but the transport of the object that sends.
                transport = send.__self__.transport  # type: ignore[attr-defined]  # ASGI has a plain callable
                disruption = Disruption(self.simulator, fault, scope, counted_receive, counted_send, transport)
                await disruption.run(serve)
        finally:
            exchange.seconds = time.perf_counter() - started
            self.simulator.requests.end(exchange)

    def _require_signature(self, scope: Scope) -> None:
        """Refuse what is closed to everybody without a signature, before anybody asks who it is.

        :raises Refused: with 400, 403 or 410.
        """
        delivery, request = self.settings.delivery, Request(scope)
        if delivery.is_signed(scope["path"]):
            client = scope["client"][0] if scope["client"] else ""
            status = delivery.refusal(str(request.url.replace(query="")), request.url.query, client)
            if status is not None:
                raise Refused(responses.page(status, "", scope["path"], servlet="default"))

    def _admit(self, scope: Scope, headers: Headers) -> Caller:
        """Identify the caller and check the rules.

        :raises Refused: with 302, 401, 403 or 404.
        """
        path, method = scope["path"], scope["method"]
        organization = self._organization(headers)
        if organization is None:
            raise Refused(responses.page(404, "No organization is mapped to the request", path, servlet="default"))
        try:
            user = self.authentication.identify(headers.get("authorization"), method)
        except BadCredentials as error:
            raise Refused(self._unauthorized(path, "Bad credentials", error.scheme, stale=error.stale)) from error
        asked = headers.get("x-requested-auth")
        if user is None and asked in ("Basic", "Digest"):
            message = "An Authentication object was not found in the SecurityContext"
            raise Refused(self._unauthorized(path, message, asked))
        caller = self._switched(Caller(user or ANONYMOUS, organization), headers, path)
        open_to_all = self.settings.oai_open and path.startswith("/oaipmh")
        if open_to_all or caller.roles & needed_roles(method, path):
            if not generations.has_path(self.settings.generation, path):
                raise Refused(responses.page(404, "Not Found", path, servlet="default"))
            return caller
        if caller.anonymous:
            raise Refused(self._to_login(headers))
        raise Refused(responses.page(403, "Forbidden", path, servlet=responses.servlet_of(path)))

    def _organization(self, headers: Headers) -> Organization | None:
        known = self.settings.organizations
        host = headers.get("host", "").lower()
        mapped = next((o for o in known if host in o.hosts or host.split(":")[0] in o.hosts), None)
        return mapped or (known[0] if len(known) == 1 else None)

    def _switched(self, caller: Caller, headers: Headers, path: str) -> Caller:
        forbidden = Refused(responses.page(403, "Forbidden", path, servlet=responses.servlet_of(path)))
        wanted = headers.get(ORGANIZATION)
        if wanted:
            organization = next((o for o in self.settings.organizations if o.id == wanted), None)
            if not caller.admin or organization is None:
                raise forbidden
            caller = replace(caller, organization=organization)
        name = next((headers[key] for key in _RUN_AS if headers.get(key)), None)
        roles = next((headers[key] for key in _RUN_WITH if headers.get(key)), None)
        if (name or roles) and "ROLE_SUDO" not in caller.roles:
            raise forbidden
        if name:
            user = self.authentication.user(name)
            if user is None or ("ROLE_ADMIN" in user.roles and not caller.admin):
                raise forbidden
            caller = replace(caller, user=user)
        if roles:
            user = caller.user if name else ANONYMOUS
            caller = replace(caller, user=replace(user, roles=tuple(r for r in roles.split(",") if r)))
        return caller

    def _unauthorized(self, path: str, message: str, scheme: str, *, stale: bool = False) -> Response:
        challenge = self.authentication.challenge(scheme, stale=stale)
        return responses.page(401, message, path, servlet=responses.servlet_of(path), www_authenticate=challenge)

    def _to_login(self, headers: Headers) -> Response:
        session = f"node0{secrets.token_hex(12)}.node0"
        location = f"http://{headers.get('host', '127.0.0.1')}/login.html;jsessionid={session}"
        return responses.empty(302, location=location)
