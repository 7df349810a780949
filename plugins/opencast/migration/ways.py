"""The ways of files to the target: which of them the settings allow, and which of them work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opencast.api.opencast import Opencast
from opencast.errors import ConfigurationError, OpencastError, RouteUnavailable
from opencast.migration.options import Way
from opencast.settings import Settings
from opencast.staging.access import Account
from opencast.staging.link import LinkRoute
from opencast.staging.routes import Route, RouteProbe, SentFile
from opencast.staging.shared_upload import SharedFiles, SharedUploadRoute
from opencast.staging.source import StagedObject
from opencast.staging.store import ObjectStore
from opencast.staging.zip_route import ZipRoute


@dataclass(frozen=True)
class Tried:
    """One way, and what its probe object said."""

    way: Way
    probe: RouteProbe

    def __str__(self) -> str:
        text = f"{self.way.value}: {self.probe.reason}"
        return f"{text} {self.probe.advice}".rstrip()


class LateRoute:
    """A way that is chosen when the first file has to be brought: trying the ways costs requests.

    :param choose: gives the way itself.
    """

    def __init__(self, choose: Callable[[], Route]) -> None:
        self._choose = choose

    def probe(self) -> RouteProbe:
        """Send a probe object."""
        return self._choose().probe()

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Bring one staged file to the target."""
        return self._choose().send(mp_id, element_id, file_name, staged, is_new=is_new)

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Remove what the way left under ``files/``."""
        return self._choose().remove_sent(mp_id, element_ids)


class Ways:
    """Make and prove the ways to one target.

    :param store: of the staged files.
    :param files: the memory of what the target was sent.
    """

    def __init__(
        self, settings: Settings, store: ObjectStore, target: Opencast, files: Callable[[], SharedFiles]
    ) -> None:
        self._settings = settings
        self._store = store
        self._target = target
        self._files = files

    def route(self, way: Way) -> Route:
        """Return one way.

        :param way: not ``auto``.
        :raises ConfigurationError: the settings lack what it needs.
        """
        if way is Way.LINK:
            return self._link()
        if way is Way.UPLOAD:
            return SharedUploadRoute(self._store, self._target.files, self._files())
        if way is Way.ZIP:
            return self.zip_route()
        raise ValueError(f"{way.value} is no way by itself")

    def zip_route(self) -> ZipRoute:
        """Return the way of whole mediapackages."""
        return ZipRoute(self._store, self._target.ingest, self._settings.zip_workflow)

    def clear_shared(self) -> int:
        """Remove the files that the target keeps for several mediapackages; answer how many there were."""
        return SharedUploadRoute(self._store, self._target.files, self._files()).clear()

    def prove(self, wanted: Way) -> tuple[Tried, ...]:
        """Send a probe object by each way that comes into question, best first, and remove it again.

        With ``auto`` an administrator's account may link, when that is configured, and upload. The zip brings less to
        the target: it is never chosen because something else fails, only for an account that can do nothing else.
        """
        if wanted is not Way.AUTO:
            return (self._try(wanted),)
        if not self._target.info.me().is_admin:
            return (self._try(Way.ZIP),)
        ways = [Way.UPLOAD] if self._settings.target_files_folder is None else [Way.LINK, Way.UPLOAD]
        return tuple(self._try(way) for way in ways)

    def choose(self, wanted: Way) -> Way:
        """Return the best way that works.

        :raises RouteUnavailable: none does; the message says why each does not.
        """
        return best(self.prove(wanted))

    def _try(self, way: Way) -> Tried:
        try:
            probe = self.route(way).probe()
            if probe.ok and way is Way.ZIP:
                probe = self._with_workflow(probe)
        except OpencastError as error:
            probe = RouteProbe(False, error.message, error.advice)
        return Tried(way, probe)

    def _with_workflow(self, probe: RouteProbe) -> RouteProbe:
        """Ask for the import workflow: for one that it does not know Opencast would start its default workflow."""
        workflow = self._settings.zip_workflow
        if workflow in self._target.workflows.definition_ids():
            return probe
        return RouteProbe(
            False,
            f"The target does not have the workflow {workflow}.",
            "Copy include/config/opencast-airflow-import.xml into the folder etc/workflows of the target.",
        )

    def _link(self) -> Route:
        folder = self._settings.target_files_folder
        if folder is None:
            raise ConfigurationError(
                "The route link needs the setting target_files_folder.",
                advice="Mount the target's folder files/ on every worker and name it there, or choose upload.",
            )
        ids = self._settings.target_ids
        return LinkRoute(folder, self._store, self._target.files, account=None if ids is None else Account(*ids))


def best(tried: tuple[Tried, ...]) -> Way:
    """Return the first way that works.

    :raises RouteUnavailable: none does; the message says why each does not.
    """
    for one in tried:
        if one.probe.ok:
            return one.way
    raise RouteUnavailable("Files cannot be brought to the target.", advice=" ".join(map(str, tried)))
