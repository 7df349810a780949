"""The installation's settings: folders, store and limits. Secrets do not belong here but in Airflow connections."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencast.configuration import read_yaml
from opencast.errors import ConfigurationError

#: Environment variables of this prefix override the file: ``OPENCAST_STAGING_FOLDER`` is ``staging_folder``.
ENVIRONMENT_PREFIX = "OPENCAST_"
FILE_NAME = "settings.yaml"


class Settings(BaseModel):
    """What an installation decides once; a run's own choices are the params of its DAG."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_folder: Path = Field(
        default=Path("~/opencast-airflow"),
        description="Parent of the folders below, where they are not set themselves.",
    )
    staging_folder: Path | None = Field(
        default=None, description="Where files wait on their way; one file system for all workers."
    )
    report_folder: Path | None = Field(default=None, description="Where the report of each run is written.")
    store_url: str | None = Field(
        default=None, description="SQLAlchemy URL of the store, without password; the connection opencast_store wins."
    )
    staging_budget_gb: float | None = Field(
        default=None, gt=0, description="Most gigabytes (10^9 bytes) that staging may hold; empty: the file system."
    )
    staging_reserve_gb: float = Field(
        default=1.0, ge=0, description="Gigabytes that stay free on the staging file system."
    )
    timezone: str = Field(
        default="UTC", description="Zone of the days and months of creation, such as Europe/Berlin."
    )
    tasks_at_once: int = Field(
        default=4, ge=1, le=64, description="Mapped tasks of one run that read from the source at the same time."
    )

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}") from error

    @property
    def staging(self) -> Path:
        """Folder of the staging store."""
        return (self.staging_folder or self.data_folder / "staging").expanduser()

    @property
    def reports(self) -> Path:
        """Folder of the reports."""
        return (self.report_folder or self.data_folder / "reports").expanduser()

    @property
    def store(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.store_url or f"sqlite:///{(self.data_folder / 'store.db').expanduser().absolute()}"

    @property
    def staging_budget_bytes(self) -> int | None:
        """Budget of the staging store in bytes, or None."""
        return None if self.staging_budget_gb is None else int(self.staging_budget_gb * 1e9)


def config_folder() -> Path:
    """Return ``include/config/`` of this checkout, or the folder that ``OPENCAST_CONFIG_FOLDER`` names."""
    named = os.environ.get("OPENCAST_CONFIG_FOLDER")
    return Path(named).expanduser() if named else Path(__file__).resolve().parents[2] / "include" / "config"


def load_settings() -> Settings:
    """Read ``settings.yaml`` and the environment.

    :raises ConfigurationError: a value that cannot be used, naming file, line and key, or the variable.
    """
    path = config_folder() / FILE_NAME
    settings = read_yaml(path, Settings) if path.exists() else Settings()
    values = {
        name: os.environ[variable]
        for name in Settings.model_fields
        if os.environ.get(variable := ENVIRONMENT_PREFIX + name.upper())
    }
    try:
        return Settings.model_validate({**settings.model_dump(), **values})
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        variable = ENVIRONMENT_PREFIX + str(detail["loc"][0]).upper()
        raise ConfigurationError(f"The environment variable {variable}: {detail['msg']}.") from error
