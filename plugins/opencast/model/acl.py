"""Access control lists in each form that Opencast speaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from opencast.errors import InvalidAcl
from opencast.model.compare import Difference
from opencast.model.identifiers import shown
from opencast.model.xacml import Rule, read_policy, write_policy
from opencast.model.xml import document, escape_text, parse_xml

#: XML namespace of access control lists.
NAMESPACE = "http://org.opencastproject.security"

_PREFIX = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, order=True, slots=True)
class Ace:
    """One entry of a list.

    :param role: such as ``ROLE_ANONYMOUS``.
    :param action: such as ``read``, ``write``, ``annotate``.
    :param allow: False forbids.
    """

    role: str
    action: str
    allow: bool = True

    def __str__(self) -> str:
        return f"{self.role} {'may' if self.allow else 'must not'} {self.action}"


@dataclass(frozen=True, slots=True)
class Acl:
    """A list of entries; their order has no meaning but is kept.

    An empty list is not the same as no list: it means that only administrators have access.
    """

    entries: tuple[Ace, ...] = ()

    @classmethod
    def from_xml(cls, data: bytes, *, what: str = "an access control list") -> Acl:
        """Read the XML form (``GET /series/{id}/acl.xml``).

        :param what: whose list this is, for error messages.
        :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
        :raises InvalidAcl: another root, or an entry without role or action.
        """
        root = parse_xml(data, what=what)
        if root.tag != f"{_PREFIX}acl":
            raise InvalidAcl(f"{what}: expected the XML element acl and got {shown(str(root.tag))}.")
        return cls(tuple(_entry_of_xml(node, what) for node in root if node.tag == f"{_PREFIX}ace"))

    def to_xml(self) -> bytes:
        """Return the XML form, for the field ``acl`` of ``POST /series/`` and ``POST /series/{id}/accesscontrol``.

        :raises InvalidXml: a role or an action holds a character that XML cannot hold.
        """
        entries = "".join(
            f"<ace><action>{escape_text(ace.action)}</action><allow>{'true' if ace.allow else 'false'}</allow>"
            f"<role>{escape_text(ace.role)}</role></ace>"
            for ace in self.entries
        )
        start = f'<acl xmlns="{NAMESPACE}"'
        return document(f"{start}>{entries}</acl>" if entries else f"{start}/>", what="The access control list")

    @classmethod
    def from_json(cls, value: object, *, what: str = "an access control list") -> Acl:
        """Read a JSON form: parsed JSON, or its text.

        The external API gives a list of entries (``GET /api/events/{id}/acl``); the other services give
        ``{"acl": {"ace": ...}}`` where ``ace`` is one entry, a list or missing, and ``{"acl": ""}`` for an empty list.

        :param what: whose list this is, for error messages.
        :raises InvalidAcl: another form, or an entry without role or action.
        """
        if isinstance(value, (str, bytes)):
            value = _load(value, what)
        entries = _entries(value)
        if entries is None:
            raise InvalidAcl(f"{what}: JSON of an unknown form.")
        return cls(tuple(_entry_of_json(entry, what) for entry in entries))

    def to_json(self) -> list[dict[str, str | bool]]:
        """Return the list of entries of the external API (``PUT /api/events/{id}/acl``), to be dumped as JSON."""
        return [{"role": ace.role, "action": ace.action, "allow": ace.allow} for ace in self.entries]

    @classmethod
    def from_xacml(cls, data: bytes, *, what: str = "a policy") -> Acl:
        """Read the XACML policy of an attachment ``security/xacml+episode`` or ``security/xacml+series``.

        :param what: whose policy this is, for error messages.
        :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
        :raises InvalidAcl: a rule that Opencast does not write, and would refuse to read.
        """
        return cls(tuple(Ace(rule.role, rule.action, rule.permit) for rule in read_policy(data, what=what)))

    def to_xacml(self, policy_id: str) -> bytes:
        """Return the XACML policy as Opencast writes it.

        :param policy_id: id of the mediapackage; Opencast writes it but never reads it.
        :raises InvalidXml: a text holds a character that XML cannot hold.
        """
        return write_policy(policy_id, [Rule(ace.role, ace.action, ace.allow) for ace in self.entries])

    def same_as(self, other: Acl) -> bool:
        """Tell whether both lists hold the same entries; order and repetitions do not matter."""
        return set(self.entries) == set(other.entries)

    def differences(self, other: Acl) -> list[Difference]:
        """Return each role and action that this list treats otherwise than another.

        :param other: the list that was found where this one was expected.
        """
        expected, actual = _rights(self), _rights(other)
        return [
            Difference(f"ACL {role} {action}", expected.get(right, "nothing"), actual.get(right, "nothing"))
            for right in sorted(expected.keys() | actual.keys())
            if expected.get(right) != actual.get(right)
            for role, action in [right]
        ]

    def roles(self, action: str) -> frozenset[str]:
        """Return the roles that have an entry which allows the action."""
        return frozenset(ace.role for ace in self.entries if ace.allow and ace.action == action)


def _rights(acl: Acl) -> dict[tuple[str, str], str]:
    """Return what a list says about each role and action; a list may say both."""
    found: dict[tuple[str, str], set[str]] = {}
    for ace in acl.entries:
        found.setdefault((ace.role, ace.action), set()).add("allow" if ace.allow else "deny")
    return {right: " and ".join(sorted(says)) for right, says in found.items()}


def _load(text: str | bytes, what: str) -> object:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidAcl(f"{what} is no JSON: {error}.") from error
    return loaded


def _entries(value: object) -> list[object] | None:
    """Return the entries of any of the forms, or None for an unknown form."""
    if isinstance(value, Mapping) and "acl" in value:
        value = value["acl"]
    if isinstance(value, Mapping) and "ace" in value:
        value = value["ace"]
        if isinstance(value, Mapping):
            return [value]
    if isinstance(value, list):
        return value
    return [] if value in ("", {}) else None


def _entry_of_json(entry: object, what: str) -> Ace:
    if not isinstance(entry, Mapping):
        raise InvalidAcl(f"{what}: an entry is no JSON object.")
    allow = entry.get("allow", True)
    if isinstance(allow, str):
        allow = {"true": True, "false": False}.get(allow.strip().lower())
    if not isinstance(allow, bool):
        raise InvalidAcl(f"{what}: an entry neither allows nor forbids.")
    return _entry(entry.get("role"), entry.get("action"), allow, what)


def _entry_of_xml(node: etree._Element, what: str) -> Ace:
    allow = (node.findtext(f"{_PREFIX}allow") or "").strip()
    # Opencast's reader takes a missing value as false: an entry must say that it allows.
    return _entry(node.findtext(f"{_PREFIX}role"), node.findtext(f"{_PREFIX}action"), allow in {"true", "1"}, what)


def _entry(role: object, action: object, allow: bool, what: str) -> Ace:
    if not isinstance(role, str) or not role.strip() or not isinstance(action, str) or not action.strip():
        raise InvalidAcl(f"{what}: an entry names no role or no action.")
    return Ace(role, action, allow)
