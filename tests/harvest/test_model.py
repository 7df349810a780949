"""A server with any history, and a harvester that is stopped anywhere: in the end the catalogue equals the server.

The machine adds, changes, deletes and re-publishes records, restarts the server (which loses its tokens), sets its
clock back and forth, lets its answers break, and kills harvests at any request and at any commit. After two quiet
windows, in which nothing happens but harvests, everything must be the same on both sides.

One thing is left out, because no client can do it: when a whole page of records is of the same second, a server like
Opencast shows no others of that second to anybody.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from opencast.errors import OpencastError
from opencast.harvest.stream_state import Mode
from opencast.store.catalogue import CatalogueChange
from opencast.store.database import Database

from tests.harvest.conftest import Clock, Site
from tests.harvest.oai_server import OaiServer, Reply
from tests.harvest.recordings import Film, Recording

IDENTIFIERS = [f"ev-{number}" for number in range(10)]
BROKEN = (
    Reply(b"", 500),
    Reply(b"<html><body>Maintenance</body></html>"),
    Reply(b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026'),
    Reply(b"", 503, {"Retry-After": "99999"}),
)
_EMPTY: list[bytes] = []


class Killed(BaseException):
    """The process died."""


def empty_store() -> bytes:
    if not _EMPTY:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/store.db")
            database.upgrade()
            database.dispose()
            _EMPTY.append((Path(folder) / "store.db").read_bytes())
    return _EMPTY[0]


class Harvesting(RuleBasedStateMachine):
    """Server, harvester, and what happens to them."""

    @initialize(
        opencast=st.sampled_from([True, False]),
        page_size=st.integers(2, 5),
        precision=st.sampled_from([timedelta(milliseconds=1), timedelta(seconds=1)]),
        deleted_record=st.sampled_from(["no", "transient"]),
        by_day=st.booleans(),
        read_ahead=st.booleans(),
        behind=st.sampled_from([0, 0, 120, -120]),
        records=st.integers(0, 10),
    )
    def begin(
        self,
        opencast: bool,
        page_size: int,
        precision: timedelta,
        deleted_record: str,
        by_day: bool,
        read_ahead: bool,
        behind: int,
        records: int,
    ) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "store.db"
        path.write_bytes(empty_store())
        self.clock = Clock()
        self.server_offset = timedelta(seconds=-behind)
        server = OaiServer(
            now=lambda: self.clock.now + self.server_offset,
            opencast=opencast,
            page_size=page_size,
            precision=precision,
            deleted_record=deleted_record if not opencast else "transient",
            by_day=by_day and not opencast,
        )
        self.site = Site(Database(f"sqlite:///{path}"), self.clock, server, read_ahead=read_ahead)
        self.site.add()
        self.site.series("algo", playlist_id=self.site.playlist())
        self.vanished = False
        for identifier in IDENTIFIERS[:records]:
            self.put(identifier, "A", 1)

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.quiet()
            self.site.database.dispose()
            self.folder.cleanup()

    # --- the server's history ----------------------------------------------------------------------------------------

    @rule(identifier=st.sampled_from(IDENTIFIERS), title=st.sampled_from("ABCD"), film=st.integers(1, 3))
    def put(self, identifier: str, title: str, film: int) -> None:
        """Add, change or re-publish a record, also one that was deleted."""
        recording = Recording(title=title, series="algo", films=(Film(id=f"t-{film}", url=f"https://x/{film}.mp4"),))
        self.make_room()
        self.site.server.put(identifier, recording)

    def make_room(self) -> None:
        """Go on to the next second when this one has nearly a page of records."""
        server = self.site.server
        now = server.now().replace(microsecond=0)
        same = sum(1 for held in server.records.values() if held.modified.replace(microsecond=0) == now)
        if same >= server.page_size - 1:
            self.clock.tick(1)

    @rule(identifier=st.sampled_from(IDENTIFIERS), seconds=st.sampled_from([1, 5, 25]))
    def put_late(self, identifier: str, seconds: int) -> None:
        """Become visible after the time that the record is stamped with, as at the end of a long transaction."""
        server = self.site.server
        at = server.now() - timedelta(seconds=seconds)
        second = at.replace(microsecond=0)
        same = sum(1 for held in server.records.values() if held.modified.replace(microsecond=0) == second)
        if same < server.page_size - 1:
            server.put(identifier, Recording(title=f"late {seconds}", series="algo"), at=at)

    @rule(first=st.integers(0, 6), count=st.integers(2, 4))
    def put_many_at_once(self, first: int, count: int) -> None:
        for identifier in IDENTIFIERS[first : first + count]:
            self.make_room()
            self.site.server.put(identifier, Recording(title="many", series="algo"))

    @precondition(lambda self: self.site.server.records)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        identifier = data.draw(st.sampled_from(sorted(self.site.server.records)))
        self.make_room()
        self.site.server.delete(identifier)
        self.vanished = self.vanished or self.site.server.deleted_record == "no"

    @rule(seconds=st.sampled_from([0.001, 0.4, 1, 29, 60, 3600, 90_000]))
    def wait(self, seconds: float) -> None:
        self.clock.tick(seconds)

    @rule()
    def restart_server(self) -> None:
        self.site.server.restart()

    @rule(seconds=st.sampled_from([-120, 0, 120]))
    def set_the_servers_clock(self, seconds: int) -> None:
        """Two minutes wrong at most, to either side."""
        self.server_offset = timedelta(seconds=seconds)

    # --- harvests ----------------------------------------------------------------------------------------------------

    def harvest(self, mode: Mode = Mode.INCREMENTAL) -> None:
        try:
            self.site.harvest(mode)
        except OpencastError:
            # Its own business: it goes on another time.
            return

    @rule(mode=st.sampled_from([Mode.INCREMENTAL, Mode.INCREMENTAL, Mode.FULL]))
    def harvest_in_peace(self, mode: Mode) -> None:
        self.site.server.before_reply = None
        self.harvest(mode)

    @rule(at=st.integers(1, 8), broken=st.sampled_from(BROKEN), mode=st.sampled_from([Mode.INCREMENTAL, Mode.FULL]))
    def harvest_while_answers_break(self, at: int, broken: Reply, mode: Mode) -> None:
        seen = 0

        def answer(_arguments: dict[str, str]) -> Reply | None:
            nonlocal seen
            seen += 1
            return broken if seen >= at else None

        self.site.server.before_reply = answer
        self.harvest(mode)
        self.site.server.before_reply = None

    @rule(at=st.integers(1, 8), mode=st.sampled_from([Mode.INCREMENTAL, Mode.FULL]))
    def kill_at_a_request(self, at: int, mode: Mode) -> None:
        seen = 0

        def answer(_arguments: dict[str, str]) -> Reply | None:
            nonlocal seen
            seen += 1
            if seen >= at:
                raise Killed
            return None

        self.site.server.before_reply = answer
        try:
            self.harvest(mode)
        except Killed:
            return
        finally:
            self.site.server.before_reply = None

    @rule(at=st.integers(1, 6))
    def kill_at_a_commit(self, at: int) -> None:
        """The transaction is rolled back, and nothing after it happens, not even giving the lease back."""
        database = self.site.database
        sessions = 0
        plain = database.session

        def dying() -> object:
            nonlocal sessions
            sessions += 1
            if sessions >= at:
                raise Killed
            return plain()

        database.session = dying  # type: ignore[method-assign,assignment]  # fails in its place
        try:
            self.harvest()
        except Killed:
            return
        finally:
            del database.session
            # The dead process is of another machine as far as the lease knows: it runs out.
            self.site.settings(lease_until=self.clock.now - timedelta(seconds=1))

    @rule(identifier=st.sampled_from(IDENTIFIERS), at=st.integers(2, 6))
    def change_while_harvesting(self, identifier: str, at: int) -> None:
        seen = 0

        def answer(_arguments: dict[str, str]) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                self.make_room()
                self.site.server.put(identifier, Recording(title="meanwhile", series="algo"))

        self.site.server.before_reply = answer
        self.harvest()
        self.site.server.before_reply = None

    # --- what must be true -------------------------------------------------------------------------------------------

    @invariant()
    @precondition(lambda self: hasattr(self, "site"))
    def no_record_has_two_items(self) -> None:
        owners = [item.matterhorn_record_id for item in self.site.items]
        assert len(owners) == len(set(owners))

    def quiet(self) -> None:
        """Two quiet windows: nothing happens but harvests; the second one is the night's."""
        self.site.server.before_reply = None
        for mode in (Mode.INCREMENTAL, Mode.FULL if self.vanished else Mode.INCREMENTAL):
            self.clock.tick(200)
            self.site.harvest(mode)
        self.assert_equal()

    def assert_equal(self) -> None:
        held = self.site.server.records.values()
        alive = {one.identifier: one.recording.title for one in held if not one.deleted}
        found = {row.identifier: row.title for row in self.site.matterhorn if not row.deleted}
        if self.site.server.opencast:
            assert found == alive
            items = {row.matterhorn_record_id: row for row in self.site.items}
            owners = {row.id: row.identifier for row in self.site.matterhorn}
            states = {owners[owner]: (item.title, item.state) for owner, item in items.items()}
            assert {key: value[0] for key, value in states.items() if value[1] == "available"} == alive
            assert len(self.site.places) == len(items)
        assert {key for key, state in self.site.records().items() if state == "alive"} == set(alive)
        self.assert_announced(set(alive))

    def assert_announced(self, alive: set[str]) -> None:
        """Whoever only follows the changes knows what is there."""
        known: set[str] = set()
        for change in self.site.rows(CatalogueChange, CatalogueChange.subject == "record"):
            (known.discard if change.kind == "deleted" else known.add)(change.identifier)
        assert known == alive


