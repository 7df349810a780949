"""``inspect``, as far as it matters without a media tool."""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from tests.simulator import clock, metadata
from tests.simulator import storage as files
from tests.simulator.mediapackage import EPISODE, NAMESPACE, Element
from tests.simulator.workflows.operations.run import OperationFailed, Run
from tests.simulator.workspace import Unreachable

_HEAD = 32
# Signs of files that a media tool would find a stream in: MP4, Matroska, RIFF, MP3, WebVTT, HLS, Ogg.
_KNOWN = (b"ftyp", b"\x1aE\xdf\xa3", b"RIFF", b"ID3", b"WEBVTT", b"#EXTM3U", b"OggS")


def inspect(run: Run) -> None:
    """Fail on a track without streams, add missing checksums, and rewrite the episode catalog.

    The rewritten catalog keeps the checksum that it had, so that the next snapshot links the old file: a known trap.
    """
    tracks = run.package.of_kind("track")
    if not tracks and not run.flag("accept-no-media"):
        raise OperationFailed(f"Mediapackage {run.package.id} contains no media")
    for track in tracks:
        _probe(run, track)
    if run.package.duration is not None:
        _extend_catalog(run, run.package.duration)


def _probe(run: Run, track: Element) -> None:
    try:
        path = run.assets.workspace.read(track.url)
    except Unreachable as error:
        raise OperationFailed(f"{error} cannot be inspected") from error
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not any(sign in head for sign in _KNOWN):
        raise OperationFailed(f"Track {track.id} has no streams")
    track.size = path.stat().st_size
    track.checksum = track.checksum or ("md5", files.md5_of(path))
    if track.detail("master") is None:
        master = etree.Element(f"{{{NAMESPACE}}}master")
        master.text = "false"
        track.details.append(master)


def _extend_catalog(run: Run, duration: int) -> None:
    for element in run.package.of_flavor(EPISODE, "catalog"):
        catalog = metadata.load(element.url, run.assets.workspace.read)
        changed = False
        if not catalog.first("extent"):
            catalog.set("extent", f"PT{duration / 1000:.3f}".rstrip("0").rstrip(".") + "S", "dcterms:ISO8601")
            changed = True
        start = clock.parse(catalog.first("created") or run.package.start or "")
        if start and catalog.period() is None:
            end = start + timedelta(milliseconds=duration)
            period = f"start={clock.seconds(start)}; end={clock.seconds(end)}; scheme=W3C-DTF;"
            catalog.set("temporal", period, "dcterms:Period")
            changed = True
        if changed:
            data = catalog.to_xml().encode()
            element.url = run.assets.workspace.put(run.package.id, str(element.id), element.file_name, data)
