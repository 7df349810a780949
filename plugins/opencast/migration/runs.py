"""Decide which import runs rebuild a mediapackage on the target, and with which packages. Pure, no server asked.

One run for each publication channel, with exactly that channel's elements under the ids that their published paths
have on the source, and one last run that archives. This keeps ids, flavors, tags, refs, checksums and URL paths with
nothing installed on the target.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from opencast.errors import InvalidMediaPackage
from opencast.migration.sharing import base_channel
from opencast.model.flavor import Flavor
from opencast.model.identifiers import check_element_id, safe_file_name
from opencast.model.mediapackage import Element, ElementKind, MediaPackage, Publication

ENGAGE = "engage-player"
#: Stands for the archive where a channel could stand.
ARCHIVE = "archive"
#: Publications of OAI-PMH repositories are made again by the repository's own operation, not as files.
OAIPMH_PREFIX = "oaipmh-"
SERIES_POLICY = Flavor("security", "xacml+series")
#: The flavor of the catalog that the server writes of an event's comments, each time that one is written.
COMMENTS_CATALOG = Flavor("metadata", "comments")


@dataclass(frozen=True)
class RunElement:
    """One element of an import run.

    :param where: id of the channel, or ``archive``.
    :param source: the element as the source has it.
    :param element_id: its id in the run's package; for a published element the folder of its published path.
    :param file_name: the name of its file on the target.
    :param ref: its reference, pointing to ids of the run's package.
    """

    where: str
    source: Element
    element_id: str
    file_name: str
    ref: str | None

    @property
    def key(self) -> str:
        """Name the element among all of the import; no id holds a slash."""
        return f"{self.where}/{self.element_id}"

    @property
    def url(self) -> str:
        """Where the source serves the file."""
        return self.source.url or ""


@dataclass(frozen=True)
class ChannelRun:
    """The run that publishes to one channel.

    :param elements: what is published there.
    :param shares: the channel whose published files this one uses, or None when it gets files of its own.
    """

    publication: Publication
    elements: tuple[RunElement, ...]
    shares: str | None = None

    @property
    def channel(self) -> str:
        """Id of the channel."""
        return self.publication.channel

    @property
    def files(self) -> tuple[RunElement, ...]:
        """The elements whose files the run needs on the target."""
        return () if self.shares else self.elements

    @property
    def repository(self) -> str | None:
        """Name of the OAI-PMH repository to which the run publishes, or None for a channel of another kind."""
        return self.channel.removeprefix(OAIPMH_PREFIX) if self.channel.startswith(OAIPMH_PREFIX) else None


@dataclass(frozen=True)
class ImportPlan:
    """Everything that is imported of one mediapackage.

    :param left_out: sentences about what stays behind and why; shown in the report.
    :param notes: sentences about what cannot be kept exactly, such as the path of a published file.
    """

    channels: tuple[ChannelRun, ...]
    archive: tuple[RunElement, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def with_notes(self, notes: Iterable[str]) -> ImportPlan:
        """Return the same plan with further notes before its own."""
        return replace(self, notes=(*notes, *self.notes))

    def elements(self) -> tuple[RunElement, ...]:
        """Return the elements of all runs, in the order in which they are needed."""
        return tuple(element for run in self.channels for element in run.files) + self.archive


def plan_import(package: MediaPackage) -> ImportPlan:
    """Decide the import runs of a mediapackage.

    :param package: the last snapshot, as ``GET /assets/episode/{id}`` answers it.
    :raises InvalidMediaPackage: when elements cannot be told apart, or cannot be selected by flavor or tag.
    """
    left_out: list[str] = []
    notes: list[str] = []
    channels = [
        run
        for publication in package.publications
        if (run := _channel_run(package, publication, left_out, notes)) is not None
    ]
    # What another channel's files are shared with comes after it; an OAI-PMH record shows all other publications.
    channels.sort(key=lambda run: (run.repository is not None, run.shares is not None))
    archive = tuple(
        RunElement(ARCHIVE, element, check_element_id(element.id or ""), safe_file_name(element.file_name), element.ref)
        for element in package.elements
        if _travels(element, ARCHIVE, left_out)
    )
    _check_unique((element.element_id for element in archive), package, ARCHIVE)
    for name, elements in [(ARCHIVE, archive), *((run.channel, run.elements) for run in channels)]:
        _check_selectable(elements, package, name)
    return ImportPlan(tuple(channels), archive, tuple(left_out), tuple(notes))


def _channel_run(
    package: MediaPackage, publication: Publication, left_out: list[str], notes: list[str]
) -> ChannelRun | None:
    channel = publication.channel
    if publication.is_live:
        left_out.append(f"The live publication {channel} is not migrated.")
        return None
    if channel.startswith(OAIPMH_PREFIX) and not publication.elements:
        left_out.append(f"The OAI-PMH publication {channel} is not made again.")
        return None
    travelling = [element for element in publication.elements if _travels(element, channel, left_out)]
    if publication.elements and not travelling:
        left_out.append(f"The channel {channel} holds nothing that can be migrated.")
        return None
    if channel == ENGAGE and not any(element.kind is ElementKind.TRACK for element in travelling):
        left_out.append(f"The channel {channel} has no track that can be migrated, and is nothing without one.")
        return None
    shares = base_channel(package, publication)
    ids = _path_ids(travelling, package.id, shares or channel, notes)
    by_id: dict[str | None, str] = {element.id: new for element, new in zip(travelling, ids, strict=True) if element.id}
    elements = tuple(
        RunElement(channel, element, new, safe_file_name(element.file_name), moved_ref(element.ref, by_id))
        for element, new in zip(travelling, ids, strict=True)
    )
    _check_unique(ids, package, channel)
    return ChannelRun(publication, elements, shares)


def _travels(element: Element, where: str, left_out: list[str]) -> bool:
    name = f"{element.kind.value} {element.id} ({element.flavor}) of {where}"
    if not element.url:
        left_out.append(f"The {name} has no URL.")
    elif element.is_live:
        left_out.append(f"The {name} is live.")
    elif element.is_streaming:
        left_out.append(f"The {name} belongs to a streaming server.")
    else:
        return True
    return False


def _path_ids(elements: list[Element], package_id: str, channel: str, notes: list[str]) -> list[str]:
    """Choose the ids that give the target's published files the paths that they have on the source."""
    ids: list[str] = []
    counts = Counter(element.path_element_id for element in elements)
    for element in elements:
        path_id = element.path_element_id
        if path_id and counts[path_id] == 1 and _is_published_path(element, package_id, channel):
            ids.append(check_element_id(path_id))
            continue
        ids.append(check_element_id(element.id or ""))
        notes.append(f"The URL path of {element.kind.value} {element.id} of {channel} cannot be kept.")
    return ids


