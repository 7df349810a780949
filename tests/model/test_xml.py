"""XML from a server is hostile until parsed; what is written has the characters that Opencast writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from opencast.errors import InvalidXml
from opencast.model.xml import PROLOG, check_characters, document, escape_attribute, escape_text, parse_xml, text_node

_LAUGHS = b"""<!DOCTYPE a [<!ENTITY x0 "ha">%s]><a>&x20;</a>""" % b"".join(
    b'<!ENTITY x%d "&x%d;&x%d;&x%d;&x%d;">' % (n, n - 1, n - 1, n - 1, n - 1) for n in range(1, 21)
)
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]))


def allowed(text: str) -> bool:
    return all(c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") for c in text)


def test_a_document_is_parsed() -> None:
    assert parse_xml("<a>ü</a>".encode(), what="a test").text == "ü"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"<a>",
        b"<a/><b/>",
        b"text",
        b"<a>&unknown;</a>",
        b"<a>\xff</a>",
        b"<html><body><p>Login</body></html>",
        b"<x:a/>",
        b'<?xml version="1.0" encoding="no-such-encoding"?><a/>',
    ],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidXml, match="the mediapackage of a-ev-1"):
        parse_xml(data, what="the mediapackage of a-ev-1")


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e "text">]><a/>',
        b'<!DOCTYPE a [<!ENTITY e "text">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;]><a/>',
        b'<!DOCTYPE a [<!ATTLIST a b CDATA "default">]><a/>',
        _LAUGHS,
    ],
)
def test_a_document_type_is_refused_whatever_it_declares(data: bytes) -> None:
    with pytest.raises(InvalidXml):
        parse_xml(data, what="a test")


def test_no_file_is_read_for_an_external_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    data = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a>&e;</a>'.encode()
    with pytest.raises(InvalidXml) as caught:
        parse_xml(data, what="a test")
    assert "do not tell" not in str(caught.value)


def test_an_xinclude_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("do not tell")
    uri = (tmp_path / "secret").as_uri()
    data = f'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{uri}" parse="text"/></a>'.encode()
    assert b"do not tell" not in etree.tostring(parse_xml(data, what="a test"))


def test_a_document_above_the_bound_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidXml, match="more than the 10 that are accepted"):
        parse_xml(b"<not even closed", what="a test", max_bytes=10)
    assert parse_xml(b"<abcdefg/>", what="a test", max_bytes=10).tag == "abcdefg"


def test_an_element_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidXml):
        parse_xml(b"<a>" * 5000 + b"</a>" * 5000, what="a test")


@pytest.mark.parametrize(
    "data", [b"<a>\x0b</a>", b"<a>&#11;</a>", b"<a>\x00</a>", b"<a b='\x1f'/>", b"<a>&#xFFFE;</a>"]
)
def test_a_control_character_is_refused_and_the_message_has_none(data: bytes) -> None:
    with pytest.raises(InvalidXml) as caught:
        parse_xml(data, what="a test")
    assert str(caught.value).isprintable()


def test_comments_and_instructions_do_not_split_a_text_and_cdata_is_text() -> None:
    root = parse_xml(b"<a>one<!-- x --> two<?pi y?> three <![CDATA[<four>]]></a>", what="a test")
    assert root.text == "one two three <four>"


def test_a_declared_encoding_is_used() -> None:
    data = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'.encode("iso-8859-1")
    assert parse_xml(data, what="a test").text == "ü"


def test_text_is_escaped_as_opencast_escapes_it() -> None:
    assert escape_text("a & b < c > d \" e ' f \t g \n h \r i") == (
        "a &amp; b &lt; c &gt; d \" e ' f \t g \n h &#13; i"
    )


def test_an_attribute_is_escaped_so_that_line_breaks_survive_normalisation() -> None:
    assert escape_attribute("a & b < c > d \" e ' f \t g \n h \r i") == (
        "a &amp; b &lt; c &gt; d &quot; e ' f &#9; g &#10; h &#13; i"
    )


def test_empty_text_gives_an_empty_element_tag() -> None:
    assert text_node("a", "") == "<a/>"
    assert text_node("a", "<") == "<a>&lt;</a>"


def test_a_document_starts_with_opencasts_prolog_and_no_line_break() -> None:
    assert document("<a>ü</a>", what="a test") == (PROLOG + "<a>ü</a>").encode()


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_never_written(text: str) -> None:
    with pytest.raises(InvalidXml, match=f"The title holds the character U\\+{ord(text):04X}"):
        check_characters(f"before {text} after", what="The title")


@given(ANY_TEXT.filter(allowed))
def test_any_text_survives_writing_and_reading(text: str) -> None:
    data = document(f'<a b="{escape_attribute(text)}">{escape_text(text)}</a>', what="a test")
    root = parse_xml(data, what="a test")
    assert (root.text or "") == text
    assert root.get("b") == text


@given(ANY_TEXT)
def test_a_text_is_refused_exactly_when_no_parser_would_read_it(text: str) -> None:
    try:
        check_characters(text, what="a test")
        accepted = True
    except InvalidXml:
        accepted = False
    assert accepted == allowed(text)
