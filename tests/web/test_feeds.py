"""Feeds over HTTP: open where the playlist is public, otherwise for its token, and never for a login of Airflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from lxml import etree
from opencast.store.catalogue import MediaItem
from opencast.store.database import Database
from opencast.web.app import app
from opencast.web.feeds import token_of
from sqlalchemy import update

from tests.harvest.conftest import Clock, Site
from tests.harvest.oai_server import OaiServer
from tests.harvest.recordings import Recording

TOKEN = "token-of-lectures"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A catalogue with a public playlist of two items, one of which is public, and a playlist that is not."""
    database = Database(f"sqlite:///{tmp_path}/store.db")
    database.upgrade()
    clock = Clock()
    site = Site(database, clock, OaiServer(now=clock))
    site.add()
    site.series("algo", playlist_id=site.playlist(public=True))
    site.playlist("private")
    for number in range(2):
        site.server.put(f"ev-{number}", Recording(title=f"Lecture {number}", series="algo"))
        clock.tick(1)
    site.harvest()
    with database.session() as session:
        session.execute(update(MediaItem).where(MediaItem.id == 1).values(public=True))
    monkeypatch.setattr("opencast.web.feeds.open_store", lambda settings: database)
    return TestClient(app, base_url="https://airflow.example.org")


def titles(body: bytes) -> list[str | None]:
    return [node.text for node in etree.fromstring(body).iterfind("channel/item/title")]


def test_a_public_playlist_is_an_open_feed_of_its_public_items(client: TestClient) -> None:
    answer = client.get("/feeds/lectures.rss")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert titles(answer.content) == ["Lecture 0"]


def test_a_feed_names_its_own_address(client: TestClient) -> None:
    assert b'href="https://airflow.example.org/feeds/lectures.rss"' in client.get("/feeds/lectures.rss?x=1").content


def test_json_is_the_other_form(client: TestClient) -> None:
    answer = client.get("/feeds/lectures.json")
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert [item["title"] for item in json.loads(answer.content)["items"]] == ["Lecture 0"]


@pytest.mark.parametrize("login", [("anybody", TOKEN), ("", TOKEN)])
def test_the_token_as_a_password_opens_all_items(client: TestClient, login: tuple[str, str]) -> None:
    assert titles(client.get("/feeds/lectures.rss", auth=login).content) == ["Lecture 0", "Lecture 1"]


def test_a_login_of_airflow_neither_opens_nor_closes_a_feed(client: TestClient) -> None:
    login = {"Authorization": "Bearer a.b.c"}
    assert titles(client.get("/feeds/lectures.rss", headers=login).content) == ["Lecture 0"]
    assert client.get("/feeds/private.rss", headers=login).status_code == 401


def test_a_token_in_the_address_opens_nothing(client: TestClient) -> None:
    assert client.get("/feeds/private.rss?token=token-of-private").status_code == 401


@pytest.mark.parametrize("name", ["private", "nothing"])
@pytest.mark.parametrize("login", [None, ("x", "wrong"), ("x", TOKEN)])
def test_what_may_not_be_seen_and_what_does_not_exist_look_the_same(
    client: TestClient, name: str, login: tuple[str, str] | None
) -> None:
    answer = client.get(f"/feeds/{name}.rss", auth=login)
    assert (answer.status_code, answer.text[:23]) == (401, "There is no such feed. ")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_feed_that_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/feeds/lectures.rss").headers["ETag"]
    answer = client.get("/feeds/lectures.rss", headers={"If-None-Match": f'W/"x", {tag}'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_other_forms_are_refused_by_name(client: TestClient) -> None:
    answer = client.get("/feeds/lectures.atom")
    assert (answer.status_code, answer.text) == (404, "A feed is <name>.rss or <name>.json.")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (None, None),
        ("", None),
        ("Digest username=x", None),
        ("Basic eDp0b2tlbg==", "token"),
        ("basic eDp0bzprZW4=", "to:ken"),
        ("Basic eA==", ""),
        ("Basic !!", ""),
        ("Basic /w==", ""),
        ("Bearer token", None),
    ],
)
def test_the_token_is_read_as_clients_send_it(header: str | None, token: str | None) -> None:
    assert token_of(header) == token
