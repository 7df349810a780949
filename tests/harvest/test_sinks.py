"""Changes reach every sink at least once and in order, signed, and whatever happens on the way."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opencast.errors import ConfigurationError, SinkFailed
from opencast.harvest.announcements import ChangeBatch, NotedChange
from opencast.harvest.logins import Login
from opencast.harvest.repository_settings import PythonSinkSettings, WebhookSettings
from opencast.harvest.sinks import deliver, open_sink
from opencast.harvest.webhook import DELIVERY, SIGNATURE, Webhook
from opencast.store.catalogue import SinkCursor

from tests.harvest.conftest import Site
from tests.harvest.recordings import Recording

BATCH = ChangeBatch("repo", (NotedChange(7, "record", "new", "ev-ü", None, datetime(2026, 1, 1, tzinfo=UTC)),))


class Receiver:
    """A web server that takes messages, or answers with prepared statuses first."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.messages: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append((dict(self.headers.items()), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?key=secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


# --- the webhook -----------------------------------------------------------------------------------------------------


def test_a_message_holds_the_changes_and_is_signed_with_its_time(receiver: Receiver) -> None:
    Webhook(receiver.url, secret="s3cret", now=lambda: 1_800_000_000.7).deliver(BATCH)
    headers, body = receiver.messages[0]
    expected = hmac.new(b"s3cret", b"1800000000." + body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"t=1800000000,v1={expected}"
    assert headers[DELIVERY] == "repo-7-7"
    assert json.loads(body)["changes"][0]["identifier"] == "ev-ü"


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    Webhook(receiver.url).deliver(BATCH)
    assert SIGNATURE not in receiver.messages[0][0]


def test_what_may_pass_is_tried_again_with_the_same_delivery(receiver: Receiver) -> None:
    waits: list[float] = []
    receiver.statuses = [503, 500]
    receiver.headers = {"Retry-After": "3"}
    Webhook(receiver.url, sleep=waits.append).deliver(BATCH)
    assert len(receiver.messages) == 3
    assert len({headers[DELIVERY] for headers, _ in receiver.messages}) == 1
    assert waits[0] >= 3


def test_it_is_given_up_after_four_tries(receiver: Receiver) -> None:
    receiver.statuses = [500] * 9
    with pytest.raises(SinkFailed, match="answered 500"):
        Webhook(receiver.url, sleep=lambda _seconds: None).deliver(BATCH)
    assert len(receiver.messages) == 4


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_what_does_not_pass_is_not_tried_again(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    receiver.headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    with pytest.raises(SinkFailed, match=str(status)) as caught:
        Webhook(receiver.url).deliver(BATCH)
    assert len(receiver.messages) == 1
    assert "key=secret" not in str(caught.value)


def test_a_receiver_that_is_not_there_is_an_error_without_its_query() -> None:
    with pytest.raises(SinkFailed, match="did not answer") as caught:
        Webhook("http://127.0.0.1:9/hook?key=secret", sleep=lambda _seconds: None).deliver(BATCH)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://", "http://user:pass@example.org/"])
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Webhook(url)


# --- delivery --------------------------------------------------------------------------------------------------------


class Collecting:
    """A sink as a site would write it."""

    taken: list[str] = []  # noqa: RUF012  # shared on purpose: the delivery makes a new object each time
    fails = False

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix

    def deliver(self, batch: ChangeBatch) -> None:
        if Collecting.fails:
            raise SinkFailed("The sink is closed.")
        Collecting.taken += [f"{self.prefix}{change.kind} {change.identifier}" for change in batch.changes]


class Exploding:
    """A sink with a mistake in it."""

    def deliver(self, batch: ChangeBatch) -> None:
        raise ZeroDivisionError


def own(name: str, kind: str = "Collecting", **options: Any) -> PythonSinkSettings:
    return PythonSinkSettings(type="python", name=name, target=f"{__name__}:{kind}", options=options)


def login(connection_id: str) -> Login:
    return Login(connection_id, "", "s3cret")


@pytest.fixture(autouse=True)
def empty() -> None:
    Collecting.taken = []
    Collecting.fails = False


def test_a_sink_of_the_site_gets_each_change_once(site: Site) -> None:
    site.server.put("ev-1", Recording())
    site.harvest()
    for _ in range(2):
        deliver(site.database, site.repository, [own("mine", prefix="> ")], login, site.clock)
    assert Collecting.taken == ["> new ev-1"]


def test_what_a_sink_did_not_take_is_delivered_later(site: Site) -> None:
    site.server.put("ev-1", Recording())
    site.harvest()
    Collecting.fails = True
    (result,) = deliver(site.database, site.repository, [own("mine")], login, site.clock)
    assert (result.changes, result.error) == (0, "The sink is closed.")
    (cursor,) = site.rows(SinkCursor)
    assert (cursor.change_id, cursor.failures, cursor.last_error) == (0, 1, "The sink is closed.")
    Collecting.fails = False
    deliver(site.database, site.repository, [own("mine")], login, site.clock)
    assert Collecting.taken == ["new ev-1"]
    assert site.rows(SinkCursor)[0].failures == 0


def test_a_sink_with_a_mistake_stops_neither_the_others_nor_the_harvest(site: Site) -> None:
    site.server.put("ev-1", Recording())
    site.harvest()
    bad, missing, good = deliver(
        site.database,
        site.repository,
        [own("bad", "Exploding"), own("gone", "Nothing"), own("good")],
        login,
        site.clock,
    )
    assert "ZeroDivisionError" in bad.error
    assert "cannot be made" in missing.error
    assert (good.changes, good.error) == (1, "")


def test_many_changes_are_delivered_in_pieces_and_in_order(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencast.harvest.announcements.BATCH", 3)
    monkeypatch.setattr("opencast.harvest.announcements.read_changes.__kwdefaults__", {"limit": 3})
    for number in range(8):
        site.server.put(f"ev-{number}", Recording())
        site.clock.tick(1)
    site.harvest()
    deliver(site.database, site.repository, [own("mine")], login, site.clock)
    assert Collecting.taken == [f"new ev-{number}" for number in range(8)]


def test_a_webhook_signs_with_the_password_of_its_connection(site: Site, receiver: Receiver) -> None:
    site.server.put("ev-1", Recording())
    site.harvest()
    settings = WebhookSettings(type="webhook", name="hook", url=receiver.url, connection_id="hook_secret")
    (result,) = deliver(site.database, site.repository, [settings], login, site.clock)
    assert result.error == ""
    headers, body = receiver.messages[0]
    moment = headers[SIGNATURE].partition(",")[0][2:]
    expected = hmac.new(b"s3cret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE].endswith(expected)


def test_a_class_that_does_not_exist_is_an_error_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="cannot be made"):
        open_sink(PythonSinkSettings(type="python", name="x", target="nowhere:Nothing"), login)
