"""The XACML policies in which mediapackages carry their access control list.

Opencast reads back only policies of the form that it writes itself, with the elements of XACML 2.0 and the function
names of XACML 1.0: one rule for each role and action, and a last rule that denies everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from opencast.errors import InvalidAcl
from opencast.model.identifiers import shown
from opencast.model.xml import document, escape_attribute, escape_text, parse_xml

#: XML namespace of policies.
NAMESPACE = "urn:oasis:names:tc:xacml:2.0:policy:schema:os"
#: Id of the rule that denies everything that no other rule permits.
DENY_RULE = "DenyRule"

_PREFIX = f"{{{NAMESPACE}}}"
_URN = "urn:oasis:names:tc:xacml"
_STRING = 'DataType="http://www.w3.org/2001/XMLSchema#string"'
_EQUAL = f'MatchId="{_URN}:1.0:function:string-equal"'
# What a policy may hold besides rules; Opencast never writes more than the target.
_NO_RULES = frozenset(f"{_PREFIX}{name}" for name in ("Description", "PolicyDefaults", "Target", "Obligations"))
_ACTION = "/".join(f"{_PREFIX}{n}" for n in ("Target", "Actions", "Action", "ActionMatch", "AttributeValue"))
_ROLE = "/".join(f"{_PREFIX}{name}" for name in ("Condition", "Apply", "AttributeValue"))
_EFFECTS = {"Permit": True, "Deny": False}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy says about one role and one action.

    :param permit: False denies.
    """

    role: str
    action: str
    permit: bool


def read_policy(data: bytes, *, what: str) -> list[Rule]:
    """Return the rules of a policy, without the last one that denies everything else.

    :param what: whose policy this is, for error messages.
    :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
    :raises InvalidAcl: another document, or a rule of a form that Opencast refuses.
    """
    root = parse_xml(data, what=what)
    if root.tag != f"{_PREFIX}Policy":
        raise InvalidAcl(f"{what}: expected an XACML policy and got {shown(str(root.tag))}.")
    rules = []
    for node in root:
        if node.tag in _NO_RULES:
            continue
        if node.tag != f"{_PREFIX}Rule":
            raise InvalidAcl(f"{what}: a policy with {shown(str(node.tag))} is none that Opencast can read.")
        if node.find(f"{_PREFIX}Target") is not None:
            rules.append(_rule(node, what))
        elif node.get("RuleId") != DENY_RULE:
            raise InvalidAcl(f"{what}: the rule {shown(node.get('RuleId', ''))} has no target.")
    return rules


def write_policy(policy_id: str, rules: Iterable[Rule]) -> bytes:
    """Return a policy byte for byte as Opencast writes it.

    :param policy_id: id of the mediapackage that the policy belongs to.
    :raises InvalidXml: a text holds a character that XML cannot hold.
    """
    resource = (
        f"<Target><Resources><Resource><ResourceMatch {_EQUAL}>{_value(policy_id)}"
        f'<ResourceAttributeDesignator AttributeId="{_URN}:1.0:resource:resource-id" {_STRING}/>'
        f"</ResourceMatch></Resource></Resources></Target>"
    )
    body = "".join(_render(rule) for rule in rules)
    start = (
        f'<Policy PolicyId="{escape_attribute(policy_id)}" Version="2.0" '
        f'RuleCombiningAlgId="{_URN}:1.0:rule-combining-algorithm:permit-overrides" xmlns="{NAMESPACE}">'
    )
    last = f'<Rule RuleId="{DENY_RULE}" Effect="Deny"/>'
    return document(f"{start}{resource}{body}{last}</Policy>", what=f"The policy of {policy_id}")


def _rule(node: etree._Element, what: str) -> Rule:
    action, role = node.findtext(_ACTION), node.findtext(_ROLE)
    effect = _EFFECTS.get(node.get("Effect", ""))
    if not action or not role or effect is None:
        raise InvalidAcl(f"{what}: the rule {shown(node.get('RuleId', ''))} names no role, no action or no effect.")
    return Rule(role, action, effect)


def _render(rule: Rule) -> str:
    effect = "Permit" if rule.permit else "Deny"
    return (
        f'<Rule RuleId="{escape_attribute(f"{rule.role}_{rule.action}_{effect}")}" Effect="{effect}">'
        f"<Target><Actions><Action><ActionMatch {_EQUAL}>{_value(rule.action)}"
        f'<ActionAttributeDesignator AttributeId="{_URN}:1.0:action:action-id" {_STRING}/>'
        f"</ActionMatch></Action></Actions></Target>"
        f'<Condition><Apply FunctionId="{_URN}:1.0:function:string-is-in">{_value(rule.role)}'
        f'<SubjectAttributeDesignator AttributeId="{_URN}:2.0:subject:role" {_STRING}/></Apply></Condition></Rule>'
    )


def _value(text: str) -> str:
    return f"<AttributeValue {_STRING}>{escape_text(text)}</AttributeValue>"
