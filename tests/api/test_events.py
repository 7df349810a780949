"""Events as the External API shows them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import InvalidAnswer, InvalidIdentifier, NotFound
from opencast.model.acl import Ace, Acl

from tests.api.recorded import recorded_text, replay
from tests.api.scripted_server import Answer, Request, ScriptedServer, json_answer

Row = dict[str, object]
NOON = datetime(2021, 3, 10, 12, tzinfo=UTC)


class Library:
    """Lists events as a server does: ranges with both ends included, no total, ties in no order, no start date last."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.pages: list[int] = []
        self.before_page: Callable[[int], None] = lambda number: None

    def __call__(self, request: Request) -> Answer:
        self.before_page(len(self.pages))
        query = request.query
        assert query["sort"] == "start_date:ASC"
        rows = list(self.rows)
        random.Random(len(self.pages)).shuffle(rows)
        rows.sort(key=lambda row: str(row.get("start") or "9999"))
        if "filter" in query:
            since, until = query["filter"].removeprefix("start:").split("/")
            rows = [row for row in rows if row.get("start") and since <= str(row["start"]) <= until]
        start, limit = int(query.get("offset", 0)), int(query["limit"])
        page = rows[start : start + limit] if limit else rows[start:]
        self.pages.append(len(page))
        return json_answer(json.dumps(page))


def _row(number: int, start: datetime | None) -> Row:
    return {"identifier": f"e-{number}", "start": f"{start:%Y-%m-%dT%H:%M:%SZ}" if start else ""}


def _listed(opencast: Opencast, size: int) -> list[str]:
    return [row.identifier for row in opencast.events.all(page_size=size)]


