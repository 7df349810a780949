"""Lets a fault happen to one request, around whatever would answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from tests.simulator.faults import Fault
from tests.simulator.storage import spoil

if TYPE_CHECKING:
    from tests.simulator.server import Simulator

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Serve = Callable[[Receive, Send], Awaitable[None]]


class Dropped(Exception):
    """The connection is to end here."""


class Disruption:
    """One request under a fault.

    :param transport: the connection.
    """

    def __init__(
        self, simulator: Simulator, fault: Fault, scope: Message, receive: Receive, send: Send,
        transport: asyncio.Transport,
    ) -> None:  # fmt: skip
        self.simulator, self.fault, self.scope, self.transport = simulator, fault, scope, transport
        self._receive, self._send = receive, send
        self._received = self._sent = 0
        self._start: Message | None = None
        self._held = bytearray()

    async def run(self, serve: Serve) -> None:
        """Answer the request, or not."""
        fault = self.fault
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.delete_event:
            await asyncio.to_thread(self.simulator.remove_event, fault.delete_event)
        if fault.before:
            await asyncio.to_thread(fault.before)
        try:
            await self._answer(serve)
        except Dropped:
            await self._disconnect()

    async def _answer(self, serve: Serve) -> None:
        fault = self.fault
        if fault.drop or fault.status is not None:
            if fault.executed:
                await serve(self._receive, self._swallow)
            else:
                await self._read_request()
            await self._after_service()
            if fault.drop:
                raise Dropped
            await self._replace()
            return
        await serve(self._counted_receive, self._hold if self._whole else self._pass_on)
        if self._whole:
            await self._after_service()
            await self._changed()

    @property
    def _whole(self) -> bool:
        """Whether the answer is held back until the service is done."""
        return self.fault.body is not None or self.fault.then is not None or self.fault.spoil is not None

    # --- the request ----------------------------------------------------------------------------------------------

    async def _counted_receive(self) -> Message:
        message = await self._receive()
        limit = self.fault.drop_upload
        if limit is None or message["type"] != "http.request":
            return message
        self._received += len(message.get("body", b""))
        if self._received <= limit:
            return message
        await self._disconnect()
        return {"type": "http.disconnect"}

    async def _read_request(self) -> None:
        """Take the whole body, so that the client gets to the answer."""
        while (message := await self._receive()).get("more_body"):
            if message["type"] == "http.disconnect":
                return

    # --- the answer -----------------------------------------------------------------------------------------------

    async def _swallow(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message

    async def _hold(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._held += message.get("body", b"")

    async def _after_service(self) -> None:
        if self.fault.spoil and self._start is not None and self._start["status"] == 200:
            parts = self.scope["path"].strip("/").split("/")
            await asyncio.to_thread(spoil, self.simulator.storage, parts[-2], parts[-1], self.fault.spoil == "network")
        if self.fault.then:
            await asyncio.to_thread(self.fault.then)

    async def _replace(self) -> None:
        body = self.fault.body or b""
        data = body(b"") if callable(body) else body
        await self._whole_answer(self.fault.status or 200, [], data)

    async def _changed(self) -> None:
        if self._start is None:
            raise Dropped
        body, data = self.fault.body, bytes(self._held)
        if body is not None:
            data = body(data) if callable(body) else body
        await self._whole_answer(self._start["status"], list(self._start["headers"]), data)

    async def _whole_answer(self, status: int, headers: list[tuple[bytes, bytes]], data: bytes) -> None:
        is_head = self.scope["method"] == "HEAD"
        if not is_head or self.fault.status is not None:
            headers = [*_without(headers, b"content-length"), (b"content-length", str(len(data)).encode())]
        await self._pass_on({"type": "http.response.start", "status": status, "headers": headers})
        await self._pass_on({"type": "http.response.body", "body": b"" if is_head else data, "more_body": False})

    async def _pass_on(self, message: Message) -> None:
        """Send on, with the fault's headers, and with what happens to the bytes on their way."""
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            for name, value in self.fault.headers.items():
                key = name.lower().encode("latin-1")
                headers = [*_without(headers, key), (key, value.encode("latin-1"))]
            await self._send({**message, "headers": headers})
            return
        data = bytes(message.get("body", b""))
        begin, self._sent = self._sent, self._sent + len(data)
        data = self._corrupted(data, begin)
        limit = self.fault.drop_after
        if limit is not None and self._sent > limit:
            await self._send({**message, "body": data[: max(limit - begin, 0)], "more_body": True})
            raise Dropped
        if self.fault.stall and begin <= self.fault.stall_after < self._sent:
            cut = self.fault.stall_after - begin
            await self._send({**message, "body": data[:cut], "more_body": True})
            await asyncio.sleep(self.fault.stall)
            data = data[cut:]
        await self._send({**message, "body": data})

    def _corrupted(self, data: bytes, begin: int) -> bytes:
        position = self.fault.corrupt
        if position is None or not begin <= position < self._sent:
            return data
        at = position - begin
        return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]

    async def _disconnect(self) -> None:
        """End the connection after what was written."""
        self.transport.close()
        while (await self._receive())["type"] != "http.disconnect":
            continue


def _without(headers: list[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, value in headers if key.lower() != name]
