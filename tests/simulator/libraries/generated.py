"""Fills a simulator with any number of events that are the same for the same seed."""

from __future__ import annotations

import hashlib
import random
import threading
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from tests.simulator import clock, policies
from tests.simulator import storage as files
from tests.simulator.distribution import ENGAGE
from tests.simulator.dublincore import TERMS, Catalog, Value
from tests.simulator.mediapackage import NAMESPACE, Element, MediaPackage, Publication
from tests.simulator.policies import Acl, Entry
from tests.simulator.records import (
    OWNER_DEFAULT,
    Asset,
    Contents,
    Event,
    EventDocument,
    PublishedEpisode,
    Series,
    Snapshot,
)  # fmt: skip
from tests.simulator.settings import DEFAULT_ORGANIZATION

if TYPE_CHECKING:
    from tests.simulator.libraries import Library
    from tests.simulator.server import Simulator

FIRST_START = datetime(2015, 1, 5, 8, 0, tzinfo=UTC)
SPAN = timedelta(days=3650)
EAGER_EVENTS, EAGER_BYTES = 2_000, 4 * 1024**3
VIDEO_MS = 60_000
_HEAD = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
_BLOCK = 1024 * 1024
_ADMIN = (Entry("ROLE_ADMIN", "read"), Entry("ROLE_ADMIN", "write"))
_PREVIEW = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb") + bytes(200)
_STREAMS = (
    f'<x xmlns="{NAMESPACE}"><duration>{VIDEO_MS}</duration><audio id="audio-1"><device/>'
    '<encoder type="AAC (Advanced Audio Coding)"/><framecount>2584</framecount><channels>2</channels>'
    "<samplingrate>44100</samplingrate><bitrate>128000.0</bitrate></audio>"
    '<video id="video-1"><device/><encoder type="H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10"/>'
    "<framecount>1500</framecount><bitrate>500000.0</bitrate><framerate>25.0</framerate>"
    "<resolution>1280x720</resolution></video><live>false</live><master>false</master></x>"
)


