"""A server that starts lacks services, not objects; what it answers meanwhile was recorded from an Opencast 17."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opencast.api.client import Client
from opencast.api.opencast import Opencast
from opencast.errors import Forbidden, NotFound, ServiceMissing

from tests.api.recorded import replay
from tests.api.scripted_server import Answer, ScriptedServer, json_answer, text_answer

Connect = Callable[..., Client]

_DATA = Path(__file__).parents[1] / "data"
_HTML = {"Content-Type": "text/html;charset=iso-8859-1"}
_NO_RESOURCE = text_answer("The resource you requested does not exist.", 404)
_ME = "/info/me.json"


def page(path: str, servlet: str, status: int = 404, phrase: str = "Not Found") -> Answer:
    """Give Jetty's error page (9.4), as the real server wrote it."""
    title = f"{status} {phrase}"
    rows = "".join(
        f"<tr><th>{name}:</th><td>{value}</td></tr>\n"
        for name, value in (("URI", path), ("STATUS", status), ("MESSAGE", phrase), ("SERVLET", servlet))
    )
    meta = '<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>'
    head = f"<head>\n{meta}\n<title>Error {title}</title>"
    text = f"<html>\n{head}\n</head>\n<body><h2>HTTP ERROR {title}</h2>\n<table>\n{rows}</table>\n\n</body>\n</html>\n"
    return Answer(status, text.encode(), _HTML)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/assets/episode/a", page("/assets/episode/a", "-")),
        ("/assets/episode/a", page("/assets/episode/a", "default")),
        ("/static/o/engage-player/a/b/c.mp4", page("/static/o/engage-player/a/b/c.mp4", "default")),
        ("/oaipmh/default", page("/oaipmh/default", "-")),
        ("/files/mediapackage/a/b", page("/files/mediapackage/a/b", "/files")),
        (_ME, page(_ME, "/info")),
        ("/api/events/a", page("/api/events/a", "/api")),
        ("/api/events/a", Answer(404)),
        ("/api/events/a", _NO_RESOURCE),
        ("/series/a.json", text_answer("<html><body>No service was found.</body></html>", 404)),
        (
            "/series/a.json",
            Answer(404, b"<h2>HTTP ERROR: 404</h2><p>Problem accessing /series/a.json. Reason:\n<pre>x</pre>", _HTML),
        ),
    ],
)
def test_a_service_that_is_not_there_yet_is_asked_again_and_no_missing_object(
    server: ScriptedServer, connect: Connect, path: str, answer: Answer
) -> None:
    server.on("GET", path, answer, json_answer("{}"))
    connect(server).get(path)
    server.on("GET", path, answer)
    with pytest.raises(ServiceMissing) as caught:
        connect(server, max_tries=2).get(path)
    assert caught.value.retriable


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/series/a.json", Answer(404)),
        ("/series/a/properties.json", _NO_RESOURCE),
        ("/api/events/a", text_answer("Cannot find an event with id 'a'.", 404)),
        ("/api/listproviders/x.json", Answer(404, b"", {"Content-Type": "text/plain"})),
        ("/files/a", Answer(404, b"<html><head><title>404 Not Found</title></head></html>", {"Server": "nginx"})),
    ],
)
def test_a_service_that_is_there_says_what_is_missing_in_its_own_way(
    server: ScriptedServer, connect: Connect, path: str, answer: Answer
) -> None:
    server.on("GET", path, answer)
    with pytest.raises(NotFound):
        connect(server).get(path)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "phrase", "error"), [(404, "Not Found", NotFound), (403, "Forbidden", Forbidden)])
def test_where_both_look_the_same_the_server_is_asked_whether_it_is_ready(
    server: ScriptedServer, connect: Connect, status: int, phrase: str, error: type[Exception]
) -> None:
    path = "/static/o/engage-player/a/b/c.mp4"
    server.on("GET", path, page(path, "/static", status, phrase)).on("GET", _ME, json_answer("{}"))
    with pytest.raises(error):
        connect(server).get(path)
    server.on("GET", _ME, page(_ME, "default"))
    with pytest.raises(ServiceMissing):
        connect(server, max_tries=2).get(path)


def test_a_server_without_oai_pmh_has_no_repository_but_one_that_starts_is_no_such_server(
    server: ScriptedServer, connect: Connect
) -> None:
    server.on("GET", "/oaipmh/default", page("/oaipmh/default", "default")).on("GET", _ME, json_answer("{}"))
    opencast = Opencast(connect(server, max_tries=1).server)
    assert not opencast.oaipmh.has("default")
    server.on("GET", _ME, page(_ME, "default"))
    with pytest.raises(ServiceMissing):
        opencast.oaipmh.has("default")


def _recorded_404s() -> Iterator[tuple[int, str]]:
    for version, folder in ((17, "recordings"), (15, "recordings-15")):
        for file in sorted((_DATA / folder).rglob("*.json")):
            exchange = json.loads(file.read_text("utf-8"))
            is_exchange = isinstance(exchange, dict) and "response" in exchange
            if is_exchange and exchange["response"]["status"] == 404 and exchange["request"]["method"] == "GET":
                yield version, file.relative_to(_DATA / folder).with_suffix("").as_posix()


#: No service has this path; 15 has no playlists, and is never asked for them.
_NO_SUCH_SERVICE = {
    (17, "preflight/not_a_path"),
    (15, "preflight/not_a_path"),
    (15, "playlists/list"),
    (15, "playlists/unknown"),
}


@pytest.mark.parametrize(("version", "name"), list(_recorded_404s()))
def test_what_real_servers_did_not_have_while_they_were_running_is_a_missing_object(
    server: ScriptedServer, connect: Connect, version: int, name: str
) -> None:
    replay(server, name, version=version)
    path = next(iter(server._scripts))[1]
    server.on("GET", _ME, json_answer("{}"))
    expected = ServiceMissing if (version, name) in _NO_SUCH_SERVICE else NotFound
    with pytest.raises(expected):
        connect(server, max_tries=1).get(path)
