"""Access control lists in all their forms."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencast.errors import InvalidAcl, InvalidXml
from opencast.model.acl import Ace, Acl

from tests.model import recorded

DENY = Acl((Ace("ROLE_ADMIN", "read"), Ace("ROLE_ADMIN", "write"), Ace("ROLE_GUEST", "read", allow=False)))
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1
)
ACLS = st.builds(
    Acl, st.lists(st.builds(Ace, NAMES.filter(str.strip), NAMES.filter(str.strip), st.booleans())).map(tuple)
)


def test_the_recorded_xml_of_a_series_is_read_with_its_deny() -> None:
    assert Acl.from_xml(recorded.body("series/series-deny_acl_xml")) == DENY


@pytest.mark.parametrize(("generation", "name"), recorded.names("series/*_acl_xml"))
def test_every_recorded_xml_is_written_back_byte_for_byte(generation: int, name: str) -> None:
    if recorded.exchange(name, generation)["response"]["status"] == 200:
        data = recorded.body(name, generation)
        assert Acl.from_xml(data).to_xml() == data


@pytest.mark.parametrize("series", ["algorithms", "uml", "empty", "deny"])
@pytest.mark.parametrize("generation", [17, 15])
def test_xml_and_both_kinds_of_json_of_a_recorded_series_say_the_same(series: str, generation: int) -> None:
    by_xml = Acl.from_xml(recorded.body(f"series/series-{series}_acl_xml", generation))
    assert Acl.from_json(recorded.body(f"series/series-{series}_acl_json", generation)) == by_xml
    assert Acl.from_json(recorded.body(f"series/series-{series}_api_acl", generation)) == by_xml
    assert len(by_xml.entries) >= 2


@pytest.mark.parametrize(
    "form",
    [
        [],
        "[]",
        b"[]",
        {"acl": ""},
        {"acl": {}},
        {"acl": {"ace": []}},
        {"acl": {"ace": ""}},
        {"ace": []},
        {},
    ],
)
def test_an_empty_list_has_many_forms_in_json(form: object) -> None:
    assert Acl.from_json(form) == Acl()


@pytest.mark.parametrize(
    "form",
    [
        {"acl": {"ace": {"role": "R", "action": "read", "allow": True}}},
        {"acl": {"ace": [{"role": "R", "action": "read", "allow": "true"}]}},
        {"ace": {"role": "R", "action": "read"}},
        [{"role": "R", "action": "read", "allow": True}],
    ],
)
def test_a_single_entry_may_stand_without_a_list(form: object) -> None:
    assert Acl.from_json(form) == Acl((Ace("R", "read"),))


@pytest.mark.parametrize(
    "form",
    [
        None,
        5,
        "text",
        b"{",
        b"[" * 100_000,
        {"other": 1},
        {"acl": 5},
        ["text"],
        [{}],
        [{"role": "R"}],
        [{"role": "", "action": "read"}],
        [{"role": 2024, "action": "read"}],
        [{"role": "R", "action": "read", "allow": "perhaps"}],
        [{"role": "R", "action": "read", "allow": None}],
    ],
)
def test_any_other_json_is_refused(form: object) -> None:
    with pytest.raises(InvalidAcl, match="policy of a-ev"):
        Acl.from_json(form, what="policy of a-ev")


def test_xml_without_allow_forbids_as_opencasts_reader_has_it() -> None:
    data = b'<acl xmlns="http://org.opencastproject.security"><ace><role>R</role><action>read</action></ace></acl>'
    assert Acl.from_xml(data) == Acl((Ace("R", "read", allow=False),))


def test_an_empty_list_is_written_and_read() -> None:
    assert Acl.from_xml(Acl().to_xml()) == Acl()


@pytest.mark.parametrize(
    "data",
    [
        b"<acl/>",
        b'<ace xmlns="http://org.opencastproject.security"/>',
        b'<acl xmlns="http://org.opencastproject.security"><ace><role>R</role></ace></acl>',
        b'<acl xmlns="http://org.opencastproject.security"><ace><role> </role><action>read</action></ace></acl>',
    ],
)
def test_another_xml_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidAcl):
        Acl.from_xml(data)


def test_a_role_that_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(InvalidXml):
        Acl((Ace("ROLE\x00", "read"),)).to_xml()


@given(ACLS)
def test_every_form_gives_the_same_list_again(acl: Acl) -> None:
    assert Acl.from_xml(acl.to_xml()) == acl
    assert Acl.from_json(json.dumps(acl.to_json())) == acl
    assert Acl.from_xacml(acl.to_xacml("a-ev")) == acl


def test_lists_are_compared_as_sets() -> None:
    entries = DENY.entries
    assert DENY.same_as(Acl(entries[::-1] + entries[:1]))
    assert not DENY.same_as(Acl(entries[:2]))
    assert not DENY.same_as(Acl((*entries[:2], Ace("ROLE_GUEST", "read"))))
    assert DENY.differences(Acl(entries[::-1] + entries[:1])) == []


def test_each_difference_names_role_and_action() -> None:
    other = Acl((Ace("ROLE_ADMIN", "read"), Ace("ROLE_GUEST", "read"), Ace("ROLE_ANONYMOUS", "read")))
    assert [str(difference) for difference in DENY.differences(other)] == [
        "ACL ROLE_ADMIN write: expected allow, found nothing",
        "ACL ROLE_ANONYMOUS read: expected nothing, found allow",
        "ACL ROLE_GUEST read: expected deny, found allow",
    ]


def test_a_right_that_is_both_allowed_and_denied_differs_from_either() -> None:
    both = Acl((Ace("R", "read"), Ace("R", "read", allow=False)))
    (difference,) = both.differences(Acl((Ace("R", "read"),)))
    assert str(difference) == "ACL R read: expected allow and deny, found allow"


@given(ACLS, ACLS)
def test_lists_are_the_same_exactly_when_nothing_differs(one: Acl, other: Acl) -> None:
    assert one.same_as(other) == (one.differences(other) == [])


def test_entries_have_an_order_and_read_as_a_sentence() -> None:
    assert sorted(DENY.entries[::-1]) == list(DENY.entries)
    assert [str(ace) for ace in DENY.entries[1:]] == ["ROLE_ADMIN may write", "ROLE_GUEST must not read"]


def test_roles_with_a_right_do_not_include_the_denied_ones() -> None:
    assert DENY.roles("read") == {"ROLE_ADMIN"}