def _is_published_path(element: Element, package_id: str, channel: str) -> bool:
    folders = (element.url or "").split("?", 1)[0].split("/")[-4:-2]
    return folders == [channel, package_id]


def moved_ref(ref: str | None, by_id: Mapping[str | None, str]) -> str | None:
    """Point a reference between published elements to their ids in the run's package.

    A reference has the form ``track:<id>`` with optional ``;key=value`` behind it. The target points it to the
    published element again by itself.
    """
    if ref is None or ":" not in ref:
        return ref
    kind, rest = ref.split(":", 1)
    identifier, separator, properties = rest.partition(";")
    return f"{kind}:{by_id.get(identifier, identifier)}{separator}{properties}"


def _check_unique(ids: Iterable[str], package: MediaPackage, where: str) -> None:
    doubles = sorted(identifier for identifier, count in Counter(ids).items() if count > 1)
    if doubles:
        raise InvalidMediaPackage(
            f"Mediapackage {package.id} has several elements with the id {doubles[0]!r} in {where}.",
            advice="Opencast would overwrite one with the other: mend the package on the source.",
        )


def _check_selectable(elements: tuple[RunElement, ...], package: MediaPackage, where: str) -> None:
    for element in elements:
        if element.source.flavor is None and not element.source.tags:
            raise InvalidMediaPackage(
                f"The {element.source.kind.value} {element.source.id} of mediapackage {package.id} in {where} has "
                "neither flavor nor tag.",
                advice="No workflow operation can select it: give it a flavor on the source.",
            )
        names = [str(element.source.flavor)] if element.source.flavor is not None else list(element.source.tags)
        if any("," in name for name in names):
            raise InvalidMediaPackage(
                f"The {element.source.kind.value} {element.source.id} of mediapackage {package.id} in {where} has a "
                f"comma in {names[0]!r}.",
                advice="Workflow operations separate what they select by commas: rename it on the source.",
            )


