"""What a harvest of one repository did, for logs, tasks and scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from opencast.harvest.stream_state import Mode


@dataclass(frozen=True)
class HarvestReport:
    """The outcome of one harvest.

    :param repository: name.
    :param new: records that were not known, or came back after a deletion.
    :param deleted: records that the repository has marked as deleted, or does not have any more.
    :param unreadable: records that were kept as they came, with the reason.
    :param findings: what was odd but lost nothing.
    """

    repository: str
    mode: Mode
    run_id: int
    requests: int
    bytes_read: int
    pages: int
    records: int
    new: int
    changed: int
    deleted: int
    unreadable: int
    findings: tuple[str, ...]

    def values(self) -> dict[str, Any]:
        """Give plain values, for XCom and JSON."""
        return {**asdict(self), "mode": str(self.mode), "findings": list(self.findings)}

    def __str__(self) -> str:
        text = (
            f"{self.repository}: {self.records} records in {self.pages} pages, {self.new} new, {self.changed} changed, "
            f"{self.deleted} deleted, {self.unreadable} unreadable"
        )
        return "\n  ".join([text, *self.findings])
