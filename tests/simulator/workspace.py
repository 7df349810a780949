"""Finds the local file behind a url, linking and copying exactly where Opencast does."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.simulator import storage as files
from tests.simulator.state import State
from tests.simulator.storage import Storage


class Unreachable(LookupError):
    """There is no file behind a url."""


class Workspace:
    """Access to files by url.

    :param base_url: this server's address; its urls are opened on disk, others are downloaded without credentials.
    :param media_url: address under which published files are served, when that is another one.
    """

    def __init__(self, storage: Storage, state: State, base_url: str, media_url: str | None = None) -> None:
        self.storage, self.state, self.base_url = storage, state, base_url
        self.media_url = media_url or base_url

    def read(self, url: str | None) -> Path:
        """Open in place: nothing is linked or copied for own files.

        :raises Unreachable: when there is none.
        """
        local = self._own_file(url)
        return local or self._download(url or "", self._target(url or "", unique=False))

    def get(self, url: str | None, *, unique: bool = False) -> Path:
        """Bring a file into the workspace: a link from the working file repository, a copy from the archive.

        :raises Unreachable: when there is none.
        """
        url = url or ""
        target, local = self._target(url, unique=unique), self._own_file(url)
        if local is None:
            return self._download(url, target)
        if self._is_working_file(url):
            if not target.exists() or target.stat().st_mtime < local.stat().st_mtime:
                files.link(local, target)
        elif url.startswith(f"{self.base_url}/assets/assets/"):
            self.storage.take(local.stat().st_size)
            files.copy(local, target)
        else:
            return local
        return target

    def put(self, package: str, element: str, name: str, data: bytes) -> str:
        """Write into the working file repository and link it into the workspace; gives the url."""
        path = self.storage.put(package, element, name, data)
        url = self.working_url(package, element, path.name)
        files.link(path, self._target(url, unique=False))
        return url

    def working_url(self, package: str, element: str, name: str) -> str:
        """Give the url of a file of the working file repository."""
        return f"{self.base_url}/files/mediapackage/{package}/{element}/{name}"

    def delete(self, url: str | None) -> None:
        """Remove a file from the workspace and, if it is one of its own, from the working file repository."""
        url = url or ""
        if self._is_working_file(url):
            package, element = url.split("/")[-3:-1]
            self.storage.delete_working_file(package, element)
        target = self._target(url, unique=False)
        if target.is_file():
            target.unlink()
            files.prune(target.parent, self.storage.root / "workspace")

    def _is_working_file(self, url: str) -> bool:
        return url.startswith(f"{self.base_url}/files/mediapackage/")

    def _own_file(self, url: str | None) -> Path | None:
        """Find a file of this server; None for foreign urls and for what is not there."""
        if not url or not url.startswith((self.base_url + "/", self.media_url + "/")):
            return None
        parts = [unquote(part) for part in urlsplit(url).path.strip("/").split("/")]
        if ".." in parts:
            return None
        path: Path | None = None
        if parts[0] == "files":
            path = self.storage.root.joinpath(*parts)
        elif parts[:2] == ["assets", "assets"] and len(parts) == 6:
            path = self._archived(*parts[2:5])
        elif parts[0] == "static":
            path = self.storage.downloads.joinpath(*parts[1:])
        return path if path is not None and path.is_file() else None

    def _archived(self, package: str, element: str, version: str) -> Path | None:
        event = self.state.events.get(package)
        snapshot = event.snapshot(int(version)) if event and version.isdigit() else None
        asset = snapshot.load().assets.get(element) if snapshot else None
        return asset.path if asset else None

    def _target(self, url: str, *, unique: bool) -> Path:
        root = self.storage.root / "workspace"
        own = f"{self.base_url}/files/"
        if url.startswith(own) and ".." not in url:
            path = root.joinpath(*url[len(own) :].split("/"))
        else:
            name = files.safe_name(urlsplit(url).path) or "file"
            path = root / "http" / hashlib.md5(url.encode()).hexdigest() / name
        if unique:
            path = path.with_name(f"{path.stem}-{uuid.uuid4()}{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _download(self, url: str, target: Path) -> Path:
        if not url.startswith(("http://", "https://")) or url.startswith(self.base_url + "/"):
            raise Unreachable(url)
        try:
            # The trusted client asks to be challenged, so a protected foreign server answers 401, not its login page.
            request = urllib.request.Request(url, headers={"X-Requested-Auth": "Digest"})
            with urllib.request.urlopen(request, timeout=60) as answer, target.open("wb") as out:
                shutil.copyfileobj(answer, out, files.CHUNK)
        except (urllib.error.URLError, OSError) as error:
            raise Unreachable(url) from error
        return target
