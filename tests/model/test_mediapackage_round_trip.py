"""Every recorded mediapackage is written back as it was read."""

from __future__ import annotations

from lxml import etree
from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import PROLOG

from tests.model import recorded


def structure(node: etree._Element) -> tuple[object, ...]:
    """Return tag, attributes, text and children without the white space and prefixes that mean nothing in XML."""
    text = node.text or ""
    children = tuple(structure(child) for child in node)
    return node.tag, tuple(sorted(node.attrib.items())), "" if children and not text.strip() else text, children


def test_the_recordings_hold_mediapackages_of_both_generations_and_of_all_services() -> None:
    packages = recorded.mediapackages()
    places = {"/".join(package.where.split("/")[:2]) for package in packages}
    assert {"17/events", "17/oaipmh", "17/workflows", "17/writes", "15/events", "15/search15", "15/writes"} <= places
    assert len(packages) > 700


def test_every_recorded_package_keeps_all_elements_attributes_texts_and_their_order() -> None:
    changed = [
        package.where
        for package in recorded.mediapackages()
        if structure(etree.fromstring(MediaPackage.read(package.node).to_xml())) != structure(package.node)
    ]
    assert changed == []


def test_every_package_that_opencast_wrote_in_one_line_is_written_back_byte_for_byte() -> None:
    plain = [(package, text) for package in recorded.mediapackages() if (text := package.text) and "\n" not in text]
    changed = [
        package.where for package, text in plain if MediaPackage.read(package.node).to_xml().decode() != PROLOG + text
    ]
    assert changed == []
    assert len(plain) > 50


def test_every_recorded_snapshot_is_written_back_byte_for_byte_with_its_prolog() -> None:
    snapshots = [
        recorded.body(name, generation)
        for generation, name in recorded.names("events/*/assets")
        if recorded.exchange(name, generation)["response"]["status"] == 200
    ]
    assert len(snapshots) == 22
    assert [data for data in snapshots if MediaPackage.parse(data).to_xml() != data] == []


def test_reading_what_was_written_gives_an_equal_package() -> None:
    for package in recorded.mediapackages():
        read = MediaPackage.read(package.node)
        assert MediaPackage.parse(read.to_xml()) == read, package.where
