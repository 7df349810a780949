"""Access lists: XML, JSON, and the XACML policy that lies in a package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lxml import etree

from tests.simulator import xmlio
from tests.simulator.xmlio import local

SECURITY = "http://org.opencastproject.security"
_XS = "http://www.w3.org/2001/XMLSchema#string"
_ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
_ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id"
_EQUAL = "urn:oasis:names:tc:xacml:1.0:function:string-equal"
_IS_IN = "urn:oasis:names:tc:xacml:1.0:function:string-is-in"
_PERMIT_OVERRIDES = "urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:permit-overrides"


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule: may a role do an action."""

    role: str
    action: str
    allow: bool = True


Acl = tuple[Entry, ...]


def same(one: Acl, other: Acl) -> bool:
    """Compare as sets, which is how the server decides whether to write."""
    return set(one) == set(other)


def allows(acl: Acl, roles: frozenset[str], action: str) -> bool:
    """Decide as the XACML service does: a matching deny always wins."""
    matching = [entry.allow for entry in acl if entry.action == action and entry.role in roles]
    return bool(matching) and all(matching)


def to_api(acl: Acl) -> list[dict[str, Any]]:
    """Give the list of the external API."""
    return [{"allow": entry.allow, "role": entry.role, "action": entry.action} for entry in acl]


def to_xml(acl: Acl) -> str:
    """Write ``/series/{id}/acl.xml``."""
    aces = "".join(
        f"<ace><action>{xmlio.escape(e.action)}</action><allow>{str(e.allow).lower()}</allow>"
        f"<role>{xmlio.escape(e.role)}</role></ace>"
        for e in acl
    )
    return f'{xmlio.PROLOG}<acl xmlns="{SECURITY}">{aces}</acl>' if aces else f'{xmlio.PROLOG}<acl xmlns="{SECURITY}"/>'


def parse(text: str) -> Acl:
    """Read the XML or JSON that ``/series`` accepts.

    :raises ValueError: for anything else.
    """
    return _from_json(text) if text.lstrip().startswith("{") else _from_xml(text)


def parse_api(text: str) -> Acl:
    """Read the JSON list of the external API.

    :raises ValueError: when it is none.
    """
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("no list of entries")
    try:
        return tuple(Entry(str(e["role"]), str(e["action"]), bool(e.get("allow", True))) for e in entries)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("an entry lacks its role or action") from error


def _from_json(text: str) -> Acl:
    document = json.loads(text)
    aces = (document.get("acl") or {}).get("ace") or []
    aces = aces if isinstance(aces, list) else [aces]
    return tuple(Entry(str(a["role"]), str(a["action"]), bool(a.get("allow", True))) for a in aces)


def _from_xml(text: str) -> Acl:
    try:
        root = xmlio.parse(text)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    if root.tag != f"{{{SECURITY}}}acl":
        raise ValueError(f"{root.tag} is no access list")
    entries = []
    for ace in root:
        fields = {local(child): (child.text or "").strip() for child in ace}
        entries.append(Entry(fields.get("role", ""), fields.get("action", ""), fields.get("allow") == "true"))
    return tuple(entries)


def to_xacml(policy_id: str, acl: Acl) -> str:
    """Write the policy that the server puts into a package, closing with its general denial."""
    resource = (
        f'<Target><Resources><Resource><ResourceMatch MatchId="{_EQUAL}"><AttributeValue DataType="{_XS}">'
        f"{xmlio.escape(policy_id)}</AttributeValue><ResourceAttributeDesignator "
        f'AttributeId="urn:oasis:names:tc:xacml:1.0:resource:resource-id" DataType="{_XS}"/>'
        "</ResourceMatch></Resource></Resources></Target>"
    )
    head = xmlio.attributes([("PolicyId", policy_id), ("Version", "2.0"), ("RuleCombiningAlgId", _PERMIT_OVERRIDES)])
    rules = "".join(_rule(entry) for entry in acl)
    return (
        f'{xmlio.PROLOG}<Policy{head} xmlns="urn:oasis:names:tc:xacml:2.0:policy:schema:os">'
        f'{resource}{rules}<Rule RuleId="DenyRule" Effect="Deny"/></Policy>'
    )


def _rule(entry: Entry) -> str:
    effect = "Permit" if entry.allow else "Deny"
    own = xmlio.attributes([("RuleId", f"{entry.role}_{entry.action}_{effect}"), ("Effect", effect)])
    return (
        f'<Rule{own}><Target><Actions><Action><ActionMatch MatchId="{_EQUAL}"><AttributeValue DataType="{_XS}">'
        f'{xmlio.escape(entry.action)}</AttributeValue><ActionAttributeDesignator AttributeId="{_ACTION}" '
        f'DataType="{_XS}"/></ActionMatch></Action></Actions></Target><Condition><Apply FunctionId="{_IS_IN}">'
        f'<AttributeValue DataType="{_XS}">{xmlio.escape(entry.role)}</AttributeValue><SubjectAttributeDesignator '
        f'AttributeId="{_ROLE}" DataType="{_XS}"/></Apply></Condition></Rule>'
    )


def from_xacml(data: bytes) -> Acl:
    """Read a policy.

    :raises ValueError: when it is none.
    """
    try:
        root = xmlio.parse(data)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    entries = []
    for rule in root.iter("{*}Rule"):
        action = rule.findtext("{*}Target/{*}Actions/{*}Action/{*}ActionMatch/{*}AttributeValue")
        role = rule.findtext("{*}Condition/{*}Apply/{*}AttributeValue")
        if action and role:
            entries.append(Entry(role.strip(), action.strip(), rule.get("Effect") == "Permit"))
    return tuple(entries)
