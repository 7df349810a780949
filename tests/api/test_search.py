"""The index of published episodes, in both of its generations."""

from __future__ import annotations

import json

import pytest
from opencast.api import search_package
from opencast.api.opencast import Opencast
from opencast.api.search import SearchService
from opencast.errors import InvalidAnswer, InvalidXml
from opencast.model.mediapackage import MediaPackage, compare_elements

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, Request, ScriptedServer, json_answer, xml_answer


@pytest.fixture
def solr(opencast: Opencast) -> SearchService:
    return SearchService(opencast.client, major=15)


@pytest.fixture
def search(opencast: Opencast) -> SearchService:
    return SearchService(opencast.client, major=17)


def test_before_16_the_whole_package_is_the_text_in_the_xml(server: ScriptedServer, solr: SearchService) -> None:
    server.on("GET", "/search/episode.xml", xml_answer(recorded_text("search15/id_fast_xml", version=15)))
    package = solr.episode("c-ev-fast")
    assert package is not None
    assert len(package.elements) == 5
    assert package.elements[0].checksum is not None
    assert server.last.query == {"id": "c-ev-fast", "limit": "1", "sign": "false"}


def test_before_16_a_result_without_that_text_is_read_from_its_package(
    server: ScriptedServer, solr: SearchService
) -> None:
    text = recorded_text("search15/id_fast_xml", version=15)
    start, end = text.index("<ns2:ocMediapackage>"), text.index("</ns2:ocMediapackage>")
    server.on("GET", "/search/episode.xml", xml_answer(text[:start] + "<ns2:ocMediapackage>" + text[end:]))
    package = solr.episode("c-ev-fast")
    assert package is not None
    assert package.title == "Published by fast"


def test_before_16_a_result_without_any_package_is_refused(server: ScriptedServer, solr: SearchService) -> None:
    body = '<search-results xmlns="http://search.opencastproject.org" total="1"><result id="a"/></search-results>'
    server.on("GET", "/search/episode.xml", xml_answer(body))
    with pytest.raises(InvalidAnswer, match="without a mediapackage"):
        solr.episode("a")


@pytest.mark.parametrize("name", ["id_unknown_xml", "id_unpublished_xml"])
def test_before_16_no_result_is_none(server: ScriptedServer, solr: SearchService, name: str) -> None:
    server.on("GET", "/search/episode.xml", xml_answer(recorded_text(f"search15/{name}", version=15)))
    assert solr.episode("c-x") is None


def test_before_16_a_limit_of_0_would_mean_100_so_the_total_is_taken_from_one_row(
    server: ScriptedServer, solr: SearchService
) -> None:
    server.on("GET", "/search/episode.xml", xml_answer(recorded_text("search15/limit1_xml", version=15)))
    assert solr.count() > 1
    assert server.last.query["limit"] == "1"


def test_before_16_all_episodes_are_listed(server: ScriptedServer, solr: SearchService) -> None:
    text = recorded_text("search15/episodes_limit100_xml", version=15)
    server.on("GET", "/search/episode.xml", xml_answer(text))
    hits = list(solr.episodes())
    assert len(hits) == 6
    assert all(hit.package().id == hit.identifier for hit in hits)
    assert server.last.query["sort"] == "TITLE"


@pytest.mark.parametrize("body", ["<a/>", "<search-results total='1'/>", "<html><body/></html>"])
def test_another_document_is_refused(server: ScriptedServer, solr: SearchService, body: str) -> None:
    server.on("GET", "/search/episode.xml", xml_answer(body))
    with pytest.raises(Exception, match=r"no list of results|web page"):
        solr.count()


def test_entities_in_a_result_are_refused(server: ScriptedServer, solr: SearchService) -> None:
    text = recorded_text("search15/id_fast_xml", version=15)
    evil = text.replace("&lt;mediapackage", '&lt;!DOCTYPE x [&lt;!ENTITY e "x"&gt;]&gt;&lt;mediapackage', 1)
    server.on("GET", "/search/episode.xml", xml_answer(evil))
    with pytest.raises(InvalidXml):
        solr.episode("c-ev-fast")


