"""Prove that the target's mediapackage is the source's, from the target's own answers.

Archived files are compared byte by byte without reading them: they were sent without checksums, so the checksum that
the target names was computed by the target from what arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from opencast.migration.journal import SentRecord
from opencast.migration.retraction import further_publications
from opencast.migration.runs import COMMENTS_CATALOG, SERIES_POLICY, ChannelRun, ImportPlan, RunElement, moved_ref
from opencast.model.mediapackage import Checksum, Element, MediaPackage, Publication, compare_elements

#: What a published element is known by: kind, folder of its URL path, file name.
PublishedKey = tuple[str, str, str]

_TEXTS = ("title", "series", "license", "language")
_LISTS = ("creators", "contributors", "subjects")


@dataclass(frozen=True)
class Verdict:
    """What a comparison found.

    :param differences: anything that makes the target's object another one; empty means equal.
    :param notes: deviations that are no loss, each with its reason.
    """

    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether source and target hold the same."""
        return not self.differences


class PackageComparison:
    """Compare one mediapackage of the target with what was imported.

    :param package: the source's package.
    :param plan: what was to be imported of it.
    :param sent: what was sent for each element, by ``RunElement.key``; the digests are of staged, checked bytes.
    :param same_policy: tells for a URL of the target whether the series policy behind it grants what the series'
        own access list on the target grants.
    :param imported: the channels that a migration has published: the target must not have one that the source has
        retracted since.
    """

    def __init__(
        self,
        package: MediaPackage,
        plan: ImportPlan,
        sent: Mapping[str, SentRecord],
        same_policy: Callable[[str], bool],
        imported: Collection[str] = (),
    ) -> None:
        self._package = package
        self._plan = plan
        self._sent = sent
        self._same_policy = same_policy
        self._imported = imported
        self._differences: list[str] = []
        self._notes: list[str] = []

    def compare(self, target: MediaPackage) -> Verdict:
        """Return all differences, the archive's first."""
        self._compare_archive(target)
        self._compare_head(target)
        for run in self._plan.channels:
            self._compare_channel(run, target.publication(run.channel))
        self._compare_further_channels(target)
        return Verdict(tuple(self._differences), tuple(dict.fromkeys(self._notes)))

    def _compare_archive(self, target: MediaPackage) -> None:
        known = set()
        for element in self._plan.archive:
            actual = target.element(element.element_id)
            known.add(element.element_id)
            if element.source.flavor == COMMENTS_CATALOG:
                self._compare_comments(self._expected(element), actual)
                continue
            if actual is None:
                if element.source.flavor == SERIES_POLICY and target.by_flavor(SERIES_POLICY):
                    known.update(found.id or "" for found in target.by_flavor(SERIES_POLICY))
                    self._compare_replaced_policy(target.by_flavor(SERIES_POLICY)[0], "archive")
                    continue
                self._differences.append(f"{element.source.kind.value} {element.element_id} is missing in the archive")
                continue
            self._compare_element(element, self._expected(element), actual, "archive")
        for actual in target.elements:
            if actual.id not in known and actual.flavor != COMMENTS_CATALOG:
                self._differences.append(
                    f"{actual.kind.value} {actual.id} ({actual.flavor}) is only in the target's archive"
                )

    def _expected(self, element: RunElement) -> Element:
        """Return the element with the digest of the bytes that were staged: what has arrived must be exactly these."""
        md5 = self._sent[element.key].md5
        return replace(element.source, checksum=Checksum("md5", md5), size=element.source.size or None)

    def _compare_comments(self, expected: Element, actual: Element | None) -> None:
        """Accept that the server has written its own catalog of the comments, which are compared one by one."""
        if actual is None or compare_elements(expected, actual):
            self._notes.append(
                "archive: the target keeps the catalog of comments (metadata/comments) that it writes itself."
            )

    def _compare_element(self, element: RunElement, expected: Element, actual: Element, where: str) -> None:
        differences = compare_elements(expected, actual)
        policy = element.source.flavor == SERIES_POLICY
        for difference in differences:
            if policy and not difference.path.endswith((" flavor", " kind")):
                self._compare_replaced_policy(actual, where)
                return
            self._differences.append(f"{where}: {difference}")

    def _compare_replaced_policy(self, actual: Element, where: str) -> None:
        """Accept that the server put the series' current policy in the place of an older one."""
        if self._same_policy(actual.url or ""):
            self._notes.append(
                f"{where}: the target keeps the series' current policy ({SERIES_POLICY}) as the server writes it."
            )
        else:
            self._differences.append(f"{where}: the series policy is neither the source's nor the series' own")

    def _compare_head(self, target: MediaPackage) -> None:
        """Compare what the package says of itself; the server derives it from the catalogs, which are compared."""
        for name in _TEXTS:
            expected, actual = getattr(self._package, name) or "", getattr(target, name) or ""
            if expected != actual:
                self._notes.append(f"{name} of the package: {actual!r} as in its catalog, on the source {expected!r}.")
        for name in _LISTS:
            if sorted(getattr(self._package, name)) != sorted(getattr(target, name)):
                self._notes.append(f"{name} of the package are those of its catalog, on the source they differ.")

    def _compare_channel(self, run: ChannelRun, actual: Publication | None) -> None:
        if actual is None:
            self._differences.append(f"the publication {run.channel} is missing")
            return
        self._compare_publication(run, actual)
        there = {published_key(element): element for element in actual.elements}
        ids = {element.id: published_key(element)[1] for element in actual.elements}
        source_ids = {element.source.id: element.element_id for element in run.elements}
        for element in run.elements:
            key = (element.source.kind.value, element.element_id, element.file_name)
            found = there.pop(key, None)
            if found is None:
                found = self._replaced_policy(element, there)
            if found is None:
                self._differences.append(f"{run.channel}: {key[0]} {key[1]}/{key[2]} is missing")
                continue
            expected = replace(element.source, id=None, ref=moved_ref(element.source.ref, source_ids))
            actual_element = replace(found, id=None, ref=moved_ref(found.ref, ids))
            self._compare_element(element, expected, actual_element, run.channel)
        self._differences.extend(
            f"{run.channel}: {key[0]} {key[1]}/{key[2]} is published on the target and not on the source"
            for key in there
        )

    def _compare_publication(self, run: ChannelRun, actual: Publication) -> None:
        expected = run.publication
        if (expected.mimetype or "") != (actual.mimetype or ""):
            wanted, got = expected.mimetype or "nothing", actual.mimetype or "nothing"
            self._differences.append(f"{run.channel}: mimetype: expected {wanted}, found {got}")
        if set(expected.tags) != set(actual.tags):
            self._differences.append(
                f"{run.channel}: tags: expected {', '.join(sorted(expected.tags)) or 'nothing'}, "
                f"found {', '.join(sorted(actual.tags)) or 'nothing'}"
            )
        if _path(expected.url) != _path(actual.url):
            self._notes.append(
                f"{run.channel}: the page's path is {_path(actual.url)}, on the source {_path(expected.url)}."
            )

    def _replaced_policy(self, element: RunElement, there: dict[PublishedKey, Element]) -> Element | None:
        if element.source.flavor != SERIES_POLICY:
            return None
        key = next((key for key, found in there.items() if found.flavor == SERIES_POLICY), None)
        return None if key is None else there.pop(key)

    def _compare_further_channels(self, target: MediaPackage) -> None:
        further = further_publications(self._package, target, self._imported)
        for channel in further.channels:
            self._differences.append(
                f"the publication {channel} was retracted on the source and is on the target still"
            )
        for publication in further.own:
            self._notes.append(f"The target has a publication {publication.channel} that was not migrated.")


def published_key(element: Element) -> PublishedKey:
    """Return what a published element is known by: its own id is new on every server."""
    return (element.kind.value, element.path_element_id, element.file_name)


def _path(url: str | None) -> str:
    parts = urlsplit(url or "")
    return parts.path + (f"?{parts.query}" if parts.query else "") + (f"#{parts.fragment}" if parts.fragment else "")
