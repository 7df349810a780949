"""Filters: which events and series of the inventory a run is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime

from opencast.errors import FilterMatchesNothing, InvalidFilter
from opencast.migration.id_lists import IdList
from opencast.migration.windows import is_dated
from opencast.model.event import EventRow

_CHECK = Callable[[EventRow], bool]
#: The filters that a calendar period sets.
_PERIOD = frozenset({"created_from", "created_to", "undated"})


@dataclass(frozen=True)
class Selection:
    """What to select; an empty field selects everything, several fields must all hold.

    Text comparisons ignore case. Windows are half-open: ``from`` belongs to it, ``to`` does not.

    :param created_from: aware time; events without a creation date are in no window.
    :param undated: only events without a usable creation date, see ``opencast.migration.windows``.
    :param events_file: ids that stand in a file; with ``events`` as well, an event must be in both.
    :param text: must occur in title, description, series title or a presenter.
    :param status: the last word of Opencast's status, such as ``PROCESSED`` or ``SCHEDULED``.
    """

    series: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    events_file: IdList | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    undated: bool = False
    start_from: datetime | None = None
    start_to: datetime | None = None
    text: str = ""
    presenters: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    exclude_series: tuple[str, ...] = ()
    exclude_events: tuple[str, ...] = ()
    exclude_events_file: IdList | None = None
    exclude_created_from: datetime | None = None
    exclude_created_to: datetime | None = None
    exclude_start_from: datetime | None = None
    exclude_start_to: datetime | None = None
    exclude_text: str = ""
    exclude_presenters: tuple[str, ...] = ()
    exclude_locations: tuple[str, ...] = ()
    exclude_languages: tuple[str, ...] = ()
    exclude_channels: tuple[str, ...] = ()
    exclude_statuses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("created", "start", "exclude_created", "exclude_start"):
            begin, end = getattr(self, f"{name}_from"), getattr(self, f"{name}_to")
            for moment in (begin, end):
                if moment is not None and moment.tzinfo is None:
                    raise InvalidFilter(f"The time {moment.isoformat()} of the filter {name} has no time zone.")
            if begin is not None and end is not None and begin >= end:
                raise InvalidFilter(f"{name}_from ({begin.isoformat()}) must lie before {name}_to ({end.isoformat()}).")

    @property
    def is_everything(self) -> bool:
        """Whether no filter is set."""
        return all(not getattr(self, item.name) for item in fields(self))

    @property
    def exclude_created(self) -> str:
        """The window of creation time that is left out, for people; empty when none is."""
        return _window(self.exclude_created_from, self.exclude_created_to)

    @property
    def exclude_start(self) -> str:
        """The window of starts that is left out, for people; empty when none is."""
        return _window(self.exclude_start_from, self.exclude_start_to)

    @property
    def wanted_events(self) -> frozenset[str]:
        """The ids that were asked for one by one."""
        return frozenset(self.events) | (self.events_file.ids if self.events_file is not None else frozenset())

    @property
    def is_only_period(self) -> bool:
        """Whether no filter is set but those that a calendar period sets."""
        return all(not getattr(self, item.name) for item in fields(self) if item.name not in _PERIOD)

    def was_created_inside(self, created: datetime | None) -> bool:
        """Tell whether something that was created then lies in the window of creation time."""
        if self.undated:
            return not is_dated(created)
        return (self.created_from is None and self.created_to is None) or _inside(
            created, self.created_from, self.created_to
        )

    def checks(self) -> dict[str, _CHECK]:
        """Return each filter that is set, by its name in the trigger form."""
        return {name: check for name, check in _checks(self).items() if getattr(self, name)}


@dataclass
class Selector:
    """Apply a selection to events, counting for each filter what it lets through and what is left in the end.

    :param matched: by filter, how many of all events it alone lets through.
    """

    selection: Selection
    seen: int = 0
    selected: int = 0
    matched: Counter[str] = field(default_factory=Counter)
    _met_ids: set[str] = field(default_factory=set)

    def select(self, rows: Iterable[EventRow]) -> Iterator[EventRow]:
        """Yield the selected events."""
        checks = self.selection.checks()
        wanted = self.selection.wanted_events
        for row in rows:
            self.seen += 1
            if row.identifier in wanted:
                self._met_ids.add(row.identifier)
            results = {name: check(row) for name, check in checks.items()}
            self.matched.update(name for name, result in results.items() if result)
            if all(results.values()):
                self.selected += 1
                yield row

    def missing_events(self) -> tuple[str, ...]:
        """Return the ids that were asked for and that the source does not have."""
        return tuple(sorted(self.selection.wanted_events - self._met_ids))

    def check_hits(self, *, in_period: bool = False) -> None:
        """Refuse a selection of nothing.

        :param in_period: the creation dates are those of a calendar period, in which nothing need have been created:
            then only the other filters must match something.
        :raises FilterMatchesNothing: naming the filters that match nothing, or all of them when only their
            combination does.
        """
        if self.selected or self.selection.is_everything:
            return
        names = sorted(set(self.selection.checks()) - (_PERIOD if in_period else frozenset()))
        empty = [name for name in names if not self.matched[name]]
        if in_period and not empty:
            return
        if empty:
            raise FilterMatchesNothing(
                f"No event of the source's {self.seen} matches the filter {' or '.join(empty)}"
                f" ({'; '.join(f'{name} = {getattr(self.selection, name)!r}' for name in empty)})."
            )
        raise FilterMatchesNothing(
            f"No event of the source's {self.seen} matches the filters {', '.join(names)} together."
        )


def _checks(selection: Selection) -> dict[str, _CHECK]:
    s = selection
    return {
        "series": lambda row: row.series in s.series,
        "events": lambda row: row.identifier in s.events,
        "events_file": lambda row: s.events_file is not None and row.identifier in s.events_file,
        "created_from": lambda row: _not_before(row.created, s.created_from),
        "created_to": lambda row: _before(row.created, s.created_to),
        "undated": lambda row: not is_dated(row.created),
        "start_from": lambda row: _not_before(row.start, s.start_from),
        "start_to": lambda row: _before(row.start, s.start_to),
        "text": lambda row: _holds_text(row, s.text),
        "presenters": lambda row: _any_same(row.presenters, s.presenters),
        "locations": lambda row: _any_same((row.location,), s.locations),
        "languages": lambda row: _any_same((row.language,), s.languages),
        "channels": lambda row: _any_same(row.publication_status, s.channels),
        "statuses": lambda row: _any_same((_last_word(row.status),), s.statuses),
        "exclude_series": lambda row: row.series not in s.exclude_series,
        "exclude_events": lambda row: row.identifier not in s.exclude_events,
        "exclude_events_file": lambda row: s.exclude_events_file is None or row.identifier not in s.exclude_events_file,
        "exclude_created": lambda row: not _inside(row.created, s.exclude_created_from, s.exclude_created_to),
        "exclude_start": lambda row: not _inside(row.start, s.exclude_start_from, s.exclude_start_to),
        "exclude_text": lambda row: not _holds_text(row, s.exclude_text),
        "exclude_presenters": lambda row: not _any_same(row.presenters, s.exclude_presenters),
        "exclude_locations": lambda row: not _any_same((row.location,), s.exclude_locations),
        "exclude_languages": lambda row: not _any_same((row.language,), s.exclude_languages),
        "exclude_channels": lambda row: not _any_same(row.publication_status, s.exclude_channels),
        "exclude_statuses": lambda row: not _any_same((_last_word(row.status),), s.exclude_statuses),
    }


def _not_before(moment: datetime | None, begin: datetime | None) -> bool:
    return moment is not None and begin is not None and moment >= begin


def _before(moment: datetime | None, end: datetime | None) -> bool:
    return moment is not None and end is not None and moment < end


def _inside(moment: datetime | None, begin: datetime | None, end: datetime | None) -> bool:
    after_begin = begin is None or _not_before(moment, begin)
    return moment is not None and after_begin and (end is None or _before(moment, end))


def _window(begin: datetime | None, end: datetime | None) -> str:
    parts = [f"from {begin.isoformat()}"] if begin else []
    return " ".join([*parts, f"to {end.isoformat()}"] if end else parts)


def _any_same(values: Iterable[str | None], wanted: tuple[str, ...]) -> bool:
    folded = {value.casefold() for value in wanted}
    return any(value.casefold() in folded for value in values if value)


def _last_word(status: str) -> str:
    return status.rsplit(".", 1)[-1]


def _holds_text(row: EventRow, text: str) -> bool:
    needle = text.casefold()
    places = (row.title, row.description, row.series_title, *row.presenters)
    return any(needle in place.casefold() for place in places if place)