@pytest.mark.timeout(600)
class TestHarvesting(Harvesting.TestCase):  # type: ignore[valid-type,misc]  # hypothesis makes the class
    """Runs the machine."""

    settings = settings(
        max_examples=100,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )


def _killed_at_each_commit(machine: Harvesting) -> None:
    for at in range(1, 7):
        machine.put(f"ev-{at}", "C", 2)
        machine.clock.tick(1)
        machine.kill_at_a_commit(at)


def _killed_at_each_request(machine: Harvesting) -> None:
    for at in range(1, 7):
        machine.put(f"ev-{at}", "D", 3)
        machine.clock.tick(1)
        machine.kill_at_a_request(at, Mode.INCREMENTAL)


def _restarted_in_the_middle_of_a_list(machine: Harvesting) -> None:
    machine.kill_at_a_request(5, Mode.INCREMENTAL)
    machine.restart_server()
    machine.put("ev-9", "B", 1)


def _set_back_after_a_harvest(machine: Harvesting) -> None:
    machine.harvest_in_peace(Mode.INCREMENTAL)
    machine.set_the_servers_clock(-120)
    machine.clock.tick(10)
    machine.put("ev-9", "B", 1)


def _ahead_when_it_was_harvested(machine: Harvesting) -> None:
    machine.set_the_servers_clock(120)
    machine.harvest_in_peace(Mode.INCREMENTAL)
    machine.set_the_servers_clock(0)
    machine.clock.tick(60)
    machine.put("ev-9", "B", 1)
    machine.harvest_in_peace(Mode.INCREMENTAL)


