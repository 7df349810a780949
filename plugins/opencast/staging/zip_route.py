"""Route ``zip``: the whole mediapackage as one streamed zip, for accounts that may ingest but are no administrators.

Rules of the reader (``IngestServiceImpl.addZippedMediaPackage``): any entry whose path ends with ``manifest.xml`` or
``index.xml`` is taken for the manifest; one that holds ``__MACOSX`` is skipped; an element's url must be its entry's
path, letter for letter, below the one folder that all other entries share; every element needs an entry, so that
publications cannot travel.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from opencast.errors import BadRequest, OpencastError, RouteUnavailable, StagingError
from opencast.model.identifiers import check_element_id, check_mediapackage_id, safe_file_name
from opencast.model.workflow import WorkflowInstance
from opencast.model.xml import parse_xml
from opencast.staging.disk import Disk, storage_errors
from opencast.staging.routes import PROBE_ELEMENT, PROBE_FILE, RouteProbe, SentFile, probe_object
from opencast.staging.source import StagedObject
from opencast.staging.staged_file import open_staged
from opencast.staging.store import ObjectStore
from opencast.staging.zip_stream import ZipEntry, ZipStream

#: The one folder of all entries. With a single element the reader would take the element's own folder for it.
_ROOT = "mp/"
_MANIFEST = "manifest.xml"
#: HTTP status for a zip that was read to its end and held no manifest.
_NO_MANIFEST = 400
_TAKEN_FOR_MANIFESTS = (_MANIFEST, "index.xml")
#: Paths with this are skipped by the reader.
_SKIPPED = "__MACOSX"
_PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_NAMESPACE = "{http://mediapackage.opencastproject.org}"


class ZipIngest(Protocol):
    """What is needed of the target's ingest service."""

    def add_zipped(
        self, workflow: str, stream: BinaryIO, size: int, /, *, configuration: Mapping[str, str] | None = None
    ) -> WorkflowInstance:
        """Send a zip (``POST /ingest/addZippedMediaPackage/{workflow}``); answer the workflow that was started."""


@dataclass(frozen=True)
class ZippedFile:
    """A file for the zip.

    :param url: as :meth:`ZipRoute.send` gave it for the element's url in the manifest.
    """

    url: str
    staged: StagedObject


