"""Who may call what, as the recordings of both generations say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.simulator import Organization, Simulator, User
from tests.simulator.access import needed_roles


@pytest.fixture
def url(simulators: Callable[..., Simulator]) -> str:
    return simulators("empty").url


@pytest.mark.parametrize("path", ["/api/events", "/assets/episode/x", "/workflow/handlers.json", "/files/baseUri"])
def test_anonymous_callers_are_sent_to_the_login_page(url: str, path: str) -> None:
    answer = requests.get(url + path, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{url}/login.html;jsessionid=")


def test_anonymous_callers_may_ask_who_they_are(url: str) -> None:
    answer = requests.get(f"{url}/info/me.json")
    assert answer.status_code == 200
    assert answer.json()["user"] == {"username": "anonymous"}


def test_published_files_are_forbidden_to_anonymous_callers_not_redirected(url: str) -> None:
    assert requests.get(f"{url}/static/mh_default_org/internal/a/b/c.mp4").status_code == 403


@pytest.mark.parametrize("path", ["/info/me.json", "/api/events", "/static/a/b/c/d/e"])
def test_a_wrong_password_is_401_everywhere(url: str, path: str) -> None:
    answer = requests.get(url + path, auth=("admin", "wrong"))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Opencast"')


def test_digest_works_for_accounts_in_memory(url: str) -> None:
    headers = {"X-Requested-Auth": "Digest"}
    auth = HTTPDigestAuth("opencast_system_account", "CHANGE_ME")
    assert requests.get(f"{url}/api/events", headers=headers, auth=auth).status_code == 200
    wrong = HTTPDigestAuth("opencast_system_account", "nope")
    assert requests.get(f"{url}/api/events", headers=headers, auth=wrong).status_code == 401


def test_a_user_without_the_role_is_forbidden(simulators: Callable[..., Simulator]) -> None:
    simulator = simulators("empty", users=(User("alice", "secret"),))
    answer = requests.get(f"{simulator.url}/api/events", auth=("alice", "secret"))
    assert answer.status_code == 403


def test_only_administrators_may_switch_to_an_organization_that_exists(simulators: Callable[..., Simulator]) -> None:
    tenants = (Organization("mh_default_org", hosts=("127.0.0.1",)), Organization("tenant", "Tenant"))
    url = simulators("empty", organizations=tenants).url
    auth = ("admin", "opencast")

    def organization(name: str) -> requests.Response:
        headers = {"X-Opencast-Matterhorn-Organization": name}
        return requests.get(f"{url}/info/me.json", headers=headers, auth=auth)

    assert organization("tenant").json()["org"]["id"] == "tenant"
    assert organization("unknown").status_code == 403


def test_what_has_no_rule_of_its_own_needs_the_administrator() -> None:
    assert needed_roles("GET", "/assets/episode/x") == {"ROLE_ADMIN"}
    assert "ROLE_UI_EVENTS_DETAILS_ASSETS_VIEW" in needed_roles("GET", "/assets/assets/a/b/1/c.mp4")
