"""What an account that is no administrator can find out of an archived mediapackage: which bytes its elements have.

``GET /assets/assets/{mediapackage}/{element}/{version}/{name}`` is open to ROLE_UI_EVENTS_DETAILS_ASSETS_VIEW; the
asset manager lets accounts with ROLE_CAPTURE_AGENT see every event of their organization. To ``If-None-Match`` it
answers with the checksum that it computed itself, and the name does not matter to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from opencast.api.addresses import path
from opencast.api.opencast import Opencast
from opencast.errors import Forbidden, NotFound
from opencast.migration.runs import COMMENTS_CATALOG, SERIES_POLICY, ImportPlan, RunElement
from opencast.migration.verification import Verdict
from opencast.model.mediapackage import ElementKind

#: Roles without which the result of an import cannot be seen, and what each is for.
NEEDED_ROLES = {
    "ROLE_CAPTURE_AGENT": "to ingest",
    "ROLE_API_WORKFLOW_INSTANCE_VIEW": "to see how an import ended",
    "ROLE_UI_EVENTS_DETAILS_ASSETS_VIEW": "to compare the files that arrived",
}
#: Versions of one mediapackage that are looked for.
_MOST_VERSIONS = 1000
#: A version may lack elements that others have; after so many without any there are no more.
_GAP = 3
_NO_MD5 = "0" * 32
_NOTE = (
    "Compared by the checksums of the archived files only: this account may not read flavors, tags and access lists "
    "on the target."
)


class ArchivedFiles:
    """The archived files of one mediapackage, as far as they can be seen."""

    def __init__(self, target: Opencast, identifier: str) -> None:
        self._target = target
        self._id = identifier

    def compare(self, plan: ImportPlan, md5s: Mapping[str, str]) -> Verdict:
        """Compare the newest version in the target's archive.

        :param md5s: what each element must hold, by ``RunElement.key``.
        """
        version = self._newest(plan)
        if version is None:
            return Verdict((f"the target has none of the elements of mediapackage {self._id}",), ())
        differences: list[str] = []
        notes = [_NOTE]
        for element in plan.archive:
            problem = self._problem(element, version, md5s[element.key])
            if problem and element.source.flavor in {SERIES_POLICY, COMMENTS_CATALOG}:
                notes.append(f"archive: the target keeps its own {element.source.flavor}, as the server writes it.")
            elif problem:
                differences.append(problem)
        return Verdict(tuple(differences), tuple(notes))

    def compare_claimed(self, plan: ImportPlan) -> Verdict | None:
        """Compare with the checksums that the source names; None when it does not name all of them."""
        md5s = {
            element.key: element.source.checksum.md5
            for element in plan.archive
            if element.source.checksum is not None and element.source.checksum.md5 is not None
        }
        return self.compare(plan, md5s) if len(md5s) == len(plan.archive) else None

    def _problem(self, element: RunElement, version: int, md5: str) -> str:
        name = f"{element.source.kind.value} {element.element_id}"
        try:
            if self._target.assets.matches(self._url(element, version), md5):
                return ""
        except NotFound:
            return f"{name} is missing in the archive"
        return f"archive: {name} holds other bytes than were sent"

    def _newest(self, plan: ImportPlan) -> int | None:
        """Find the newest version; they count from 0, and none is told to this account."""
        newest = None
        small_first = sorted(plan.archive, key=lambda element: element.source.kind is ElementKind.TRACK)
        for version in range(_MOST_VERSIONS):
            if any(self._has(element, version) for element in small_first):
                newest = version
            elif version - (newest or 0) > _GAP:
                break
        return newest

    def _has(self, element: RunElement, version: int) -> bool:
        try:
            # The account may GET, but not HEAD; the answer is closed before it is read.
            self._target.assets.matches(self._url(element, version), _NO_MD5)
        except (Forbidden, NotFound):  # an unknown mediapackage is forbidden
            return False
        return True

    def _url(self, element: RunElement, version: int) -> str:
        where = path("/assets/assets", self._id, element.element_id, str(version), element.file_name)
        return self._target.client.base_url + where
