"""PostgreSQL and Redis from the system's packages, each with a folder and a port of its own, on 127.0.0.1 only."""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: PostgreSQL refuses to run as root; Debian's package makes this account.
_ACCOUNT = "postgres"


@dataclass(frozen=True)
class Service:
    """A server that can be started.

    :param command: starts it in the foreground.
    :param user: account to run as, or None for the own one.
    :param end_signal: asks it to end at once.
    """

    name: str
    command: list[str]
    port: int
    user: str | None = None
    end_signal: int = signal.SIGTERM

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        with socket.socket() as probe:
            probe.settimeout(2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def missing() -> list[str]:
    """Name the Debian packages that are needed and not there."""
    return [
        package
        for package, found in (("postgresql", _postgresql_binaries()), ("redis-server", shutil.which("redis-server")))
        if found is None
    ]


class PostgreSQL:
    """One PostgreSQL server.

    :param folder: holds its data and its password; where PostgreSQL's account cannot get there, the data lie in the
        folder for temporary files instead.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        self._data = folder / "postgresql"
        if self._user and not _reachable_by_others(folder):
            name = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:12]
            self._data = Path(tempfile.gettempdir()) / f"opencast-airflow-postgresql-{name}"

    def password(self) -> str:
        """Return the password of the account ``opencast``, made at the first call."""
        return secret(self._folder / "postgresql-password")

    def url(self, database: str, driver: str = "postgresql+psycopg2") -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"{driver}://opencast:{self.password()}@127.0.0.1:{self._port}/{database}"

    def service(self) -> Service:
        """Return how to start it; its data are made at the first call."""
        self._initialise()
        settings = {
            "port": self._port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._data,
            # The data of a demo or a test need not survive a power cut.
            "fsync": "off",
        }
        command = [str(self._binary("postgres")), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # With SIGTERM it would wait until its clients have gone.
        return Service("postgresql", command, self._port, self._user, signal.SIGINT)

    def create_database(self, name: str) -> None:
        """Create a database, unless it is there; the server must run."""
        if name not in self._psql("postgres", "SELECT datname FROM pg_database").splitlines():
            self._psql("postgres", f'CREATE DATABASE "{name}"')

    def remove(self) -> None:
        """Remove its data; the server must have ended."""
        shutil.rmtree(self._data, ignore_errors=True)

    def _psql(self, database: str, statement: str) -> str:
        command = [str(self._binary("psql")), "-h", "127.0.0.1", "-p", str(self._port), "-U", "opencast"]
        command += ["-d", database, "-v", "ON_ERROR_STOP=1", "-Atc", statement]
        environment = {"PGPASSWORD": self.password(), "PATH": os.environ.get("PATH", "")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise SystemExit(f"PostgreSQL refuses {statement!r}: {done.stderr.strip()}")
        return done.stdout

    def _initialise(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        self._data.mkdir(parents=True, exist_ok=True)
        self._data.chmod(0o700)
        told = Path(tempfile.mkdtemp(prefix="opencast-initdb-"))
        password = told / "password"
        password.touch(mode=0o600)
        password.write_text(self.password())
        for path in (self._data, told, password):
            self._give(path)
        command = [str(self._binary("initdb")), "-D", str(self._data), "-U", "opencast", "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pwfile={password}"]
        try:
            done = subprocess.run(
                command,
                cwd="/",
                user=self._user,
                group=self._user,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        finally:
            shutil.rmtree(told)
        if done.returncode:
            raise SystemExit(f"PostgreSQL's data cannot be made in {self._data}: {done.stderr.strip()}")

    def _give(self, path: Path) -> None:
        """Let PostgreSQL's account own a file or folder."""
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(path, account.pw_uid, account.pw_gid)

    def _binary(self, name: str) -> Path:
        folder = _postgresql_binaries()
        if folder is None:
            raise SystemExit("PostgreSQL is not installed; on Debian and Ubuntu: apt-get install postgresql")
        return folder / name


class Redis:
    """One Redis server, for Celery; it keeps nothing on the disk."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port

    def url(self) -> str:
        """Return the address for Celery."""
        return f"redis://:{secret(self._folder / 'redis-password')}@127.0.0.1:{self._port}/0"

    def service(self) -> Service:
        """Return how to start it."""
        program = shutil.which("redis-server")
        if program is None:
            raise SystemExit("Redis is not installed; on Debian and Ubuntu: apt-get install redis-server")
        configuration = self._folder / "redis.conf"
        lines = ("bind 127.0.0.1", f"port {self._port}", 'save ""', "appendonly no", f"dir {self._folder}")
        configuration.touch(mode=0o600)
        password = secret(self._folder / "redis-password")
        configuration.write_text("\n".join((*lines, f"requirepass {password}")) + "\n")
        return Service("redis", [program, str(configuration)], self._port)


def secret(path: Path) -> str:
    """Return a secret that is kept in a file that only its owner can read; it is made when there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()


def _postgresql_binaries() -> Path | None:
    """Return the folder of the newest version's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


def _reachable_by_others(folder: Path) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    return all(place.stat().st_mode & 0o001 for place in (folder.absolute(), *folder.absolute().parents))
