"""Each namespace of a document gets one prefix."""

from __future__ import annotations

import pytest
from opencast.model.qname import Prefixes, split_name


@pytest.mark.parametrize(
    ("name", "parts"), [("{urn:a}b", ("urn:a", "b")), ("b", ("", "b")), ("{}b", ("", "b")), ("", ("", ""))]
)
def test_names_are_split(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_the_documents_own_prefix_comes_first_then_the_usual_one_then_a_number() -> None:
    prefixes = Prefixes("", {"urn:own": "own"})
    assert prefixes.element("{urn:own}a") == "own:a"
    assert prefixes.element("{http://purl.org/dc/terms/}title") == "dcterms:title"
    assert prefixes.element("{urn:x}a") == "ns1:a"
    assert prefixes.attribute("{urn:y}a") == "ns2:a"
    assert prefixes.declarations() == (
        ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:ns1="urn:x" xmlns:ns2="urn:y" xmlns:own="urn:own"'
    )


def test_a_taken_prefix_is_not_used_again() -> None:
    prefixes = Prefixes("", {"urn:1": "dcterms", "urn:2": "ns1", "urn:3": "ns1"})
    assert prefixes.element("{urn:1}a") == "dcterms:a"
    assert prefixes.element("{http://purl.org/dc/terms/}a") == "ns1:a"
    assert prefixes.element("{urn:2}a") == "ns2:a"
    assert prefixes.element("{urn:3}a") == "ns3:a"


def test_names_of_the_default_namespace_have_no_prefix_but_attributes_have_one() -> None:
    prefixes = Prefixes("urn:d", {})
    assert prefixes.element("{urn:d}a") == "a"
    assert prefixes.value("{urn:d}a") == "a"
    assert prefixes.attribute("{urn:d}a") == "ns1:a"
    assert prefixes.declarations() == ' xmlns="urn:d" xmlns:ns1="urn:d"'


def test_a_name_without_namespace_leaves_the_default_one() -> None:
    assert Prefixes("urn:d", {}).element("a") == 'a xmlns=""'
    assert Prefixes("", {}).element("a") == "a"


def test_the_prefix_xml_is_never_declared() -> None:
    prefixes = Prefixes("", {})
    assert prefixes.attribute("{http://www.w3.org/XML/1998/namespace}lang") == "xml:lang"
    assert prefixes.declarations() == ""
