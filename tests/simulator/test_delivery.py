"""Signed urls and the distribution host (contract 8.4, 11.3; ``ResourceRequestUtil``, ``UrlSigningEndpoint``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator import Simulator
from tests.simulator.delivery import Delivery
from tests.simulator.driver import Driver

EVENT = "a-ev-two-streams"
HOST = "127.0.0.2"


def _published(simulator: Simulator) -> str:
    package = simulator.state.published[EVENT].package
    return str(package.of_kind("track")[0].url)


@pytest.fixture
def protected(simulators: Callable[..., Simulator]) -> Simulator:
    return simulators(delivery=Delivery(host=HOST, signed=("/static/",)))


def _sign(simulator: Simulator, url: str, until: float) -> str:
    answer = Driver(simulator).get("/signing/sign", params={"baseUrl": url, "validUntil": int(until)})
    assert answer.status_code == 200
    return str(answer.text)


def test_published_files_have_the_address_of_the_distribution_host(protected: Simulator) -> None:
    url = urlsplit(_published(protected))
    assert (url.hostname, url.path.split("/")[1]) == (HOST, "static")
    assert url.port != urlsplit(protected.url).port


def test_the_server_signs_what_it_has_a_key_for(protected: Simulator) -> None:
    driver = Driver(protected)
    accepted = [
        driver.get("/signing/accepts", params={"baseUrl": url}).text
        for url in (_published(protected), f"{protected.url}/assets/assets/x")
    ]
    assert accepted == ["true", "false"]
    refused = driver.get("/signing/sign", params={"baseUrl": f"{protected.url}/assets/x", "validUntil": 1})
    assert refused.status_code == 400


def test_a_signature_stands_in_three_parameters(protected: Simulator) -> None:
    signed = _sign(protected, _published(protected), time.time() + 60)
    assert sorted(parse_qs(urlsplit(signed).query)) == ["keyId", "policy", "signature"]
    assert Driver(protected).bare(signed).status_code == 200


def test_nothing_is_delivered_without_a_signature(protected: Simulator) -> None:
    url, driver = _published(protected), Driver(protected)
    signed = _sign(protected, url, time.time() + 60)
    other = url.replace("/static/", "/static/x") + "?" + urlsplit(signed).query
    statuses = [driver.bare(address).status_code for address in (url, signed[:-1] + "!", other)]
    assert statuses == [400, 403, 403]


def test_a_signature_that_is_over_is_410(protected: Simulator) -> None:
    late = _sign(protected, _published(protected), time.time() - 1)
    assert Driver(protected).bare(late).status_code == 410


def test_the_external_api_signs_or_says_no_with_200(protected: Simulator) -> None:
    driver = Driver(protected)
    signed = driver.post("/api/security/sign", data={"url": _published(protected)}).json()
    assert driver.bare(signed["url"]).status_code == 200
    assert driver.post("/api/security/sign", data={"url": "https://x.example.org/a"}).json() == {
        "error": "Given URL cannot be signed"
    }
    assert driver.post("/api/security/sign", data={}).status_code == 400


def test_a_distribution_host_has_accounts_of_its_own(simulators: Callable[..., Simulator]) -> None:
    simulator = simulators(delivery=Delivery(host=HOST, users=(("media", "secret"),)))
    driver, url = Driver(simulator), _published(simulator)
    logins = (None, ("admin", "opencast"), ("media", "secret"))
    assert [driver.bare(url, auth=login).status_code for login in logins] == [401, 401, 200]


def test_a_web_server_in_front_would_fill_in_the_body(simulators: Callable[..., Simulator]) -> None:
    simulator = simulators(delivery=Delivery(accel=True))
    answer = Driver(simulator).get(urlsplit(_published(simulator)).path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Accel-Redirect"].startswith("/protected/")
