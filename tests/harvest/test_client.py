"""The client: sickle's verbs and errors over a reader of our own, and logins that stay where they belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from opencast.api.authentication import DigestAuth
from opencast.errors import ServerFailure, Throttled
from opencast.harvest.client import OaiPmhClient
from opencast.harvest.endpoint import Endpoint
from opencast.harvest.refusals import BadResumptionToken, OaiError
from opencast.harvest.transport import Transport
from sickle import Sickle, oaiexceptions

from tests.harvest.conftest import Site
from tests.harvest.in_process import InProcess
from tests.harvest.oai_server import Reply
from tests.harvest.recordings import Recording

RECORDED = Path(__file__).parent.parent / "data" / "recordings" / "oaipmh"
DC = {"metadataPrefix": "oai_dc"}


def recorded(name: str) -> Reply:
    response = json.loads((RECORDED / f"{name}.json").read_text())["response"]
    return Reply((response.get("text") or "").encode(), response["status"], response["headers"])


def client_of(
    answer: Callable[[dict[str, str]], Reply], **endpoint: Any
) -> tuple[OaiPmhClient, InProcess, list[float]]:
    sender = InProcess(answer)
    waits: list[float] = []
    settings = Endpoint(endpoint.pop("url", "http://oc.example.org/oaipmh/default"), **endpoint)
    transport = Transport(settings, sender=sender)
    return OaiPmhClient(settings, sleep=waits.append, transport=transport, jitter=lambda: 0.0), sender, waits


# --- sickle's verbs --------------------------------------------------------------------------------------------------


def test_it_is_a_sickle_client(site: Site) -> None:
    assert isinstance(site.client(), Sickle)


def test_list_records_gives_the_records_of_all_pages(site: Site) -> None:
    for number in range(120):
        site.server.put(f"ev-{number:03}", Recording())
        site.clock.tick(1)
    identifiers = [record.identifier for record in site.client().ListRecords(**DC)]
    assert identifiers == [f"ev-{number:03}" for number in range(120)]


def test_deleted_records_can_be_left_out(site: Site) -> None:
    site.server.put("ev-1", Recording())
    site.clock.tick(1)
    site.server.put("ev-2", Recording())
    site.clock.tick(1)
    site.server.delete("ev-1")
    assert [record.deleted for record in site.client().ListRecords(**DC)] == [False, True]
    assert [record.identifier for record in site.client().ListRecords(ignore_deleted=True, **DC)] == ["ev-2"]


def test_list_identifiers_gives_headers(site: Site) -> None:
    site.server.put("ev-1", Recording(), sets=("open",))
    (header,) = site.client().ListIdentifiers(**DC)
    assert (header.identifier, header.stamp, header.sets) == ("ev-1", "2026-11-22T12:00:00Z", ("open",))


def test_get_record_gives_one(site: Site) -> None:
    site.server.put("ev-1", Recording(title="Sorting"))
    record = site.client().GetRecord(identifier="ev-1", **DC)
    assert record.identifier == "ev-1"
    assert b"Sorting" in record.xml


def test_list_metadata_formats_gives_prefixes_and_namespaces(site: Site) -> None:
    formats = {found.prefix: found for found in site.client().ListMetadataFormats()}
    assert set(formats) == {"oai_dc", "matterhorn", "matterhorn-inlined"}
    assert (formats["matterhorn"].is_matterhorn, formats["matterhorn"].is_inlined) == (True, False)
    assert (formats["matterhorn-inlined"].is_matterhorn, formats["matterhorn-inlined"].is_inlined) == (True, True)


def test_list_sets_gives_sets(site: Site) -> None:
    site.server.sets = ("open", "law")
    assert [found.spec for found in site.client().ListSets()] == ["open", "law"]


def test_identify_says_what_the_repository_is() -> None:
    client, _, _ = client_of(lambda _arguments: recorded("identify"))
    identify = client.Identify()
    assert (identify.name, identify.deleted_record) == ("Matterhorn OAI-PMH repository", "transient")
    assert identify.finest.value == "YYYY-MM-DDThh:mm:ssZ"
    # A day although the granularity is seconds.
    assert identify.earliest is not None
    assert identify.earliest.isoformat() == "2010-01-01T00:00:00+00:00"


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recording", "sickles"),
    [
        ("bad_prefix", oaiexceptions.CannotDisseminateFormat),
        ("bad_token", oaiexceptions.BadResumptionToken),
        ("bad_verb", oaiexceptions.BadVerb),
        ("from_after_until", oaiexceptions.BadArgument),
        ("get_unknown", oaiexceptions.IdDoesNotExist),
        ("none_match", oaiexceptions.NoRecordsMatch),
        ("no_prefix", oaiexceptions.BadArgument),
        ("sets", oaiexceptions.NoSetHierarchy),
    ],
)
def test_errors_of_opencast_are_sickles_errors_and_ours(recording: str, sickles: type[Exception]) -> None:
    client, _, _ = client_of(lambda _arguments: recorded(recording))
    with pytest.raises(OaiError) as caught:
        client.page("ListRecords", DC)
    assert isinstance(caught.value, sickles)
    assert caught.value.response_date is not None


def test_an_error_of_the_protocol_is_not_tried_again() -> None:
    client, sender, _ = client_of(lambda _arguments: recorded("bad_prefix"))
    with pytest.raises(OaiError):
        client.page("ListRecords", DC)
    assert len(sender.urls) == 1


def test_whatever_a_repository_says_of_a_token_it_is_dead() -> None:
    client, _, _ = client_of(lambda _arguments: recorded("no_prefix"))
    with pytest.raises(BadResumptionToken):
        next(client.pages("ListRecords", {}, token="dead"))


def test_the_number_of_tries_is_limited() -> None:
    client, sender, waits = client_of(lambda _arguments: Reply(b"", 500), max_tries=4)
    with pytest.raises(ServerFailure):
        client.page("Identify")
    assert len(sender.urls) == 4
    assert waits == sorted(waits)


def test_a_long_pause_is_not_waited_for() -> None:
    client, sender, waits = client_of(lambda _arguments: Reply(b"", 503, {"Retry-After": "3600"}), patience=300)
    with pytest.raises(Throttled) as caught:
        client.page("Identify")
    assert (len(sender.urls), waits, caught.value.retry_after) == (1, [], 3600)


# --- logins ----------------------------------------------------------------------------------------------------------


def redirecting(location: str) -> Callable[[dict[str, str]], Reply]:
    seen: list[int] = []

    def answer(_arguments: dict[str, str]) -> Reply:
        seen.append(1)
        return Reply(b"", 302, {"Location": location}) if len(seen) == 1 else recorded("identify")

    return answer


@pytest.mark.parametrize(
    ("url", "location", "goes_along"),
    [
        ("https://oc.example.org/oai", "/oai2", True),
        ("https://oc.example.org/oai", "https://oc.example.org:443/oai2", True),
        ("http://oc.example.org/oai", "https://oc.example.org/oai", True),
        ("https://oc.example.org/oai", "http://oc.example.org/oai", False),
        ("https://oc.example.org/oai", "https://evil.example.org/oai", False),
        ("https://oc.example.org/oai", "https://oc.example.org:8443/oai", False),
        ("http://oc.example.org:8080/oai", "https://oc.example.org/oai", False),
        ("https://oc.example.org/oai", "https://oc.example.org.evil.org/oai", False),
    ],
)
def test_a_login_follows_no_redirect_to_another_host(url: str, location: str, goes_along: bool) -> None:
    client, sender, _ = client_of(redirecting(location), url=url, username="ada", password="p", auth="basic")
    client.Identify()
    assert sender.with_login == [True, goes_along]


def test_a_redirect_keeps_the_arguments() -> None:
    client, sender, _ = client_of(redirecting("https://oc.example.org/new?x=1"))
    client.Identify()
    assert sender.urls[1] == "https://oc.example.org/new?x=1&verb=Identify"


def test_digest_answers_the_servers_challenge() -> None:
    challenge = {"WWW-Authenticate": 'Digest realm="Opencast", nonce="abc", qop="auth"'}

    class Logging(InProcess):
        def __init__(self) -> None:
            super().__init__(lambda _arguments: recorded("identify"))
            self.digest = self.login = DigestAuth("ada", "p")
            self.headers: list[str | bytes | None] = []

        def send(self, request: requests.Request, **options: Any) -> requests.Response:
            prepared = self.login(request.prepare())
            self.headers.append(prepared.headers.get("Authorization"))
            response = super().send(request, **options)
            if self.headers[-1] is None:
                response.status_code = 401
                response.headers.update(challenge)
            return response

    settings = Endpoint("http://oc.example.org/oai", username="ada", password="p", auth="digest")
    sender = Logging()
    OaiPmhClient(settings, transport=Transport(settings, sender=sender)).Identify()
    assert sender.headers[0] is None
    assert (
        b'nonce="abc"' in (sender.headers[1] or "").encode()
        if isinstance(sender.headers[1], str)
        else sender.headers[1]
    )


def test_whoever_is_sent_to_the_login_page_is_told_what_is_missing() -> None:
    client, _, _ = client_of(lambda _arguments: recorded("anonymous"))
    with pytest.raises(Exception, match=r"redirects to http://127\.0\.0\.1:8080/login\.html\."):
        client.Identify()


def test_one_session_serves_a_whole_list(site: Site) -> None:
    for number in range(120):
        site.server.put(f"ev-{number:03}", Recording())
        site.clock.tick(1)
    client = site.client()
    list(client.ListRecords(**DC))
    assert client.transport.requests == 3
    assert client.transport.bytes_read > 0