class ZipRoute:
    """A mediapackage in one request. The import workflow must be installed on the target.

    :param store: of the staged files.
    :param ingest: of the target.
    :param workflow_id: the installed import workflow; for an unknown one Opencast starts its default workflow.
    """

    def __init__(self, store: ObjectStore, ingest: ZipIngest, workflow_id: str) -> None:
        self._store = store
        self._ingest = ingest
        self._workflow_id = workflow_id

    def send(
        self, mp_id: str, element_id: str, file_name: str, staged: StagedObject, *, is_new: bool = False
    ) -> SentFile:
        """Answer where the file will lie in the zip; it travels with :meth:`ingest`.

        :raises InvalidIdentifier: an id or name that would leave its folder.
        """
        check_mediapackage_id(mp_id)
        check_element_id(element_id)
        name = safe_file_name(file_name)
        accepted = _accepted_name(name)
        note = "" if accepted == name else f"{name} was renamed to {accepted}: in a zip its name has another meaning"
        return SentFile(f"{_folder(element_id)}/{accepted}", "zip", 0, note)

    def ingest(
        self, manifest: bytes, files: Sequence[ZippedFile], properties: Mapping[str, str] | None = None
    ) -> WorkflowInstance:
        """Send a mediapackage with all its files and start the import workflow.

        :param manifest: the mediapackage, without publications, every url as :meth:`send` gave it.
        :param properties: of the workflow.
        :returns: the workflow that was started.
        :raises StagingError: the manifest and the files do not belong together.
        :raises RouteUnavailable: the target does not have the import workflow and has started another one.
        :raises ServerError: what the target answers; also for a mediapackage that has an active workflow.
        """
        _check_manifest(manifest, files)
        entries = [ZipEntry(_ROOT + _MANIFEST, len(manifest), _Bytes(manifest))]
        entries += [self._entry(file) for file in files]
        workflow = self._post(entries, properties or {})
        if workflow.template != self._workflow_id:
            raise RouteUnavailable(
                f"The target does not know the workflow {self._workflow_id}; it has started {workflow.template} as "
                f"workflow {workflow.id} for this mediapackage.",
                advice="Install the import workflow on the target, and stop or remove what the other one made.",
            )
        return workflow

    def remove_sent(self, mp_id: str, element_ids: Iterable[str]) -> int:
        """Nothing stays under ``files/`` that the import workflow does not clean up; answer 0."""
        return 0

    def probe(self) -> RouteProbe:
        """Send a zip with one small file and no manifest.

        The target reads it to its end, stores nothing and answers 400. That proves that the account may ingest and
        that no proxy refuses it; whether the workflow is installed has to be asked elsewhere.
        """
        try:
            with probe_object(self._store) as (mp_id, staged):
                sent = self.send(mp_id, PROBE_ELEMENT, PROBE_FILE, staged)
                self._post([self._entry(ZippedFile(sent.url, staged))], {})
        except BadRequest as error:
            if error.status == _NO_MANIFEST:
                return RouteProbe(True, "The account may ingest zip files.", how="zip")
            return RouteProbe(False, error.message, error.advice)
        except OpencastError as error:
            return RouteProbe(False, error.message, error.advice)
        return RouteProbe(
            False,
            "The target accepted a zip without a manifest.",
            "Something else than Opencast seems to answer at /ingest/addZippedMediaPackage.",
        )

    def _entry(self, file: ZippedFile) -> ZipEntry:
        return ZipEntry(_ROOT + file.url, file.staged.size, _Staged(self._store.disk, file.staged))

    def _post(self, entries: Sequence[ZipEntry], properties: Mapping[str, str]) -> WorkflowInstance:
        stream = ZipStream(entries)
        return self._ingest.add_zipped(self._workflow_id, cast(BinaryIO, stream), stream.size, configuration=properties)


@dataclass(frozen=True)
class _Bytes:
    data: bytes

    def chunks(self, count: int, /) -> Iterator[bytes]:
        for start in range(0, len(self.data), count):
            yield self.data[start : start + count]


@dataclass(frozen=True)
class _Staged:
    disk: Disk
    staged: StagedObject

    def chunks(self, count: int, /) -> Iterator[bytes]:
        with open_staged(self.disk, self.staged) as source, storage_errors(f"read {self.staged.path}"):
            while data := self.disk.read(source.fd, count):
                yield data


def _accepted_name(name: str) -> str:
    """Change a file name that the reader would skip, or take for the manifest."""
    name = name.replace(_SKIPPED, _SKIPPED.lower())
    return name.removesuffix(".xml") + "_.xml" if name.endswith(_TAKEN_FOR_MANIFESTS) else name


def _folder(element_id: str) -> str:
    """Answer a folder name for an element: its id where that reads the same in a url and in a zip."""
    if _PLAIN_ID.fullmatch(element_id) and _SKIPPED not in element_id:
        return element_id
    return "id-" + hashlib.sha256(element_id.encode()).hexdigest()[:24]


def _check_manifest(manifest: bytes, files: Sequence[ZippedFile]) -> None:
    root = parse_xml(manifest, what="the manifest of the zip")
    urls = [(url.text or "").strip() for url in root.iter(f"{_NAMESPACE}url")]
    if next(root.iter(f"{_NAMESPACE}publication"), None) is not None:
        raise StagingError("The manifest of a zip cannot hold publications.")
    missing = set(urls) - {file.url for file in files}
    if missing:
        raise StagingError(f"The manifest names {sorted(missing)[0]}, which is not in the zip.")
