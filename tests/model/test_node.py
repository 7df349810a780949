"""What is not understood is copied and written back."""

from __future__ import annotations

import pytest
from lxml import etree
from opencast.model.node import XmlNode, render_attributes, render_tag
from opencast.model.xml import parse_xml


def copy(xml: str) -> XmlNode:
    return XmlNode.copy_of(parse_xml(xml.encode(), what="a test"))


@pytest.mark.parametrize(
    "xml",
    [
        "<a/>",
        '<a b="1" c="&lt;&quot;&#10;">text &amp; more</a>',
        "<a>mixed <b>bold</b> text<c/> end</a>",
        '<a xmlns="urn:a"><b xmlns="urn:b"><c xmlns="">x</c></b><d/></a>',
        '<a xml:lang="de"><b/></a>',
    ],
)
def test_a_copy_is_written_as_it_was(xml: str) -> None:
    assert copy(xml).render("") == xml


def test_white_space_between_elements_is_not_kept_but_all_other_text_is() -> None:
    assert copy("<a>\n  <b> x </b>\n  <c> </c>\n</a>").render("") == "<a><b> x </b><c> </c></a>"


def test_prefixes_are_replaced_without_changing_a_name() -> None:
    xml = '<p:a xmlns:p="urn:p" xmlns:q="urn:q" q:x="1" y="2"><q:b p:z="3"/></p:a>'
    written = copy(xml).render("urn:p")
    node = etree.fromstring(f'<r xmlns="urn:p">{written}</r>')[0]
    assert XmlNode.copy_of(node) == copy(xml)


def test_leaves_name_every_text_and_attribute_by_its_path() -> None:
    node = copy('<video><device/><encoder type="H.264"/><scantype order="x">y</scantype></video>')
    assert dict(node.leaves()) == {
        "video/encoder/@type": "H.264",
        "video/scantype/@order": "x",
        "video/scantype": "y",
    }


def test_children_are_found_by_local_name() -> None:
    node = copy('<a><b xmlns="urn:b">1</b><b>2</b></a>')
    found = node.child("b")
    assert found is not None
    assert found.text == "1"
    assert node.child("c") is None


def test_an_empty_tag_is_written_for_no_content() -> None:
    assert render_tag("a", (("b", '"'),), "") == '<a b="&quot;"/>'
    assert render_tag("a", (), "x") == "<a>x</a>"
    assert render_attributes((("{urn:x}a", "1"), ("b", "2"))) == ' xmlns:a0="urn:x" a0:a="1" b="2"'