def test_the_recorded_list_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/events", json_answer(recorded_text("events/all")))
    rows = {row.identifier: row for row in opencast.events.all()}
    assert len(rows) == 15
    assert rows["a-ev-fast"].archive_version == 4
    assert rows["a-sched-future"].event_status.is_scheduled


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_event_is_listed_once_whatever_the_size_of_a_page(
    server: ScriptedServer, opencast: Opencast, size: int
) -> None:
    starts = [NOON + timedelta(hours=hour // 2) for hour in range(20)]
    library = Library([_row(number, start) for number, start in enumerate([*starts, None, None, None])])
    server.on("GET", "/api/events", library)
    assert sorted(_listed(opencast, size)) == sorted(str(row["identifier"]) for row in library.rows)


def test_a_page_full_of_events_of_one_second_is_asked_for_larger(server: ScriptedServer, opencast: Opencast) -> None:
    library = Library([_row(number, NOON) for number in range(50)])
    server.on("GET", "/api/events", library)
    assert len(set(_listed(opencast, 4))) == 50


def test_a_page_does_not_grow_without_end(
    server: ScriptedServer, opencast: Opencast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencast.api.events._LARGEST_PAGE", 8)
    server.on("GET", "/api/events", Library([_row(number, NOON) for number in range(50)]))
    with pytest.raises(InvalidAnswer, match="start at"):
        _listed(opencast, 4)


def test_events_without_start_date_are_found_at_either_end(server: ScriptedServer, opencast: Opencast) -> None:
    undated = [_row(number, None) for number in range(5)]
    library = Library([*undated, *(_row(100 + day, NOON + timedelta(days=day)) for day in range(20))])
    server.on("GET", "/api/events", library)
    assert set(_listed(opencast, 3)) >= {f"e-{number}" for number in range(5)}
    first: Row = {"identifier": "e-old", "start": "0001-01-01T00:00:00Z"}
    library.rows.append(first)
    assert "e-old" in _listed(opencast, 3)


def test_an_event_deleted_meanwhile_makes_no_other_one_disappear(server: ScriptedServer, opencast: Opencast) -> None:
    rows = [_row(number, NOON + timedelta(days=number)) for number in range(30)]
    library = Library([*rows, *(_row(100 + number, None) for number in range(3))])

    def delete_one(page: int) -> None:
        if page in {2, 4}:
            library.rows.remove(rows[page])

    library.before_page = delete_one
    server.on("GET", "/api/events", library)
    expected = {str(row["identifier"]) for row in library.rows} - {"e-2", "e-4"}
    assert expected <= set(_listed(opencast, 5))


def test_an_event_added_meanwhile_makes_no_other_one_disappear(server: ScriptedServer, opencast: Opencast) -> None:
    library = Library([_row(number, NOON + timedelta(days=number)) for number in range(30)])
    before = {str(row["identifier"]) for row in library.rows}

    def add_one(page: int) -> None:
        library.rows.append(_row(500 + page, NOON + timedelta(days=page * 5, hours=1)))

    library.before_page = add_one
    server.on("GET", "/api/events", library)
    assert before <= set(_listed(opencast, 5))


def test_no_page_is_larger_than_asked_for(server: ScriptedServer, opencast: Opencast) -> None:
    library = Library([_row(number, NOON + timedelta(minutes=number)) for number in range(200)])
    server.on("GET", "/api/events", library)
    assert len(_listed(opencast, 10)) == 200
    assert max(library.pages) == 10
    assert len(library.pages) < 40


def test_an_empty_library_is_an_empty_list(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/events", Library([]))
    assert _listed(opencast, 10) == []


def test_a_bad_row_can_be_left_out(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/events", Library([_row(1, NOON), {"identifier": "../x", "start": "2022-01-01T00:00:00Z"}]))
    assert [row["identifier"] for row in opencast.events.rows()] == ["e-1", "../x"]
    with pytest.raises(InvalidIdentifier):
        _listed(opencast, 10)


def test_a_list_of_another_form_is_refused(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/events", json_answer('{"results": []}'))
    with pytest.raises(InvalidAnswer):
        _listed(opencast, 10)


def test_a_slice_is_asked_for_in_utc_with_both_ends(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("GET", "/api/events", json_answer(recorded_text("events/start_range")))
    berlin = datetime.fromisoformat("2022-01-01T01:00:00+01:00")
    rows = opencast.events.slice(berlin, datetime(2022, 2, 1, tzinfo=UTC), limit=10)
    assert [row.identifier for row in rows] == ["a-ev-archive-only", "a-ev-names", "a-ev-same-media"]
    assert server.last.query["filter"] == "start:2022-01-01T00:00:00Z/2022-02-01T00:00:00Z"


def test_one_event_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/event", "events/unknown/event")
    assert opencast.events.get("a-ev-fast").title == "Published by fast, title edited"
    assert opencast.events.exists("a-ev-fast")
    assert not opencast.events.exists("unknown")
    with pytest.raises(NotFound):
        opencast.events.get("unknown")


def test_the_access_list_in_force_is_read(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/acl", "events/unknown/acl")
    assert Ace("ROLE_STUDENT", "annotate") in opencast.events.acl("a-ev-fast").entries
    with pytest.raises(NotFound):
        opencast.events.acl("unknown")


def test_publications_are_read_with_the_internal_one(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/publications")
    publications = {publication.channel: publication for publication in opencast.events.publications("a-ev-fast")}
    assert set(publications) == {"internal", "engage-player"}
    (track,) = publications["internal"].elements
    assert (track.size, str(track.flavor), track.is_live) == (63651, "presenter/preview", False)
    assert track.checksum is not None
    assert (track.checksum.type, track.checksum.value) == ("md5", "98abfdf428094ea78c81ad9a94343300")
    catalog = next(e for e in publications["engage-player"].elements if e.flavor == "dublincore/episode")
    assert (catalog.size, catalog.checksum) == (None, None)


def test_before_16_the_internal_publication_is_missing_without_an_error(
    server: ScriptedServer, opencast: Opencast
) -> None:
    replay(server, "events/ev-fast/publications", version=15)
    assert [publication.channel for publication in opencast.events.publications("c-ev-fast")] == ["engage-player"]


def test_a_live_publication_is_known(server: ScriptedServer, opencast: Opencast) -> None:
    live = [{"id": "p", "channel": "engage-live", "media": [{"id": "t", "is_live": True}]}]
    server.on("GET", "/api/events/a/publications", json_answer(json.dumps(live)))
    (publication,) = opencast.events.publications("a")
    assert publication.is_live


@pytest.mark.parametrize("body", ["{}", "[5]", '[{"id": "p"}]', '[{"channel": "c", "media": {}}, 1]'])
def test_publications_of_another_form_are_refused(server: ScriptedServer, opencast: Opencast, body: str) -> None:
    server.on("GET", "/api/events/a/publications", json_answer(body))
    with pytest.raises(InvalidAnswer):
        opencast.events.publications("a")


def test_configured_metadata_catalogs_are_known(server: ScriptedServer, opencast: Opencast) -> None:
    replay(server, "events/ev-fast/metadata")
    assert "dublincore/episode" in opencast.events.metadata_flavors("a-ev-fast")


def test_an_access_list_is_written(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("PUT", "/api/events/a/acl", Answer(204))
    opencast.events.put_acl("a", Acl((Ace("ROLE_A", "read"),)))
    assert json.loads(server.last.form["acl"]) == [{"role": "ROLE_A", "action": "read", "allow": True}]


def test_deleting_tells_whether_there_was_something(server: ScriptedServer, opencast: Opencast) -> None:
    server.on("DELETE", "/api/events/a", Answer(202), Answer(204), json_answer('"a"', 404))
    assert opencast.events.delete("a")
    assert opencast.events.delete("a")
    assert not opencast.events.delete("a")
