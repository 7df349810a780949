"""The journal of one import: enough to go on after the process that wrote it was killed at any moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """Where an import run stands on the target."""

    PLANNED = "planned"
    #: Written before the request that starts it: after a crash the target is asked whether it arrived.
    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"


@dataclass
class RunRecord:
    """One import run.

    :param where: id of the channel, or ``archive``.
    :param definition_id: id of the workflow definition that is sent along; unique for each import, so that the
        workflow is found again on the target.
    :param publication: what the run published, as the XML of a mediapackage that holds only this publication.
    :param after: id of the mediapackage's last workflow before this run, where the definition's id is not unique.
    """

    where: str
    definition_id: str
    state: RunState = RunState.PLANNED
    workflow_id: str | None = None
    publication: str | None = None
    after: int = 0


@dataclass
class SentRecord:
    """One file that was sent to the target's working file repository.

    :param folder: its folder there, see ``opencast.migration.runs.location``.
    :param url: its URL there.
    :param md5: of its bytes, as staged.
    :param size: bytes.
    """

    folder: str
    url: str
    md5: str
    size: int


@dataclass
class Journal:
    """The state of one import.

    :param source_version: archive version of the source's package when it was read.
    :param sent: by ``RunElement.key``.
    :param notes: for the report.
    :param is_zip: the files travel in a zip with the request that starts the one run.
    """

    source_version: str | None = None
    runs: list[RunRecord] = field(default_factory=list)
    sent: dict[str, SentRecord] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_zip: bool = False

    @property
    def is_sent(self) -> bool:
        """Whether everything is on the target's side, so that only workflows remain."""
        return bool(self.runs)

    def current(self) -> RunRecord | None:
        """Return the first run that has not ended, or None when all have."""
        return next((run for run in self.runs if run.state is not RunState.DONE), None)

    def to_json(self) -> dict[str, Any]:
        """Return a value that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Journal:
        """Read what ``to_json`` wrote; an empty value is a new journal."""
        return cls(
            source_version=value.get("source_version"),
            runs=[RunRecord(**{**run, "state": RunState(run["state"])}) for run in value.get("runs", [])],
            sent={key: SentRecord(**sent) for key, sent in value.get("sent", {}).items()},
            notes=list(value.get("notes", [])),
            is_zip=bool(value.get("is_zip")),
        )
