"""Checks before the first write: can this migration work at all, and if not, what has to be done?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from opencast.api.info import Me
from opencast.api.opencast import Opencast
from opencast.errors import Forbidden, OpencastError, PreflightFailed, UnsupportedVersion
from opencast.migration.definitions import OPERATIONS
from opencast.migration.options import Way
from opencast.migration.restricted import NEEDED_ROLES
from opencast.migration.servers import Party, party
from opencast.migration.source_storage import SourceStorage
from opencast.migration.ways import Ways, best
from opencast.settings import Settings
from opencast.staging.safety import SHARED_INODES
from opencast.staging.store import ObjectStore

#: Oldest version whose archive can be read over REST, see ``opencast.api.holdings``.
OLDEST_SOURCE = 1
#: Oldest version on which every operation of the import runs was read in the source. Verification needs
#: publications that hold their elements (11) and the list of an event's workflows (12).
OLDEST_TARGET = 13
#: Seconds that the servers' clocks may differ from this machine's before the report says so.
CLOCK_TOLERANCE_S = 60.0
#: Seconds after which an interrupted download is not gone on with any more.
LEFTOVER_AGE_S = 24 * 3600.0


@dataclass(frozen=True)
class Check:
    """One check.

    :param name: such as ``target: login``.
    :param ok: whether the migration can go on.
    :param message: what was found.
    :param advice: what to do; empty when nothing has to be done.
    """

    name: str
    ok: bool
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{'ok    ' if self.ok else 'FAILED'} {self.name}: {self.message} {self.advice}".rstrip()


@dataclass(frozen=True)
class Parties:
    """The two servers of a migration, as they described themselves."""

    source: Party
    target: Party


@dataclass(frozen=True)
class Staging:
    """What the checks of staging need; made when the staging folder has proved to be writable."""

    store: ObjectStore
    storage: SourceStorage
    ways: Ways


def identify(source: Opencast, target: Opencast) -> Parties:
    """Ask both servers who they are.

    :raises OpencastError: a server that cannot be reached or refuses the login.
    """
    return Parties(party(source, source.info.me()), party(target, target.info.me()))


class Preflight:
    """All checks, in an order in which the first failure explains the later ones."""

    def __init__(
        self, source: Opencast, target: Opencast, settings: Settings, wanted: Way, staging: Callable[[Party], Staging]
    ) -> None:
        self._source = source
        self._target = target
        self._settings = settings
        self._wanted = wanted
        self._staging = staging
        self._checks: list[Check] = []
        #: The best way of the files that works; None before :meth:`run`, and when none does.
        self.way: Way | None = None

    def run(self) -> tuple[Check, ...]:
        """Make every check that still makes sense, and return them.

        A server that does not let us in is not asked anything else.
        """
        source = self._login("source", self._source)
        target = self._login("target", self._target)
        if source:
            self._attempt("source: version", lambda: self._version(self._source, OLDEST_SOURCE))
            self._attempt("source: clock", lambda: self._clock(self._source))
        self._attempt("staging folder", lambda: self._folder(self._settings.staging))
        staging = self._staging(party(self._source, source)) if source and self._checks[-1].ok else None
        if staging:
            self._attempt("source: mounted storage", staging.storage.check)
            self._attempt("staging: leftovers", lambda: self._sweep(staging.store))
        self._attempt("report folder", lambda: self._folder(self._settings.reports))
        if target:
            self._attempt("target: version", lambda: self._version(self._target, OLDEST_TARGET))
            self._attempt("target: clock", lambda: self._clock(self._target))
            if target.is_admin:  # others may not ask; the import workflow is looked for instead
                self._attempt("target: workflow operations", self._operations)
            if staging:
                self._attempt("target: way of the files", lambda: self._choose(staging.ways))
        if self._settings.link_source or self.way is Way.LINK:
            self._checks.append(Check("shared files", True, SHARED_INODES))
        if source and target:
            self._attempt("two servers", lambda: self._two(source, target))
        return tuple(self._checks)

    def _attempt(self, name: str, check: Callable[[], str]) -> None:
        try:
            self._checks.append(Check(name, True, check()))
        except OpencastError as error:
            self._checks.append(Check(name, False, error.message, error.advice))

    def _login(self, name: str, opencast: Opencast) -> Me | None:
        found: list[Me] = []

        def login() -> str:
            me = opencast.info.me()
            where = f"{me.username} on {opencast.client.base_url}, organization {me.organization}"
            if not me.is_admin and (opencast is self._source or self._wanted not in {Way.AUTO, Way.ZIP}):
                raise Forbidden(f"The account {me.username} is no administrator on {opencast.client.base_url}.")
            if not me.is_admin:
                _require_roles(me, opencast.client.base_url)
                where += ": may ingest, but is no administrator; only archives can be brought, see the route zip"
            found.append(me)
            return where

        self._attempt(f"{name}: login", login)
        return found[0] if found else None

    def _version(self, opencast: Opencast, oldest: int) -> str:
        version = opencast.info.version()
        if version.major < oldest:
            raise UnsupportedVersion(
                f"Opencast {version} on {opencast.client.base_url} is too old.",
                advice=f"Version {oldest} or later is needed here.",
            )
        return f"Opencast {version}"

    def _clock(self, opencast: Opencast) -> str:
        offset = opencast.info.clock_offset()
        if offset is None:
            return "the server does not tell its time"
        if abs(offset) > CLOCK_TOLERANCE_S:
            return f"{offset:+.0f} s against this machine: times in reports and logs will not fit together"
        return "agrees with this machine"

    def _operations(self) -> str:
        missing = sorted(OPERATIONS - self._target.info.operations())
        if missing:
            raise PreflightFailed(
                f"The target lacks the workflow operation{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
                advice="Install the Opencast modules that bring them (the distribution 'admin' or 'allinone' has all).",
            )
        return f"{', '.join(sorted(OPERATIONS))} are there"

    def _choose(self, ways: Ways) -> str:
        tried = ways.prove(self._wanted)
        self.way = best(tried)
        return f"{self.way.value} is used. {' '.join(map(str, tried))}"

    def _sweep(self, store: ObjectStore) -> str:
        """Remove what killed workers left; what is younger may still be gone on with."""
        removed = store.sweep(min_age=LEFTOVER_AGE_S)
        return f"{removed} temporary files of killed workers were removed" if removed else "none"

    def _two(self, source: Me, target: Me) -> str:
        parties = Parties(party(self._source, source), party(self._target, target))
        if parties.source.name == parties.target.name:
            raise PreflightFailed(
                f"Source and target are the same server and organization ({parties.source.name}).",
                advice="Set the connections of the source and the target to different servers.",
            )
        return f"{parties.source.name} to {parties.target.name}"

    def _folder(self, folder: Path) -> str:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".preflight-") as probe:
                probe.write(b"x" * 4096)
                probe.flush()
                os.fsync(probe.fileno())
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise PreflightFailed(
                f"{folder} cannot be written: {error.strerror or error}.",
                advice="Make room or give the account of the workers the right to write there.",
            ) from error
        return f"{folder}, {free / 1e9:.1f} GB free"


def _require_roles(me: Me, url: str) -> None:
    """Refuse an account that could not see what became of an import."""
    missing = [f"{role} ({purpose})" for role, purpose in NEEDED_ROLES.items() if role not in me.roles]
    if missing:
        raise Forbidden(
            f"The account {me.username} is no administrator on {url}.",
            advice=f"Give it ROLE_ADMIN, or for imports of archives by zip: {', '.join(missing)}.",
        )


def require(checks: Iterable[Check]) -> None:
    """Refuse to go on when a check failed.

    :raises PreflightFailed: listing every failed check with what to do.
    """
    failed = [check for check in checks if not check.ok]
    if failed:
        problems = "\n".join(f"- {check.name}: {check.message} {check.advice}".rstrip() for check in failed)
        raise PreflightFailed(f"{len(failed)} of the checks before the start failed; nothing was written.\n{problems}")