@dataclass(frozen=True)
class Location:
    """Where a file lies in the target's working file repository while it is imported.

    The folder is named by the content, not by the element: equal files are sent once and referred to by several
    elements, and a file of another content never takes the place of one that the target's workspace has cached.
    """

    folder: str
    file_name: str


def location(md5: str, size: int, file_name: str) -> Location:
    """Return the place of a file in the target's working file repository.

    :param md5: 32 hex digits.
    :param size: bytes.
    """
    digest = hashlib.sha256(f"{md5}/{size}/{file_name}".encode()).hexdigest()
    return Location(digest[:32], file_name)


def channel_package(package: MediaPackage, run: ChannelRun, urls: Mapping[str, str]) -> MediaPackage:
    """Return the package that is sent to publish one channel.

    :param urls: the target's URL of each element's file, by ``RunElement.key``.
    """
    elements = tuple(
        replace(
            element.source,
            id=element.element_id,
            ref=element.ref,
            url=urls[element.key],
            logical_name=_name(element),
        )
        for element in run.elements
    )
    return replace(package, elements=elements, publications=())


def _name(element: RunElement) -> str | None:
    """Return the logical name by which the plain playlists of HLS refer to a track; others have none."""
    return None if element.source.logical_name is None else element.file_name


def archive_package(
    package: MediaPackage, plan: ImportPlan, urls: Mapping[str, str], publications: Iterable[Publication]
) -> MediaPackage:
    """Return the package that is sent to be archived.

    It carries no checksums: the target believes any that it is given, and would take another file's bytes for them;
    without, it computes them itself, which is the proof that the right bytes arrived.

    :param urls: the target's URL of each element's file, by ``RunElement.key``.
    :param publications: what the channel runs made.
    """
    elements = tuple(replace(element.source, url=urls[element.key], checksum=None) for element in plan.archive)
    return replace(package, elements=elements, publications=tuple(publications))


def flavors(elements: Iterable[RunElement]) -> tuple[str, ...]:
    """Return the flavors that select exactly these elements.

    Named, never a wildcard: the server adds the series' policy to every package, and a wildcard would publish or
    archive it where the source has none.
    """
    return tuple(sorted({str(element.source.flavor) for element in elements if element.source.flavor is not None}))


def tags_of_flavorless(elements: Iterable[RunElement]) -> tuple[str, ...]:
    """Return the tags that select the elements without flavor."""
    return tuple(sorted({tag for element in elements if element.source.flavor is None for tag in element.source.tags}))


def flavors_needed_later(
    run: ChannelRun, later: Iterable[RunElement], folders: Mapping[str, str]
) -> set[Flavor | None]:
    """Return the flavors whose files this run must not clean up, because a later run uses them.

    :param folders: folder of each element's file in the working file repository, by ``RunElement.key``.
    """
    needed = {folders[element.key] for element in later}
    return {element.source.flavor for element in run.files if folders[element.key] in needed}
