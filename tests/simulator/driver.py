"""A bare client for the simulator's own tests; it knows nothing of the product."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from tests.simulator import Simulator, mediapackage, xmlio
from tests.simulator.mediapackage import NAMESPACE, Element, MediaPackage, Publication

CATALOG = (
    '<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dcterms:title>{title}</dcterms:title><dcterms:created>2023-01-01T10:00:00Z</dcterms:created>{more}</dublincore>"
)
#: A complete set: a master playlist, the playlist of its one variant, and media.
HLS = {
    "hls-master": ("master.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant.m3u8\n"),
    "hls-variant": ("variant.m3u8", b'#EXTM3U\n#EXT-X-MAP:URI="cam.mp4",BYTERANGE="9@0"\n#EXTINF:4,\ncam.mp4\n'),
    "hls-media": ("cam.mp4", b"media"),
}
Steps = Sequence[tuple[str, dict[str, str]]]


def element_of(package: MediaPackage, element_id: str) -> Element:
    """Give an element that the package has to have."""
    found = package.element(element_id)
    assert found is not None, f"{package.id} has no element {element_id}"
    return found


def publication_of(package: MediaPackage, channel: str) -> Publication:
    """Give a publication that the package has to have."""
    found = package.publication(channel)
    assert found is not None, f"{package.id} is not published on {channel}"
    return found


class Driver:
    """Calls one simulator as its administrator."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, self.url = simulator, simulator.url
        self.session = requests.Session()
        self.session.auth = ("admin", "opencast")

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, allow_redirects=False, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, allow_redirects=False, **options)

    def bare(self, url: str, auth: tuple[str, str] | None = None) -> requests.Response:
        """Ask for any address, with no login but the one given."""
        return requests.get(url, auth=auth, allow_redirects=False, timeout=10)

    def upload(self, package: str, element: str, name: str, data: bytes) -> str:
        answer = self.post(f"/files/mediapackage/{package}/{element}", files={"file": (name, data)})
        answer.raise_for_status()
        return answer.text

    def package(self, package_id: str, video: bytes = b"video", title: str = "Test", series: str = "") -> MediaPackage:
        """Upload a video and an episode catalog and give the package that points to them."""
        package = MediaPackage(package_id, "2023-01-01T10:00:00Z", title=title)
        more = f"<dcterms:isPartOf>{series}</dcterms:isPartOf>" if series else ""
        catalog = CATALOG.format(title=title, more=more).encode()
        track = Element("track", "track-1", "presenter/source", mimetype="video/mp4")
        track.url = self.upload(package_id, "track-1", "v.mp4", video)
        episode = Element("catalog", "dc-1", "dublincore/episode", mimetype="text/xml")
        episode.url = self.upload(package_id, "dc-1", "dublincore.xml", catalog)
        package.elements = [track, episode]
        return package

    def hls_package(self, package_id: str, files: Mapping[str, tuple[str, bytes]] = HLS) -> MediaPackage:
        """Upload an episode catalog and the files of an HLS set, by the ids of their tracks."""
        package = self.package(package_id)
        package.elements = [element for element in package.elements if element.kind == "catalog"]
        for element_id, (name, data) in files.items():
            element = Element("track", element_id, "presenter/delivery", mimetype="application/x-mpegURL")
            element.url = self.upload(package_id, element_id, name, data)
            element.details = list(xmlio.parse(f'<x xmlns="{NAMESPACE}"><logicalname>{name}</logicalname></x>'))
            package.elements.append(element)
        return package

    def start(self, package: MediaPackage, steps: Steps, properties: str = "") -> requests.Response:
        """Start a workflow of these operations."""
        operations = "".join(
            f'<operation id="{name}" fail-on-error="true"><configurations>'
            + "".join(f'<configuration key="{key}">{value}</configuration>' for key, value in settings.items())
            + "</configurations></operation>"
            for name, settings in steps
        )
        definition = (
            '<definition xmlns="http://workflow.opencastproject.org"><id>test</id><title>Test</title>'
            f"<operations>{operations}</operations></definition>"
        )
        form = {"definition": definition, "mediapackage": package.to_xml(), "properties": properties}
        return self.post("/workflow/start", data=form)

    def run(self, package: MediaPackage, steps: Steps) -> tuple[str, MediaPackage]:
        """Start a workflow, wait for its end, and give its state and its package."""
        answer = self.start(package, steps)
        answer.raise_for_status()
        found = re.search(r' id="(\d+)"', answer.text)
        assert found
        self.simulator.wait_for_workflows()
        instance = self.simulator.state.workflows[int(found.group(1))]
        return instance.state, instance.package

    def archived(self, package_id: str) -> MediaPackage:
        """Read the newest snapshot."""
        answer = self.get(f"/assets/episode/{package_id}")
        answer.raise_for_status()
        return mediapackage.parse(answer.content)
