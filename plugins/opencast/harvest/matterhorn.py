"""Read what a record of Opencast says: the mediapackage, and the Dublin Core that ``matterhorn-inlined`` brings along.

The record's element is read where the page's parser left it, without another parse: this runs once for each harvested
record. The whole model of a mediapackage is in ``opencast.model``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from opencast.errors import InvalidFlavor, InvalidMediaPackage
from opencast.harvest import datestamps
from opencast.harvest.limits import fits_index
from opencast.harvest.namespaces import DCTERMS, MEDIAPACKAGE, tag
from opencast.model.flavor import Flavor

_PACKAGE = tag(MEDIAPACKAGE, "mediapackage")
_MEDIA = tag(MEDIAPACKAGE, "media")
_TRACK = tag(MEDIAPACKAGE, "track")
_CREATORS = tag(MEDIAPACKAGE, "creators")
_TITLE = tag(MEDIAPACKAGE, "title")
_DESCRIPTION = tag(MEDIAPACKAGE, "description")
_SERIES = tag(MEDIAPACKAGE, "series")
_SERIES_TITLE = tag(MEDIAPACKAGE, "seriestitle")
_URL = tag(MEDIAPACKAGE, "url")
_MIMETYPE = tag(MEDIAPACKAGE, "mimetype")
_SIZE = tag(MEDIAPACKAGE, "size")
_DURATION = tag(MEDIAPACKAGE, "duration")
_CHECKSUM = tag(MEDIAPACKAGE, "checksum")
_VIDEO = tag(MEDIAPACKAGE, "video")
_RESOLUTION = tag(MEDIAPACKAGE, "resolution")

_PACKAGE_TEXTS = frozenset({_TITLE, _DESCRIPTION, _SERIES, _SERIES_TITLE})
_TRACK_TEXTS = frozenset({_URL, _MIMETYPE, _SIZE, _DURATION})
_TERMS = {tag(DCTERMS, name): name for name in ("title", "description", "isPartOf", "creator", "created")}

_EPISODE = "dublincore/episode"
_SERIES_CATALOG = "dublincore/series"
_POLICY = "security/xacml"
#: W3CDTF knows years and months as well (https://www.w3.org/TR/NOTE-datetime).
_YEAR_OR_MONTH = re.compile(r"\d{4}(-\d{2})?")
#: A period, as Opencast's Dublin Core writes it (DCMI Period Encoding Scheme).
_START = re.compile(r"\bstart=([^;]+);")
_WEB_ADDRESS = re.compile(r"https?://[^/\s]", re.IGNORECASE)
#: Different types that are remembered; a repository has a handful.
_MANY_TYPES = 1000
#: Room for tracks of one type in the ranking.
_TYPE_STEP = 100_000


class TrackData(NamedTuple):
    """A track of the wanted types; fields as in :class:`opencast.store.catalogue.Track`."""

    identifier: str
    flavor: str
    url: str
    mimetype: str
    resolution: str
    duration: int | None
    size: int | None
    checksum: str
    xml: bytes
    rank: int

    @property
    def can_be_fetched(self) -> bool:
        """Whether the media file has an address that a web client can open; a stream by RTMP has none."""
        return _WEB_ADDRESS.match(self.url) is not None


class MatterhornData(NamedTuple):
    """What a record says about a recording.

    :param series: identifier of the series; empty for none.
    :param created: when it was recorded.
    :param duration: milliseconds.
    :param tracks: those of the wanted types, best first.
    """

    mediapackage_id: str
    title: str
    description: str
    series: str
    series_title: str
    creators: tuple[str, ...]
    created: datetime | None
    duration: int | None
    tracks: tuple[TrackData, ...]

    @property
    def chosen(self) -> TrackData | None:
        """The one track that becomes the media item."""
        return next((track for track in self.tracks if track.can_be_fetched), None)


class TrackTypes:
    """The track types that an installation wants, in order of preference.

    :param types: such as ``presentation/delivery``; a part may be ``*``.
    :raises InvalidFlavor: what is no type.
    """

    def __init__(self, types: Iterable[str]) -> None:
        self._types = tuple(Flavor.parse(one) for one in types)
        self._ranks: dict[str, int | None] = {}

    def rank(self, flavor: str) -> int | None:
        """Give the place of a track's type in the list; None when it is not wanted."""
        if flavor not in self._ranks:
            if len(self._ranks) > _MANY_TYPES:
                self._ranks.clear()
            self._ranks[flavor] = self._find(flavor)
        return self._ranks[flavor]

    def _find(self, flavor: str) -> int | None:
        try:
            own = Flavor.parse(flavor)
        except InvalidFlavor:
            return None
        return next((place for place, wanted in enumerate(self._types) if own.matches(wanted)), None)


