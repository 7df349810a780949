"""Series with all that belongs to them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from opencast.errors import InvalidAnswer, InvalidIdentifier
from opencast.model.acl import Ace, Acl
from opencast.model.dublincore import DcValue, DublinCore, clark
from opencast.model.series import Series, SeriesElement, as_stored, parse_element_types, parse_properties

from tests.model import recorded

SERIES = Series(
    identifier="a-series-algorithms",
    dublincore=DublinCore.parse(recorded.body("series/series-algorithms_xml")),
    acl=Acl.from_xml(recorded.body("series/series-algorithms_acl_xml")),
    properties=parse_properties(json.loads(recorded.body("series/series-algorithms_properties_json"))),
    elements=(SeriesElement("binary", recorded.body("series/series-algorithms_element_binary")),),
)


def titled(title: str) -> DublinCore:
    return DublinCore((DcValue(clark("title"), title),))


def test_recorded_properties_are_a_list_of_objects_with_one_key() -> None:
    assert SERIES.properties == (("live", "false"), ("theme", "1302"))
    assert SERIES.property("theme") == "1302"
    assert SERIES.property("unknown") is None


@pytest.mark.parametrize(("answer", "pairs"), [([], ()), ({}, ()), ({"b": "2", "a": "1"}, (("a", "1"), ("b", "2")))])
def test_properties_may_be_empty_or_one_object(answer: object, pairs: object) -> None:
    assert parse_properties(answer) == pairs


@pytest.mark.parametrize("answer", [None, "text", ["text"], [{"a": 1}], {"a": None}])
def test_other_forms_of_properties_are_refused(answer: object) -> None:
    with pytest.raises(InvalidAnswer):
        parse_properties(answer)


def test_recorded_element_types_are_read_sorted() -> None:
    answer = json.loads(recorded.body("series/series-algorithms_elements_json"))
    assert parse_element_types(answer) == ("binary", "ext")
    assert parse_element_types([]) == ()


@pytest.mark.parametrize("answer", [None, {}, [1], "ext"])
def test_other_forms_of_element_types_are_refused(answer: object) -> None:
    with pytest.raises(InvalidAnswer):
        parse_element_types(answer)


def test_a_type_that_leaves_its_folder_is_refused() -> None:
    with pytest.raises(InvalidIdentifier):
        parse_element_types(["../x"])


def test_a_series_has_the_title_of_its_catalog() -> None:
    assert SERIES.title == "Algorithms & Data Structures <2021>"
    assert replace(SERIES, dublincore=DublinCore()).title == ""


def test_a_series_does_not_differ_from_itself() -> None:
    assert SERIES.differences(SERIES) == []


def test_differences_of_all_parts_are_named() -> None:
    other = replace(
        SERIES,
        dublincore=replace(SERIES.dublincore, values=SERIES.dublincore.values[:-1]),
        acl=Acl(SERIES.acl.entries[:-1]) if SERIES.acl else None,
        properties=(("live", "true"),),
        elements=(SeriesElement("ext", b""),),
    )
    assert [str(difference) for difference in SERIES.differences(other)] == [
        "title: expected 'Algorithms & Data Structures <2021>', found nothing",
        "ACL ROLE_STUDENT annotate: expected allow, found nothing",
        "element binary: expected 256 bytes with MD5 e2c865db4162bed963bfaa9ef6ac18f0, found nothing",
        "element ext: expected nothing, found 0 bytes with MD5 d41d8cd98f00b204e9800998ecf8427e",
        "property live: expected 'false', found 'true'",
        "property theme: expected '1302', found nothing",
    ]


def test_properties_can_be_left_out_of_a_comparison() -> None:
    other = replace(SERIES, properties=(("live", "false"), ("theme", "7")))
    assert SERIES.differences(other, ignore_properties=frozenset({"theme"})) == []


def test_no_list_and_an_empty_list_give_the_same_rights() -> None:
    assert replace(SERIES, acl=None).differences(replace(SERIES, acl=Acl())) == []
    assert replace(SERIES, acl=None).differences(replace(SERIES, acl=Acl((Ace("R", "read"),)))) != []


def test_a_server_adds_the_date_of_creation_when_there_was_none() -> None:
    without = replace(SERIES, dublincore=titled("t"))
    with_date = replace(SERIES, dublincore=DublinCore((*titled("t").values, DcValue(clark("created"), "2026"))))
    assert without.differences(with_date) == []
    assert with_date.differences(without) != []


def test_a_server_cuts_a_title_to_255_utf_16_units() -> None:
    assert as_stored(titled("x" * 256)) == titled("x" * 255)
    assert as_stored(titled("x" * 255)) == titled("x" * 255)
    assert as_stored(titled("ü" * 300)) == titled("ü" * 255)
    assert as_stored(titled("𝄞" * 128)) == titled("𝄞" * 127)
    assert as_stored(DublinCore()) == DublinCore()


def test_a_cut_title_is_no_difference_but_a_shorter_one_is() -> None:
    long = replace(SERIES, dublincore=titled("x" * 300))
    assert long.differences(replace(SERIES, dublincore=titled("x" * 255))) == []
    assert long.differences(replace(SERIES, dublincore=titled("x" * 254))) != []