def test_since_16_the_package_is_rebuilt_from_json(server: ScriptedServer, search: SearchService) -> None:
    replay(server, "events/ev-fast/search")
    server.on("GET", "/search/episode.json", json_answer(recorded_text("events/ev-fast/search")))
    package = search.episode("a-ev-fast")
    assert package is not None
    assert package.duration == 4018


@pytest.mark.parametrize("event", ["ev-fast", "ev-two-streams", "ev-names", "ev-no-series", "ev-oaipmh"])
def test_since_16_the_rebuilt_package_is_the_publication_in_the_archive(
    server: ScriptedServer, search: SearchService, event: str
) -> None:
    server.on("GET", "/search/episode.json", json_answer(recorded_text(f"events/{event}/search")))
    found = search.episode(f"a-{event}")
    archive = MediaPackage.parse(recorded_text(f"events/{event}/assets").encode())
    publication = archive.publication("engage-player")
    assert found is not None
    assert publication is not None
    expected = {element.id: element for element in publication.elements}
    assert {element.id for element in found.elements} == set(expected)
    differences = [
        difference
        for element in found.elements
        for difference in compare_elements(expected[element.id], element, ignore=frozenset())
    ]
    assert differences == []


def test_since_16_no_result_is_none(server: ScriptedServer, search: SearchService) -> None:
    server.on("GET", "/search/episode.json", json_answer(recorded_text("events/ev-archive-only/search")))
    assert search.episode("a-ev-archive-only") is None


def test_since_16_episodes_are_counted_and_listed(server: ScriptedServer, search: SearchService) -> None:
    server.on("GET", "/search/episode.json", json_answer(recorded_text("search/episodes")))
    assert search.count() == 9
    hits = list(search.episodes())
    assert len(hits) == 9
    assert {hit.package().id for hit in hits} == {hit.identifier for hit in hits}
    assert server.last.query["sort"] == "title asc"


def test_a_limit_that_the_server_cuts_is_not_the_end(server: ScriptedServer, search: SearchService) -> None:
    def answer(request: Request) -> Answer:
        start = int(request.query["offset"])
        rows = [{"mediapackage": {"id": f"e-{number}"}} for number in range(start, min(start + 2, 5))]
        return json_answer(json.dumps({"total": 5, "result": rows}))

    server.on("GET", "/search/episode.json", answer)
    assert [hit.identifier for hit in search.episodes(page_size=100)] == [f"e-{number}" for number in range(5)]


def test_a_total_that_is_never_reached_ends_the_list(server: ScriptedServer, search: SearchService) -> None:
    server.on("GET", "/search/episode.json", json_answer('{"total": 7, "result": []}'))
    assert list(search.episodes()) == []


@pytest.mark.parametrize("body", ["[]", "{}", '{"result": [{}], "total": 1}', '{"result": [], "total": null}'])
def test_json_of_another_form_is_refused(server: ScriptedServer, search: SearchService, body: str) -> None:
    server.on("GET", "/search/episode.json", json_answer(body))
    with pytest.raises(InvalidAnswer):
        search.count()


def test_numbers_are_written_as_xml_has_them() -> None:
    video = {"id": "v", "bitrate": 5, "framerate": 25.0, "framecount": 100.0}
    package = {"id": "a", "media": {"track": {"id": "t", "size": 5.0, "duration": 7.0, "video": video, "live": False}}}
    text = search_package.to_xml({**package, "duration": 7.0}).decode()
    for written in ('duration="7"', "size>5<", "bitrate>5.0<", "framerate>25.0<", "framecount>100<", "live>false<"):
        assert written in text


@pytest.mark.parametrize("value", [[], "x", None, {"a b": 1}, {"id": "\x00"}, {"title": "\x0b"}])
def test_what_cannot_be_xml_is_refused(value: object) -> None:
    with pytest.raises(InvalidAnswer):
        search_package.to_xml(value)


def test_a_document_without_end_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"x": deep}
    with pytest.raises(InvalidAnswer, match="deep"):
        search_package.to_xml(deep)
