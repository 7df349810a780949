"""Dublin Core catalogs of events and series, and catalogs of the same form with other terms (extended metadata).

Opencast reads such a catalog as a flat list of values: it trims each value, drops empty ones, keeps duplicates and
attributes, and sorts the list when it writes it again. Two catalogs are equal here when Opencast would keep the same
values of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

from lxml import etree

from opencast.errors import InvalidDublinCore
from opencast.model.compare import Difference, excerpts
from opencast.model.identifiers import shown
from opencast.model.node import Attributes, attributes_of
from opencast.model.qname import Prefixes, split_name
from opencast.model.xml import check_characters, escape_attribute, escape_text, parse_xml

#: Namespace of the terms of Dublin Core (``dcterms``).
DCTERMS = "http://purl.org/dc/terms/"
#: Root element of the catalogs that Opencast writes.
ROOT = "{http://www.opencastproject.org/xsd/1.0/dublincore/}dublincore"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = f"{{{_XSI}}}type"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_KNOWN_ATTRIBUTES = frozenset({_TYPE, _LANG})
# What Java's String.trim removes and XML can hold.
_SPACE = " \t\n\r"
_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True, slots=True)
class DcValue:
    """One value of a catalog.

    :param name: the term in Clark notation, such as ``{http://purl.org/dc/terms/}title``.
    :param value: the text without white space around it, never empty.
    :param lang: ``xml:lang``, or None.
    :param type: ``xsi:type`` in Clark notation (as written when its prefix is not declared), or None.
    :param attributes: further attributes.
    """

    name: str
    value: str
    lang: str | None = None
    type: str | None = None
    attributes: Attributes = ()

    @property
    def term(self) -> str:
        """Local name of the term, such as ``title``."""
        return split_name(self.name)[1]


@dataclass(frozen=True, slots=True)
class DublinCore:
    """A catalog.

    :param values: in the order of the document.
    :param root: name of the root element in Clark notation.
    :param prefixes: pairs of namespace and prefix of the document, used again for writing; no part of equality.
    """

    values: tuple[DcValue, ...] = ()
    root: str = ROOT
    prefixes: Attributes = field(default=(), compare=False, repr=False)

    @classmethod
    def parse(cls, data: bytes, *, what: str = "a Dublin Core catalog") -> DublinCore:
        """Read a catalog.

        :param what: whose catalog this is, for error messages.
        :raises InvalidXml: not well-formed, or with document type, entities or too many bytes.
        :raises InvalidDublinCore: not a flat list of values.
        """
        return cls.read(parse_xml(data, what=what), what=what)

    @classmethod
    def read(cls, root: etree._Element, *, what: str = "a Dublin Core catalog") -> DublinCore:
        """Read a catalog that may be part of a larger document.

        :raises InvalidDublinCore: not a flat list of values.
        """
        values = []
        prefixes = {uri: prefix for prefix, uri in root.nsmap.items() if prefix}
        for child in root:
            if len(child):
                raise InvalidDublinCore(f"{what}: the value {shown(str(child.tag))} holds elements, expected text.")
            namespace = split_name(str(child.tag))[0]
            if child.prefix and namespace not in prefixes:
                prefixes[namespace] = child.prefix
            text = (child.text or "").strip(_SPACE)
            if text:
                values.append(_value(child, text))
        return cls(values=tuple(values), root=str(root.tag), prefixes=tuple(prefixes.items()))

    def all(self, term: str) -> tuple[DcValue, ...]:
        """Return all values of a term in the order of the document.

        :param term: local name of a Dublin Core term, or any name in Clark notation.
        """
        name = clark(term)
        return tuple(value for value in self.values if value.name == name)

    def first(self, term: str) -> DcValue | None:
        """Return the value that Opencast takes when it needs one: the first without a language, else the last.

        :param term: local name of a Dublin Core term, or any name in Clark notation.
        """
        found = self.all(term)
        return next((value for value in found if value.lang is None), found[-1] if found else None)

    def text(self, term: str) -> str:
        """Return the text of :meth:`first`, empty when the catalog has no such term."""
        found = self.first(term)
        return "" if found is None else found.value

    def canonical(self) -> tuple[tuple[str, str, str, str, Attributes], ...]:
        """Return name, language, type, value and attributes of all values, sorted; duplicates are kept."""
        return tuple(sorted(_key(value) for value in self.values))

    def differences(self, other: DublinCore, ignore_terms: Iterable[str] = ()) -> list[Difference]:
        """Return what this catalog has otherwise than another; order of values does not matter, duplicates do.

        :param other: the catalog that was found where this one was expected.
        :param ignore_terms: local names of Dublin Core terms, or names in Clark notation, that are not compared.
        """
        ignored = {clark(term) for term in ignore_terms}
        expected = Counter(_key(value) for value in self.values if value.name not in ignored)
        actual = Counter(_key(value) for value in other.values if value.name not in ignored)
        missing, extra = sorted((expected - actual).elements()), sorted((actual - expected).elements())
        found: list[Difference] = []
        for name in sorted({key[0] for key in missing} | {key[0] for key in extra}):
            pairs = zip_longest((k for k in missing if k[0] == name), (k for k in extra if k[0] == name))
            found.extend(_difference(name, wanted, got) for wanted, got in pairs)
        return found

    def to_xml(self) -> bytes:
        """Return the catalog as Opencast writes it, values in their present order.

        :raises InvalidXml: a value holds a character that XML cannot hold.
        """
        namespace, local = split_name(self.root)
        prefixes = Prefixes(namespace, dict(self.prefixes))
        lines = "".join(f"    {_render(value, prefixes)}\n" for value in self.values)
        start = f"<{local}{prefixes.declarations()}"
        body = f"{start}>\n{lines}</{local}>\n" if lines else f"{start}/>\n"
        return (_PROLOG + check_characters(body, what="The Dublin Core catalog")).encode("utf-8")


def clark(term: str) -> str:
    """Return a term's name in Clark notation; a bare local name is taken as one of Dublin Core."""
    return term if term.startswith("{") else f"{{{DCTERMS}}}{term}"


def _value(child: etree._Element, text: str) -> DcValue:
    if not child.keys():
        return DcValue(str(child.tag), text)
    kind = child.get(_TYPE)
    return DcValue(
        name=str(child.tag),
        value=text,
        lang=child.get(_LANG),
        type=None if kind is None else _resolve(kind.strip(_SPACE), child),
        attributes=attributes_of(child, _KNOWN_ATTRIBUTES),
    )


def _resolve(qname: str, element: etree._Element) -> str:
    """Return a prefixed name in Clark notation, or as it is when its prefix is not declared."""
    prefix, _, local = qname.rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace and ":" not in prefix else qname


def _key(value: DcValue) -> tuple[str, str, str, str, Attributes]:
    return value.name, value.lang or "", value.type or "", value.value, tuple(sorted(value.attributes))


def _difference(
    name: str,
    expected: tuple[str, str, str, str, Attributes] | None,
    actual: tuple[str, str, str, str, Attributes] | None,
) -> Difference:
    namespace, local = split_name(name)
    path = local if namespace == DCTERMS else name
    if expected is None or actual is None:
        return Difference(path, _show(expected), _show(actual))
    if expected[3] != actual[3]:
        return Difference(path, *excerpts(expected[3], actual[3]))
    return Difference(path, _show(expected), _show(actual))


def _show(key: tuple[str, str, str, str, Attributes] | None) -> str:
    if key is None:
        return "nothing"
    _, lang, kind, value, attributes = key
    marks = [f"lang {lang}"] if lang else []
    marks += [f"type {split_name(kind)[1]}"] if kind else []
    marks += [f"{split_name(name)[1]} {text}" for name, text in attributes]
    return shown(value) + (f" ({', '.join(marks)})" if marks else "")


def _render(value: DcValue, prefixes: Prefixes) -> str:
    name = prefixes.element(value.name)
    attributes = {prefixes.attribute(key): text for key, text in value.attributes}
    if value.lang is not None:
        attributes["xml:lang"] = value.lang
    if value.type is not None:
        attributes[prefixes.attribute(_TYPE)] = prefixes.value(value.type)
    pairs = "".join(f' {key}="{escape_attribute(text)}"' for key, text in sorted(attributes.items()))
    return f"<{name}{pairs}>{escape_text(value.value)}</{name.split(' ')[0]}>"
