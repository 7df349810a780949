"""The source's storage as far as workers have it mounted: where its files lie, and what the preflight says of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from opencast.api.opencast import Opencast
from opencast.errors import ConfigurationError, PreflightFailed
from opencast.migration.servers import Party
from opencast.model.event import EventRow
from opencast.settings import Settings
from opencast.staging.mounts import Mount, NotMapped, open_mounted
from opencast.staging.safety import check_storage, probe_mount
from opencast.staging.store import ObjectStore

#: Where Opencast serves the files of its two kinds of storage by default.
_USUAL_PATHS = {"archive": "/assets/assets", "downloads": "/static"}
#: How many events, and how many files of each, are looked for in the mounted storage.
_SAMPLE_EVENTS = 20
_SAMPLE_FILES = 20


def source_mounts(settings: Settings, source: Party) -> tuple[Mount, ...]:
    """Return the mounted folders of a source, in the order of the settings."""
    return tuple(
        Mount(
            url_prefix=storage.url or source.url + _USUAL_PATHS[storage.kind],
            root=storage.folder,
            kind=storage.kind,
            organization=storage.organization or source.organization,
        )
        for storage in settings.source_storage
    )


class SourceStorage:
    """Prove the settings about the source's mounted storage.

    :param source: answers which files there are.
    :param store: what files would be linked into.
    """

    def __init__(self, settings: Settings, source: Opencast, party: Party, store: ObjectStore) -> None:
        self._settings = settings
        self._source = source
        self._store = store
        self._mounts = source_mounts(settings, party)

    def check(self) -> str:
        """Say how files come from the source.

        :raises ConfigurationError: settings under which the source could be damaged, or that contradict each other.
        :raises PreflightFailed: a folder that holds none of the source's files.
        """
        settings = self._settings
        if settings.link_source and not self._mounts:
            raise ConfigurationError(
                "The setting link_source is on, but source_storage names no folder to link from.",
                advice="Name the source's mounted archive and downloads folders in source_storage, or leave links off.",
            )
        if not self._mounts:
            return "none is mounted here: files come over HTTP"
        check_storage(
            self._store.root,
            self._mounts,
            settings.target_files_folder,
            link=settings.link_source,
            allow_writable_source=settings.allow_writable_source,
            disk=self._store.disk,
        )
        return "; ".join([*self._linking(), self._found()])

    def _linking(self) -> Iterator[str]:
        if not self._settings.link_source:
            yield "files are copied (or share blocks, where the file system can do that), not linked"
            return
        for mount in self._mounts:
            probe = probe_mount(self._store, mount)
            yield probe.reason if probe.ok else f"{probe.reason} They are copied. {probe.advice}"

    def _found(self) -> str:
        """Look for files that the source names; a mount that fits nothing would silently make everything HTTP."""
        hits: dict[Mount, int] = dict.fromkeys(self._mounts, 0)
        looked_for = 0
        for url in self._sample():
            meant = [mount for mount in self._mounts if mount.parts_below(url) is not None]
            looked_for += bool(meant)
            for mount in meant:
                if hits[mount] == 0 and self._holds(mount, url):
                    hits[mount] += 1
        if not looked_for:
            return "none of the files that the source was asked for has a URL that belongs to the folders"
        if not any(hits.values()):
            folders = ", ".join(str(mount.root) for mount in self._mounts)
            raise PreflightFailed(
                f"None of {looked_for} files of the source was found in {folders}.",
                advice="Check folder, url and organization of source_storage: the folder must be the one that holds "
                "a folder for each organization. Without source_storage files come over HTTP.",
            )
        empty = [str(mount.root) for mount, count in hits.items() if not count]
        return "the source's files were found" + (f", but none in {', '.join(empty)}" if empty else "")

    def _holds(self, mount: Mount, url: str) -> bool:
        try:
            with open_mounted(self._store.disk, [mount], url) as found:
                return found is not None
        except NotMapped:
            return False

    def _sample(self) -> Iterator[str]:
        """Give URLs of archived and published files of some events."""
        for row in islice(self._source.holdings.rows(), _SAMPLE_EVENTS):
            package = self._source.holdings.find(row.identifier) if isinstance(row, EventRow) else None
            if package is None:
                continue  # not archived yet, or not to be understood
            published = [element for publication in package.publications for element in publication.elements]
            urls = [element.url for element in (*package.elements, *published) if element.url]
            yield from urls[:_SAMPLE_FILES]
