"""Downloads go on where they broke off when the server can, and are checked before they become visible."""

from __future__ import annotations

import itertools
import os
from contextlib import AbstractContextManager

import pytest
from opencast.errors import ChecksumMismatch, SizeMismatch, StagingFull, UnexpectedContent, Unreachable
from opencast.staging.bandwidth import Bandwidth
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore

from tests.staging.conftest import Site
from tests.staging.doubles import FakeAnswer, FakeServer, assert_store_is_sound, incoming, md5

URL = "http://source.test/static/mh_default_org/engage-player/mp1/el1/cam.mp4"
DATA = os.urandom(3_000_000)
FILE = SourceFile(URL, md5(DATA), len(DATA), "track el1")


@pytest.fixture
def server() -> FakeServer:
    return FakeServer({URL: DATA})


def starts(server: FakeServer) -> list[int]:
    return [start for _, start in server.requests]


def test_a_download_is_written_once_and_read_once(web_fetcher: Fetcher, server: FakeServer, site: Site) -> None:
    staged = web_fetcher.fetch(FILE)

    assert staged.how == "download"
    assert (staged.bytes_read, staged.bytes_written) == (len(DATA), len(DATA))
    assert staged.path.read_bytes() == DATA
    assert incoming(site.staging) == []


def test_a_published_file_goes_on_where_it_broke_off(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.breaks = [1_000_000, 500_000, None]

    staged = web_fetcher.fetch(FILE)

    assert starts(server) == [0, 1_000_000, 1_500_000]
    assert (staged.bytes_read, staged.bytes_written) == (len(DATA), len(DATA))
    assert "resumed at byte 1000000" in staged.notes
    assert staged.path.read_bytes() == DATA


def test_an_asset_is_begun_again_because_the_server_has_no_ranges(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.ranges = False
    server.breaks = [1_000_000, None]

    staged = web_fetcher.fetch(FILE)

    assert starts(server) == [0, 0]
    assert staged.bytes_read == len(DATA) + 1_000_000
    assert staged.path.read_bytes() == DATA


def test_a_file_that_changed_between_two_parts_is_begun_again(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.breaks = [1_000_000, None]
    server.etags = ["first", "second", "second"]

    staged = web_fetcher.fetch(FILE)

    assert staged.path.read_bytes() == DATA


def test_a_part_of_another_version_is_not_glued_to_the_first(store: ObjectStore, site: Site) -> None:
    class IgnoresIfRange(FakeServer):
        def open_download(
            self, url: str, *, start: int = 0, validator: str | None = None
        ) -> AbstractContextManager[FakeAnswer]:
            return super().open_download(url, start=start)

    server = IgnoresIfRange({URL: DATA}, breaks=[1_000_000, None], etags=["first", "second", "second"])

    staged = Fetcher(store, server, sleep=lambda seconds: None).fetch(SourceFile(URL, None, None, "track"))

    assert starts(server) == [0, 1_000_000, 0]
    assert staged.path.read_bytes() == DATA
    assert any("changed on the server" in note for note in staged.notes)


def test_a_download_gives_up_after_its_tries(web_fetcher: Fetcher, server: FakeServer, site: Site) -> None:
    server.ranges = False
    server.breaks = [10] * 20

    with pytest.raises(Unreachable):
        web_fetcher.fetch(FILE)

    assert len(server.requests) == 5
    assert incoming(site.staging) == [], "what cannot be resumed is not kept"


def test_resuming_counts_as_a_try_only_when_it_brings_nothing(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.breaks = [100_000] * 25

    assert web_fetcher.fetch(FILE).path.read_bytes() == DATA


def test_pauses_between_tries_grow(store: ObjectStore, server: FakeServer) -> None:
    server.ranges = False
    server.breaks = [10, 10, 10, None]
    pauses: list[float] = []

    Fetcher(store, server, sleep=pauses.append).fetch(FILE)

    assert pauses == [1, 2, 4]


def test_what_the_client_refuses_before_the_first_byte_is_not_repeated_here(store: ObjectStore) -> None:
    class Down(FakeServer):
        def open_download(
            self, url: str, *, start: int = 0, validator: str | None = None
        ) -> AbstractContextManager[FakeAnswer]:
            self.requests.append((url, start))
            raise Unreachable("no connection, also after the client's own tries")

    server = Down()
    with pytest.raises(Unreachable):
        Fetcher(store, server, sleep=lambda seconds: None).fetch(FILE)
    assert len(server.requests) == 1


def test_a_truncated_file_with_the_right_length_header_is_refused(
    web_fetcher: Fetcher, server: FakeServer, site: Site
) -> None:
    server.files[URL] = DATA[:-1]
    server.announce = len(DATA)

    with pytest.raises(SizeMismatch):
        web_fetcher.fetch(FILE)

    assert_store_is_sound(site.staging)


def test_a_truncated_file_with_the_truncated_length_is_refused(
    web_fetcher: Fetcher, server: FakeServer, site: Site
) -> None:
    server.files[URL] = DATA[:-1]

    with pytest.raises(ChecksumMismatch):
        web_fetcher.fetch(FILE)

    assert_store_is_sound(site.staging)
    assert incoming(site.staging) == []


def test_more_bytes_than_announced_are_not_written(web_fetcher: Fetcher, server: FakeServer) -> None:
    server.ranges = False
    server.announce = 1000

    with pytest.raises(SizeMismatch, match="more than"):
        web_fetcher.fetch(SourceFile(URL, None, None, "track"))


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Log in</title>", b"\xef\xbb\xbf\n <html lang=de>"])
@pytest.mark.parametrize("known", [True, False])
def test_a_login_page_instead_of_the_file_is_refused(
    web_fetcher: Fetcher, server: FakeServer, page: bytes, known: bool
) -> None:
    server.files[URL] = page
    server.types[URL] = "video/mp4"

    with pytest.raises(UnexpectedContent, match="web page"):
        web_fetcher.fetch(FILE if known else SourceFile(URL, None, None, "track"))


def test_a_web_page_that_is_meant_is_taken(web_fetcher: Fetcher, server: FakeServer) -> None:
    url = "http://source.test/static/o/c/m/e/handout.HTML?signature=x"
    server.files[url] = b"<html>"

    assert web_fetcher.fetch(SourceFile(url, None, None, "attachment")).size == 6


def test_an_xhtml_file_with_the_right_md5_is_taken(web_fetcher: Fetcher, server: FakeServer) -> None:
    url = "http://source.test/static/o/c/m/e/slides.xml"
    server.files[url] = b"<html/>"

    assert web_fetcher.fetch(SourceFile(url, md5(b"<html/>"), 7, "attachment")).size == 7


# --- restarts --------------------------------------------------------------------------------------------------------


def leave_part(site: Site, data: bytes) -> None:
    """What a worker that was killed in the middle of the download leaves."""
    (site.staging / "incoming" / f"{FILE.md5}.{FILE.size}.part").write_bytes(data)


def test_a_download_goes_on_where_a_killed_worker_stopped(web_fetcher: Fetcher, server: FakeServer, site: Site) -> None:
    leave_part(site, DATA[:2_000_000])

    staged = web_fetcher.fetch(FILE)

    assert starts(server) == [2_000_000]
    assert staged.bytes_read == 1_000_000
    assert staged.path.read_bytes() == DATA
    assert incoming(site.staging) == []


def test_a_download_that_was_complete_when_the_worker_died_is_not_read_again(
    web_fetcher: Fetcher, server: FakeServer, site: Site
) -> None:
    leave_part(site, DATA)

    assert web_fetcher.fetch(FILE).bytes_read == 0
    assert server.requests == []


@pytest.mark.parametrize("left", [b"other bytes" * 1000, DATA[:100] + b"\0" * 5000, DATA + b"too long"])
def test_a_damaged_leftover_is_thrown_away(web_fetcher: Fetcher, server: FakeServer, site: Site, left: bytes) -> None:
    leave_part(site, left)

    assert web_fetcher.fetch(FILE).path.read_bytes() == DATA
    assert incoming(site.staging) == []


def test_a_leftover_of_a_server_without_ranges_is_begun_again(
    web_fetcher: Fetcher, server: FakeServer, site: Site
) -> None:
    server.ranges = False
    leave_part(site, DATA[:2_000_000])

    assert web_fetcher.fetch(FILE).path.read_bytes() == DATA


def test_without_an_md5_nothing_is_resumed_over_restarts(web_fetcher: Fetcher, server: FakeServer, site: Site) -> None:
    server.breaks = [1_000_000]
    server.etags = list(itertools.repeat("e", 9))

    class Killed(BaseException):
        pass

    server.breaks = [1_000_000]
    fetcher = Fetcher(ObjectStore(site.staging, reserve_bytes=0), server, sleep=lambda seconds: kill())

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        fetcher.fetch(SourceFile(URL, None, None, "track"))
    assert incoming(site.staging) == []


def test_a_task_that_is_stopped_leaves_its_beginning_for_the_next_try(
    store: ObjectStore, server: FakeServer, site: Site
) -> None:
    server.breaks = [1_000_000]

    def stopped(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Fetcher(store, server, sleep=stopped).fetch(FILE)
    staged = Fetcher(store, server).fetch(FILE)

    assert starts(server) == [0, 1_000_000]
    assert staged.path.read_bytes() == DATA


def test_a_full_disk_gives_back_what_the_download_had_taken(server: FakeServer, site: Site) -> None:
    store = ObjectStore(site.staging, budget_bytes=len(DATA) - 1, reserve_bytes=0)

    with pytest.raises(StagingFull):
        Fetcher(store, server).fetch(SourceFile(URL, None, None, "size unknown"))

    assert incoming(site.staging) == []


# --- bandwidth -------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_bandwidth_limit_holds_over_time() -> None:
    clock = Clock()
    bandwidth = Bandwidth(1_000_000, clock=clock, sleep=clock.sleep)

    for _ in range(100):
        bandwidth.take(100_000)

    assert clock.now - 100.0 == pytest.approx(10, rel=0.05)


def test_a_slow_reader_may_not_catch_up_in_one_burst() -> None:
    clock = Clock()
    bandwidth = Bandwidth(1_000_000, clock=clock, sleep=clock.sleep)
    clock.now += 3600

    for _ in range(100):
        bandwidth.take(100_000)

    assert clock.now - 3700.0 > 9


def test_two_fetchers_of_a_process_share_one_limit(store: ObjectStore, server: FakeServer) -> None:
    first = Fetcher(store, server, rate_limit=123_456)
    second = Fetcher(store, server, rate_limit=123_456)

    assert first._http._bandwidth is second._http._bandwidth
