"""The commands do what the pages and tasks do, and say what they did."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from opencast.cli.main import main

from tests.harvest.oai_server import OaiServer, Reply
from tests.harvest.recordings import Recording

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server() -> OaiServer:
    return OaiServer(now=lambda: datetime.now(UTC))


@pytest.fixture
def url(server: OaiServer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = server.reply(dict(parse_qsl(urlsplit(self.path).query)))
            if self.headers.get("Authorization") is None and server.sets == ("login",):
                reply = Reply(b"", 401)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/oai"
    http.shutdown()
    http.server_close()


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("OPENCAST_CONFIG_FOLDER", str(tmp_path))

    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["--store", f"sqlite:///{tmp_path}/store.db", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_from_an_address_to_a_feed(run: Run, server: OaiServer, url: str) -> None:
    server.put("ev-1", Recording(title="Sorting", series="algo", series_title="Algorithms"))
    assert run("repository", "add", "lectures", url)[0] == 0
    assert "matterhorn-inlined" in run("repository", "check", "lectures")[1]
    status, said, _ = run("harvest")
    assert (status, "1 new" in said) == (0, True)
    assert run("playlist", "add", "algorithms", "--title", "Algorithms", "--public")[0] == 0
    assert run("series", "set-playlist", "lectures", "algo", "algorithms")[0] == 0
    assert run("series", "set-permissions", "lectures", "algo", "--public", "--users", "ada", "bob")[0] == 0
    assert "1 media items made" in run("clean-up")[1]
    status, feed, _ = run("playlist", "feed", "algorithms")
    assert (status, "<title>Sorting</title>" in feed) == (0, True)
    (line,) = run("--json", "series", "list")[1].splitlines()
    assert json.loads(line) == {
        "repository": "lectures",
        "identifier": "algo",
        "title": "Algorithms",
        "playlist": "algorithms",
        "recordings": 1,
        "items": 1,
        "permissions": {
            "users": ["ada", "bob"],
            "groups": [],
            "institutions": [],
            "signed_in": False,
            "public": True,
        },
        "tags": None,
    }


def test_one_repositorys_error_does_not_stop_another(run: Run, server: OaiServer, url: str) -> None:
    server.put("ev-1", Recording())
    run("repository", "add", "broken", "http://127.0.0.1:9/oai")
    run("repository", "add", "good", url)
    status, said, errors = run("harvest")
    assert status == 1
    assert "good: 1 records" in said
    assert errors.startswith("broken: ")
    assert "Traceback" not in errors


def test_all_records_and_windows(run: Run, server: OaiServer, url: str) -> None:
    server.put("ev-1", Recording(), at=datetime(2020, 5, 1, tzinfo=UTC))
    server.put("ev-2", Recording(), at=datetime(2021, 5, 1, tzinfo=UTC))
    run("repository", "add", "lectures", url)
    assert (
        json.loads(run("--json", "harvest", "lectures", "--from", "2021-01-01", "--until", "2021-12-31")[1])["new"] == 1
    )
    assert json.loads(run("--json", "harvest", "lectures")[1])["new"] == 1
    again = json.loads(run("--json", "harvest", "lectures", "--all-records")[1])
    assert (again["records"], again["new"], again["mode"]) == (2, 0, "full")


def test_only_due_repositories(run: Run, url: str) -> None:
    run("repository", "add", "lectures", url)
    assert run("harvest", "--due")[1] != ""
    assert run("harvest", "--due")[1] == ""
    run("repository", "harvest-now", "lectures")
    assert run("harvest", "--due")[1] != ""


def test_a_login_comes_from_the_environment(
    run: Run, server: OaiServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.sets = ("login",)
    run("repository", "add", "lectures", url, "--connection-id", "oai_lectures")
    assert "AIRFLOW_CONN_OAI_LECTURES" in run("harvest")[2]
    monkeypatch.setenv("AIRFLOW_CONN_OAI_LECTURES", '{"login": "ada", "password": "s3cret"}')
    assert run("harvest")[0] == 0


def test_settings_are_edited_one_by_one(run: Run, url: str) -> None:
    run("repository", "add", "lectures", url, "--track-types", "presenter/delivery", "--interval-seconds", "300")
    run("repository", "edit", "lectures", "--no-active", "--sets", "open")
    (line,) = run("--json", "repository", "list")[1].splitlines()
    assert (json.loads(line)["active"], json.loads(line)["url"]) == (False, url)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("repository", "add", "Wrong Name", "http://x/"), "name:"),
        (("repository", "add", "a", "ftp://x/"), "url:"),
        (("repository", "add", "a", "http://x/", "--interval-seconds", "1"), "interval_seconds:"),
        (("repository", "edit", "nothing"), "no repository 'nothing'"),
        (("harvest", "nothing"), "no repository 'nothing'"),
        (("series", "set-playlist", "nothing", "s", "p"), "no repository 'nothing'"),
        (("playlist", "feed", "nothing"), "no such feed"),
        (("harvest", "--from", "soon"), "is no date"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(run: Run, arguments: tuple[str, ...], said: str) -> None:
    status, out, errors = run(*arguments)
    assert (status, out) == (1, "")
    assert said in errors
    assert "Traceback" not in errors


def test_wrong_arguments_end_with_two(run: Run) -> None:
    with pytest.raises(SystemExit) as caught:
        run("harvest", "--nonsense")
    assert caught.value.code == 2


def test_the_file_of_repositories_is_used(run: Run, server: OaiServer, url: str, tmp_path: Path) -> None:
    server.put("ev-1", Recording())
    (tmp_path / "repositories.yaml").write_text(f"repositories:\n  - name: filed\n    url: {url}\n")
    assert "filed: 1 records" in run("harvest")[1]


def test_the_feed_token_can_be_shown_and_renewed(run: Run) -> None:
    run("playlist", "add", "law")
    first = run("playlist", "token", "law")[1]
    second = run("playlist", "token", "law", "--renew")[1]
    assert first != second == run("playlist", "token", "law")[1]
    assert "law" in run("playlist", "list")[1]
