"""The settings of a connection."""

from __future__ import annotations

from typing import Any

import pytest
from opencast.api.server import Server
from opencast.errors import ConfigurationError


def test_the_password_is_never_shown() -> None:
    assert "geheim" not in repr(Server("https://oc.example.org", "admin", "geheim"))


def test_a_slash_at_the_end_of_the_address_does_not_count() -> None:
    assert Server(" https://oc.example.org/ ", "a").url == "https://oc.example.org"


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "oc.example.org"},
        {"url": "ftp://oc.example.org"},
        {"url": "https://"},
        {"url": "https://oc.example.org:port"},
        {"url": "https://admin:geheim@oc.example.org"},
        {"url": "https://oc.example.org/?a=b"},
        {"url": "https://oc.example.org/#a"},
        {"username": ""},
        {"username": "a:b"},
        {"auth": "ntlm"},
        {"organization": ""},
        {"organization": "a\r\nX: y"},
        {"run_as": "Łukasz"},
        {"connect_timeout": 0},
        {"read_timeout": -1.0},
        {"max_tries": 0},
        {"trusted_hosts": ("https://",)},
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(settings: dict[str, Any]) -> None:
    values = {"url": "https://oc.example.org", "username": "admin", "password": "geheim", **settings}
    with pytest.raises(ConfigurationError) as caught:
        Server(**values)
    assert "geheim" not in str(caught.value)


def test_a_login_is_not_needed_without_authentication() -> None:
    assert Server("https://oc.example.org", auth="none").username == ""


def test_credentials_belong_to_the_own_origin_and_to_trusted_hosts_only() -> None:
    server = Server("https://oc.example.org", "admin", trusted_hosts=("presentation.example.org", "http://cdn:8080"))
    assert server.trusts("https://oc.example.org/x")
    assert server.trusts("https://presentation.example.org:443/x")
    assert server.trusts("http://cdn:8080/x")
    assert not server.trusts("http://oc.example.org/x")
    assert not server.trusts("https://oc.example.org:8443/x")
    assert not server.trusts("https://oc.example.org.evil.org/x")
