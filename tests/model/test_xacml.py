"""Policies are written as Opencast writes them, and read as strictly as it reads them."""

from __future__ import annotations

import pytest
from opencast.errors import InvalidAcl, InvalidXml
from opencast.model.acl import Ace, Acl
from opencast.model.xacml import NAMESPACE

from tests.model import recorded

POLICIES = recorded.names("events/*/files/*xacml*")


def test_policies_were_recorded_on_both_generations() -> None:
    assert {generation for generation, _ in POLICIES} == {15, 17}


def test_every_recorded_policy_that_opencast_wrote_is_written_byte_for_byte() -> None:
    """The others were uploaded by a client: they lack the last rule that Opencast always writes."""
    found = 0
    for generation, name in POLICIES:
        data = recorded.body(name, generation)
        identifier = f"{'a' if generation == 17 else 'c'}-{name.split('/')[1]}"
        if b'"DenyRule"' in data:
            assert Acl.from_xacml(data).to_xacml(identifier) == data, name
            found += 1
        assert Acl.from_xacml(Acl.from_xacml(data).to_xacml(identifier)) == Acl.from_xacml(data), name
    assert found > 20


def test_the_recorded_policy_of_an_event_says_what_the_api_says() -> None:
    for generation, name in POLICIES:
        event = name.split("/")[1]
        by_api = Acl.from_json(recorded.body(f"events/{event}/acl", generation))
        assert Acl.from_xacml(recorded.body(name, generation)).same_as(by_api), name


def test_a_deny_is_written_as_a_rule_with_the_effect_deny() -> None:
    acl = Acl((Ace("ROLE_ADMIN", "read"), Ace("ROLE_GUEST", "read", allow=False)))
    text = acl.to_xacml("a-ev").decode()
    assert '<Rule RuleId="ROLE_ADMIN_read_Permit" Effect="Permit">' in text
    assert '<Rule RuleId="ROLE_GUEST_read_Deny" Effect="Deny"><Target>' in text
    assert text.endswith('<Rule RuleId="DenyRule" Effect="Deny"/></Policy>')
    assert Acl.from_xacml(text.encode()) == acl


def test_a_role_with_the_name_of_the_last_rule_is_kept() -> None:
    acl = Acl((Ace("DenyRule", "read"),))
    assert Acl.from_xacml(acl.to_xacml("a-ev")) == acl


def test_a_policy_without_entries_admits_nobody() -> None:
    assert Acl.from_xacml(Acl().to_xacml("a-ev")) == Acl()


def test_prefixes_do_not_matter() -> None:
    data = Acl((Ace("R", "read"),)).to_xacml("a-ev").decode()
    prefixed = data.replace("<", "<p:").replace("<p:/", "</p:").replace("<p:?", "<?").replace("xmlns=", "xmlns:p=")
    assert Acl.from_xacml(prefixed.encode()) == Acl((Ace("R", "read"),))


@pytest.mark.parametrize(
    "rule",
    [
        '<Rule RuleId="x" Effect="Permit"/>',
        '<Rule RuleId="x" Effect="Permit"><Target/></Rule>',
        '<Rule RuleId="x" Effect="Permit"><Target><Actions><Action><ActionMatch><AttributeValue>read</AttributeValue>'
        "</ActionMatch></Action></Actions></Target></Rule>",
        '<VariableDefinition VariableId="v"/>',
    ],
)
def test_a_rule_that_opencast_cannot_read_is_refused_and_not_skipped(rule: str) -> None:
    with pytest.raises(InvalidAcl, match="policy of a-ev"):
        Acl.from_xacml(f'<Policy xmlns="{NAMESPACE}"><Target/>{rule}</Policy>'.encode(), what="policy of a-ev")


def test_an_unknown_effect_is_refused() -> None:
    data = Acl((Ace("R", "read"),)).to_xacml("a-ev").replace(b'Effect="Permit"', b'Effect="Maybe"')
    with pytest.raises(InvalidAcl, match="R_read_Permit"):
        Acl.from_xacml(data)


@pytest.mark.parametrize("data", [b"<Policy/>", b"<html/>", b'<acl xmlns="http://org.opencastproject.security"/>'])
def test_another_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidAcl, match="expected an XACML policy"):
        Acl.from_xacml(data)


def test_a_policy_with_a_document_type_is_refused() -> None:
    with pytest.raises(InvalidXml):
        Acl.from_xacml(b"<!DOCTYPE Policy>" + Acl().to_xacml("a").partition(b"?>")[2])
