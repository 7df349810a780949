"""Names with namespaces: split them, and give each namespace of a document a prefix."""

from __future__ import annotations

from opencast.model.xml import escape_attribute

_XML = "http://www.w3.org/XML/1998/namespace"
#: Prefixes that Opencast uses itself.
_USUAL = {
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.opencastproject.org/matterhorn/": "oc",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
}


def split_name(name: str) -> tuple[str, str]:
    """Return namespace (empty for none) and local name of a name in Clark notation."""
    namespace, closed, local = name.rpartition("}")
    return (namespace[1:], local) if closed else ("", name)


class Prefixes:
    """Chooses prefixes while a document is written; all are declared at its root element.

    :param default: namespace of names without prefix, empty for none.
    :param wanted: prefixes by namespace that the document had; the usual ones are taken for the rest.
    """

    def __init__(self, default: str, wanted: dict[str, str]) -> None:
        self._default = default
        self._wanted = wanted
        self._used: dict[str, str] = {}

    def element(self, name: str) -> str:
        """Return an element's name as it is written in its start tag."""
        namespace, local = split_name(name)
        if namespace == self._default:
            return local
        return f"{self._prefix(namespace)}:{local}" if namespace else f'{local} xmlns=""'

    def attribute(self, name: str) -> str:
        """Return an attribute's name as it is written."""
        namespace, local = split_name(name)
        return f"{self._prefix(namespace)}:{local}" if namespace else local

    def value(self, name: str) -> str:
        """Return a name that stands in a value, such as the one of ``xsi:type``; the default namespace applies."""
        namespace, local = split_name(name)
        if namespace in {"", self._default}:
            return local
        return f"{self._prefix(namespace)}:{local}"

    def declarations(self) -> str:
        """Return the declarations of all namespaces asked for so far, with a leading blank each, sorted."""
        default = f' xmlns="{escape_attribute(self._default)}"' if self._default else ""
        pairs = sorted((prefix, namespace) for namespace, prefix in self._used.items())
        return default + "".join(f' xmlns:{prefix}="{escape_attribute(uri)}"' for prefix, uri in pairs)

    def _prefix(self, namespace: str) -> str:
        if namespace == _XML:
            return "xml"
        if namespace not in self._used:
            taken = set(self._used.values())
            candidates = [self._wanted.get(namespace), _USUAL.get(namespace)]
            free = [prefix for prefix in candidates if prefix and prefix not in taken]
            self._used[namespace] = free[0] if free else _next_free(taken)
        return self._used[namespace]


def _next_free(taken: set[str]) -> str:
    number = 1
    while f"ns{number}" in taken:
        number += 1
    return f"ns{number}"
