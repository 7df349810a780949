"""Sources whose published files lie on another host, are given out with a signature only, or left to a web server.

Contract 8.2, 8.4 and 11.3: signed right before each download, renewed in mid-download, never stored; no login for hosts
that are not configured.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from opencast.api.client import Client
from opencast.api.opencast import Opencast
from opencast.api.server import Server
from opencast.errors import AuthenticationFailed, UnexpectedContent
from opencast.migration.workbench import Workbench
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore
from opencast.store.ledger import State

from tests.migration.pair import Pair, server
from tests.simulator import Simulator
from tests.simulator.delivery import Delivery

EVENT = "a-ev-two-streams"
HOST = "127.0.0.2"
SIGNED = Delivery(host=HOST, signed=("/static/",))
Pairs = Callable[..., Pair]


def _from_media_host(simulator: Simulator) -> list[Any]:
    name = urlsplit(simulator.media_url).netloc
    return [e for e in simulator.requests.all("GET", "/static/") if e.headers["host"] == name]


def _track(simulator: Simulator) -> Any:
    return simulator.state.published[EVENT].package.of_kind("track")[0]


@pytest.fixture
def fetchers(tmp_path: Path) -> Iterator[Callable[..., Fetcher]]:
    """Make fetchers of a simulator's files that do not wait between two tries."""
    clients: list[Client] = []

    def make(simulator: Simulator, **fields: Any) -> Fetcher:
        clients.append(Client(server(simulator, **fields), sleep=lambda _: None))
        return Fetcher(ObjectStore(tmp_path / "staging"), clients[-1], sleep=lambda _: None)

    yield make
    for client in clients:
        client.close()


def _file(element: Any) -> SourceFile:
    return SourceFile(element.url, element.md5, element.size, "the track")


def test_an_event_comes_from_a_host_that_wants_signatures(
    pairs: Pairs, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    pair = pairs(source={"delivery": SIGNED})
    entry = pair.migrate(EVENT)
    assert entry.state is State.DONE, entry.reason
    read = [exchange for exchange in _from_media_host(pair.source) if exchange.status in {200, 206}]
    assert read
    assert all("signature=" in exchange.query for exchange in read)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "opencast-" not in str(path)]
    written = [message.encode() for message in caplog.messages]
    assert [text for text in (*kept, *written) if b"signature=" in text] == []


def test_a_signature_is_asked_for_once_for_each_download(pairs: Pairs) -> None:
    pair = pairs(source={"delivery": SIGNED})
    pair.migrate(EVENT)
    read = [exchange.query for exchange in _from_media_host(pair.source) if exchange.status in {200, 206}]
    assert len(pair.source.requests.all("GET", "/signing/sign")) == len(read)


def test_only_the_first_file_of_a_channel_is_asked_for_without_a_signature(pairs: Pairs) -> None:
    pair = pairs(source={"delivery": SIGNED})
    with pair.bench() as bench:
        packages = bench.packages.read(EVENT)
        published = packages.package.publications[0].elements
        for element in published:
            with bench.source.client.open_download(element.url or "") as download:
                assert download.status == 200
    assert [e.status for e in _from_media_host(pair.source)] == [400, *[200] * len(published)]
    assert len(pair.source.requests.all("GET", "/signing/accepts")) == 1


