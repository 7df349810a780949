"""Limits of a campaign: those of the run's params, and what somebody has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencast.errors import InvalidFilter, OpencastError
from opencast.migration.hours import Hours
from opencast.migration.options import Options
from opencast.migration.windows import read_zone


class Limits(BaseModel):
    """How hard source and target may be used; None: no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    imports_in_flight: int = Field(
        default=8, ge=1, le=64, description="Mediapackages on their way to the target at the same time, from all runs."
    )
    workflows_on_target: int | None = Field(
        default=None,
        ge=1,
        description="No import begins while the target itself counts so many workflows, whoever started them.",
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, le=10_000, description="Requests to the source, from all processes together."
    )
    megabytes_per_second: float | None = Field(
        default=None, gt=0, le=100_000, description="Downloads from the source (10^6 bytes), of all processes together."
    )
    hours: str = Field(
        default="", description="When imports may begin, such as `22:00-06:00` or `mon-fri 20-6; sat,sun 0-24`."
    )
    timezone: str = Field(default="UTC", description="Zone of the hours.")

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, text: str) -> str:
        return _checked(lambda: Hours.parse(text), text)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, text: str) -> str:
        return _checked(lambda: read_zone(text), text)

    @classmethod
    def of(cls, options: Options, changed: Mapping[str, Any] | None = None) -> Limits:
        """Return the limits of a run.

        :param changed: what was changed since the run began, see :meth:`change`.
        :raises InvalidFilter: a value that cannot be used.
        """
        given = {name: getattr(options, name) for name in cls.model_fields}
        try:
            return cls.model_validate({**given, **(changed or {})})
        except ValidationError as error:
            raise InvalidFilter(f"The limits cannot be used: {_problems(error)}.") from error

    @classmethod
    def change(cls, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is kept of changed limits.

        :param before: what was kept up to now.
        :param changes: new values as text or numbers; an empty one gives the run's own limit back; ``none`` takes a
            limit away.
        :raises InvalidFilter: an unknown name or a value that cannot be used.
        """
        kept = dict(before)
        for name, value in changes.items():
            if name not in cls.model_fields:
                raise InvalidFilter(f"There is no limit {name!r}.", advice=f"There are {', '.join(cls.model_fields)}.")
            if value in ("", None):
                kept.pop(name, None)
                continue
            kept[name] = None if str(value).lower() == "none" else value
        if kept.get("hours", "") is None:
            kept["hours"] = ""
        try:
            checked = cls.model_validate(kept)
        except ValidationError as error:
            raise InvalidFilter(f"The limits cannot be used: {_problems(error)}.") from error
        return {name: getattr(checked, name) for name in kept}


def _checked(check: Any, text: str) -> str:
    try:
        check()
    except OpencastError as error:
        raise ValueError(str(error)) from error
    return text


def _problems(error: ValidationError) -> str:
    details = error.errors(include_url=False)
    return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details)
