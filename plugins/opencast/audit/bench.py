"""Put together what the tasks of an audit need: one or two servers, their inventories, the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import TracebackType

from opencast.api.opencast import Opencast
from opencast.audit.events import EVENT, EventAudit
from opencast.audit.objects import SeriesAudit, ThemeAudit, agent_findings, playlist_findings
from opencast.audit.options import AuditOptions, Side
from opencast.audit.publications import PublicationCheck
from opencast.audit.report import AuditReporter
from opencast.errors import Forbidden, PreflightFailed
from opencast.migration.library import LibraryReader
from opencast.migration.options import Reading
from opencast.migration.servers import Party, party
from opencast.model.event import EventRow
from opencast.settings import Settings
from opencast.store.audits import Audits, Check, Finding, Outcome
from opencast.store.database import Database
from opencast.store.idmap import IdMaps
from opencast.store.inventory import Inventory
from opencast.store.ledger import Kind, Ledger
from opencast.store.readings import Readings, Unreadable

_CHECKS = {Side.SOURCE: Check.PUBLICATIONS_OF_SOURCE, Side.TARGET: Check.PUBLICATIONS_OF_TARGET}


#: A reading of a library that is not older than this is used.
_FRESH = timedelta(minutes=15)
#: Mapped tasks of one audit; libraries that need more get larger parts.
MOST_PARTS = 500


@dataclass(frozen=True)
class Part:
    """A part of the events, by their ids: a migration may change the inventory meanwhile, and no event is lost.

    :param first: the first id; empty for the beginning.
    :param until: the first id that is not in it any more; empty for the end.
    """

    first: str
    until: str

    def holds(self, identifier: str) -> bool:
        """Tell whether an event belongs to the part."""
        return self.first <= identifier and (not self.until or identifier < self.until)


def parts_of(identifiers: list[str], size: int) -> list[Part]:
    """Divide sorted ids into parts that together hold every id there is."""
    size = max(size, -(-len(identifiers) // MOST_PARTS))
    firsts = ["", *identifiers[size::size]] if identifiers else []
    return [Part(first, until) for first, until in zip(firsts, [*firsts[1:], ""], strict=True)]


class AuditBench:
    """Everything for one audit.

    :param key: ``<dag id>/<run id>``.
    :param target: None when only one server is checked.
    """

    def __init__(
        self,
        settings: Settings,
        options: AuditOptions,
        database: Database,
        key: str,
        source: Opencast,
        target: Opencast | None,
    ) -> None:
        self.settings = settings
        self.options = options
        self.database = database
        self.key = key
        self.source = source
        self.target = target
        self.audits = Audits(database)

    def __enter__(self) -> AuditBench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for opencast in self._servers().values():
            opencast.close()

    # --- the tasks -------------------------------------------------------------------------------------------------

    def begin(self) -> list[Part]:
        """Read what both servers hold, and return the parts in which their events are looked at.

        :raises Forbidden: an account that does not see everything.
        :raises PreflightFailed: source and target are the same.
        """
        names = [party.name for party in self._parties.values()]
        if len(names) > len(set(names)):
            raise PreflightFailed(
                f"Source and target are the same server and organization ({names[0]}).",
                advice="Leave the target empty to check one server, or set the connections to different servers.",
            )
        source, *rest = names
        self.audits.begin(self.key, source, rest[0] if rest else None, self.options.model_dump(mode="json"))
        for side, opencast in self._servers().items():
            readings = Readings(self.database, self._parties[side].name)
            reader = LibraryReader(opencast, self._inventory(side), readings, self.key)
            taken = reader.take(Reading.COMPLETE, _FRESH)
            self.audits.write(self.key, self._unreadable(side, taken.unreadable))
        return parts_of(sorted(self._rows), self.options.events_per_task)

    def audit_objects(self) -> int:
        """Compare series, agents, themes and playlists; return how many."""
        if self.target is None:
            return 0
        return self.audits.write(self.key, self._object_findings(self.target))

    def audit_events(self, part: Part) -> int:
        """Look at the events of one part; return how many findings there are."""
        identifiers = sorted(identifier for identifier in self._rows if part.holds(identifier))
        return self.audits.write(self.key, self._event_findings(identifiers))

    def check_indexes(self) -> int:
        """Compare the players' indexes with what is archived; return how many findings there are."""
        return sum(
            self.audits.write(self.key, self._check(side).index(self._side_rows[side])) for side in self.options.sides
        )

    def reporter(self) -> AuditReporter:
        """Return the writer of the report."""
        return AuditReporter(self.audits, self.settings.reports)

    # --- parts -----------------------------------------------------------------------------------------------------

    def _servers(self) -> dict[Side, Opencast]:
        servers = {Side.SOURCE: self.source}
        if self.target is not None:
            servers[Side.TARGET] = self.target
        return servers

    @cached_property
    def _parties(self) -> dict[Side, Party]:
        found = {}
        for side, opencast in self._servers().items():
            me = opencast.info.me()
            if not me.is_admin:
                raise Forbidden(f"The account {me.username} is no administrator on {opencast.client.base_url}.")
            found[side] = party(opencast, me)
        return found

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self.database, self._parties[Side.SOURCE].name, self._parties[Side.TARGET].name)

    def _inventory(self, side: Side) -> Inventory:
        return Inventory(self.database, self._parties[side].name)

    @cached_property
    def _side_rows(self) -> dict[Side, dict[str, EventRow]]:
        return {side: {row.identifier: row for row in self._inventory(side).events()} for side in self._servers()}

    @cached_property
    def _rows(self) -> dict[str, dict[Side, EventRow]]:
        """The rows of each event, by its id and by server."""
        found: dict[str, dict[Side, EventRow]] = {}
        for side, rows in self._side_rows.items():
            for identifier, row in rows.items():
                found.setdefault(identifier, {})[side] = row
        return found

    def _check(self, side: Side) -> PublicationCheck:
        return PublicationCheck(self._servers()[side], _CHECKS[side])

    def _event_findings(self, identifiers: list[str]) -> Iterator[Finding]:
        comparison = None
        if self.target is not None:
            comparison = EventAudit(self.source, self.target, self.options.verify, self._ledger)
        for identifier in identifiers:
            rows = self._rows[identifier]
            if comparison is not None:
                yield comparison.compare(identifier, next(iter(rows.values())).title)
            for side in self.options.sides:
                found = self._check(side).event(rows[side]) if side in rows else None
                if found is not None:
                    yield found

    def _object_findings(self, target: Opencast) -> Iterator[Finding]:
        themes = IdMaps(self._ledger).all(Kind.THEME)
        series = SeriesAudit(self.source, target, themes.get)
        titles: dict[str, str] = {}
        for side in self._servers():
            for row in self._inventory(side).series():
                titles.setdefault(row.identifier, row.title)
        for identifier, title in sorted(titles.items()):
            yield series.compare(identifier, title)
        yield from agent_findings(self.source.agents, target.agents)
        yield from ThemeAudit(self.source, target, themes).findings()
        yield from playlist_findings(self.source, target)

    def _unreadable(self, side: Side, found: tuple[Unreadable, ...]) -> Iterator[Finding]:
        for identifier, reason, kind in found:
            detail = f"the {side} lists it in a way that cannot be understood: {reason}"
            named = kind if kind == Kind.SERIES.value else EVENT
            yield Finding(Check.COMPARISON, named, identifier, "", Outcome.UNREADABLE, detail, 1)
