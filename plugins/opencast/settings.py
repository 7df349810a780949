"""The installation's settings: folders, store and limits. Secrets do not belong here but in Airflow connections."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opencast.configuration import read_yaml
from opencast.errors import ConfigurationError

#: Environment variables of this prefix override the file: ``OPENCAST_STAGING_FOLDER`` is ``staging_folder``.
ENVIRONMENT_PREFIX = "OPENCAST_"
FILE_NAME = "settings.yaml"

_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


class SourceStorage(BaseModel):
    """One folder of the source's storage that every worker has mounted.

    :param kind: ``archive`` for a root of the asset manager, ``downloads`` for the published files.
    :param folder: absolute; it holds one folder for each organization.
    :param url: what the URLs of these files begin with; by default the source's own address with ``/assets/assets``
        or ``/static`` behind it.
    :param organization: of the archive's files; by default that of the account. URLs of published files name it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["archive", "downloads"]
    folder: Path
    url: str = ""
    organization: str = Field(default="", pattern=r"^[\w.\-]*$")

    @field_validator("folder")
    @classmethod
    def _is_absolute(cls, folder: Path) -> Path:
        return _absolute(folder)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("the URL must begin with http:// or https://")
        return url.rstrip("/")


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
    lists_folder: Path | None = Field(
        default=None, description="Where files with ids of events lie that a form may name; every worker reads it."
    )
    store_url: str | None = Field(
        default=None, description="SQLAlchemy URL of the store, without password; the connection opencast_store wins."
    )
    staging_budget_gb: float | None = Field(
        default=None, gt=0, description="Most gigabytes (10^9 bytes) that staging may hold; empty: the file system."
    )
    staging_reserve_gb: float = Field(
        default=1.0, ge=0, description="Gigabytes that stay free on the staging file system."
    )
    source_storage: tuple[SourceStorage, ...] = Field(
        default=(),
        description="Folders of the source's storage that every worker has mounted, each with `kind` (`archive` or "
        "`downloads`), `folder`, and where they differ from the usual `url` and `organization`. What lies in none of "
        "them comes over HTTP. As an environment variable: YAML or JSON.",
    )
    link_source: bool = Field(
        default=False,
        description="Let staging hold hard links to the source's files instead of copies. Off by default, because "
        "source and staging (and, with the route `link`, the target) then share one file: read *Shared files* below.",
    )
    allow_writable_source: bool = Field(
        default=False,
        description="Accept that the workers could write to the source's storage. Without it a mount of the source "
        "must be read-only; hard links need it, since a file cannot be linked out of a read-only mount.",
    )
    target_files_folder: Path | None = Field(
        default=None,
        description="The target's working file repository (`org.opencastproject.file.repo.path`, the folder `files` of "
        "its storage) as every worker has it mounted: makes the route `link` possible.",
    )
    target_account: str | None = Field(
        default=None,
        pattern=r"^\d+:\d+$",
        description='User and group as whom the target\'s Opencast runs, as numbers in quotes such as `"1001:1001"`; '
        "empty: the owner of its repository.",
    )
    zip_workflow: str = Field(
        default="opencast-airflow-import",
        pattern=r"^[\w.\-]+$",
        description="Id of the import workflow that the route `zip` needs on the target; the one in `include/config/` "
        "has this id.",
    )
    timezone: str = Field(default="UTC", description="Zone of the days and months of creation, such as Europe/Berlin.")
    slow_answer_seconds: float = Field(
        default=10.0,
        gt=0,
        description="An answer of the target to a reading request that takes longer means: fewer imports at once.",
    )
    import_pool: str | None = Field(
        default=None,
        description="Airflow pool of the tasks that migrate mediapackages; it must exist, or they never start. Let it "
        "count deferred tasks, and have more slots than there are imports at the same time.",
    )
    tasks_at_once: int = Field(
        default=4, ge=1, le=64, description="Mapped tasks of one run that read from the source at the same time."
    )
    mediapackages_at_once: int = Field(
        default=10,
        ge=1,
        le=128,
        description="Mediapackages of one run that are on their way at the same time, also those that wait for the "
        "target. A little more than *Imports at the same time*: fewer bound the imports, and many more start in vain.",
    )
    follow_schedule: str = Field(
        default="0 * * * *", description="When opencast_follow runs, once it is switched on: a cron expression."
    )
    notify_mail: tuple[str, ...] = Field(
        default=(),
        description="Addresses that get a mail when a run fails, by the Airflow connection `smtp_default`. As an "
        "environment variable: with commas between them.",
    )
    notify_after_hours: float | None = Field(
        default=None, gt=0, description="Hours after which they get a mail about a run that has not ended."
    )

    @field_validator("notify_mail", mode="before")
    @classmethod
    def _are_addresses(cls, value: Any) -> Any:
        """Read the text of an environment variable, and refuse what is no address."""
        addresses = [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
        for address in filter(None, addresses):
            if not _ADDRESS.fullmatch(str(address)):
                raise ValueError(f"{address!r} is no mail address")
        return tuple(filter(None, addresses))

    @field_validator("source_storage", mode="before")
    @classmethod
    def _is_list(cls, value: Any) -> Any:
        """Read the text of an environment variable."""
        if not isinstance(value, str):
            return value
        try:
            return yaml.safe_load(value) or ()
        except yaml.YAMLError as error:
            raise ValueError(f"neither YAML nor JSON: {error}") from error

    @field_validator("target_files_folder")
    @classmethod
    def _is_absolute(cls, folder: Path | None) -> Path | None:
        return None if folder is None else _absolute(folder)

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
    def lists(self) -> Path:
        """Folder of the files with ids of events."""
        return (self.lists_folder or self.data_folder / "lists").expanduser()

    @property
    def store(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.store_url or f"sqlite:///{(self.data_folder / 'store.db').expanduser().absolute()}"

    @property
    def staging_budget_bytes(self) -> int | None:
        """Budget of the staging store in bytes, or None."""
        return None if self.staging_budget_gb is None else int(self.staging_budget_gb * 1e9)

    @property
    def target_ids(self) -> tuple[int, int] | None:
        """Numbers of the user and group of the target's Opencast, or None."""
        if self.target_account is None:
            return None
        uid, gid = self.target_account.split(":")
        return int(uid), int(gid)


def _absolute(folder: Path) -> Path:
    folder = folder.expanduser()
    if not folder.is_absolute():
        raise ValueError(f"{folder} is no absolute path")
    return folder


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
