"""Connections: certificates, and who is asked with which login."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from opencast.api.client import Client
from opencast.api.server import Server
from opencast.errors import Forbidden, Unreachable

from tests.api.scripted_server import Answer, ScriptedServer, json_answer

Connect = Callable[..., Client]
Servers = Callable[[], ScriptedServer]
VIDEO = Answer(200, b"0123456789", {"Content-Type": "video/mp4"})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509
        .CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ScriptedServer(tls=context)
    server.on("GET", "/x", json_answer("{}"))
    yield server
    server.close()


def test_a_certificate_that_nobody_signed_is_refused(
    tls_server: ScriptedServer, connect: Connect, sleeps: list[float]
) -> None:
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED") as caught:
        connect(tls_server).get("/x")
    assert not caught.value.retriable
    assert sleeps == []
    assert tls_server.requests == []


def test_a_certificate_is_accepted_when_its_authority_is_named(
    tls_server: ScriptedServer, connect: Connect, certificate: Path
) -> None:
    assert connect(tls_server, verify_tls=str(certificate)).get_json("/x") == {}


def test_an_authority_may_be_named_in_the_environment(
    tls_server: ScriptedServer, connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert connect(tls_server).get_json("/x") == {}


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_check_can_be_switched_off(
    tls_server: ScriptedServer, connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all.pem")
    assert connect(tls_server, verify_tls=False).get_json("/x") == {}


def test_a_distribution_server_gets_its_own_login_and_only_that(
    server: ScriptedServer, servers: Servers, connect: Connect
) -> None:
    cdn = servers().on("GET", "/a.mp4", VIDEO).on("HEAD", "/a.mp4", VIDEO)
    client = connect(server, run_as="ada", organization="o", distribution=(Server(cdn.url, "reader", "another"),))
    with client.open_download(f"{cdn.url}/a.mp4") as download:
        assert b"".join(download.iter()) == VIDEO.body
    client.head(f"{cdn.url}/a.mp4")
    client.unchanged(f"{cdn.url}/a.mp4", "0" * 32)
    for request in cdn.requests:
        assert request.headers["Authorization"] == "Basic cmVhZGVyOmFub3RoZXI="
        assert request.headers["X-RUN-AS-USER"] is None
        assert request.headers["X-Opencast-Matterhorn-Organization"] is None
    assert client.requests == 3
    assert client.bytes_read == 10
    client.close()


def test_a_distribution_server_may_want_no_login(server: ScriptedServer, servers: Servers, connect: Connect) -> None:
    cdn = servers().on("GET", "/a.mp4", Answer(403))
    client = connect(server, distribution=(Server(cdn.url, auth="none"),))
    with pytest.raises(Forbidden), client.open_download(f"{cdn.url}/a.mp4"):
        pass
    assert cdn.last.headers["Authorization"] is None


def test_the_own_server_is_still_asked_with_the_own_login(
    server: ScriptedServer, servers: Servers, connect: Connect
) -> None:
    server.on("GET", "/a.mp4", VIDEO)
    client = connect(server, distribution=(Server(servers().url, "reader", "another"),))
    with client.open_download("/a.mp4"):
        pass
    assert server.last.headers["Authorization"] != "Basic cmVhZGVyOmFub3RoZXI="
    assert server.last.headers["Authorization"] is not None
