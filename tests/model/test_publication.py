"""Publications of a mediapackage."""

from __future__ import annotations

import pytest
from opencast.errors import InvalidIdentifier, InvalidMediaPackage
from opencast.model.element import Element, ElementKind
from opencast.model.layout import NAMESPACE
from opencast.model.mediapackage import MediaPackage
from opencast.model.publication import Publication
from opencast.model.xml import parse_xml

from tests.model import recorded


def read(xml: str) -> Publication:
    return Publication.read(parse_xml(f'<m xmlns="{NAMESPACE}">{xml}</m>'.encode(), what="a test")[0])


def test_a_recorded_publication_is_read_with_its_own_elements() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    api = package.publication("api")
    assert api is not None
    assert api.id == "09018ea9-8776-4cbb-8040-f5216c019f5c"
    assert api.url == "http://127.0.0.1:8080/api/events/a-ev-two-streams"
    assert api.mimetype == "application/json"
    assert api.tags == ("archive",)
    assert [element.kind for element in api.elements] == [ElementKind.TRACK] * 3 + [ElementKind.CATALOG]
    assert (len(api.tracks), len(api.catalogs), len(api.attachments)) == (3, 1, 0)


def test_a_publication_without_mimetype_has_none() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-fast/assets"))
    internal = package.publication("internal")
    assert internal is not None
    assert internal.mimetype is None


def test_a_publication_that_was_not_read_is_written_in_opencasts_order() -> None:
    elements = (
        Element(ElementKind.CATALOG, "c"),
        Element(ElementKind.ATTACHMENT, "a"),
        Element(ElementKind.TRACK, "t"),
    )
    publication = Publication("p", "engage-player", "http://127.0.0.1/play/x", "text/html", ("x",), elements)
    assert publication.render() == (
        '<publication id="p" channel="engage-player"><mimetype>text/html</mimetype><tags><tag>x</tag></tags>'
        "<url>http://127.0.0.1/play/x</url>"
        '<media><track id="t"><tags/></track></media>'
        '<attachments><attachment id="a"><tags/></attachment></attachments>'
        '<metadata><catalog id="c"><tags/></catalog></metadata></publication>'
    )


@pytest.mark.parametrize(
    "xml",
    [
        '<publication channel="old"><url>u</url></publication>',
        '<publication id="p" channel="c" type="x/y" new="1"><size>3</size><url>u</url><new/></publication>',
        '<publication id="p" channel="c"><metadata a="b"/><media><track id="t"/></media></publication>',
        '<publication id="p" channel="c"/>',
    ],
)
def test_what_the_source_wrote_otherwise_stays_so(xml: str) -> None:
    assert read(xml).render() == xml


@pytest.mark.parametrize("xml", ['<publication id="p"/>', '<publication id="p" channel=""/>'])
def test_a_publication_without_channel_is_refused(xml: str) -> None:
    with pytest.raises(InvalidMediaPackage, match="names no channel"):
        read(xml)


@pytest.mark.parametrize("xml", ['<publication channel="../x"/>', '<publication id="a/b" channel="c"/>'])
def test_ids_that_leave_their_folder_are_refused(xml: str) -> None:
    with pytest.raises(InvalidIdentifier):
        read(xml)


def test_a_container_holds_only_its_kind() -> None:
    with pytest.raises(InvalidMediaPackage, match="media holds another element than track"):
        read('<publication channel="c"><media><catalog/></media></publication>')


@pytest.mark.parametrize(
    "publication",
    [
        Publication("p", "engage-live"),
        Publication("p", "other", elements=(Element(ElementKind.TRACK, "t", live=True),)),
    ],
)
def test_a_live_publication_is_recognised_by_channel_or_track(publication: Publication) -> None:
    assert publication.is_live


def test_oaipmh_publications_are_recognised_by_their_channel() -> None:
    assert Publication("p", "oaipmh-default").is_oaipmh
    assert not Publication("p", "engage-player").is_oaipmh
    assert not Publication("p", "engage-player").is_live
