"""Doubles for what staging talks to: a disk that fails on purpose, a server, the target's file repository."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from opencast.errors import SizeMismatch, Unreachable
from opencast.model.workflow import WorkflowInstance, WorkflowState
from opencast.staging.digest import Digest
from opencast.staging.disk import Disk


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def digest(data: bytes) -> Digest:
    return Digest(md5(data), len(data))


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def open_descriptors(folder: Path) -> list[str]:
    """The files below a folder that this process has open.

    Of this folder only: what else lives in the process, servers and connections, opens and closes as it likes.
    """
    targets = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            targets.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return sorted(target for target in targets if target.startswith(f"{folder.resolve()}/"))


@dataclass(frozen=True)
class Fault:
    """An error for chosen calls.

    :param lost_answer: the call does its work and fails nevertheless, as it may happen on a network file system.
    """

    number: int
    code: int
    lost_answer: bool = False

    def __str__(self) -> str:
        return f"{errno.errorcode[self.code]} {'after' if self.lost_answer else 'instead of'} call {self.number}"


class FaultyDisk(Disk):
    """A disk on which the n-th call fails, or every call of one kind."""

    def __init__(self, fault: Fault | None = None, /, **always: int) -> None:
        self.fault = fault
        self.always = always
        self.calls: list[str] = []
        #: Called before the n-th call, for instance to kill the process.
        self.before: Callable[[int], None] = lambda number: None

    def _count(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls.append(name)
        number = len(self.calls)
        self.before(number)
        code = self.always.get(name)
        if code is None and self.fault is not None and self.fault.number == number:
            code = self.fault.code
        if code is None:
            return call(*args, **kwargs)
        if name == "close" or (self.fault is not None and self.fault.lost_answer):
            result = call(*args, **kwargs)  # the kernel frees a descriptor also when closing it answers an error
            if name.startswith(("open", "create")):
                os.close(result)
        elif name == "write":
            call(args[0], bytes(args[1])[: len(args[1]) // 2])
        raise OSError(code, os.strerror(code))


def _counted(name: str) -> Callable[..., Any]:
    def method(self: FaultyDisk, *args: Any, **kwargs: Any) -> Any:
        return self._count(name, getattr(super(FaultyDisk, self), name), *args, **kwargs)

    return method


for _name in [name for name, value in vars(Disk).items() if not name.startswith("_") and callable(value)]:
    setattr(FaultyDisk, _name, _counted(_name))


@dataclass
class FakeAnswer:
    status: int
    headers: dict[str, str]
    start: int
    total: int | None
    body: bytes
    breaks_after: int | None = None

    def iter(self, chunk: int, /) -> Iterator[bytes]:
        whole = self.body if self.breaks_after is None else self.body[: self.breaks_after]
        for offset in range(0, len(whole), chunk):
            yield whole[offset : offset + chunk]
        if self.breaks_after is not None:
            raise Unreachable("the connection broke")


@dataclass
class FakeServer:
    """Serves files by url, as the REST client hands them out.

    :param ranges: whether published files can be read from the middle, as below ``/static``.
    :param breaks: after how many bytes of its body each next answer breaks off; None is a whole answer.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    breaks: list[int | None] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    etags: list[str] = field(default_factory=list)
    announce: int | None = None
    requests: list[tuple[str, int]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def open_download(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> AbstractContextManager[FakeAnswer]:
        return self._answering(url, start, validator)

    @contextmanager
    def _answering(self, url: str, start: int, validator: str | None) -> Iterator[FakeAnswer]:
        self.before()
        self.requests.append((url, start))
        data = self.files[url]
        etag = self.etags.pop(0) if self.etags else f"{hash(data)}"
        breaks = self.breaks.pop(0) if self.breaks else None
        headers = {"Content-Type": self.types.get(url, "video/mp4")}
        if not self.ranges:
            yield FakeAnswer(200, headers, 0, self.announce or len(data), data, breaks)
            return
        headers |= {"ETag": etag, "Accept-Ranges": "bytes"}
        if start > len(data) or (start and start == len(data)):
            raise SizeMismatch(f"{url} has no byte {start}")
        if start and validator not in {None, etag}:
            start = 0
        status = 206 if start else 200
        yield FakeAnswer(status, headers, start, self.announce or len(data), data[start:], breaks)


@dataclass
class FakeRepository:
    """The target's ``/files``, on a real folder, with Opencast's rule for what is complete."""

    root: Path
    damage: Callable[[bytes], bytes] = lambda data: data
    puts: int = 0
    deletes_nothing: bool = False

    def base_uri(self) -> str:
        return "http://target.test/files"

    def put(self, mp_id: str, element_id: str, file_name: str, stream: BinaryIO, size: int, /) -> str:
        data = stream.read()
        assert len(data) == size, "the stream must hold what was announced"
        folder = self.root / "mediapackage" / mp_id / element_id
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        stored = self.damage(data)
        (folder / file_name).write_bytes(stored)
        (folder / f"{file_name}.md5").write_text(md5(stored))
        self.puts += 1
        return f"{self.base_uri()}/mediapackage/{mp_id}/{element_id}/{file_name}"

    def matches(self, mp_id: str, element_id: str, file_name: str, md5: str, /) -> bool:
        folder = self.root / "mediapackage" / mp_id / element_id
        sums = list(folder.glob("*.md5"))
        return len(sums) == 1 and sums[0].with_suffix("").exists() and sums[0].read_text() == md5

    def delete(self, mp_id: str, element_id: str, /) -> bool:
        folder = self.root / "mediapackage" / mp_id / element_id
        if self.deletes_nothing or not list(folder.glob("*.md5")):
            return False
        for name in folder.iterdir():
            name.unlink()
        folder.rmdir()
        return True


@dataclass
class FakeIngest:
    """The target's ``/ingest``: keeps what it was sent."""

    error: Exception | None = None
    #: The workflow that is started, whatever is asked for; None starts the one that is asked for.
    starts: str | None = None
    sent: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def add_zipped(
        self, workflow: str, stream: BinaryIO, size: int, /, *, configuration: Mapping[str, str] | None = None
    ) -> WorkflowInstance:
        data = stream.read()
        assert len(data) == size, "the zip must be as long as announced"
        self.sent.append((workflow, data, configuration or {}))
        if self.error is not None:
            raise self.error
        return WorkflowInstance(
            id="7", state=WorkflowState.INSTANTIATED, template=self.starts or workflow, mediapackage_id="mp1"
        )


def assert_store_is_sound(root: Path) -> None:
    """Every visible object holds exactly the bytes of its name."""
    for path in (root / "objects").rglob("*"):
        if path.is_file():
            assert re.fullmatch(r"[0-9a-f]{32}-\d+", path.name), f"{path.name} is no digest"
            assert str(digest(path.read_bytes())) == path.name, f"{path.name} holds other bytes"


def incoming(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "incoming").iterdir())
