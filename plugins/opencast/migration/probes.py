"""Questions that verification asks the target: are published files there, whole, and open to the same people?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping

from opencast.api.opencast import Opencast
from opencast.errors import InvalidAcl, InvalidXml, NotFound, ServerError
from opencast.migration.hls import Playlists, is_playlist, plain
from opencast.migration.journal import SentRecord
from opencast.migration.options import Verify
from opencast.migration.runs import ImportPlan, RunElement
from opencast.migration.verification import PublishedKey, Verdict, published_key
from opencast.model.acl import Acl
from opencast.model.mediapackage import Element, MediaPackage

#: Published files up to this size (bytes) are always read back whole.
SMALL_FILE = 1024 * 1024
#: A policy larger than this (bytes) is none.
_POLICY_LIMIT = 1024 * 1024
#: Seconds that the target's index may take to show what was archived.
INDEX_PATIENCE_S = 60.0
_CHUNK = 1024 * 1024
#: Why access lists in force may differ although all policies are the same (contract 14.1).
_MERGED = "(where the policies are the same, the servers merge them in another way: merge.mode)"


class Prober:
    """Ask two servers about one mediapackage.

    :param patience_s: seconds that the target's index may take to show what was archived.
    :param sleep: waits for the index; seconds.
    """

    def __init__(
        self,
        source: Opencast,
        target: Opencast,
        verify: Verify,
        *,
        patience_s: float = INDEX_PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._source = source
        self._target = target
        self._verify = verify
        self._patience_s = patience_s
        self._sleep = sleep
        self._playlists = (Playlists(source.client), Playlists(target.client))

    def same_policy(self, series: str | None) -> Callable[[str], bool]:
        """Return a check whether a policy on the target grants what the series' own access list there grants."""

        def check(url: str) -> bool:
            if not series:
                return False
            try:
                own = self._target.series.acl(series)
                with self._target.client.open_download(url) as download:
                    data = b"".join(download.iter(_CHUNK))[:_POLICY_LIMIT]
                return (own or Acl()).same_as(Acl.from_xacml(data))
            except (ServerError, InvalidXml, InvalidAcl):
                return False

        return check

    def probe(
        self,
        verdict: Verdict,
        package: MediaPackage,
        plan: ImportPlan,
        sent: Mapping[str, SentRecord],
        existing: MediaPackage,
    ) -> Verdict:
        """Add to a verdict what only the served files and the index can tell.

        :param verdict: of the comparison of the packages.
        :param existing: the target's package.
        """
        differences = list(verdict.differences)
        for run in plan.channels:
            publication = existing.publication(run.channel)
            found: dict[PublishedKey, Element] = {}
            if publication is not None:
                found = {published_key(element): element for element in publication.elements}
            for element in run.elements:
                key = (element.source.kind.value, element.element_id, element.file_name)
                problem = self._file_problem(element, found.get(key), sent.get(element.key))
                if problem:
                    differences.append(f"{run.channel}: {key[0]} {key[1]}/{key[2]} {problem}")
        differences.extend(self.access_problems(package.id))
        return Verdict(tuple(differences), verdict.notes)

    def _file_problem(self, element: RunElement, found: Element | None, sent: SentRecord | None) -> str:
        if found is None or not found.url:
            return ""  # a policy that the server wrote in the place of this one: compared already
        try:
            if is_playlist(element.source):
                return self._playlist_problem(element, found, sent)
            if sent is None:
                size = self._target.static.probe(found.url).size
                expected = element.source.size
                return f"has {size} bytes instead of {expected}" if expected and size != expected else ""
            if sent.size <= SMALL_FILE or self._verify is Verify.BYTES:
                return self._read_back(found.url, sent, found)
            probe = self._target.static.probe(found.url)
        except ServerError as error:
            return f"cannot be read from the target: {error}"
        return "" if probe.size == sent.size else f"has {probe.size} bytes instead of {sent.size}"

    def _playlist_problem(self, element: RunElement, found: Element, sent: SentRecord | None) -> str:
        """Compare what published playlists refer to, since every server writes paths of its own into them."""
        source, target = self._playlists
        expected = sent.md5 if sent is not None else _md5(plain(source.read(element.source)))
        return "" if _md5(plain(target.read(found))) == expected else "refers to other files than the source's"

    def _read_back(self, url: str, sent: SentRecord, found: Element) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        with self._target.client.open_download(url) as download:
            for chunk in download.iter(_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() == sent.md5 or str(found.flavor) == "security/xacml+series":
            return ""
        return f"holds other bytes (md5 {digest.hexdigest()}) than the source's (md5 {sent.md5})"

    def access_problems(self, identifier: str) -> list[str]:
        """Compare the effective access list, as the index shows it; wait while the index lags behind."""
        expected = self._source.holdings.acl(identifier)
        deadline = time.monotonic() + self._patience_s
        while True:
            problems = self._acl_problems(identifier, expected)
            if not problems or time.monotonic() >= deadline:
                return problems
            self._sleep(1.0)

    def _acl_problems(self, identifier: str, expected: Acl) -> list[str]:
        try:
            actual = self._target.events.acl(identifier)
        except NotFound:
            return ["the event is not in the target's index"]
        return [f"effective {difference} {_MERGED}" for difference in expected.differences(actual)]


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
