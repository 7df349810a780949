"""Every recorded mediapackage is written back as it was read."""

from __future__ import annotations

import pytest
from lxml import etree

from opencast.model.mediapackage import MediaPackage
from opencast.model.xml import PROLOG
from tests.model import recorded

_PACKAGES = recorded.mediapackages()
_PLAIN = [package for package in _PACKAGES if package.text and "\n" not in package.text]


def structure(node: etree._Element) -> tuple[object, ...]:
    """Return tag, attributes, text and children without the white space and prefixes that mean nothing in XML."""
    text = node.text or ""
    children = tuple(structure(child) for child in node)
    return node.tag, tuple(sorted(node.attrib.items())), "" if children and not text.strip() else text, children


def test_the_recordings_hold_mediapackages_of_both_generations_and_all_services() -> None:
    places = {package.where.split("/")[0] + "/" + package.where.split("/")[1] for package in _PACKAGES}
    assert {"17/events", "17/oaipmh", "17/workflows", "17/writes", "15/events", "15/search15", "15/writes"} <= places
    assert len(_PACKAGES) > 400


@pytest.mark.parametrize("package", _PACKAGES, ids=str)
def test_a_recorded_package_keeps_its_content(package: recorded.RecordedPackage) -> None:
    written = MediaPackage.read(package.node).to_xml()
    assert structure(etree.fromstring(written)) == structure(package.node)


@pytest.mark.parametrize("package", _PLAIN, ids=str)
def test_a_package_that_opencast_wrote_in_one_line_is_written_back_byte_for_byte(
    package: recorded.RecordedPackage,
) -> None:
    assert MediaPackage.read(package.node).to_xml().decode() == PROLOG + str(package.text)
