"""What the DAGs of this package share: the trigger form, tags, retries."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any

from airflow.sdk import Param

from opencast.migration.options import (
    Existing,
    Mode,
    Options,
    PastSchedules,
    ScheduleConflicts,
    Verify,
    Way,
)
from opencast.operators.limit_params import limit_params
from opencast.operators.profiles import NO_PROFILE, PARAM, load_profiles
from opencast.settings import load_settings


class Tag(StrEnum):
    """Tags of the DAGs."""

    OPENCAST = "opencast"
    MIGRATION = "migration"
    HARVEST = "harvest"
    CLEAN_UP = "clean-up"
    EXAMPLE = "example"


#: Tasks are tried again for what passes by itself; what does not, fails at once (AirflowFailException).
RETRIES: dict[str, Any] = {
    # Together seven and a half minutes: an Opencast of some size needs minutes for a restart.
    "retries": 4,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def tasks_at_once() -> int:
    """Return how many mapped tasks of one run may work at the same time."""
    return load_settings().tasks_at_once


#: What the form says of a file with ids.
_LIST_FILE = "Name of a file in the folder of lists (setting `lists_folder`), with one id in each line."


def _default(name: str) -> Any:
    value = Options.model_fields[name].get_default()
    return value.value if isinstance(value, StrEnum) else value


def _lines(title: str, description: str, section: str) -> Param:
    return Param(
        default=None,
        type=["null", "array"],
        items={"type": "string"},
        title=title,
        description_md=f"{description} One in each line.",
        section=section,
    )


def _moment(title: str, description: str, section: str = "Filters") -> Param:
    return Param(default=None, type=["null", "string"], title=title, description_md=description, section=section)


def _text(title: str, description: str, section: str) -> Param:
    return Param(default=None, type=["null", "string"], title=title, description_md=description, section=section)


def profile_param() -> Param:
    """Return the field in which a profile is chosen."""
    profiles = load_profiles()
    return Param(
        NO_PROFILE,
        type="string",
        enum=[NO_PROFILE, *profiles],
        values_display={name: f"{name}: {profile.description}" for name, profile in profiles.items()},
        title="Profile",
        description_md="Sets the fields that are left as they are; from `include/config/profiles.yaml`.",
    )


def follow_params() -> dict[str, Param]:
    """Return the form of the DAG that follows the source: what failed waits until the source changes it."""
    params = migration_params()
    params["repeat_failed"].value = False
    return params


def migration_params() -> dict[str, Param]:
    """Return the trigger form of a migration; each name is a field of ``opencast.migration.options.Options``."""
    first = {**_servers(), PARAM: profile_param()}
    return {**first, **_filters(), **_excludes(), **_ways(), **_belongings(), **_schedules(), **limit_params()}


def _servers() -> dict[str, Param]:
    return {
        "source": Param(
            _default("source"),
            type="string",
            minLength=1,
            title="Source",
            examples=["opencast_source"],
            description_md="Airflow connection of the Opencast to read from.",
        ),
        "target": Param(
            _default("target"),
            type="string",
            minLength=1,
            title="Target",
            examples=["opencast_target"],
            description_md="Airflow connection of the Opencast to write to.",
        ),
        "mode": Param(
            _default("mode"),
            type="string",
            enum=[mode.value for mode in Mode],
            values_display={"plan": "plan: only say what would be done", "migrate": "migrate"},
            title="Mode",
            description_md="**plan** writes nothing to the target.",
        ),
    }


def _filters() -> dict[str, Param]:
    section = "Filters"
    return {
        "series": _lines("Series", "Ids of series.", section),
        "events": _lines("Events", "Ids of events.", section),
        "events_file": _text(
            "Events in a file", f"{_LIST_FILE} With *Events* as well, an event must be in both.", section
        ),
        "created_from": _moment("Created from", "Date or time (ISO 8601) from which on, such as `2024-01-01`."),
        "created_to": _moment("Created to", "Date or time before which; it does not belong to the window itself."),
        "start_from": _moment("Start from", "Date or time (ISO 8601) from which on the recording begins."),
        "start_to": _moment("Start to", "Date or time before which the recording begins."),
        "timezone": Param(
            _default("timezone"),
            type="string",
            title="Time zone",
            examples=["UTC", "Europe/Berlin", "Europe/Zurich", "America/New_York"],
            description_md="Zone of dates and times without an offset.",
            section=section,
        ),
        "text": _text("Text", "Occurs in title, description, series title or a presenter's name.", section),
        "presenters": _lines("Presenters", "Names of presenters.", section),
        "locations": _lines("Locations", "Ids of capture agents.", section),
        "languages": _lines("Languages", "As in the metadata, such as `eng`.", section),
        "channels": _lines("Channels", "Publication channels, such as `engage-player`; any of them.", section),
        "statuses": _lines("Statuses", "Such as `PROCESSED` or `PROCESSING_FAILURE`.", section),
    }


def _excludes() -> dict[str, Param]:
    section = "Leave out"
    return {
        "exclude_series": _lines("Not these series", "Ids of series.", section),
        "exclude_events": _lines("Not these events", "Ids of events.", section),
        "exclude_events_file": _text("Not the events in a file", _LIST_FILE, section),
        "exclude_created_from": _moment("Not created from", "Date or time from which on.", section),
        "exclude_created_to": _moment("Not created to", "Date or time before which.", section),
        "exclude_start_from": _moment("Not with a start from", "Date or time from which on.", section),
        "exclude_start_to": _moment("Not with a start to", "Date or time before which.", section),
        "exclude_text": _text("Not with this text", "In title, description, series title or presenters.", section),
        "exclude_presenters": _lines("Not these presenters", "Names.", section),
        "exclude_locations": _lines("Not these locations", "Ids of capture agents.", section),
        "exclude_languages": _lines("Not these languages", "Such as `eng`.", section),
        "exclude_channels": _lines("Not on these channels", "Publication channels.", section),
        "exclude_statuses": _lines("Not with these statuses", "Such as `PROCESSING_FAILURE`.", section),
    }


def _ways() -> dict[str, Param]:
    section = "How"
    return {
        "route": Param(
            _default("route"),
            type="string",
            enum=[way.value for way in Way],
            values_display={
                "auto": "auto: the best one that works",
                "link": "link: hard links into the target's storage",
                "upload": "upload: over HTTP",
                "zip": "zip: over HTTP, for accounts that may only ingest",
            },
            title="Way of the files to the target",
            description_md="**link** needs the target's `files` folder on the workers (settings) and writes no media "
            "byte on one file system; staging and target then share files, which must not be changed in place on "
            "either side. **upload** needs an administrator's account. **zip** brings the archive without its "
            "publications and needs an import workflow on the target.",
            section=section,
        ),
        "existing": Param(
            _default("existing"),
            type="string",
            enum=[value.value for value in Existing],
            title="Another mediapackage of this id on the target",
            description_md="**fail** leaves it alone and says so; **overwrite** adds the source's as a new version.",
            section=section,
        ),
        "include_failed": Param(
            _default("include_failed"),
            type="boolean",
            title="Also events whose processing failed",
            description_md="They may hold a good archive; what they hold is migrated as it is.",
            section=section,
        ),
        "repeat_failed": Param(
            _default("repeat_failed"),
            type="boolean",
            title="Try failed ones again",
            description_md="Off: what failed is tried again only after the source has changed it.",
            section=section,
        ),
        "repeat_done": Param(
            _default("repeat_done"),
            type="boolean",
            title="Look at done ones again",
            description_md="Compares what was migrated before with the target once more, in a task each, and brings "
            "again what was deleted or changed there. Off: only what the source has changed.",
            section=section,
        ),
        "include_empty_series": Param(
            _default("include_empty_series"),
            type="boolean",
            title="Also series without events",
            description_md="Only when no filter is set.",
            section=section,
        ),
        "external_api": Param(
            _default("external_api"),
            type="boolean",
            title="Publish to the External API as well",
            description_md="Events of the player that have no publication `api` on the source get one, which shares "
            "the player's files.",
            section=section,
        ),
        "verify": Param(
            _default("verify"),
            type="string",
            enum=[value.value for value in Verify],
            title="Verify published files by",
            description_md="**sample** reads files up to 1 MB whole and the first byte of larger ones; **bytes** "
            "reads all. Archived files are always compared by the checksum that the target computed.",
            section=section,
        ),
    }


def _belongings() -> dict[str, Param]:
    section = "What else belongs to the library"

    def switch(name: str, title: str, description: str) -> Param:
        return Param(_default(name), type="boolean", title=title, description_md=description, section=section)

    return {
        "include_agents": switch(
            "include_agents",
            "Capture agents",
            "Configuration, address and state. With filters: the agents of the scheduled events that they select.",
        ),
        "include_themes": switch(
            "include_themes", "Themes", "With all files. With filters: the themes of the series that they select."
        ),
        "include_playlists": switch(
            "include_playlists",
            "Playlists",
            "From version 16 on. With filters: those whose events are all selected or migrated before.",
        ),
        "include_workflow_properties": switch(
            "include_workflow_properties", "Workflow properties", "Kept with each event for its next workflow."
        ),
        "include_comments": switch(
            "include_comments", "Comments", "With replies, reason and state. The target gives them today's date."
        ),
        "comments_as_authors": switch(
            "comments_as_authors",
            "Comments in their authors' names",
            "Needs `ROLE_SUDO` on the target, and accounts of the same names there that may comment on the event; "
            "other comments are written by the connection's account.",
        ),
    }


def _schedules() -> dict[str, Param]:
    section = "Scheduled events"
    return {
        "past_schedules": Param(
            _default("past_schedules"),
            type="string",
            enum=[value.value for value in PastSchedules],
            title="Time is over, nothing was recorded",
            description_md="**skip** leaves them out; **schedule** brings them as they are.",
            section=section,
        ),
        "schedule_conflicts": Param(
            _default("schedule_conflicts"),
            type="string",
            enum=[value.value for value in ScheduleConflicts],
            title="The agent is taken on the target",
            description_md="**fail** fails the run in the end; **skip** only names the events in the report.",
            section=section,
        ),
        "replace_scheduled": Param(
            _default("replace_scheduled"),
            type="boolean",
            title="Replace scheduled events on the target",
            description_md="Deletes the scheduled event on the target, with its comments there, where it has been "
            "recorded on the source since it was migrated, or where a change of it cannot be written otherwise.",
            section=section,
        ),
    }