def test_a_signed_url_that_expires_in_mid_download_is_renewed(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    late = [0.0]
    delivery = replace(SIGNED, expires=60, now=lambda: time.time() + late[0])
    source = simulators("generated", events=1, event_bytes=600_000, delivery=delivery)
    element = next(iter(source.state.published.values())).package.of_kind("track")[0]

    def an_hour_later(*_: Any) -> None:
        late[0] += 3600

    source.faults.add("^/static/", query="signature", times=1, drop_after=300_000, then=an_hour_later)
    staged = fetchers(source).fetch(_file(element))
    assert staged.md5 == element.md5
    signatures = [e.query for e in _from_media_host(source) if "signature" in e.query]
    assert len(set(signatures)) == 2
    assert _from_media_host(source)[-1].status == 206, "it went on where it broke off"


def test_a_signature_that_is_over_while_the_server_is_busy_is_renewed(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    late = [0.0]
    source = simulators(delivery=replace(SIGNED, expires=60, now=lambda: time.time() + late[0]))
    source.faults.add("^/static/", query="signature", times=1, status=503, then=lambda *_: late.__setitem__(0, 3600.0))
    element = _track(source)
    assert fetchers(source).fetch(_file(element)).md5 == element.md5
    assert [e.status for e in _from_media_host(source)] == [400, 503, 410, 200]


def test_an_old_signature_in_a_url_is_not_used(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    source = simulators(delivery=SIGNED)
    element = _track(source)
    old = replace(_file(element), url=f"{element.url}?policy=b2xk&keyId=demo&signature=old")
    assert fetchers(source).fetch(old).md5 == element.md5
    assert [e.status for e in _from_media_host(source)] == [400, 200]


def test_a_distribution_host_gets_no_login_that_is_not_its_own(pairs: Pairs) -> None:
    pair = pairs(source={"delivery": Delivery(host=HOST)})
    assert pair.migrate(EVENT).state is State.DONE
    assert {exchange.user for exchange in _from_media_host(pair.source)} == {""}


def test_a_distribution_host_gets_its_own_login(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    source = simulators(delivery=Delivery(host=HOST, users=(("media", "secret"),)))
    element = _track(source)
    with pytest.raises(AuthenticationFailed, match="No login was sent to"):
        Opencast(server(source)).client.head(element.url)
    own = Server(source.media_url, "media", "secret")
    assert fetchers(source, distribution=(own,)).fetch(_file(element)).md5 == element.md5
    assert [exchange.user for exchange in _from_media_host(source)] == ["media"]


def test_a_redirect_to_another_host_is_followed_without_a_login(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    media = simulators(delivery=Delivery(host=HOST))
    source = simulators(delivery=Delivery(redirect=media.media_url))
    element = _track(source)
    assert fetchers(source).fetch(_file(element)).md5 == element.md5
    asked = _from_media_host(media)
    assert [(exchange.user, "cookie" in exchange.headers) for exchange in asked] == [("", False)]


def test_an_empty_answer_that_a_web_server_should_fill_is_named(pairs: Pairs) -> None:
    pair = pairs(source={"delivery": Delivery(accel=True)})
    entry = pair.migrate(EVENT)
    assert entry.state is State.FAILED
    assert "a web server in front of Opencast has to fill it in" in entry.reason
    assert pair.writes() == []


def test_an_empty_answer_is_no_file_either_when_nothing_explains_it(
    simulators: Callable[..., Simulator], fetchers: Callable[..., Fetcher]
) -> None:
    source = simulators()
    source.faults.add("^/static/", status=200, body=b"", headers={"Content-Length": "0"})
    element = _track(source)
    with pytest.raises(UnexpectedContent, match="came empty"):
        fetchers(source).fetch(replace(_file(element), md5=None, size=None))


def test_files_of_another_host_are_taken_from_a_mounted_folder(pairs: Pairs) -> None:
    pair = pairs(source={"delivery": SIGNED})
    url, folder = f"{pair.source.media_url}/static", str(pair.source.storage / "downloads")
    storage = [{"kind": "downloads", "folder": folder, "url": url}]
    pair.settings = type(pair.settings).model_validate({**pair.settings.model_dump(), "source_storage": storage})
    with pair.bench() as bench:
        fetcher: Fetcher = _of(bench)
        staged = fetcher.fetch(_file(_track(pair.source)))
    assert staged.how in {"copy", "reflink"}
    assert _from_media_host(pair.source) == []


def _of(bench: Workbench) -> Fetcher:
    return bench.fetcher
