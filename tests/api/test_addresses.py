"""Paths, origins and what of a URL may be shown."""

from __future__ import annotations

import pytest
from opencast.api import addresses
from opencast.errors import ConfigurationError, InvalidIdentifier, UnexpectedContent


@pytest.mark.parametrize(
    ("segment", "escaped"),
    [
        ("a-lab 7", "a-lab%207"),
        ("Hörsaal/1", "H%C3%B6rsaal%2F1"),
        ("a;b", "a%3Bb"),
        ("100%", "100%25"),
        ("x?y#z", "x%3Fy%23z"),
        ("a:b(c)", "a%3Ab%28c%29"),
    ],
)
def test_each_segment_is_escaped_into_exactly_one_segment(segment: str, escaped: str) -> None:
    assert addresses.path("/capture-admin/agents", segment) == f"/capture-admin/agents/{escaped}"


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_would_lead_elsewhere_is_refused(segment: str) -> None:
    with pytest.raises(InvalidIdentifier):
        addresses.path("/assets/episode", segment)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://oc.example.org/x", "https://oc.example.org:443"),
        ("HTTP://OC.Example.org.:8080", "http://oc.example.org:8080"),
        ("http://[::1]/x", "http://[::1]:80"),
        ("https://user:pw@oc.example.org/", "https://oc.example.org:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert addresses.origin(url) == origin


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "http://", "http://h:99999/", "http://h:0/", "x"])
def test_anything_but_an_http_address_has_no_origin(url: str) -> None:
    with pytest.raises(UnexpectedContent):
        addresses.origin(url)


def test_a_host_in_the_settings_takes_the_scheme_of_the_server() -> None:
    assert addresses.configured_origin("cdn.example.org", scheme="https", setting="s") == "https://cdn.example.org:443"
    with pytest.raises(ConfigurationError, match="trusted_hosts"):
        addresses.configured_origin("http://", scheme="https", setting="trusted_hosts")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/a/b.mp4?policy=x&signature=y", "https://h/a/b.mp4"),
        ("https://h/login.html;jsessionid=node0abc.node0", "https://h/login.html"),
        ("https://user:secret@h/a#frag", "https://h/a"),
        ("/relative?x=1", "/relative"),
        ("not a url", "not a url"),
        ("http://[broken?x", "http://[broken"),
    ],
)
def test_a_shown_url_has_lost_everything_that_may_be_secret(url: str, shown: str) -> None:
    assert addresses.shown(url) == shown


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8080/", True),
        ("http://127.8.9.1/", True),
        ("http://[::1]:80/", True),
        ("http://localhost/", True),
        ("http://oc.localhost./", True),
        ("http://127.0.0.1.example.org/", False),
        ("http://192.168.1.1/", False),
        ("http://[", False),
    ],
)
def test_loopback_hosts_are_known_by_name_and_number(url: str, loopback: bool) -> None:
    assert addresses.is_loopback(url) is loopback
