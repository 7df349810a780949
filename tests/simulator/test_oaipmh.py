"""OAI-PMH: pages, tokens, dates, deleted records, who may harvest, and publishing by a workflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
from lxml import etree

from tests.simulator import Simulator
from tests.simulator.driver import Driver
from tests.simulator.oaipmh import OaiContents, OaiRecord, OaiRepositories

BASE = "/oaipmh/default"
EMPTY = OaiContents('<mediapackage xmlns="http://mediapackage.opencastproject.org"/>')
PUBLISH = [("publish-oaipmh", {"repository": "default", "download-flavors": "*/*"}), ("snapshot", {})]


def ask(server: Driver, **arguments: str) -> etree._Element:
    answer = server.get(BASE, params=arguments)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml;charset=utf-8")
    return etree.fromstring(answer.content)


def ids(document: etree._Element) -> list[str]:
    return [str(node.text) for node in document.iterfind(".//{*}header/{*}identifier")]


def token(document: etree._Element) -> str | None:
    return document.findtext(".//{*}resumptionToken")


def error(document: etree._Element) -> str | None:
    node = document.find("{*}error")
    return None if node is None else node.get("code")


def put(server: Driver, name: str, modified: datetime) -> None:
    server.simulator.state.oai.put(OaiRecord("default", name, "mh_default_org", modified, lambda: EMPTY))


@pytest.fixture
def server(simulators: Callable[..., Simulator]) -> Driver:
    return Driver(simulators("recorded", oai_records=72))


def test_a_list_comes_in_pages_of_fifty(server: Driver) -> None:
    first = ask(server, verb="ListRecords", metadataPrefix="matterhorn")
    second = ask(server, verb="ListRecords", resumptionToken=str(token(first)))
    assert (len(ids(first)), len(ids(second)), token(second)) == (50, 22, "")
    assert len({*ids(first), *ids(second)}) == 72


def test_a_short_list_has_no_token_at_all(simulators: Callable[..., Simulator]) -> None:
    document = ask(Driver(simulators("recorded")), verb="ListRecords", metadataPrefix="matterhorn")
    assert (len(ids(document)), token(document)) == (2, None)


def test_a_full_last_page_is_followed_by_nothing(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", oai_records=50))
    first = ask(server, verb="ListIdentifiers", metadataPrefix="oai_dc")
    assert error(ask(server, verb="ListIdentifiers", resumptionToken=str(token(first)))) == "noRecordsMatch"


def test_a_token_can_be_used_again_and_with_another_verb(server: Driver) -> None:
    held = str(token(ask(server, verb="ListIdentifiers", metadataPrefix="matterhorn")))
    expected = ids(ask(server, verb="ListIdentifiers", resumptionToken=held))
    assert ids(ask(server, verb="ListIdentifiers", resumptionToken=held)) == expected
    assert ids(ask(server, verb="ListRecords", resumptionToken=held)) == expected


def test_of_the_tokens_the_least_used_is_forgotten(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", oai_records=60, oai_tokens=2))
    first, second = (str(token(ask(server, verb="ListRecords", metadataPrefix="oai_dc"))) for _ in range(2))
    ask(server, verb="ListRecords", resumptionToken=first)
    ask(server, verb="ListRecords", metadataPrefix="oai_dc")
    assert error(ask(server, verb="ListRecords", resumptionToken=second)) == "badResumptionToken"
    assert error(ask(server, verb="ListRecords", resumptionToken=first)) is None


def test_a_restart_forgets_all_tokens(server: Driver) -> None:
    held = str(token(ask(server, verb="ListRecords", metadataPrefix="oai_dc")))
    server.simulator.state.oai.forget_tokens()
    assert error(ask(server, verb="ListRecords", resumptionToken=held)) == "badResumptionToken"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "ListSets"}, "noSetHierarchy"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "ListRecords", "from": "2020-01-01"}, "badArgument"),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "x"}, "noSetHierarchy"),
        ({"verb": "ListRecords", "metadataPrefix": "nope"}, "cannotDisseminateFormat"),
        (
            {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2020-01-01", "until": "2020-01-01"},
            "badArgument",
        ),
        ({"verb": "ListRecords", "metadataPrefix": "oai_dc", "resumptionToken": "x"}, "badArgument"),
        ({"verb": "GetRecord", "metadataPrefix": "oai_dc"}, "badArgument"),
        ({"verb": "GetRecord", "metadataPrefix": "nope", "identifier": "x"}, "cannotDisseminateFormat"),
        ({"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "x"}, "idDoesNotExist"),
    ],
)
def test_errors_come_with_status_200(server: Driver, arguments: dict[str, str], code: str) -> None:
    assert error(ask(server, **arguments)) == code


def test_a_date_that_is_none_breaks_the_request(server: Driver) -> None:
    assert server.get(BASE, params={"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "x"}).status_code == 500


def test_an_unknown_repository_is_not_found_and_none_is_the_default_one(server: Driver) -> None:
    assert server.get("/oaipmh/nope?verb=Identify").status_code == 404
    assert server.get("/oaipmh?verb=Identify").content == server.get("/oaipmh/default?verb=Identify").content


def test_arguments_may_be_posted(server: Driver) -> None:
    answer = server.post(BASE, data={"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"})
    assert len(ids(etree.fromstring(answer.content))) == 50


def test_harvesting_takes_an_administrator_unless_it_is_open_to_all(simulators: Callable[..., Simulator]) -> None:
    for options, status in (({}, 302), ({"oai_open": True}, 200)):
        url = simulators("empty", **options).url
        assert requests.get(f"{url}{BASE}?verb=Identify", allow_redirects=False).status_code == status


def test_records_of_one_second_are_told_apart_by_milliseconds(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", oai_page=2))
    for number in range(3):
        put(server, f"r{number}", datetime(2024, 1, 1, microsecond=number * 1000, tzinfo=UTC))
    first = ask(server, verb="ListIdentifiers", metadataPrefix="oai_dc")
    assert ids(ask(server, verb="ListIdentifiers", resumptionToken=str(token(first)))) == ["r2"]


def test_a_database_with_whole_seconds_loses_records_between_two_pages(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", oai_page=2, oai_whole_seconds=True))
    for number in range(3):
        put(server, f"r{number}", datetime(2024, 1, 1, microsecond=number * 1000, tzinfo=UTC))
    first = ask(server, verb="ListIdentifiers", metadataPrefix="oai_dc")
    assert error(ask(server, verb="ListIdentifiers", resumptionToken=str(token(first)))) == "noRecordsMatch"


def test_from_and_until_are_inclusive_but_an_end_has_no_milliseconds(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty"))
    second = datetime(2024, 1, 1, tzinfo=UTC)
    put(server, "sharp", second)
    put(server, "later", second + timedelta(milliseconds=1))
    both = ask(server, verb="ListIdentifiers", metadataPrefix="oai_dc", **{"from": "2024-01-01T00:00:00Z"})
    assert ids(both) == ["sharp", "later"]
    until = ask(server, verb="ListIdentifiers", metadataPrefix="oai_dc", until="2024-01-01T00:00:00Z")
    assert ids(until) == ["sharp"]


def test_what_changes_while_a_list_is_read_comes_with_the_next_harvest() -> None:
    repositories = OaiRepositories()
    old = datetime(2024, 1, 1, tzinfo=UTC)
    repositories.put(OaiRecord("default", "a", "o", old, lambda: EMPTY))
    until = repositories.now()
    repositories.put(OaiRecord("default", "b", "o", until + timedelta(seconds=1), lambda: EMPTY))
    assert [r.package_id for r in repositories.search("o", "default", None, until, 9, resumed=False)] == ["a"]


def test_a_large_repository_is_made_up_lazily(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty", oai_records=30_000))
    document = ask(server, verb="ListRecords", metadataPrefix="matterhorn-inlined")
    assert ids(document)[49] == "oai-000049"
    title = document.findtext(".//{http://purl.org/dc/terms/}title")
    assert title == "Made up 0 – Übung"


def test_a_workflow_publishes_and_retracts(simulators: Callable[..., Simulator]) -> None:
    server = Driver(simulators("empty"))
    server.run(server.package("ev", title="Shown"), PUBLISH)
    record = ask(server, verb="GetRecord", metadataPrefix="matterhorn-inlined", identifier="ev")
    assert record.findtext(".//{http://purl.org/dc/terms/}title") == "Shown"
    assert [track.get("id") for track in record.iter("{*}track")] == ["track-1"]
    assert f"{server.url}/static/mh_default_org/oaipmh-default/ev/track-1/v.mp4" in etree.tostring(record).decode()
    server.run(server.archived("ev"), [("retract-oaipmh", {"repository": "default"})])
    gone = ask(server, verb="GetRecord", metadataPrefix="matterhorn", identifier="ev")
    header = gone.find(".//{*}header")
    assert header is not None
    assert (header.get("status"), gone.find(".//{*}metadata")) == ("deleted", None)
