"""What a client asks for and what it accepts as an answer."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opencast.api.client import Client
from opencast.errors import UnexpectedContent

from tests.api.scripted_server import Answer, ScriptedServer, json_answer, text_answer, xml_answer

Connect = Callable[..., Client]
PAGE = Answer(200, b"<!DOCTYPE html><html><title>Welcome</title></html>", {"Content-Type": "text/html"})


def test_values_are_written_as_opencast_reads_them(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", json_answer("{}"))
    client.get("/x", params={"sign": False, "limit": 0, "q": "ä & b+c", "left_out": None})
    assert server.last.target == "/x?sign=false&limit=0&q=%C3%A4+%26+b%2Bc"


def test_a_path_stays_escaped(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/agents/a%20b%2Fc%C3%BC", json_answer("{}"))
    client.get("/agents/a%20b%2Fc%C3%BC")
    assert len(server.requests) == 1


def test_a_server_may_live_below_a_path(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/opencast/info/me.json", json_answer("{}"))
    connect(f"{server.url}/opencast/").get_json("/info/me.json")
    assert len(server.requests) == 1


def test_only_paths_of_the_server_can_be_asked_for(client: Client) -> None:
    with pytest.raises(ValueError, match="no path"):
        client.get("http://elsewhere/x")


def test_organization_and_user_to_run_as_are_sent(server: ScriptedServer, connect: Connect) -> None:
    server.on("GET", "/x", json_answer("{}"))
    client = connect(server, organization="tenant-2")
    client.running_as("ada").get("/x")
    assert server.last.headers["X-Opencast-Matterhorn-Organization"] == "tenant-2"
    assert server.last.headers["X-RUN-AS-USER"] == "ada"
    client.get("/x")
    assert server.last.headers["X-RUN-AS-USER"] is None
    assert client.requests == 2


def test_forms_are_sent_in_the_body(server: ScriptedServer, client: Client) -> None:
    server.on("PUT", "/recordings/x", Answer(200)).on("POST", "/series/", Answer(201))
    client.put_form("/recordings/x", {"agent": "a+b", "left_out": None, "empty": ""})
    assert server.last.target == "/recordings/x"
    assert server.last.form == {"agent": "a+b", "empty": ""}
    assert server.last.headers["Content-Type"] == "application/x-www-form-urlencoded"
    client.post_form("/series/", {"series": "<a>ü%2B</a>", "override": False})
    assert server.last.form == {"series": "<a>ü%2B</a>", "override": "false"}


def test_a_version_of_the_external_api_can_be_asked_for(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/api/events", json_answer("[]"))
    client.get_json("/api/events", version="v1.10.0")
    assert server.last.headers["Accept"] == "application/v1.10.0+json"
    client.get_json("/api/events")
    assert server.last.headers["Accept"] == "*/*"


def test_connections_are_used_again(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", json_answer("{}"))
    for _ in range(5):
        client.get("/x")
    assert server.connections == 1


def test_several_threads_share_a_client(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", json_answer("{}"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.get("/x"), range(40)))
    assert (client.requests, client.bytes_read) == (40, 80)
    assert server.connections <= 4


def test_a_closed_client_can_be_used_again(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", json_answer("{}"))
    with client:
        client.get("/x")
    assert client.get_json("/x") == {}


@pytest.mark.parametrize("method", ["get_json", "get_xml", "get_text", "get_bytes"])
def test_a_web_page_is_no_document(server: ScriptedServer, client: Client, method: str) -> None:
    server.on("GET", "/x", PAGE)
    with pytest.raises(UnexpectedContent, match="web page: Welcome"):
        getattr(client, method)("/x")


@pytest.mark.parametrize("method", ["get_json", "get_xml", "get_text"])
def test_a_web_page_is_known_whatever_it_is_declared_as(server: ScriptedServer, client: Client, method: str) -> None:
    server.on("GET", "/x", Answer(200, PAGE.body, {"Content-Type": "application/json"}))
    with pytest.raises(UnexpectedContent, match="web page: Welcome"):
        getattr(client, method)("/x")


def test_bytes_are_given_as_they_are(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, b"<html>\xff", {"Content-Type": "series/ext"}))
    assert client.get_bytes("/x") == b"<html>\xff"


@pytest.mark.parametrize("body", ["", "{", "nope", "[" * 100_000, "<a/>"])
def test_what_is_no_json_is_refused(server: ScriptedServer, client: Client, body: str) -> None:
    server.on("GET", "/x", json_answer(body))
    with pytest.raises(UnexpectedContent, match="no JSON"):
        client.get_json("/x")


@pytest.mark.parametrize("declared", ["application/json", "application/v1.11.0+json", "text/xml", "text/plain", ""])
def test_json_is_read_whatever_it_is_declared_as(server: ScriptedServer, client: Client, declared: str) -> None:
    server.on("GET", "/x", Answer(200, '{"ü": 1}'.encode(), {"Content-Type": declared}))
    assert client.get_json("/x") == {"ü": 1}


def test_what_is_no_xml_is_refused(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", xml_answer("{}"), xml_answer("\ufeff <a/>"))
    with pytest.raises(UnexpectedContent, match="no XML"):
        client.get_xml("/x")
    assert client.get_xml("/x").endswith(b"<a/>")


def test_a_text_must_be_utf_8(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, b"\xff\xfe"), text_answer(" 42\n"))
    with pytest.raises(UnexpectedContent, match="UTF-8"):
        client.get_text("/x")
    assert client.get_text("/x") == "42"


def test_an_answer_larger_than_allowed_is_refused(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, b"x" * 3_000_000))
    with pytest.raises(UnexpectedContent, match="more than 1000000 bytes"):
        client.get("/x", max_bytes=1_000_000)
    assert client.bytes_read < 1_200_000


def test_a_compressed_answer_is_bounded_by_its_true_size(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, gzip.compress(b"x" * 10_000_000), {"Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedContent, match="more than"):
        client.get("/x", max_bytes=1_000_000)


def test_a_compressed_answer_is_unpacked(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, gzip.compress(b"[1]"), {"Content-Encoding": "gzip"}))
    assert client.get_json("/x") == [1]


def test_a_damaged_compressed_answer_is_refused(server: ScriptedServer, client: Client) -> None:
    server.on("GET", "/x", Answer(200, b"not gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(UnexpectedContent):
        client.get_json("/x")


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(
    server: ScriptedServer, servers: Callable[[], ScriptedServer], connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = servers().on("GET", "http://oc.example.org/x", json_answer('{"through": "proxy"}'))
    monkeypatch.setenv("http_proxy", proxy.url)
    server.on("GET", "/x", json_answer('{"through": "nothing"}'))
    assert connect(server).get_json("/x") == {"through": "nothing"}
    assert connect("http://oc.example.org").get_json("/x") == {"through": "proxy"}
    monkeypatch.setenv("no_proxy", "example.org")
    assert proxy.last.target == "http://oc.example.org/x"


def test_a_netrc_is_never_read(
    server: ScriptedServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password stolen\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.on("GET", "/x", json_answer("{}"))
    client = connect(server, auth="none")
    client.get("/x")
    with client.open_download("/x"):
        pass
    assert [request.headers["Authorization"] for request in server.requests] == [None, None]


def test_a_signature_is_in_no_log(server: ScriptedServer, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    server.on("GET", "/a.mp4", Answer(302, headers={"Location": "/b.mp4?signature=U0lHTg"}))
    server.on("GET", "/b.mp4", Answer(200, b"x", {"Content-Type": "video/mp4"}))
    with caplog.at_level(logging.DEBUG), client.open_download("/a.mp4?signature=U0lHTg") as download:
        list(download.iter())
    assert "/b.mp4" in caplog.text
    assert "U0lHTg" not in caplog.text


def test_time_outs_are_set_on_every_request(server: ScriptedServer, connect: Connect) -> None:
    never = threading.Event()
    server.on("GET", "/x", Answer(wait=never)).on("HEAD", "/x", Answer(wait=never)).on("POST", "/x", Answer(wait=never))
    client = connect(server, read_timeout=0.05, max_tries=1)
    calls: list[Callable[[], object]] = [
        lambda: client.get("/x"),
        lambda: client.head("/x"),
        lambda: client.unchanged("/x", "0" * 32),
        lambda: client.post_form("/x", {}),
        lambda: client.open_download("/x").__enter__(),
    ]
    try:
        for call in calls:
            with pytest.raises(Exception, match="time-out"):
                call()
    finally:
        never.set()


def test_a_call_may_be_given_more_time(server: ScriptedServer, connect: Connect) -> None:
    later = threading.Event()
    server.on("POST", "/x", Answer(200, wait=later))
    threading.Timer(0.3, later.set).start()
    connect(server, read_timeout=0.05).post_form("/x", {}, read_timeout=10.0)
    assert len(server.requests) == 1