def _late(machine: Harvesting) -> None:
    machine.harvest_in_peace(Mode.INCREMENTAL)
    machine.put_late("ev-9", 25)


def _changed_and_deleted(machine: Harvesting) -> None:
    machine.harvest_in_peace(Mode.INCREMENTAL)
    machine.clock.tick(60)
    machine.put("ev-1", "changed", 2)
    machine.site.server.delete("ev-2")
    machine.site.server.delete("ev-3")
    machine.clock.tick(60)
    machine.harvest_in_peace(Mode.INCREMENTAL)
    machine.clock.tick(60)
    machine.put("ev-3", "back again", 1)


def _changed_behind_the_harvests_back(machine: Harvesting) -> None:
    machine.change_while_harvesting("ev-0", 4)
    machine.clock.tick(1)
    machine.change_while_harvesting("ev-1", 3)


def _interrupted_for_a_long_time(machine: Harvesting) -> None:
    """The watermark is the beginning of the pass, not its end: what changed in between is before the last page."""
    machine.kill_at_a_request(5, Mode.INCREMENTAL)
    machine.put("ev-0", "meanwhile", 1)
    machine.clock.tick(3600)
    machine.harvest_in_peace(Mode.INCREMENTAL)


def _many_of_one_second(machine: Harvesting) -> None:
    machine.put_many_at_once(2, 4)
    machine.harvest_in_peace(Mode.INCREMENTAL)


HISTORIES = (
    _killed_at_each_commit,
    _killed_at_each_request,
    _restarted_in_the_middle_of_a_list,
    _set_back_after_a_harvest,
    _ahead_when_it_was_harvested,
    _late,
    _changed_and_deleted,
    _changed_behind_the_harvests_back,
    _interrupted_for_a_long_time,
    _many_of_one_second,
)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.__name__.strip("_"))
@pytest.mark.parametrize("precision", [timedelta(milliseconds=1), timedelta(seconds=1)], ids=str)
@pytest.mark.parametrize("opencast", [True, False], ids=["opencast", "another"])
def test_histories_that_chance_rarely_finds(
    history: Callable[[Harvesting], None], precision: timedelta, opencast: bool
) -> None:
    """Each is the shortest one that shows a fault of harvesters, such as no overlap, or a watermark from the end."""
    machine = Harvesting()
    machine.begin(
        opencast=opencast,
        page_size=3,
        precision=precision,
        deleted_record="transient",
        by_day=False,
        read_ahead=False,
        behind=0,
        records=8,
    )
    machine.clock.tick(3600)
    history(machine)
    machine.teardown()
