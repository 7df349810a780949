"""Download distribution: files of the workspace linked below ``downloads``, and what the search service then knows."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.simulator import clock, hls, metadata
from tests.simulator import storage as files
from tests.simulator.mediapackage import Element, MediaPackage
from tests.simulator.records import PublishedEpisode
from tests.simulator.state import State
from tests.simulator.storage import Storage
from tests.simulator.workspace import Unreachable, Workspace

ENGAGE = "engage-player"


class DistributionFailed(RuntimeError):
    """A file could not be distributed."""


def shuffled(elements: list[Element]) -> list[Element]:
    """Order as the server does: by hash, which for a client means in no order that it may rely on."""
    return sorted(elements, key=lambda e: hashlib.md5((e.id or "").encode()).hexdigest())


class Distribution:
    """Publishes and retracts files of one server."""

    def __init__(self, storage: Storage, state: State, workspace: Workspace) -> None:
        self.storage, self.state, self.workspace = storage, state, workspace

    def distribute(self, org: str, channel: str, package: MediaPackage, elements: list[Element]) -> list[Element]:
        """Link files into a channel; gives copies of the elements with their published urls.

        :raises DistributionFailed: when a file is missing.
        """
        result: list[tuple[Element, Path]] = []
        self.state.next_job_id()  # The job that distributes them takes an id too.
        for element in shuffled(elements):
            try:
                source = self.workspace.get(element.url)
                source = self.storage.same_file(org, package.id, source)
                name = unquote(element.file_name)
                target = self.storage.distributed(org, channel, package.id, str(element.id), name)
                if hls.is_playlist(element):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.unlink(missing_ok=True)
                    shutil.copyfile(source, target)  # It is going to be rewritten.
                elif source != target:
                    files.link(source, target)
            except (Unreachable, OSError, files.UnsafePath) as error:
                raise DistributionFailed(f"Unable to find {element.url} in the workspace") from error
            published = element.clone()
            base = f"{self.workspace.media_url}/static/{org}/{channel}/{package.id}"
            published.url = f"{base}/{element.id}/{element.file_name}"
            result.append((published, target))
        try:
            hls.fix_references(result)
        except hls.NoPlayableSet as error:
            raise DistributionFailed(f"Cannot distribute {package.id}: {error}") from error
        return [element for element, _ in result]

    def retract(self, org: str, channel: str, package: MediaPackage, elements: list[Element]) -> None:
        """Remove the directories of published elements, found by their urls whatever channel these name."""
        for element in elements:
            path = unquote(urlsplit(element.url or "").path)
            parts = path.removeprefix("/static/").split("/") if path.startswith(f"/static/{org}/") else []
            place = parts[1:4] if len(parts) > 4 else [channel, package.id, str(element.id)]
            with contextlib.suppress(files.UnsafePath):
                home = self.storage.downloads.joinpath(org, *(files.check_id(part) for part in place))
                shutil.rmtree(home, ignore_errors=True)
                files.prune(home.parent, self.storage.downloads / org)

    def add_to_search(self, org: str, package: MediaPackage) -> None:
        """Enter a published episode into the search service."""
        self.state.next_job_id()
        acl, held = metadata.active_acl(package, self.workspace.read, self.state.merge_mode), package.clone()
        with self.state.lock:
            self.state.published[package.id] = PublishedEpisode(org, acl, clock.now(), lambda: held)

    def remove_from_search(self, package_id: str) -> None:
        """Take an episode out of the search service."""
        with self.state.lock:
            self.state.published.pop(package_id, None)
