"""Dublin Core catalogs as the series service and the index read and write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from tests.simulator import clock, xmlio

TERMS = "http://purl.org/dc/terms/"
ROOT = "{http://www.opencastproject.org/xsd/1.0/dublincore/}dublincore"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?><dublincore xmlns="http://www.opencastproject.org/xsd/1.0/dublincore/"'
_PREFIXES = {TERMS: "dcterms", "http://www.w3.org/2001/XMLSchema-instance": "xsi"}
_PERIOD = re.compile(r"(start|end)\s*=\s*([^;]+)")


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one property."""

    namespace: str
    name: str
    value: str
    lang: str | None = None
    type: str | None = None


@dataclass(slots=True)
class Catalog:
    """A catalog: its values in document order and the prefixes it declared."""

    values: list[Value] = field(default_factory=list)
    prefixes: dict[str, str] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Give the first value of a property of the terms."""
        return next((v.value for v in self.values if v.namespace == TERMS and v.name == name), None)

    def all(self, name: str) -> list[str]:
        """Give all values of a property of the terms."""
        return [v.value for v in self.values if v.namespace == TERMS and v.name == name]

    def set(self, name: str, value: str, type_: str | None = None) -> None:
        """Replace a property by one value."""
        self.values = [v for v in self.values if (v.namespace, v.name) != (TERMS, name)]
        self.values.append(Value(TERMS, name, value, None, type_))

    def set_period(self, start: datetime, end: datetime) -> None:
        """Replace ``dcterms:temporal``."""
        text = f"start={clock.seconds(start)}; end={clock.seconds(end)}; scheme=W3C-DTF;"
        self.set("temporal", text, "dcterms:Period")

    def period(self) -> tuple[datetime, datetime] | None:
        """Give start and end of ``dcterms:temporal``, when it has both."""
        found = dict(_PERIOD.findall(self.first("temporal") or ""))
        start, end = (clock.parse(found.get(key, "")) for key in ("start", "end"))
        return (start, end) if start and end else None

    def to_xml(self) -> str:
        """Write it as Opencast stores it: sorted by property, four blanks of indentation, a final line break."""
        used = {v.namespace for v in self.values if v.namespace != TERMS}
        known = {**_PREFIXES, **{uri: prefix for uri, prefix in self.prefixes.items() if uri in used}}
        declared = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in sorted(known.items(), key=lambda x: x[1]))
        lines = [f"{_HEAD}{declared}>"]
        for item in sorted(self.values, key=lambda v: (v.namespace, v.name)):
            tag = f"{known[item.namespace]}:{item.name}"
            own = xmlio.attributes([("xsi:type", item.type), ("xml:lang", item.lang)])
            lines.append(f"    <{tag}{own}>{xmlio.escape(item.value)}</{tag}>")
        return "\n".join([*lines, "</dublincore>", ""])

    def to_json(self) -> dict[str, dict[str, list[dict[str, str]]]]:
        """Give the structure of ``/series/{id}.json``."""
        document: dict[str, dict[str, list[dict[str, str]]]] = {}
        for item in sorted(self.values, key=lambda v: v.name):
            entry = {"type": item.type} if item.type else {}
            entry |= {"lang": item.lang} if item.lang else {}
            group = document.setdefault(item.namespace, {})
            group.setdefault(item.name, []).append({**entry, "value": item.value})
        return document

    def same_as(self, other: Catalog) -> bool:
        """Tell whether both hold the same values, in whatever order."""
        return sorted(self.values, key=repr) == sorted(other.values, key=repr)


def parse(data: bytes | str) -> Catalog:
    """Read a catalog.

    :raises etree.XMLSyntaxError: when it is no XML.
    """
    root = xmlio.parse(data)
    catalog = Catalog(prefixes={uri: prefix for prefix, uri in root.nsmap.items() if prefix})
    for child in root:
        if isinstance(child.tag, str) and (child.text or "").strip():
            name = etree.QName(child)
            catalog.prefixes |= {uri: prefix for prefix, uri in child.nsmap.items() if prefix}
            catalog.values.append(
                Value(
                    name.namespace or "", name.localname, (child.text or "").strip(),
                    child.get(_XML_LANG), child.get(_XSI_TYPE),
                )
            )  # fmt: skip
    return catalog