class Generated:
    """A generated library. Event ``n`` is computed from the seed and ``n`` alone."""

    def __init__(self, library: Library, simulator: Simulator) -> None:
        self.library, self.simulator = library, simulator
        self.state, self.storage = simulator.state, simulator.storage
        self.org = DEFAULT_ORGANIZATION
        self._block = random.Random(library.seed).randbytes(_BLOCK)
        self._lock = threading.RLock()
        self._videos: dict[int, tuple[str, Path]] = {}
        self._contents = lru_cache(maxsize=1024)(self._make_contents)

    def fill(self) -> None:
        """Load all series and events; write the files of all unless that is left for later."""
        for number in range(self._series):
            self._load_series(number)
        for number in range(self.library.events):
            self._load_event(number)
        if not self._lazy:
            for number in range(self.library.events):
                self._contents(number)

    @property
    def _series(self) -> int:
        return max(1, self.library.events // self.library.events_in_series)

    @property
    def _lazy(self) -> bool:
        if self.library.lazy is not None:
            return self.library.lazy
        total = self.library.events * self.library.event_bytes
        return self.library.events > EAGER_EVENTS or (total > EAGER_BYTES and not self.library.sparse)

    # --- what an event is ----------------------------------------------------------------------------------------

    def _id(self, *parts: object) -> str:
        text = "/".join(str(part) for part in (self.library.seed, *parts))
        return str(uuid.UUID(bytes=hashlib.md5(text.encode()).digest(), version=4))

    def _dice(self, *parts: object) -> float:
        text = "/".join(str(part) for part in (self.library.seed, *parts))
        return int.from_bytes(hashlib.md5(text.encode()).digest()[:7], "big") / 2**56

    def video_of(self, number: int) -> int:
        """Give the number of the event whose video this event has: its own, or an earlier one's."""
        while number > 0 and self._dice("shared", number) < self.library.shared_fraction:
            number = int(self._dice("twin", number) * number)
        return number

    def _start(self, number: int) -> datetime:
        return (FIRST_START + SPAN * number / max(1, self.library.events)).replace(microsecond=0)

    def _series_of(self, number: int) -> str | None:
        """Give the series; every tenth event has none."""
        if number % 10 == 9:
            return None
        return self._id("series", number % self._series)

    def _channels(self, number: int) -> tuple[str, ...]:
        """Give the channels; every seventh event is archived only."""
        if number % 7 == 6:
            return ()
        return (ENGAGE, "api") if number % 2 else (ENGAGE,)

    def _acl(self, number: int) -> Acl:
        reader = "ROLE_ANONYMOUS" if number % 3 else "ROLE_STUDENT"
        return (*_ADMIN, Entry(reader, "read"))

    def _event_acl(self, number: int) -> Acl:
        series = self.state.series.get(self._series_of(number) or "")
        return series.acl or () if series else self._acl(number)

    # --- tables --------------------------------------------------------------------------------------------------

    def _load_series(self, number: int) -> None:
        series_id = self._id("series", number)
        values = {"identifier": series_id, "title": f"Course {number} – Übung", "created": "2015-01-01T00:00:00Z"}
        catalog = Catalog([Value(TERMS, name, value) for name, value in values.items()])
        series = Series(series_id, self.org, catalog, self._acl(number))
        self.state.series[series_id] = series
        self.state.series_index.load(series_id, series.document())

    def _load_event(self, number: int) -> None:
        event_id, start, series_id = self._id("event", number), self._start(number), self._series_of(number)
        acl, channels = self._event_acl(number), self._channels(number)
        snapshot = Snapshot(
            event_id, 0, self.org, OWNER_DEFAULT, start, series_id, lambda: self._contents(number)
        )  # fmt: skip
        self.state.events[event_id] = Event(event_id, self.org, "Administrator", [snapshot], acl=acl)
        series = self.state.series.get(series_id or "")
        self.state.event_index.load(event_id, EventDocument(
            event_id, self.org, f"Lecture {number}", series_id=series_id or "",
            series_name=(series.catalog.first("title") if series else None) or "", creator="Administrator",
            created=start, start=start, duration=VIDEO_MS, presenters=(f"Lecturer {number % 17}",),
            channels=channels, version=0, acl=acl, snapshot=snapshot,
        ))  # fmt: skip
        if ENGAGE in channels:
            self.state.published[event_id] = PublishedEpisode(self.org, acl, start, lambda: self._published(number))

    def _published(self, number: int) -> MediaPackage:
        package = self._contents(number).package
        publication = package.publication(ENGAGE)
        elements = [element.clone() for element in publication.elements] if publication else []
        return replace(package.clone(), elements=elements, publications=[])

    # --- packages and files --------------------------------------------------------------------------------------

    def _make_contents(self, number: int) -> Contents:
        with self._lock:
            event_id, series_id = self._id("event", number), self._series_of(number)
            package = MediaPackage(event_id, clock.seconds(self._start(number)), title=f"Lecture {number}")
            package.series, package.creators = series_id, [f"Lecturer {number % 17}"]
            scope = "series" if series_id else "episode"
            policy = policies.to_xacml(event_id, self._event_acl(number)).encode()
            assets = [
                self._video(package, number),
                self._small(package, "catalog", "dublincore/episode", "dublincore.xml", self._catalog(number)),
                self._small(package, "attachment", f"security/xacml+{scope}", "xacml.xml", policy),
            ]
            held = {asset.element: asset for asset in assets}
            for channel in self._channels(number):
                package.publications.append(self._publication(package, channel, held))
            for element in package.elements:
                element.tags.add("archive")
                element.url = f"urn:matterhorn:{event_id}:0:{element.id}:{element.url}"
            manifest = self.storage.archive(self.org, event_id, 0, "manifest", "xml")
            manifest.write_text(package.to_xml(), encoding="utf-8")
            return Contents(package, held)

    def _catalog(self, number: int) -> bytes:
        start = self._start(number)
        end = start + timedelta(milliseconds=VIDEO_MS)
        period = f"start={clock.seconds(start)}; end={clock.seconds(end)}; scheme=W3C-DTF;"
        values = [
            Value(TERMS, "title", f"Lecture {number}"),
            Value(TERMS, "identifier", self._id("event", number)),
            Value(TERMS, "creator", f"Lecturer {number % 17}"),
            Value(TERMS, "created", clock.seconds(start), None, "dcterms:W3CDTF"),
            Value(TERMS, "temporal", period, None, "dcterms:Period"),
        ]
        series_id = self._series_of(number)
        if series_id:
            values.append(Value(TERMS, "isPartOf", series_id))
        return Catalog(values).to_xml().encode()

    def _video(self, package: MediaPackage, number: int) -> Asset:
        md5, known = self._video_file(self.video_of(number))
        element = Element("track", self._id("track", number), "presenter/source", mimetype="video/mp4")
        element.url, element.size, element.checksum = "lecture.mp4", self.library.event_bytes, ("md5", md5)
        element.details = list(etree.fromstring(_STREAMS))
        package.add(element)
        path = self.storage.archive(self.org, package.id, 0, str(element.id), "mp4")
        if known != path:
            files.link(known, path)
        return self._asset(element, path)

    def _video_file(self, number: int) -> tuple[str, Path]:
        """Write a video once, into the archive of the event that it belongs to."""
        if number not in self._videos:
            path = self.storage.archive(self.org, self._id("event", number), 0, self._id("track", number), "mp4")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._videos[number] = (self._write_video(path, number), path)
        return self._videos[number]

    def _write_video(self, path: Path, number: int) -> str:
        size, digest = self.library.event_bytes, hashlib.md5()
        head = (_HEAD + self._id("video", number).encode())[:size]
        block = bytes(_BLOCK) if self.library.sparse else self._block
        with path.open("wb") as out:
            out.write(head)
            digest.update(head)
            left = size - len(head)
            while left > 0:
                piece = block if left >= _BLOCK else block[:left]
                digest.update(piece)
                if not self.library.sparse:
                    out.write(piece)
                left -= len(piece)
            out.truncate(size)
        return digest.hexdigest()

    def _small(self, package: MediaPackage, kind: str, flavor: str, name: str, data: bytes) -> Asset:
        policy = flavor.startswith("security/")
        element_id = f"security-policy-{flavor.split('+')[-1]}" if policy else self._id(flavor, package.id)
        element = Element(kind, element_id, flavor, mimetype="text/xml", url=name)
        element.checksum = ("md5", hashlib.md5(data).hexdigest())
        package.add(element)
        path = self.storage.archive(self.org, package.id, 0, element_id, "xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self._asset(element, path)

    def _asset(self, element: Element, path: Path) -> Asset:
        checksum = element.checksum or ("md5", "")
        self.state.remember_asset(checksum, path)
        return Asset(str(element.id), checksum, element.size, element.mimetype, path)

    def _publication(self, package: MediaPackage, channel: str, assets: dict[str, Asset]) -> Publication:
        engage = channel == ENGAGE
        base, mimetype = self.simulator.url, "text/html" if engage else "application/json"
        url = f"{base}/play/{package.id}" if engage else f"{base}/api/events/{package.id}"
        publication = Publication(channel, self._id(channel, package.id), mimetype=mimetype, url=url)
        for element in package.elements:
            if engage or not (element.flavor or "").startswith("security/"):
                publication.elements.append(self._distribute(package, channel, element, assets[str(element.id)].path))
        if engage:
            publication.elements.append(self._preview(package, channel))
        return publication

    def _distribute(self, package: MediaPackage, channel: str, element: Element, source: Path) -> Element:
        name, twin = str(element.url), element.clone()
        files.link(source, self.storage.distributed(self.org, channel, package.id, str(element.id), name))
        twin.id = self._id(channel, package.id, element.id)
        twin.url = f"{self.simulator.media_url}/static/{self.org}/{channel}/{package.id}/{element.id}/{name}"
        if element.kind != "track":
            twin.checksum = None
        return twin

    def _preview(self, package: MediaPackage, channel: str) -> Element:
        element_id = self._id("preview", package.id)
        path = self.storage.distributed(self.org, channel, package.id, element_id, "lecture-search.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        data = _PREVIEW + package.id.encode()
        path.write_bytes(data)
        element = Element("attachment", self._id(channel, element_id), "presenter/search+preview")
        # publish-engage rewrites references between published elements to ids that it then throws away.
        element.ref, element.mimetype = f"track:{self._id('thrown away', package.id)}", "image/jpeg"
        element.tags, element.size = {"engage-download"}, len(data)
        element.url = f"{self.simulator.media_url}/static/{self.org}/{channel}/{package.id}/{element_id}/{path.name}"
        return element
