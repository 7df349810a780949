"""All that a running server holds in memory."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.simulator.index import LaggingIndex
from tests.simulator.oaipmh import OaiRepositories
from tests.simulator.records import Event, EventDocument, PublishedEpisode, Series

if TYPE_CHECKING:
    from tests.simulator.workflows.definition import Definition
    from tests.simulator.workflows.instance import Instance


class State:
    """Tables by id. Whoever changes several of them together holds ``lock``."""

    def __init__(self, index_lag: float = 0.0, merge_mode: str = "override") -> None:
        self.merge_mode = merge_mode
        self.lock = threading.RLock()
        self.events: dict[str, Event] = {}
        self.series: dict[str, Series] = {}
        self.event_index: LaggingIndex[EventDocument] = LaggingIndex(index_lag)
        self.series_index: LaggingIndex[Series] = LaggingIndex(index_lag)
        self.workflows: dict[int, Instance] = {}
        self.definitions: dict[str, Definition] = {}
        self.published: dict[str, PublishedEpisode] = {}
        self.oai = OaiRepositories()
        self.retracting: set[str] = set()
        self._job_ids = itertools.count(1000)
        self._versions: dict[str, int] = {}
        self._by_checksum: dict[tuple[str, str], dict[Path, None]] = {}

    def next_job_id(self) -> int:
        """Give a new id of a workflow or operation; both come from one sequence."""
        with self.lock:
            return next(self._job_ids)

    def skip_job_ids(self, used: int) -> None:
        """Make the sequence go on after an id that came with a library."""
        with self.lock:
            self._job_ids = itertools.count(max(used + 1, next(self._job_ids)))

    def claim_version(self, package_id: str) -> int:
        """Give the next version number; it goes on counting after a deletion."""
        with self.lock:
            event = self.events.get(package_id)
            held = event.latest.version if event and event.latest else -1
            version = max(self._versions.get(package_id, -1), held) + 1
            self._versions[package_id] = version
            return version

    def remember_asset(self, checksum: tuple[str, str], path: Path) -> None:
        """Note where a content lies in the archive."""
        with self.lock:
            self._by_checksum.setdefault(checksum, {})[path] = None

    def forget_asset(self, checksum: tuple[str, str], path: Path) -> None:
        """Note that an archived file is gone."""
        with self.lock:
            self._by_checksum.get(checksum, {}).pop(path, None)

    def archived_file(self, checksum: tuple[str, str]) -> Path | None:
        """Find any archived file with this checksum, of any event and organization, whatever its size."""
        with self.lock:
            return next(iter(self._by_checksum.get(checksum, {})), None)

    def workflows_of(self, package_id: str) -> list[Instance]:
        """Give an event's workflows, oldest first."""
        with self.lock:
            found = [w for w in self.workflows.values() if w.package.id == package_id]
        return sorted(found, key=lambda w: w.id)
