"""The part of the trigger form that says how hard both servers may be used, and how runs belong together."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from opencast.migration.options import Options, Reading


def limit_params() -> dict[str, Param]:
    """Return the fields; each name is a field of ``opencast.migration.options.Options``."""
    return {**_limits(), **_campaign(), **_inventory()}


def _default(name: str) -> Any:
    return Options.model_fields[name].get_default()


def _rate(name: str, title: str, description: str, section: str) -> Param:
    """Return an optional number; empty: no limit."""
    return Param(
        _default(name),
        type=["null", "number"],
        title=title,
        description_md=f"{description} Empty: no limit.",
        section=section,
        exclusiveMinimum=0,
    )


def _limits() -> dict[str, Param]:
    section = "Limits"
    return {
        "imports_in_flight": Param(
            _default("imports_in_flight"),
            type="integer",
            minimum=1,
            maximum=64,
            title="Imports at the same time",
            description_md="Mediapackages that are on their way to the target at the same time, from all runs. When "
            "the target slows down or turns requests away, there are fewer by themselves, and more again later. "
            "One run has no more than the setting `mediapackages_at_once` allows.",
            section=section,
        ),
        "workflows_on_target": Param(
            _default("workflows_on_target"),
            type=["null", "integer"],
            minimum=1,
            title="Workflows on the target",
            description_md="No import begins while the target itself counts so many workflows, whoever started them. "
            "Empty: it is not asked.",
            section=section,
        ),
        "requests_per_second": _rate(
            "requests_per_second",
            "Requests to the source in a second",
            "Of all workers together.",
            section,
        ),
        "megabytes_per_second": _rate(
            "megabytes_per_second",
            "Megabytes from the source in a second",
            "Downloads of all workers together.",
            section,
        ),
        "hours": Param(
            default=None,
            type=["null", "string"],
            title="Hours",
            examples=["22:00-06:00", "mon-fri 20-6; sat,sun 0-24"],
            description_md="When imports may begin, in the time zone of the filters; what has begun is brought to its "
            "end. Empty: always.",
            section=section,
        ),
        "poll_seconds": Param(
            _default("poll_seconds"),
            type="number",
            minimum=6,
            maximum=600,
            title="Seconds between looks at the target",
            section=section,
        ),
    }


def _campaign() -> dict[str, Param]:
    section = "Campaign"
    return {
        "campaign": Param(
            default=None,
            type=["null", "string"],
            maxLength=200,
            title="Campaign",
            examples=["move of 2026"],
            description_md="Runs with the same name are shown, paused and limited together. Empty: a campaign of its "
            "own; all runs of a DAG by creation date are one.",
            section=section,
        ),
        "wave_size": Param(
            _default("wave_size"),
            type="integer",
            minimum=1,
            maximum=1000,
            title="Mediapackages in one run",
            description_md="What is left over is the work of the next run, which starts by itself.",
            section=section,
        ),
        "stop_at_failed_percent": Param(
            _default("stop_at_failed_percent"),
            type="integer",
            minimum=1,
            maximum=100,
            title="Stop at this percentage of failures",
            description_md="When so many of a run's objects have failed, no further run starts.",
            section=section,
        ),
    }


def _inventory() -> dict[str, Param]:
    section = "Inventory"
    return {
        "inventory": Param(
            _default("inventory").value,
            type="string",
            enum=[reading.value for reading in Reading],
            values_display={"complete": "the whole library", "recent": "only what may be new"},
            title="What is read of the source's library",
            description_md="**recent** reads what starts a month ago or later and what was not finished, and the whole "
            "library once a day. Older events that were edited or uploaded since are found by that.",
            section=section,
        ),
        "inventory_max_age_minutes": Param(
            _default("inventory_max_age_minutes"),
            type="number",
            minimum=0,
            title="Minutes for which a reading is used again",
            description_md="Runs side by side share one reading in any case.",
            section=section,
        ),
    }
