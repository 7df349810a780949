"""Dublin Core catalogs are flat lists of values."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from opencast.errors import InvalidDublinCore, InvalidXml
from opencast.model.dublincore import DCTERMS, DcValue, DublinCore, clark

from tests.model import recorded

HEAD = (
    '<dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
CATALOGS = [*recorded.names("events/*/files/*dublincore*"), *recorded.names("series/series-*_xml")]
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&")
)
VALUES = st.builds(
    DcValue,
    name=st.sampled_from([clark("title"), clark("creator"), "{urn:own}room", "{http://purl.org/dc/elements/1.1/}date"]),
    value=TEXT.map(lambda text: text.strip(" \t\n\r")).filter(bool),
    lang=st.none() | st.sampled_from(["de", "en-GB"]),
    type=st.none() | st.sampled_from([clark("W3CDTF"), "{urn:own}kind", "{urn:other}kind", "unbound:kind"]),
    attributes=st.sampled_from([(), (("{urn:own}by", "us"),), (("plain", "a\nb"),)]),
)


def catalog(content: str, head: str = "") -> DublinCore:
    return DublinCore.parse(f"{HEAD} {head}>{content}</dublincore>".encode())


def is_catalog(generation: int, name: str) -> bool:
    response = recorded.exchange(name, generation)["response"]
    return response["status"] == 200 and "<dublincore" in response.get("text", "")


def test_a_recorded_series_is_read_with_all_fields() -> None:
    series = DublinCore.parse(recorded.body("series/series-algorithms_xml"))
    assert [value.term for value in series.values] == [
        "contributor",
        "created",
        "creator",
        "creator",
        "description",
        "identifier",
        "language",
        "license",
        "rightsHolder",
        "subject",
        "title",
    ]
    assert series.text("title") == "Algorithms & Data Structures <2021>"
    assert series.text("description") == "Two lines\nof text & <markup>"
    assert series.first("created") == DcValue(clark("created"), "2021-03-04T05:06:07Z", type=clark("W3CDTF"))
    assert [value.value for value in series.all("creator")] == ["Ada Lovelace", "Alan Turing"]


def test_xml_and_json_of_a_recorded_series_hold_the_same_values() -> None:
    for name in ("algorithms", "uml", "empty", "deny"):
        by_xml = DublinCore.parse(recorded.body(f"series/series-{name}_xml"))
        by_json = json.loads(recorded.body(f"series/series-{name}_json"))[DCTERMS]
        assert sorted((v.term, v.value) for v in by_xml.values) == sorted(
            (term, value["value"]) for term, values in by_json.items() for value in values
        )


def test_every_recorded_catalog_that_opencast_wrote_is_written_back_byte_for_byte() -> None:
    """The others were uploaded by a client, which put all on one line."""
    found = set()
    for generation, name in CATALOGS:
        if is_catalog(generation, name):
            data = recorded.body(name, generation)
            read = DublinCore.parse(data)
            assert DublinCore.parse(read.to_xml()) == read
            if b"?><dublincore" in data:
                assert read.to_xml() == data, name
                found.add((generation, name))
    assert {generation for generation, _ in found} == {15, 17}
    assert len(found) > 30


def test_the_recorded_extended_catalogs_are_read_and_keep_their_values() -> None:
    event = DublinCore.parse(recorded.body("events/ev-two-streams/files/03_ext_xml"))
    series = DublinCore.parse(recorded.body("series/series-algorithms_element_ext"))
    assert event.text("abstract") == "extended metadata"
    assert series.text("abstract") == "ext é"
    assert DublinCore.parse(event.to_xml()) == event
    assert DublinCore.parse(series.to_xml()).canonical() == series.canonical()


def test_opencast_trims_values_and_drops_empty_ones() -> None:
    read = catalog("<dcterms:title> \n a b\n </dcterms:title><dcterms:subject> </dcterms:subject><dcterms:license/>")
    assert read.values == (DcValue(clark("title"), "a b"),)


def test_space_that_java_does_not_trim_belongs_to_the_value() -> None:
    assert catalog("<dcterms:title>\u00a0a\u2003</dcterms:title>").text("title") == "\u00a0a\u2003"


def test_language_type_and_other_attributes_are_read() -> None:
    read = catalog('<dcterms:title xml:lang="de" xsi:type="dcterms:X" a="1" xmlns:o="urn:o" o:b="2">t</dcterms:title>')
    assert read.values == (DcValue(clark("title"), "t", "de", clark("X"), (("a", "1"), ("{urn:o}b", "2"))),)


def test_a_type_is_resolved_by_the_prefixes_at_its_place() -> None:
    one = catalog('<dcterms:created xsi:type="dcterms:W3CDTF">2020</dcterms:created>')
    two = catalog('<dcterms:created xsi:type="p:W3CDTF" xmlns:p="http://purl.org/dc/terms/">2020</dcterms:created>')
    default = catalog('<dcterms:created xsi:type="W3CDTF">2020</dcterms:created>')
    assert one.canonical() == two.canonical()
    assert one.canonical() != default.canonical()


def test_a_type_with_an_undeclared_prefix_is_kept_as_it_is() -> None:
    read = catalog('<dcterms:created xsi:type="nope:X">2020</dcterms:created>')
    assert read.values[0].type == "nope:X"
    assert b'xsi:type="nope:X"' in read.to_xml()


def test_the_first_value_is_the_one_that_opencast_takes() -> None:
    titles = '<dcterms:title xml:lang="de">A</dcterms:title><dcterms:title xml:lang="en">B</dcterms:title>'
    first = catalog(f"{titles}<dcterms:title>C</dcterms:title>").first("title")
    localised = catalog(titles).first("title")
    assert (first and first.value, localised and localised.value) == ("C", "B")
    assert catalog("").first("title") is None
    assert catalog("").text("title") == ""


def test_terms_of_other_namespaces_are_asked_by_their_full_name() -> None:
    read = catalog("<o:room>1</o:room><dcterms:room>2</dcterms:room>", 'xmlns:o="urn:o"')
    assert [value.value for value in read.all("{urn:o}room")] == ["1"]
    assert read.text("room") == "2"


def test_prefixes_of_the_source_are_used_again_and_declared_at_the_root() -> None:
    read = catalog('<o:room xmlns:o="urn:o">1</o:room><dcterms:title>t</dcterms:title>')
    assert read.to_xml().decode().splitlines()[0] == (
        '<?xml version="1.0" encoding="UTF-8"?><dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/"'
        ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:o="urn:o">'
    )


def test_one_prefix_for_two_namespaces_is_not_used_twice() -> None:
    read = catalog('<o:a xmlns:o="urn:1">1</o:a><o:a xmlns:o="urn:2">2</o:a><x:a xmlns:x="urn:3" o="1">3</x:a>')
    assert DublinCore.parse(read.to_xml()) == read


def test_a_root_and_terms_without_namespace_are_written_so() -> None:
    data = b'<own><title>a</title><d:title xmlns:d="http://purl.org/dc/terms/">b</d:title></own>'
    read = DublinCore.parse(data)
    assert read.root == "own"
    assert DublinCore.parse(read.to_xml()) == read
    inside = DublinCore((DcValue("title", "a"),))
    assert DublinCore.parse(inside.to_xml()) == inside


def test_a_catalog_with_elements_in_values_is_refused() -> None:
    with pytest.raises(InvalidDublinCore, match="series s: the value"):
        DublinCore.parse(b"<html><body><p>Login</p></body></html>", what="series s")


@pytest.mark.parametrize("data", [b"", b"nope", b"<!DOCTYPE d><d/>"])
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidXml):
        DublinCore.parse(data)


def test_a_value_that_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(InvalidXml):
        DublinCore((DcValue(clark("title"), "a\x0b"),)).to_xml()


@given(st.lists(VALUES).map(tuple))
def test_any_values_survive_writing_and_reading(values: tuple[DcValue, ...]) -> None:
    written = DublinCore(values).to_xml()
    assert DublinCore.parse(written) == DublinCore(values)
    assert DublinCore.parse(written).to_xml() == written
    assert etree.fromstring(written).tag == "{http://www.opencastproject.org/xsd/1.0/dublincore/}dublincore"


@given(st.lists(VALUES), st.randoms())
def test_order_does_not_matter(values: list[DcValue], random: Random) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    one, two = DublinCore(tuple(values)), DublinCore(tuple(shuffled))
    assert one.canonical() == two.canonical()
    assert one.differences(two) == []


@given(st.lists(VALUES, min_size=1))
def test_a_missing_or_repeated_value_matters(values: list[DcValue]) -> None:
    one = DublinCore(tuple(values))
    assert one.differences(DublinCore(tuple(values[1:]))) != []
    assert one.differences(DublinCore((*values, values[0]))) != []


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_catalogs_differ_exactly_when_their_canonical_forms_do(one: list[DcValue], two: list[DcValue]) -> None:
    first, second = DublinCore(tuple(one)), DublinCore(tuple(two))
    assert (first.differences(second) == []) == (first.canonical() == second.canonical())


@pytest.mark.parametrize(
    "value",
    [
        DcValue(clark("title"), "Two  lines"),
        DcValue(clark("title"), "two lines"),
        DcValue(clark("title"), "Two\nlines"),
        DcValue(clark("title"), "Two\u00a0lines"),
        DcValue(clark("title"), "Two lines", lang="en"),
        DcValue(clark("title"), "Two lines", type=clark("X")),
        DcValue(clark("title"), "Two lines", attributes=(("a", "1"),)),
        DcValue("{urn:o}title", "Two lines"),
    ],
)
def test_a_difference_inside_of_a_value_is_a_difference(value: DcValue) -> None:
    expected = DublinCore((DcValue(clark("title"), "Two lines"),))
    differences = expected.differences(DublinCore((value,)))
    assert differences
    assert all(difference.expected != difference.actual for difference in differences)


def test_differences_are_named_by_term_value_and_attributes() -> None:
    expected = catalog(
        "<dcterms:title>Algorithms</dcterms:title><dcterms:creator>Ada</dcterms:creator>"
        '<dcterms:creator>Alan</dcterms:creator><dcterms:subject xml:lang="de">x</dcterms:subject>'
    )
    actual = catalog(
        "<dcterms:title>Algorithm</dcterms:title><dcterms:creator>Alan</dcterms:creator>"
        '<dcterms:subject xsi:type="dcterms:LCSH">x</dcterms:subject><o:room xmlns:o="urn:o">1</o:room>'
    )
    assert [str(difference) for difference in expected.differences(actual)] == [
        "creator: expected 'Ada', found nothing",
        "subject: expected 'x' (lang de), found 'x' (type LCSH)",
        "title: expected 'Algorithms', found 'Algorithm'",
        "{urn:o}room: expected nothing, found '1'",
    ]


def test_terms_can_be_left_out_of_a_comparison() -> None:
    series = DublinCore.parse(recorded.body("series/series-algorithms_xml"))
    other = replace(series, values=tuple(value for value in series.values if value.term not in {"created", "title"}))
    assert series.differences(other, {"created", clark("title")}) == []
    assert len(series.differences(other, ["created"])) == 1
