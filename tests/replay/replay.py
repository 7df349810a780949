"""Sends recorded requests to a simulator."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.replay.comparison import Answer
from tests.simulator import Simulator
from tests.simulator.recordings import Exchange

_LOGINS = {
    "admin": ("admin", "opencast"),
    "wrong password": ("admin", "wrong"),
    "alice (ROLE_USER, ROLE_USER_ALICE)": ("alice", "alice"),
}
_ORIGIN = re.compile(r"http://127\.0\.0\.1:80(80|81|90)")
_NEUTRAL = "http://server"


#: Values that each server makes anew, in the order in which they stand in an answer.
_NEW = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=<resumptionToken>)[0-9a-f]{32}|"
    r'(?<=<wf:workflow id=")\d+|(?<=org" id=")\d+(?=" state)|(?<=<wf:operation id=")\d+|(?<=job=")\d+|'
    r'(?<="identifier":)\d+|(?<="id":)\d+'
)


class Names:
    """What the simulator calls the things that had other names on the recorded server."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}
        self.there: dict[str, str] = {}

    def learn(self, expected: bytes, actual: bytes) -> None:
        """Pair the new values of two answers, unless these hold a different number of them."""
        one, two = (_NEW.findall(body.decode("utf-8", "replace")) for body in (expected, actual))
        if len(one) == len(two):
            for recorded_name, own in zip(one, two, strict=True):
                self.here.setdefault(recorded_name, own)
                self.there.setdefault(self.here[recorded_name], recorded_name)

    def to_here(self, text: str) -> str:
        """Write a request with this server's names."""
        return _renamed(text, self.here)

    def to_there(self, body: bytes) -> bytes:
        """Write an answer with the recorded names."""
        try:
            return _renamed(body.decode(), self.there).encode()
        except UnicodeDecodeError:
            return body


def _renamed(text: str, names: dict[str, str]) -> str:
    if not names:
        return text
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![0-9a-zA-Z])({known})(?![0-9a-zA-Z])", lambda found: names[found[0]], text)


@dataclass
class Replayer:
    """Sends requests to one simulator; answers are given with a neutral address in place of the server's."""

    simulator: Simulator
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        self.session = requests.Session()

    def send(self, exchange: Exchange) -> Answer:
        """Send a recorded request as it was."""
        request = exchange.request
        return self.request(request["method"], exchange.path, request.get("auth", "admin"), **self._content(request))

    def follow(self, exchange: Exchange, **content: Any) -> Answer:
        """Send a request of a sequence: with the names that this server gave, and learn those of the answer.

        :param content: what was not recorded of the request's body.
        """
        request = exchange.request
        content = {**self._content(request), **content}
        answer = self.request(request["method"], exchange.path, request.get("auth", "admin"), **content)
        self.names.learn(recorded(exchange).body, answer.body)
        headers = {name: self.names.to_there(value.encode()).decode() for name, value in answer.headers.items()}
        return Answer(answer.status, headers, self.names.to_there(answer.body))

    def _content(self, request: dict[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {"headers": request.get("headers", {})}
        form = request.get("form")
        if isinstance(form, str):
            content["data"] = form.encode()
        elif form is not None:
            content["data"] = {key: self.addressed(value) for key, value in form.items()}
        return content

    def request(self, method: str, path: str, login: str = "admin", **content: Any) -> Answer:
        """Send any request."""
        url = self.simulator.url + self.addressed(path)
        auth = _LOGINS.get(login)
        answer = self.session.request(method, url, auth=auth, allow_redirects=False, timeout=30, **content)
        headers = {key.lower(): self.neutral(value) for key, value in answer.headers.items()}
        return Answer(answer.status_code, headers, self.neutral(answer.content))

    def addressed(self, text: str) -> str:
        """Put this server's address in the place of recorded ones."""
        port = self.simulator.url.rsplit(":", 1)[-1]
        text = _ORIGIN.sub(self.simulator.url, text).replace("127.0.0.1%3A8080", f"127.0.0.1%3A{port}")
        return self.names.to_here(text)

    def neutral(self, value: Any) -> Any:
        """Put a neutral address in the place of this server's; JSON may escape its slashes."""
        for own, neutral in ((self.simulator.url, _NEUTRAL), (_escaped(self.simulator.url), _escaped(_NEUTRAL))):
            if isinstance(value, bytes):
                value = value.replace(own.encode(), neutral.encode())
            else:
                value = value.replace(own, neutral)
        return value


def recorded(exchange: Exchange) -> Answer:
    """Give a recorded answer with a neutral address in place of the server's."""
    body = exchange.body
    for pattern, neutral in ((_ORIGIN.pattern, _NEUTRAL), (_escaped(_ORIGIN.pattern), _escaped(_NEUTRAL))):
        body = re.sub(pattern.replace("\\/", "\\\\/").encode(), neutral.replace("\\", "\\\\").encode(), body)
    headers = {key.lower(): _ORIGIN.sub(_NEUTRAL, value) for key, value in exchange.headers.items()}
    return Answer(exchange.status, headers, body)


def _escaped(text: str) -> str:
    return text.replace("/", "\\/")
