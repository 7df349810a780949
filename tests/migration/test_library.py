"""The inventory: complete although the library changes, shared by runs, and refreshed in part."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opencast.api.opencast import Opencast
from opencast.errors import LibraryBusy, ServerError
from opencast.migration.library import COMPLETE_EVERY, LibraryReader, take_inventory
from opencast.migration.options import Reading
from opencast.store.base import utc_now
from opencast.store.database import Database
from opencast.store.inventory import Inventory
from opencast.store.readings import Readings

from tests.migration.pair import add_series, server
from tests.simulator import Simulator
from tests.simulator.records import EventDocument

EVENTS = 40
PAGE = 7


class Reader:
    """A library, its inventory, and the readings of it."""

    def __init__(self, simulator: Simulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.simulator = simulator
        self.database = Database(f"sqlite:///{folder}/store.db")
        self.database.upgrade()
        self.source = Opencast(server(simulator))
        self.inventory = Inventory(self.database, "source")
        self.readings = Readings(self.database, "source")
        self.now = utc_now()
        rows = self.source.events.rows
        monkeypatch.setattr(self.source.events, "rows", lambda: rows(page_size=PAGE))

    def take(self, how: Reading = Reading.COMPLETE, max_age: timedelta = timedelta(0), reader: str = "dag/1") -> Any:
        return self.reader(reader).take(how, max_age)

    def reader(self, name: str, sleep: Callable[[float], None] = lambda _: None) -> LibraryReader:
        return LibraryReader(self.source, self.inventory, self.readings, name, sleep=sleep, now=lambda: self.now)

    def ids(self) -> set[str]:
        return {row.identifier for row in self.inventory.events()}

    def change(self, identifier: str, **fields: Any) -> None:
        def changed(document: EventDocument | None) -> EventDocument:
            assert document is not None
            return replace(document, **fields)

        self.simulator.state.event_index.update(identifier, changed)

    def remove(self, identifier: str) -> None:
        self.simulator.state.event_index.update(identifier, lambda _: None)

    def add(self, identifier: str, like: str, **fields: Any) -> None:
        document = self.simulator.state.event_index.get(like)
        assert document is not None
        self.simulator.state.event_index.update(
            identifier, lambda _: replace(document, identifier=identifier, **fields)
        )

    def by_start(self) -> list[str]:
        documents = self.simulator.state.event_index.all()
        return [document.identifier for document in sorted(documents, key=lambda document: str(document.start))]

    def pages(self) -> int:
        return len(self.simulator.requests.all("GET", "/api/events"))


@pytest.fixture
def reader(simulators: Callable[..., Simulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(simulators(library="generated", events=EVENTS, event_bytes=1000), tmp_path, monkeypatch)


def between_pages(reader: Reader, change: Callable[[], object], page: int = 3) -> None:
    """Let the library change right before a page is answered."""
    reader.simulator.faults.add(r"^/api/events$", after=page - 1, times=1, before=change)


def test_every_event_and_series_is_read_once(reader: Reader) -> None:
    taken = take_inventory(reader.source, reader.inventory)
    assert (taken.events, taken.series, taken.gone, taken.how) == (EVENTS, 1, 0, "complete")


def test_an_event_that_goes_back_in_time_while_the_list_is_read_is_not_lost(reader: Reader) -> None:
    """Its new place has been read already, and its old one is empty: it is asked for before it is forgotten."""
    take_inventory(reader.source, reader.inventory)
    last, tenth = (reader.by_start()[place] for place in (-1, 10))
    document = reader.simulator.state.event_index.get(tenth)
    assert document is not None
    between_pages(reader, lambda: reader.change(last, start=document.start), page=4)
    taken = take_inventory(reader.source, reader.inventory)
    assert last in reader.ids()
    assert taken.gone == 0


def test_an_event_that_goes_forward_in_time_is_read_once(reader: Reader) -> None:
    first = reader.by_start()[0]
    between_pages(reader, lambda: reader.change(first, start=datetime(2090, 1, 1, tzinfo=UTC)))
    assert take_inventory(reader.source, reader.inventory).events == EVENTS


def test_events_that_are_deleted_while_the_list_is_read_take_no_other_with_them(reader: Reader) -> None:
    gone = reader.by_start()[:5]

    def all_go() -> None:
        for identifier in gone:
            reader.remove(identifier)

    between_pages(reader, all_go)
    take_inventory(reader.source, reader.inventory)
    assert set(reader.by_start()) <= reader.ids()


def test_an_event_that_is_new_behind_the_place_of_reading_is_read(reader: Reader) -> None:
    between_pages(reader, lambda: reader.add("new", reader.by_start()[0], start=datetime(2090, 1, 1, tzinfo=UTC)))
    take_inventory(reader.source, reader.inventory)
    assert "new" in reader.ids()


def test_what_the_source_does_not_have_any_more_is_forgotten(reader: Reader) -> None:
    take_inventory(reader.source, reader.inventory)
    gone = reader.by_start()[:3]
    for identifier in gone:
        reader.remove(identifier)
    assert take_inventory(reader.source, reader.inventory).gone == 3
    assert not reader.ids() & set(gone)


def test_a_reading_that_breaks_off_forgets_nothing_and_leaves_the_way_free(reader: Reader) -> None:
    reader.take()
    reader.now += timedelta(minutes=1)
    reader.simulator.faults.add(r"^/api/events$", after=2, status=500)
    with pytest.raises(ServerError):
        reader.take()
    assert len(reader.ids()) == EVENTS
    assert reader.readings.state().reader is None
    assert reader.readings.state().complete == reader.now - timedelta(minutes=1)


class TestSharing:
    """Runs that go on side by side read the library once."""

    def test_a_fresh_reading_is_used_again(self, reader: Reader) -> None:
        reader.take()
        pages = reader.pages()
        reader.now += timedelta(minutes=30)
        taken = reader.take(max_age=timedelta(hours=1), reader="dag/2")
        assert (taken.events, taken.how, reader.pages()) == (EVENTS, "shared", pages)

    def test_an_old_reading_is_made_anew(self, reader: Reader) -> None:
        reader.take()
        reader.now += timedelta(hours=2)
        assert reader.take(max_age=timedelta(hours=1), reader="dag/2").how == "complete"

    def test_the_events_that_nobody_understood_are_told_to_those_who_share(self, reader: Reader) -> None:
        reader.add("no/id", reader.by_start()[0])
        first = reader.take()
        assert [one.identifier for one in first.unreadable] == ["no/id"]
        assert reader.take(max_age=timedelta(hours=1)).unreadable == first.unreadable

    def test_a_run_waits_for_the_one_that_is_reading_and_uses_what_it_read(self, reader: Reader) -> None:
        assert reader.readings.begin("dag/other")

        def other_ends(_: float) -> None:
            take_inventory(reader.source, reader.inventory)
            reader.now += timedelta(minutes=1)
            reader.readings.end("dag/other", reader.now, (), complete=True)

        taken = reader.reader("dag/1", other_ends).take(Reading.COMPLETE, timedelta(0))
        assert (taken.how, taken.events) == ("shared", EVENTS)

    def test_a_run_does_not_wait_for_ever(self, reader: Reader) -> None:
        Readings(reader.database, "source", now=lambda: utc_now() + timedelta(days=1)).begin("dag/other")

        def pass_time(_: float) -> None:
            reader.now += timedelta(hours=1)

        with pytest.raises(LibraryBusy, match="dag/other"):
            reader.reader("dag/1", pass_time).take(Reading.COMPLETE, timedelta(0))

    def test_of_several_runs_at_once_one_reads(self, reader: Reader) -> None:
        results: list[str] = []

        def run(name: str) -> None:
            results.append(reader.reader(name).take(Reading.COMPLETE, timedelta(hours=1)).how)

        threads = [threading.Thread(target=run, args=(f"dag/{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["complete", "shared", "shared"]


class TestRecent:
    """Between two complete readings only what may be new is read."""

    def test_new_events_and_those_that_were_not_finished_are_read(self, reader: Reader) -> None:
        old, other = reader.by_start()[:2]
        reader.change(old, workflow_id=1, workflow_state="RUNNING")
        reader.take()
        reader.change(old, workflow_state="SUCCEEDED")
        reader.change(other, title="Edited")
        reader.add("new", other, start=reader.now)
        reader.now += timedelta(hours=1)
        pages = reader.pages()
        taken = reader.take(Reading.RECENT)
        rows = {row.identifier: row for row in reader.inventory.events()}
        assert taken.how == "recent"
        assert "new" in rows and rows[old].event_status.is_finished
        assert rows[other].title != "Edited", "what was edited is met by the next complete reading"
        assert reader.pages() - pages <= 2

    def test_the_whole_library_is_read_once_a_day(self, reader: Reader) -> None:
        reader.take()
        reader.now += COMPLETE_EVERY
        assert reader.take(Reading.RECENT).how == "complete"

    def test_the_first_reading_is_complete(self, reader: Reader) -> None:
        assert reader.take(Reading.RECENT).how == "complete"

    def test_a_partial_reading_is_not_taken_for_a_complete_one(self, reader: Reader) -> None:
        reader.take()
        reader.now += timedelta(hours=2)
        reader.take(Reading.RECENT)
        assert reader.take(Reading.COMPLETE, timedelta(hours=1)).how == "complete"


def test_a_list_of_series_that_changes_is_read_until_it_is_whole(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = iter([[], *[list(reader.source.series.list())] * 2])
    monkeypatch.setattr(reader.source.series, "list", lambda **_: iter(next(lists)))
    assert take_inventory(reader.source, reader.inventory).series == 1


def test_a_series_that_cannot_be_used_stops_nobody_and_is_named(reader: Reader) -> None:
    add_series(reader.simulator, "../x", "No usable id")
    add_series(reader.simulator, "untitled", None)  # /api/series answers 500 while there is one
    taken = reader.take()
    assert (taken.events, taken.series) == (EVENTS, 2)
    assert [(one.identifier, one.kind) for one in taken.unreadable] == [("../x", "series")]
    assert "no usable id" in taken.unreadable[0].reason
