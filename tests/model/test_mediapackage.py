"""Mediapackages are read strictly and written as Opencast writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencast.errors import InvalidIdentifier, InvalidMediaPackage, InvalidXml
from opencast.model.layout import NAMESPACE
from opencast.model.mediapackage import Element, ElementKind, MediaPackage, Publication
from opencast.model.xml import PROLOG

from tests.model import recorded

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n\r<>&\"']]>")
).filter(lambda text: "\ufffe" not in text and "\uffff" not in text)


def package_xml(content: str = "", attributes: str = 'id="a-ev"') -> bytes:
    return f'<mediapackage xmlns="{NAMESPACE}" {attributes}>{content}</mediapackage>'.encode()


def test_a_recorded_snapshot_is_read_with_its_metadata() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    assert package.id == "a-ev-two-streams"
    assert package.start == "2021-03-17T08:00:00Z"
    assert package.start_time == datetime(2021, 3, 17, 8, tzinfo=UTC)
    assert package.duration == 4000
    assert package.title == "Two streams, captions, slides"
    assert package.series == "a-series-algorithms"
    assert package.creators == ("Ada Lovelace", "Alan Turing")
    assert (package.series_title, package.license, package.language) == (None, None, None)
    assert [str(element.flavor) for element in package.elements] == [
        "presenter/source",
        "presentation/source",
        "captions/source",
        "dublincore/episode",
        "ext/episode",
        "document/slides",
        "security/xacml+series",
    ]
    assert [publication.channel for publication in package.publications] == ["engage-player", "api"]


def test_elements_are_found_by_kind_id_and_flavor() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    assert (len(package.tracks), len(package.catalogs), len(package.attachments)) == (3, 2, 2)
    assert package.element("security-policy-series") is package.attachments[1]
    assert package.element("unknown") is None
    assert package.publication("unknown") is None
    assert package.by_flavor("*/source") == package.tracks
    assert package.by_flavor("dublincore/*") == package.catalogs[:1]


def test_a_package_that_was_not_read_is_written_with_the_containers_that_opencast_always_writes() -> None:
    assert MediaPackage("a-ev", title="T & Co", creators=("A",)).to_xml().decode() == (
        f'{PROLOG}<mediapackage xmlns="{NAMESPACE}" id="a-ev"><title>T &amp; Co</title>'
        "<creators><creator>A</creator></creators><media/><metadata/><attachments/><publications/></mediapackage>"
    )


def test_a_run_with_one_channel_is_made_of_a_snapshot_by_replacing_its_parts() -> None:
    package = MediaPackage.parse(recorded.body("events/ev-two-streams/assets"))
    api = package.publication("api")
    assert api is not None
    elements = tuple(replace(e, id=e.path_element_id, checksum=None) for e in api.elements)
    run = MediaPackage.parse(replace(package, elements=elements, publications=()).to_xml())
    assert run.publications == ()
    assert [e.id for e in run.tracks] == [e.path_element_id for e in api.tracks]
    assert b"checksum" not in run.to_xml()
    assert run.title == package.title


@pytest.mark.parametrize(
    "content",
    [
        "<publications/><title>t</title>",
        '<title lang="de">t</title><creators a="b"><creator c="d">x</creator></creators>',
        '<new a="1">n</new><media x="y"/><title>t</title><more xmlns="urn:m"/>',
        '<publications p="q"><publication channel="c"><url>u</url></publication></publications>',
        "<series/><license/>",
    ],
)
def test_what_the_source_wrote_otherwise_stays_so(content: str) -> None:
    assert MediaPackage.parse(package_xml(content)).to_xml() == PROLOG.encode() + package_xml(content)


def test_an_unknown_attribute_survives() -> None:
    data = package_xml("<title>t</title>", 'id="a-ev" new="1"')
    assert MediaPackage.parse(data).to_xml() == PROLOG.encode() + data


def test_a_package_without_children_stays_without() -> None:
    data = f'{PROLOG}<mediapackage xmlns="{NAMESPACE}" id="a-ev" start="2020-01-01T00:00:00Z"/>'.encode()
    assert MediaPackage.parse(data).to_xml() == data


@pytest.mark.parametrize("data", [b"", b"nope", b"<nope", b"<!DOCTYPE x><x/>", b"<html>Login</HTML>"])
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidXml, match="snapshot of a-ev"):
        MediaPackage.parse(data, what="snapshot of a-ev")


@pytest.mark.parametrize("data", [b"<html/>", b"<mediapackage/>", f'<x xmlns="{NAMESPACE}" id="a"/>'.encode()])
def test_another_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidMediaPackage, match="Expected a mediapackage"):
        MediaPackage.parse(data)


@pytest.mark.parametrize("attributes", ["", 'id=""', 'id=".."', 'id="../../x"', 'id="a b"', f'id="{"x" * 129}"'])
def test_an_id_that_opencast_would_refuse_is_refused(attributes: str) -> None:
    with pytest.raises(InvalidIdentifier):
        MediaPackage.parse(package_xml(attributes=attributes))


@pytest.mark.parametrize(
    "content",
    [
        '<media><track id="../../x"/></media>',
        '<metadata><catalog id="a/b"/></metadata>',
        '<publications><publication id="p" channel="c"><media><track id=".."/></media></publication></publications>',
        "<series>../x</series>",
    ],
)
def test_one_id_that_leaves_its_folder_makes_the_whole_package_invalid(content: str) -> None:
    with pytest.raises(InvalidIdentifier):
        MediaPackage.parse(package_xml(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<title>a<b/></title>", "mediapackage a-ev: title holds elements"),
        ("<media><catalog/></media>", "media holds another element than track"),
        ("<publications><track/></publications>", "publications holds another element than publication"),
        ("<title>a</title><title>b</title>", "title occurs twice"),
        ("<media/><title>a</title><media/>", "media occurs twice"),
        ("<publications/><publications/>", "publications occurs twice"),
        ("<creators/><creators/>", "creators occurs twice"),
        ("<creators><person/></creators>", "creators holds another element than creator"),
    ],
)
def test_a_broken_part_is_named(content: str, message: str) -> None:
    with pytest.raises(InvalidMediaPackage, match=message):
        MediaPackage.parse(package_xml(content))


def test_a_duration_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidMediaPackage, match="duration is 'long'"):
        MediaPackage.parse(package_xml(attributes='id="a-ev" duration="long"'))


def test_a_text_that_xml_cannot_hold_is_never_written() -> None:
    with pytest.raises(InvalidXml, match=r"The mediapackage a-ev holds the character U\+000B"):
        MediaPackage("a-ev", title="from a slide\x0bshow").to_xml()


@given(title=TEXT, creators=st.lists(TEXT), mimetype=TEXT, tag=TEXT)
def test_any_text_survives_writing_and_reading(title: str, creators: list[str], mimetype: str, tag: str) -> None:
    package = MediaPackage(
        "a-ev",
        title=title,
        creators=tuple(creators),
        elements=(Element(ElementKind.CATALOG, "c", mimetype=mimetype, tags=(tag,)),),
        publications=(Publication("p", "c", mimetype=mimetype, url=title),),
    )
    written = package.to_xml()
    assert MediaPackage.parse(written) == package
    assert MediaPackage.parse(written).to_xml() == written


def test_packages_with_equal_content_are_equal_and_can_be_keys() -> None:
    data = recorded.body("events/ev-fast/assets")
    assert {MediaPackage.parse(data), MediaPackage.parse(data)} == {MediaPackage.parse(data)}
