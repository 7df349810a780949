"""Start processes in the background, find them again, and end exactly those that were started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Started:
    """A process that was started here.

    :param started: clock ticks since boot at its start: a pid that was given to another process has another value.
    :param end_signal: asks it to end.
    """

    name: str
    pid: int
    started: int
    url: str = ""
    end_signal: int = signal.SIGTERM

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return _start_ticks(self.pid) == self.started

    def cpu_seconds(self) -> float:
        """Return the CPU time of it and of all that it has started, also of what has ended and was waited for."""
        ticks = sum(sum(map(int, _stat(pid)[11:15])) for pid in self.family())
        return ticks / os.sysconf("SC_CLK_TCK")

    def family(self) -> list[int]:
        """Return the pids of itself and of all that it has started: its session, and what has made one of its own."""
        parents = {}
        found = set()
        for folder in Path("/proc").iterdir():
            fields = _stat(int(folder.name)) if folder.name.isdigit() else []
            if fields and fields[0] != "Z":
                pid = int(folder.name)
                parents[pid] = int(fields[1])
                if int(fields[3]) == self.pid:
                    found.add(pid)
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return sorted(found)


class Processes:
    """The processes of one folder, remembered in ``processes.json`` there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "processes.json"
        self._known = {item["name"]: Started(**item) for item in self._read()}

    def names(self) -> list[str]:
        """Return the names of all processes that were started here and not ended, the oldest first."""
        return list(self._known)

    def find(self, name: str) -> Started | None:
        """Return a process that still runs, or None."""
        started = self._known.get(name)
        return started if started is not None and started.is_alive() else None

    def known(self, name: str) -> Started | None:
        """Return a process that was started here, running or not, or None."""
        return self._known.get(name)

    def start(
        self,
        name: str,
        command: list[str],
        *,
        environment: dict[str, str],
        cwd: Path,
        url: str = "",
        user: str | None = None,
        end_signal: int = signal.SIGTERM,
    ) -> Started:
        """Start a process in a session of its own; its output goes to ``logs/<name>.log``.

        :param user: account to run as, or None for the own one.
        :param end_signal: asks it to end.
        """
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
            )
        started = Started(name, process.pid, _start_ticks(process.pid) or 0, url, end_signal)
        self._known[name] = started
        self._write()
        return started

    def log(self, name: str) -> Path:
        """Return the file with a process's output."""
        return self.folder / "logs" / f"{name}.log"

    def end_all(self) -> list[str]:
        """End every process that still runs, with its children, and return their names."""
        alive = [started for started in reversed(self._known.values()) if started.is_alive()]
        for started in alive:
            _signal(started, started.end_signal)
        deadline = time.monotonic() + 20
        while any(started.is_alive() for started in alive) and time.monotonic() < deadline:
            time.sleep(0.2)
        for started in alive:
            _kill_family(started)
        self._file.unlink(missing_ok=True)
        self._known.clear()
        return [started.name for started in alive]

    def end(self, name: str, timeout: float = 60) -> None:
        """Ask one process to end, and wait until it has.

        :raises SystemExit: it did not.
        """
        started = self._known[name]
        # Its main process alone: PostgreSQL takes a signal to one of its children for a crash.
        os.kill(started.pid, started.end_signal)
        deadline = time.monotonic() + timeout
        while started.is_alive():
            if time.monotonic() > deadline:
                raise SystemExit(f"{name} does not end; see {self.log(name)}.")
            time.sleep(0.1)

    def kill(self, name: str) -> None:
        """Kill one process and all that it has started, as when a machine is lost."""
        started = self._known[name]
        _kill_family(started)
        while started.is_alive():
            time.sleep(0.05)

    def _read(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        content: list[dict[str, Any]] = json.loads(self._file.read_text())
        return content

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps([asdict(started) for started in self._known.values()], indent=1))


def _signal(started: Started, number: int) -> None:
    """Signal the process's whole session: each was started as the leader of one."""
    try:
        os.killpg(started.pid, number)
    except ProcessLookupError:
        return


def _kill_family(started: Started) -> None:
    """Kill a process and its session, also those of it that have made a process group of their own."""
    for pid in started.family():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _start_ticks(pid: int) -> int | None:
    fields = _stat(pid)
    return None if not fields or fields[0] == "Z" else int(fields[19])


def _stat(pid: int) -> list[str]:
    """Return what the kernel says of a process, from its state on; nothing when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return stat.rpartition(")")[2].split()


def free_port(wanted: int, taken: set[int] | None = None) -> int:
    """Return ``wanted``, or the next port after it that nobody listens on.

    :param taken: ports that are spoken for.
    """
    for port in range(wanted, wanted + 200):
        if taken and port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No free port between {wanted} and {wanted + 200}.")
