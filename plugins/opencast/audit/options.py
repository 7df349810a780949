"""What an audit looks at: the params of its DAG, checked across fields."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencast.errors import InvalidFilter
from opencast.migration.options import Verify


class Side(StrEnum):
    """Of which server the publications are checked."""

    NONE = "none"
    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"


class AuditOptions(BaseModel):
    """One audit's choices, with the names of the trigger form."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str = "opencast_source"
    #: No target: only the publications of the source are checked.
    target: str | None = "opencast_target"
    check_publications: Side = Side.TARGET
    verify: Verify = Verify.SAMPLE
    events_per_task: int = Field(default=100, ge=1, le=5000)
    fail_on_findings: bool = True

    @field_validator("*", mode="before")
    @classmethod
    def _tidied(cls, value: Any, info: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
        if info.field_name == "target":
            return value or None
        return cls.model_fields[info.field_name].get_default() if value in (None, "") else value

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> AuditOptions:
        """Read the params of a DAG run.

        :raises InvalidFilter: naming the param and what is wrong with it.
        """
        try:
            options = cls.model_validate(dict(params))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors(include_url=False)
            )
            raise InvalidFilter(f"The params of the run cannot be used: {problems}.") from error
        if options.target is None and options.check_publications in {Side.NONE, Side.TARGET}:
            return options.model_copy(update={"check_publications": Side.SOURCE})
        return options

    @property
    def sides(self) -> tuple[Side, ...]:
        """The servers whose publications are checked."""
        return {
            Side.NONE: (),
            Side.BOTH: (Side.SOURCE, Side.TARGET),
        }.get(self.check_publications, (self.check_publications,))