def read_metadata(metadata: etree._Element, types: TrackTypes) -> MatterhornData:
    """Read the content of a record's ``metadata``: a mediapackage, or what inlines one.

    Title, creators and series come from the package, else from the Dublin Core; the description only from there.

    :raises InvalidMediaPackage: there is no mediapackage in it, or one that cannot be kept.
    """
    package = metadata if metadata.tag == _PACKAGE else next(metadata.iterchildren(_PACKAGE), None)
    if package is None:
        raise InvalidMediaPackage(f"The metadata is <{str(metadata.tag)[:120]}> and holds no mediapackage.")
    texts, creators, tracks = _read_package(package, types)
    episode: dict[str, list[str]] = {}
    series: dict[str, list[str]] = {}
    if package is not metadata:
        for part in metadata:
            kind = part.get("type")
            if kind == _EPISODE and not episode:
                episode = _terms(part)
            elif kind == _SERIES_CATALOG and not series:
                series = _terms(part)
    data = MatterhornData(
        mediapackage_id=package.get("id", ""),
        title=texts.get(_TITLE) or _first(episode, "title"),
        description=_first(episode, "description") or texts.get(_DESCRIPTION, ""),
        series=texts.get(_SERIES) or _first(episode, "isPartOf"),
        series_title=texts.get(_SERIES_TITLE) or _first(series, "title"),
        creators=creators or tuple(episode.get("creator", ())),
        created=_created(_first(episode, "created")) or datestamps.read(package.get("start")),
        duration=_number(package.get("duration")),
        tracks=tracks,
    )
    if not fits_index(data.series):
        raise InvalidMediaPackage("The identifier of the record's series is too long.")
    return data


def read_policies(metadata: etree._Element) -> dict[str, bytes]:
    """Give the XACML policies that ``matterhorn-inlined`` brings along, by flavor, each as a document of its own."""
    policies: dict[str, bytes] = {}
    for part in metadata:
        kind = part.get("type") or ""
        if kind.startswith(_POLICY) and len(part) == 1:
            policies.setdefault(kind, etree.tostring(part[0], encoding="utf-8", with_tail=False))
    return policies


def _read_package(
    package: etree._Element, types: TrackTypes
) -> tuple[dict[str, str], tuple[str, ...], tuple[TrackData, ...]]:
    texts: dict[str, str] = {}
    creators: tuple[str, ...] = ()
    tracks: list[TrackData] = []
    for child in package:
        name = child.tag
        if name == _MEDIA:
            tracks = _read_media(child, types)
        elif name == _CREATORS:
            creators = tuple([text for creator in child if (text := _clean(creator.text))])
        elif name in _PACKAGE_TEXTS:
            texts.setdefault(name, _clean(child.text))
    return texts, creators, tuple(tracks)


def _read_media(media: etree._Element, types: TrackTypes) -> list[TrackData]:
    found: dict[str, TrackData] = {}
    for place, node in enumerate(media):
        if node.tag != _TRACK:
            continue
        flavor = (node.get("type") or "").strip()
        rank = types.rank(flavor)
        if rank is not None:
            track = _read_track(node, flavor, rank * _TYPE_STEP + place)
            found.setdefault(track.identifier, track)
    return sorted(found.values(), key=_rank) if len(found) > 1 else list(found.values())


def _rank(track: TrackData) -> int:
    return track.rank


def _read_track(node: etree._Element, flavor: str, rank: int) -> TrackData:
    texts: dict[str, str] = {}
    checksum = resolution = ""
    for child in node:
        name = child.tag
        if name in _TRACK_TEXTS:
            texts[name] = _clean(child.text)
        elif name == _CHECKSUM:
            checksum = f"{child.get('type', '')}:{_clean(child.text)}"
        elif name == _VIDEO and not resolution:
            resolution = next((_clean(part.text) for part in child.iterchildren(_RESOLUTION)), "")
    url = texts.get(_URL, "")
    identifier = node.get("id") or url
    if not fits_index(identifier):
        raise InvalidMediaPackage("The id of a track is too long.")
    return TrackData(
        identifier=identifier,
        flavor=flavor,
        url=url,
        mimetype=texts.get(_MIMETYPE, ""),
        resolution=resolution,
        duration=_number(texts.get(_DURATION)),
        size=_number(texts.get(_SIZE)),
        checksum=checksum,
        xml=etree.tostring(node, encoding="utf-8", with_tail=False),
        rank=rank,
    )


def _terms(catalog: etree._Element) -> dict[str, list[str]]:
    """Collect the values of a Dublin Core catalog that are wanted, by term; empty ones are left out."""
    terms: dict[str, list[str]] = {}
    if len(catalog) == 0:
        return terms
    for node in catalog[0]:
        name = _TERMS.get(node.tag)
        if name is not None and (text := _clean(node.text)):
            terms.setdefault(name, []).append(text)
    return terms


def _first(terms: dict[str, list[str]], name: str) -> str:
    values: Sequence[str] = terms.get(name, ())
    return values[0] if values else ""


def _created(text: str) -> datetime | None:
    if _YEAR_OR_MONTH.fullmatch(text):
        text = f"{text}-01-01" if len(text) == 4 else f"{text}-01"
    moment = datestamps.read(text)
    if moment is None and (found := _START.search(text)):
        moment = datestamps.read(found.group(1))
    return moment


def _clean(text: str | None) -> str:
    return text.strip() if text else ""


def _number(text: str | None) -> int | None:
    """Read a whole number that a database's 64 bits can hold."""
    text = _clean(text)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
