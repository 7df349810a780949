"""The trigger form of a migration by creation date: what it has beyond that of a migration."""

from __future__ import annotations

from airflow.sdk import Param

from opencast.migration.options import Options, Unfinished
from opencast.migration.windows import UNDATED, Granularity
from opencast.operators.params import migration_params
from opencast.settings import load_settings


def partition_params(granularity: Granularity) -> dict[str, Param]:
    """Return what the form of a migration by creation date has in addition, and first."""
    section = "Period"
    example = "2024-02-10" if granularity is Granularity.DAY else "2024-02"
    own = {
        "period": Param(
            default=None,
            type=["null", "string"],
            title="Period",
            examples=[example, "2024", UNDATED],
            description_md=f"Only for runs without a partition key: a {granularity.value} such as `{example}`, a whole "
            f"year, or `{UNDATED}` for the events without a usable creation date.",
            section=section,
        ),
        "unfinished_period": Param(
            Options.model_fields["unfinished_period"].get_default().value,
            type="string",
            enum=[value.value for value in Unfinished],
            title="A period that is not over",
            description_md="**refuse** fails the run, so that every run that ends well stands for a complete period; "
            "**take** migrates what is there up to now.",
            section=section,
        ),
        "granularity": Param(
            granularity.value, type="string", enum=[granularity.value], title="Length of a period", section=section
        ),
    }
    params = migration_params()
    params["timezone"] = Param(
        load_settings().timezone,
        type="string",
        title="Time zone",
        examples=["UTC", "Europe/Berlin", "Europe/Zurich", "America/New_York"],
        description_md="Zone in which periods, dates and times without an offset are meant.",
        section=section,
    )
    # One reading of the library serves all partitions of a back-fill.
    params["inventory_max_age_minutes"].value = 60
    return {**{name: params.pop(name) for name in ("source", "target", "mode", "timezone")}, **own, **params}
