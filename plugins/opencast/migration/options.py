"""The choices of one run: the params of its DAG, checked across fields before anything is asked or written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pendulum
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencast.errors import InvalidFilter
from opencast.migration.decisions import Repeat
from opencast.migration.id_lists import read_ids
from opencast.migration.selection import Selection
from opencast.migration.windows import Granularity, RunTimes, read_zone, require_over, window

#: Filters that are dates or times.
_MOMENTS = tuple(
    f"{prefix}{name}_{end}" for prefix in ("", "exclude_") for name in ("created", "start") for end in ("from", "to")
)


class Mode(StrEnum):
    """How far a run goes."""

    PLAN = "plan"
    MIGRATE = "migrate"


class Verify(StrEnum):
    """How much of each published file is read back from the target.

    Archived files are always compared byte by byte: by the checksum that the target itself computed.
    """

    SAMPLE = "sample"
    BYTES = "bytes"


class Reading(StrEnum):
    """How much of the library the inventory reads."""

    COMPLETE = "complete"
    RECENT = "recent"


class Existing(StrEnum):
    """What to do with a mediapackage that the target has with other content and that no migration brought there."""

    FAIL = "fail"
    OVERWRITE = "overwrite"


class Way(StrEnum):
    """How files come to the target; see ``opencast.staging``."""

    #: The best one that works.
    AUTO = "auto"
    LINK = "link"
    UPLOAD = "upload"
    ZIP = "zip"


class PastSchedules(StrEnum):
    """What to do with a scheduled event whose time is over and of which nothing was recorded."""

    SKIP = "skip"
    SCHEDULE = "schedule"


class ScheduleConflicts(StrEnum):
    """What to make of a scheduled event whose agent is taken on the target at that time."""

    FAIL = "fail"
    SKIP = "skip"


class Unfinished(StrEnum):
    """What to do with a period that is not over yet."""

    REFUSE = "refuse"
    TAKE = "take"


class Options(BaseModel):
    """One run's choices, with the names of the trigger form."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str = "opencast_source"
    target: str = "opencast_target"
    mode: Mode = Mode.MIGRATE
    series: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    #: Name of a list of event ids, see ``opencast.migration.id_lists``.
    events_file: str = ""
    created_from: str | None = None
    created_to: str | None = None
    #: Calendar period of creation; after :meth:`for_run` also that of the run's partition.
    period: str = ""
    #: Length of the periods of a partitioned DAG; the other DAGs have none.
    granularity: Granularity | None = None
    #: Only events without a usable creation date; set by :meth:`for_run`.
    undated: bool = False
    unfinished_period: Unfinished = Unfinished.REFUSE
    start_from: str | None = None
    start_to: str | None = None
    timezone: str = "UTC"
    text: str = ""
    presenters: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    exclude_series: tuple[str, ...] = ()
    exclude_events: tuple[str, ...] = ()
    exclude_events_file: str = ""
    exclude_created_from: str | None = None
    exclude_created_to: str | None = None
    exclude_start_from: str | None = None
    exclude_start_to: str | None = None
    exclude_text: str = ""
    exclude_presenters: tuple[str, ...] = ()
    exclude_locations: tuple[str, ...] = ()
    exclude_languages: tuple[str, ...] = ()
    exclude_channels: tuple[str, ...] = ()
    exclude_statuses: tuple[str, ...] = ()
    route: Way = Way.AUTO
    existing: Existing = Existing.FAIL
    include_failed: bool = False
    #: Try again what failed before although the source has not changed it since.
    repeat_failed: bool = True
    #: Compare what is done with the target again, and bring what is missing or different there.
    repeat_done: bool = False
    past_schedules: PastSchedules = PastSchedules.SKIP
    schedule_conflicts: ScheduleConflicts = ScheduleConflicts.FAIL
    #: Delete a scheduled event on the target where its recording, or what it was changed to, cannot take its place.
    replace_scheduled: bool = False
    #: Publish to the External API what the player has and the External API has not.
    external_api: bool = False
    include_empty_series: bool = True
    include_agents: bool = True
    include_themes: bool = True
    include_playlists: bool = True
    include_workflow_properties: bool = True
    include_comments: bool = True
    comments_as_authors: bool = True
    verify: Verify = Verify.SAMPLE
    #: How much of the library is read, and how old a reading may be that is used again.
    inventory: Reading = Reading.COMPLETE
    inventory_max_age_minutes: float = Field(default=0, ge=0)
    #: Name of the campaign; empty: the run begins one of its own.
    campaign: str = Field(default="", max_length=200)
    #: Key of the run whose plan this one goes on with, and its number in that chain; set by the run before.
    continues: str = ""
    wave: int = Field(default=1, ge=1)
    stop_at_failed_percent: int = Field(default=50, ge=1, le=100)
    wave_size: int = Field(default=500, ge=1, le=1000)
    imports_in_flight: int = Field(default=8, ge=1, le=64)
    workflows_on_target: int | None = Field(default=None, ge=1)
    requests_per_second: float | None = Field(default=None, gt=0)
    megabytes_per_second: float | None = Field(default=None, gt=0)
    #: Hours in which imports may begin, see ``opencast.migration.hours``.
    hours: str = ""
    poll_seconds: float = Field(default=6.0, ge=6.0, le=600.0)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: Any) -> Any:
        """Take what the form sends for an untouched field (null, blank, lists of blanks) as not given."""
        if isinstance(value, str):
            value = value.strip()
        if isinstance(value, (list, tuple)):
            value = tuple(item.strip() for item in map(str, value) if item.strip())
        if value in (None, "", ()):
            return cls.model_fields[info.field_name].get_default()
        return value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Options:
        """Read the params of a DAG run.

        :raises InvalidFilter: naming the param and what is wrong with it.
        """
        _check_names(params, cls.model_fields)
        try:
            return cls.model_validate(dict(params))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors(include_url=False)
            )
            raise InvalidFilter(f"The params of the run cannot be used: {problems}.") from error

    def for_run(self, times: RunTimes, now: datetime) -> Options:
        """Return the choices with the window of creation time that the run of a partitioned DAG is about.

        :param now: aware.
        :raises InvalidFilter: no window, two, or one that is not over.
        """
        if self.granularity is None:
            return self
        zone = read_zone(self.timezone)
        wanted = window(
            times,
            self.granularity,
            zone,
            period=self.period,
            created_from=_moment("created_from", self.created_from, zone),
            created_to=_moment("created_to", self.created_to, zone),
        )
        if self.unfinished_period is Unfinished.REFUSE:
            require_over(wanted, now)
        return self.model_copy(
            update={
                "period": wanted.label if wanted.is_period else "",
                "created_from": wanted.begin.isoformat() if wanted.begin else None,
                "created_to": wanted.end.isoformat() if wanted.end else None,
                "undated": wanted.undated,
            }
        )

    @property
    def repeat(self) -> Repeat:
        """What is done again although the source has not changed it."""
        return Repeat(failed=self.repeat_failed, done=self.repeat_done)

    def by_way(self, way: str | None) -> Options:
        """Return the choices with the way of the files that was found to be the best; a way that was chosen stays."""
        if self.route is not Way.AUTO or not way:
            return self
        return self.model_copy(update={"route": Way(way)})

    def selection(self, lists: Path | None = None) -> Selection:
        """Return the filters.

        :param lists: folder in which files of ids lie; without it those filters are left out.
        :raises InvalidFilter: an unreadable time or zone, a window that ends before it begins, or a file that holds no
            ids.
        """
        zone = read_zone(self.timezone)
        values: dict[str, Any] = {name: getattr(self, name) for name in Selection.__dataclass_fields__}
        for name in _MOMENTS:
            values[name] = _moment(name, values[name], zone)
        for name in ("events_file", "exclude_events_file"):
            file = values[name]
            values[name] = read_ids(lists, file, param=name) if file and lists is not None else None
        return Selection(**values)


def _moment(name: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read an ISO 8601 date or time; without an offset it is meant in ``zone``."""
    if text is None:
        return None
    try:
        # Without ``exact`` a date becomes its midnight, and the answer is always a DateTime.
        return cast("datetime", pendulum.parse(text, tz=zone.key, strict=True))
    except (ValueError, OverflowError) as error:
        raise InvalidFilter(
            f"{name} = {text!r} is no date or time.", advice="Write 2024-03-31 or 2024-03-31T08:00:00+01:00."
        ) from error


def _check_names(params: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse what does not exist: Airflow lets it pass, and a misspelt filter would select everything."""
    for name in sorted(set(params) - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        raise InvalidFilter(
            f"There is no param {name!r}.", advice=f"Did you mean {near[0]!r}?" if near else InvalidFilter.advice
        )
