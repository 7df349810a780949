"""The settings of repositories, checked where they are written: in ``repositories.yaml`` or by a script."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from opencast.configuration import read_yaml
from opencast.errors import ConfigurationError, InvalidFlavor
from opencast.harvest.endpoint import Endpoint
from opencast.model.flavor import Flavor
from opencast.settings import config_folder
from opencast.store.harvesting import Repository

FILE_NAME = "repositories.yaml"
FROM_FILE = "file"

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Word = Annotated[str, Field(min_length=1, max_length=250)]


class WebhookSettings(BaseModel):
    """A web address that is told about changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["webhook"]
    name: Name
    url: str
    connection_id: Word | None = Field(default=None, description="Connection whose password signs the messages.")


class PythonSinkSettings(BaseModel):
    """A class of the site that is told about changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["python"]
    name: Name
    target: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", description="As module:Class.")
    options: dict[str, Any] = Field(default_factory=dict)


SinkSettings = Annotated[WebhookSettings | PythonSinkSettings, Field(discriminator="type")]


class RepositorySettings(BaseModel):
    """How one repository is harvested; what is left out has the default that is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Part of addresses and of the asset's name: lower-case letters, digits, - and _.")
    url: str = Field(description="Base URL, as Identify names it.")
    connection_id: Word | None = Field(default=None, description="Airflow connection with login and password.")
    http_method: Literal["GET", "POST"] = Field(default="GET", description="How requests are sent.")
    prefixes: list[Word] = Field(
        default_factory=list, description="Metadata prefixes; empty: the one that says most, matterhorn-inlined first."
    )
    sets: list[Word] = Field(default_factory=list, description="Sets to harvest; empty: everything.")
    interval_seconds: int = Field(default=60, ge=10, le=86400 * 31, description="From one harvest to the next.")
    overlap_seconds: int = Field(
        default=30, ge=0, le=86400 * 7, description="How far before the last harvest the next one begins."
    )
    track_types: list[str] = Field(
        default=["presentation/delivery"],
        description="Types of the tracks that become media items; of several that match, the first in this list.",
    )
    tags: list[Word] = Field(default=["Lecture capture"], description="Tags of new media items.")
    ignore_deleted: bool = Field(default=False, description="Whether deleted records are passed over.")
    on_delete: Literal["mark", "remove"] = Field(
        default="mark", description="What becomes of the media item of a deleted record."
    )
    check_borders: Literal["auto", "always", "never"] = Field(
        default="auto", description="Whether records around the ends of pages are asked for again; auto: for Opencast."
    )
    active: bool = Field(default=True, description="Whether it is harvested by the schedule.")
    sinks: list[SinkSettings] = Field(default_factory=list, description="Who is told about changes.")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        try:
            return Endpoint(url).url
        except ConfigurationError as error:
            raise ValueError(str(error)) from error

    @field_validator("track_types")
    @classmethod
    def _are_flavors(cls, types: list[str]) -> list[str]:
        for one in types:
            try:
                Flavor.parse(one)
            except InvalidFlavor as error:
                raise ValueError(f"{one!r} is no track type such as presentation/delivery") from error
        return types

    def columns(self) -> dict[str, Any]:
        """Give the values of the repository's row."""
        return self.model_dump(exclude={"name", "sinks"})


class RepositoryFile(BaseModel):
    """The whole of ``repositories.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repositories: list[RepositorySettings] = Field(default_factory=list)

    @field_validator("repositories")
    @classmethod
    def _have_own_names(cls, repositories: list[RepositorySettings]) -> list[RepositorySettings]:
        names = [one.name for one in repositories]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the name {twice[0]!r} is used twice")
        return repositories


def load_repositories(path: Path | None = None) -> RepositoryFile:
    """Read the file; where there is none, all repositories are in the database only.

    :raises ConfigurationError: a value that cannot be used, with file, line and key.
    """
    path = path or config_folder() / FILE_NAME
    return read_yaml(path, RepositoryFile) if path.exists() else RepositoryFile()


def synchronise(session: Session, settings: Iterable[RepositorySettings]) -> None:
    """Bring the rows of repositories up to the file, which wins over the database.

    A repository that was taken out of the file is not harvested any more, and keeps its records.
    """
    rows = {row.name: row for row in session.scalars(select(Repository))}
    names = set()
    for one in settings:
        names.add(one.name)
        row = rows.get(one.name)
        if row is None:
            session.add(Repository(name=one.name, origin=FROM_FILE, **one.columns()))
        else:
            write(row, one, origin=FROM_FILE)
    for row in rows.values():
        if row.origin == FROM_FILE and row.name not in names:
            row.active = False
    session.flush()


def write(row: Repository, settings: RepositorySettings, *, origin: str) -> None:
    """Write settings into a repository's row; another address or login makes it due at once, and described anew."""
    if (row.url, row.prefixes, row.sets) != (settings.url, settings.prefixes, settings.sets):
        row.described = None
        row.next_due = None
    row.origin = origin
    for name, value in settings.columns().items():
        if getattr(row, name) != value:
            setattr(row, name, value)
