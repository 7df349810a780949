"""Repositories are configured in a file or in the database; logins stay in connections and on their hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from opencast.errors import ConfigurationError
from opencast.harvest import management
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.logins import Login, client_for_repository, endpoint, login_from_environment, login_of
from opencast.harvest.repository_settings import RepositorySettings, load_repositories, synchronise
from opencast.store.catalogue import Playlist, Series
from opencast.store.harvesting import Repository

from tests.airflow_home import ROOT
from tests.harvest.conftest import URL, Site


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# --- the file --------------------------------------------------------------------------------------------------------


def test_the_file_of_this_checkout_can_be_read() -> None:
    load_repositories(ROOT / "include" / "config" / "repositories.yaml")


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert load_repositories(tmp_path / "nothing.yaml").repositories == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("repositories:\n  - name: a\n    url: ftp://x/\n", ":3: repositories.0.url:"),
        ("repositories:\n  - name: A b\n    url: http://x/\n", ":2: repositories.0.name:"),
        ("repositories:\n  - url: http://x/\n", ":2: repositories.0.name: Field required"),
        ("repositories:\n  - name: a\n    url: http://x/\n    intervall: 5\n", ":4: repositories.0.intervall:"),
        (
            "repositories:\n  - name: a\n    url: http://x/\n    interval_seconds: 1\n",
            ":4: repositories.0.interval_seconds:",
        ),
        (
            "repositories:\n  - name: a\n    url: http://x/\n    track_types: [delivery]\n",
            ":4: repositories.0.track_types:",
        ),
        ("repositories:\n  - name: a\n    url: http://u:p@x/\n", ":3: repositories.0.url:"),
        ("repositories:\n  - name: a\n    url: http://x/?verb=Identify\n", ":3: repositories.0.url:"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    path = write(tmp_path / "repositories.yaml", text)
    with pytest.raises(ConfigurationError) as caught:
        load_repositories(path)
    assert f"{path}{expected}" in str(caught.value)


def test_a_name_may_be_used_once(tmp_path: Path) -> None:
    entry = "  - {name: a, url: 'http://x/'}\n"
    with pytest.raises(ConfigurationError, match="'a' is used twice"):
        load_repositories(write(tmp_path / "r.yaml", f"repositories:\n{entry}{entry}"))


def test_sinks_are_checked_by_their_type(tmp_path: Path) -> None:
    sink = "{type: python, name: s, target: nonsense}"
    text = f"repositories:\n  - name: a\n    url: http://x/\n    sinks:\n      - {sink}\n"
    with pytest.raises(ConfigurationError, match=r":5: repositories\.0\.sinks\.0"):
        load_repositories(write(tmp_path / "r.yaml", text))


def test_the_file_wins_over_the_database(site: Site) -> None:
    settings = RepositorySettings(name="repo", url="http://other.example.org/oai", interval_seconds=600)
    with site.database.session() as session:
        synchronise(session, [settings, settings.model_copy(update={"name": "second"})])
    assert [(row.name, row.origin, row.interval_seconds) for row in site.rows(Repository)] == [
        ("repo", "file", 600),
        ("second", "file", 600),
    ]
    with pytest.raises(ConfigurationError, match=r"in repositories\.yaml"):
        management.edit_repository(site.database, settings)


def test_what_is_taken_out_of_the_file_is_kept_but_not_harvested(site: Site) -> None:
    with site.database.session() as session:
        synchronise(session, [RepositorySettings(name="filed", url="http://x/")])
    with site.database.session() as session:
        synchronise(session, [])
    assert {row.name: row.active for row in site.rows(Repository)} == {"repo": True, "filed": False}


def test_another_address_makes_a_repository_due_and_described_anew(site: Site) -> None:
    site.harvest()
    described = site.repository.described
    assert described is not None
    management.edit_repository(site.database, RepositorySettings(name="repo", url="http://new.example.org/"))
    assert (site.repository.described, site.repository.next_due) == (None, None)


# --- management ------------------------------------------------------------------------------------------------------


def test_a_repository_is_added_once(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        management.add_repository(site.database, RepositorySettings(name="repo", url="http://x/"))
    management.add_repository(site.database, RepositorySettings(name="new", url="http://x/"))
    assert management.active_repositories(site.database) == ["repo", "new"]


def test_due_are_active_repositories_whose_time_has_come_longest_waiting_first(site: Site) -> None:
    now = site.clock.now
    site.settings(next_due=now)
    site.add("earlier", next_due=now - timedelta(hours=1))
    site.add("never")
    site.add("later", next_due=now + timedelta(seconds=1))
    site.add("off", active=False)
    site.add("busy", lease_owner="x", lease_until=now + timedelta(minutes=1))
    site.add("stale", lease_owner="x", lease_until=now - timedelta(minutes=1), next_due=now)
    assert management.due_repositories(site.database, now) == ["never", "earlier", "repo", "stale"]


def test_a_repository_can_be_made_due(site: Site) -> None:
    site.settings(next_due=site.clock.now + timedelta(days=1), failures=7)
    management.make_due(site.database, "repo")
    assert management.due_repositories(site.database, site.clock.now) == ["repo"]


def test_a_playlist_gets_a_token_that_can_be_renewed(site: Site) -> None:
    playlist = management.add_playlist(site.database, "law-2026", title="Law", public=True)
    assert len(playlist.feed_token) >= 32
    renewed = management.renew_feed_token(site.database, "law-2026")
    assert site.rows(Playlist)[0].feed_token == renewed != playlist.feed_token


@pytest.mark.parametrize("name", ["", "Law", "a b", "-a", "../x", "x" * 101])
def test_a_playlists_name_is_part_of_an_address(site: Site, name: str) -> None:
    with pytest.raises(ConfigurationError):
        management.add_playlist(site.database, name)


def test_a_series_is_configured_by_repository_and_identifier(site: Site) -> None:
    management.add_playlist(site.database, "law")
    management.set_playlist(site.database, "repo", "s-1", "law")
    management.set_series(site.database, "repo", "s-1", permissions={"public": True, "users": ["ada"]}, tags=["Law"])
    (view,) = management.list_series(site.database)
    assert (view.repository, view.identifier, view.playlist, view.tags) == ("repo", "s-1", "law", ["Law"])
    assert view.permissions == {"users": ["ada"], "groups": [], "institutions": [], "signed_in": False, "public": True}
    management.set_playlist(site.database, "repo", "s-1", None)
    assert site.rows(Series)[0].playlist_id is None


@pytest.mark.parametrize(
    "call",
    [
        lambda site: management.set_playlist(site.database, "repo", "s", "nothing"),
        lambda site: management.set_playlist(site.database, "other", "s", None),
        lambda site: management.set_playlist(site.database, "repo", "", None),
        lambda site: management.set_playlist(site.database, "repo", "x" * 2000, None),
        lambda site: management.set_series(site.database, "repo", "s", permissions={"everybody": True}),
    ],
)
def test_what_cannot_be_set_is_an_error_of_configuration(site: Site, call: Callable[[Site], None]) -> None:
    with pytest.raises(ConfigurationError):
        call(site)


# --- logins ----------------------------------------------------------------------------------------------------------


def repository(url: str = URL) -> Repository:
    return Repository(name="repo", url=url, http_method="GET")


def test_a_connection_of_airflow_is_read() -> None:
    connection = SimpleNamespace(
        conn_id="c", login="ada", password="p", host="127.0.0.1", extra_dejson={"auth": "digest"}
    )
    found = endpoint(repository(), login_of(connection))
    assert (found.username, found.password, found.auth) == ("ada", "p", "digest")


def test_without_airflow_connections_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"conn_type": "generic", "login": "ada", "password": "p", "host": "h", "extra": {"auth": "digest"}}
    monkeypatch.setenv("AIRFLOW_CONN_AS_JSON", json.dumps(value))
    monkeypatch.setenv("AIRFLOW_CONN_AS_URI", "http://ada:p%40ss@h:80/?auth=digest")
    as_json, as_uri = login_from_environment("as_json"), login_from_environment("AS_URI")
    assert (as_json.username, as_json.password, as_json.host, as_json.extra["auth"]) == ("ada", "p", "h", "digest")
    assert (as_uri.username, as_uri.password, as_uri.host, as_uri.extra["auth"]) == ("ada", "p@ss", "h", "digest")


def test_a_connection_that_is_missing_or_broken_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_NOTHING"):
        login_from_environment("nothing")
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", '{"password": "secret", ')
    with pytest.raises(ConfigurationError) as caught:
        login_from_environment("broken")
    assert "secret" not in str(caught.value)


def test_a_login_goes_to_the_host_of_its_connection_only() -> None:
    login = Login("c", "ada", "p", host="https://oc.example.org")
    assert endpoint(repository("https://oc.example.org/oaipmh/default"), login).username == "ada"
    with pytest.raises(ConfigurationError, match=r"belongs to oc\.example\.org"):
        endpoint(repository("https://evil.example.org/oai"), login)


def test_passwords_are_in_no_repr() -> None:
    login = Login("c", "ada", "s3cret", extra={"token": "s3cret"})
    client = client_for_repository(repository(), login)
    assert "s3cret" not in repr(login) + repr(endpoint(repository(), login)) + repr(client)


@pytest.mark.parametrize(
    "values",
    [
        {"url": "ftp://x/"},
        {"url": "http://x/?verb=Identify"},
        {"url": "http://x/", "http_method": "PUT"},
        {"url": "http://x/", "patience": -1},
        {"url": "http://x/", "max_page_bytes": 0},
        {"url": "http://x/", "auth": "basic"},
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Endpoint(**values)
