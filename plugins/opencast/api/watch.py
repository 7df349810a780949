"""Somebody who wants to know about every request: to slow them down, or to judge how the server bears them."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Called around each request of a client, in the thread that sends it."""

    def before(self) -> None:
        """Do something before a request is sent, such as wait."""

    def after(self, method: str, status: int | None, seconds: float) -> None:
        """Do something after an answer has begun.

        :param status: None when no answer came.
        :param seconds: from sending to the first byte of the answer.
        """
