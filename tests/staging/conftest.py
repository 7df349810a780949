"""Folders of a source, of staging and of a target, as a site would mount them."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from opencast.staging.mounts import Mount
from opencast.staging.source import Fetcher, SourceFile
from opencast.staging.store import ObjectStore

from tests.staging.doubles import FakeRepository, FakeServer, md5

SERVER = "http://source.test"
ORGANIZATION = "mh_default_org"


@dataclass
class Site:
    """A source with an archive and a downloads folder, a staging folder and a target's ``files`` folder."""

    folder: Path

    @property
    def archive(self) -> Path:
        return self.folder / "source" / "archive"

    @property
    def downloads(self) -> Path:
        return self.folder / "source" / "downloads"

    @property
    def staging(self) -> Path:
        return self.folder / "staging"

    @property
    def files(self) -> Path:
        return self.folder / "target" / "files"

    def make(self) -> Site:
        for folder in (self.archive, self.downloads, self.files / "mediapackage"):
            folder.mkdir(parents=True)
        return self

    @property
    def mounts(self) -> list[Mount]:
        return [
            Mount(f"{SERVER}/assets/assets", self.archive, "archive", ORGANIZATION),
            Mount(f"{SERVER}/static", self.downloads, "downloads"),
        ]

    def archived(self, data: bytes, *, mp: str = "mp1", element: str = "el1", name: str = "cam.mp4") -> SourceFile:
        """Put a file into the archive as Opencast would; answer how the mediapackage describes it."""
        folder = self.archive / ORGANIZATION / mp / "3"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{element}{Path(name).suffix}").write_bytes(data)
        return SourceFile(f"{SERVER}/assets/assets/{mp}/{element}/3/{name}", md5(data), len(data), name)

    def archived_path(self, *, mp: str = "mp1", element: str = "el1", suffix: str = ".mp4") -> Path:
        return self.archive / ORGANIZATION / mp / "3" / f"{element}{suffix}"

    def published(self, data: bytes, *, path: str = "engage-player/mp1/pub1/cam.mp4") -> SourceFile:
        """Put a file into the downloads folder; answer how the mediapackage describes it."""
        file = self.downloads / ORGANIZATION / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return SourceFile(f"{SERVER}/static/{ORGANIZATION}/{path}", md5(data), len(data), file.name)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path).make()


@pytest.fixture
def store(site: Site) -> ObjectStore:
    return ObjectStore(site.staging, reserve_bytes=0)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def fetcher(store: ObjectStore, server: FakeServer, site: Site) -> Fetcher:
    """Links from mounted storage are allowed."""
    return Fetcher(store, server, site.mounts, link=True, sleep=lambda seconds: None)


@pytest.fixture
def web_fetcher(store: ObjectStore, server: FakeServer) -> Fetcher:
    """No mounted storage: everything comes over HTTP."""
    return Fetcher(store, server, sleep=lambda seconds: None)


@pytest.fixture
def repository(site: Site) -> FakeRepository:
    return FakeRepository(site.files)


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than ``tmp_path``."""
    for candidate in (Path("/dev/shm"), Path("/run"), Path.home(), Path("/var/tmp")):
        if candidate.is_dir() and os.access(candidate, os.W_OK) and candidate.stat().st_dev != tmp_path.stat().st_dev:
            folder = candidate / f"staging-test-{uuid.uuid4().hex}"
            folder.mkdir()
            yield folder
            shutil.rmtree(folder)
            return
    pytest.skip("this machine has one writable file system only")


@pytest.fixture
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here cuts the power: what matters is the order of the calls, which stays."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
