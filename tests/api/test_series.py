"""Series."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import InvalidAnswer, InvalidIdentifier, NotFound, ServerFailure
from opencast.model.acl import Ace, Acl
from opencast.model.dublincore import DublinCore

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, Request, ScriptedServer, json_answer, text_answer

ALGORITHMS = "a-series-algorithms"


def _pages(identifiers: list[str]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        start, size = int(request.query["offset"]), int(request.query["limit"])
        return json_answer(json.dumps([{"identifier": name} for name in identifiers[start : start + size]]))

    return answer


def test_the_list_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/series", json_answer(recorded_text("series/api_list")))
    rows = {row.identifier: row for row in opencast.series.list()}
    assert len(rows) == 6
    row = rows[ALGORITHMS]
    assert row.title == "Algorithms & Data Structures <2021>"
    assert row.created is not None
    assert row.created.isoformat() == "2021-03-04T05:06:07+00:00"
    assert row.contributors == ("Grace Hopper",)


def test_the_list_goes_on_until_a_short_page_and_shows_nothing_twice(
    server: ScriptedServer, opencast: Opencast
) -> None:
    server.on("GET", "/api/series", _pages(["a", "b", "b", "c", "a"]))
    assert [row.identifier for row in opencast.series.list(page_size=2)] == ["a", "b", "c"]
    assert [request.query["offset"] for request in server.requests] == ["0", "2", "4"]


def test_a_limit_is_always_sent_because_the_default_is_100(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/series", json_answer("[]"))
    assert list(opencast.series.list()) == []
    assert int(server.last.query["limit"]) > 1000


def test_a_series_without_a_title_makes_the_other_list_be_read(server: ScriptedServer, opencast: Opencast) -> None:
    """A real 17 answers every page that holds such a series with 500, and an empty body."""
    server.on(
        "GET", "/api/series", lambda request: _pages(["a"])(request) if request.query["offset"] == "0" else Answer(500)
    )

    def admin(request: Request) -> Answer:
        rows = [{"id": "a", "title": "A", "creation_date": "2020-10-01T08:00:00Z"}, {"id": "b", "title": ""}]
        return json_answer(json.dumps({"total": 2, "results": rows[int(request.query["offset"]) :]}))

    server.on("GET", "/admin-ng/series/series.json", admin)
    found = [(row.identifier, row.title) for row in opencast.series.list(page_size=1)]
    assert found == [("a", ""), ("b", "")]


def test_a_series_with_an_impossible_id_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/series", json_answer('[{"identifier": "../x"}]'))
    with pytest.raises(InvalidIdentifier):
        list(opencast.series.list())


def test_series_are_counted(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/count")
    assert opencast.series.count() == 6
    server.on("GET", "/series/count", text_answer("many"))
    with pytest.raises(InvalidAnswer):
        opencast.series.count()


def test_the_catalog_has_all_fields(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/series-algorithms_xml")
    catalog = opencast.series.dublincore(ALGORITHMS)
    assert catalog.text("title") == "Algorithms & Data Structures <2021>"
    assert [value.value for value in catalog.all("creator")] == ["Ada Lovelace", "Alan Turing"]


def test_an_unknown_series_is_not_found(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/unknown_xml", "series/unknown_acl_xml", "series/unknown_elements_json")
    assert not opencast.series.exists("unknown-series")
    for call in (opencast.series.dublincore, opencast.series.acl, opencast.series.elements, opencast.series.properties):
        with pytest.raises(NotFound):
            call("unknown-series")


def test_the_access_list_keeps_denials(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/series-deny_acl_xml")
    acl = opencast.series.acl("a-series-deny")
    assert acl is not None
    assert Ace("ROLE_GUEST", "read", allow=False) in acl.entries


def test_a_series_without_access_list_is_answered_with_nothing(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/series/a/acl.xml", Answer(200))
    assert opencast.series.acl("a") is None


def test_a_series_without_access_list_is_told_apart_from_no_series(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/series-empty_xml")
    assert opencast.series.acl("a-series-empty") is None


def test_properties_are_a_list_of_pairs_on_the_wire(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/series-algorithms_properties_json", "series/series-empty_properties_json")
    assert opencast.series.properties(ALGORITHMS) == {"theme": "1302", "live": "false"}
    assert opencast.series.properties("a-series-empty") == {}


def test_elements_are_listed_and_read_byte_by_byte(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "series/series-algorithms_elements_json", "series/series-algorithms_element_binary")
    assert opencast.series.elements(ALGORITHMS) == ("binary", "ext")
    assert opencast.series.element(ALGORITHMS, "binary") == bytes(range(256))


def test_no_elements_are_no_error_whether_the_server_says_404_or_an_empty_list(
    server: ScriptedServer, opencast: Opencast
) -> None:
    replay(server, "series/series-empty_elements_json", "series/series-uml_xml")
    assert opencast.series.elements("a-series-empty") == ()
    assert opencast.series.elements("a-series-uml") == ()


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_series_is_written_without_touching_the_rights_of_its_events(
    server: ScriptedServer, opencast: Opencast, status: int
) -> None:
    server.on("POST", "/series/", Answer(status))
    catalog = DublinCore.parse(recorded_text("series/series-uml_xml").encode())
    acl = Acl((Ace("ROLE_ADMIN", "read"),))
    opencast.series.put_dublincore(catalog, acl=acl)
    form = server.last.form
    assert form["override"] == "false"
    assert DublinCore.parse(form["series"].encode()).differences(catalog) == []
    assert Acl.from_xml(form["acl"].encode()).same_as(acl)


def test_a_series_can_be_written_without_an_access_list(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/series/", Answer(201))
    opencast.series.put_dublincore(DublinCore.parse(recorded_text("series/series-uml_xml").encode()))
    assert set(server.last.form) == {"series", "override"}


def test_a_catalog_that_the_server_cannot_read_is_a_failure(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/series_post_bad_xml")
    with pytest.raises(ServerFailure, match="XML parsing failed"):
        opencast.series.put_dublincore(DublinCore.parse(recorded_text("series/series-uml_xml").encode()))


def test_an_access_list_is_written_without_override(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("POST", "/series/a/accesscontrol", Answer(204))
    opencast.series.put_acl("a", Acl((Ace("ROLE_Ü", "read", allow=False),)))
    assert server.last.form["override"] == "false"
    assert Acl.from_xml(server.last.form["acl"].encode()) == Acl((Ace("ROLE_Ü", "read", allow=False),))


def test_properties_are_set_and_removed(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/series_property")
    opencast.series.put_property("a-series-uml", "theme", "12")
    assert server.last.form == {"name": "theme", "value": "12"}
    server.on("DELETE", "/series/a-series-uml/property/theme", Answer(204), Answer(404))
    assert opencast.series.delete_property("a-series-uml", "theme")
    assert not opencast.series.delete_property("a-series-uml", "theme")


def test_elements_are_written_as_raw_bytes(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "writes/series_element_put_again")
    opencast.series.put_element("a-series-uml", "ext", b"\x00\xff")
    assert server.last.body == b"\x00\xff"
    server.on("DELETE", "/series/a-series-uml/elements/ext", Answer(204))
    assert opencast.series.delete_element("a-series-uml", "ext")


def test_extended_metadata_is_sent_as_a_form(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("PUT", "/series/a/extendedMetadata/ext", Answer(204))
    opencast.series.put_extended_metadata("a", "ext", "<x>ü</x>".encode())
    assert server.last.form == {"dc": "<x>ü</x>"}


def test_a_series_is_deleted(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/series/a", Answer(200), Answer(404))
    assert opencast.series.delete("a")
    assert not opencast.series.delete("a")
