"""What the player may show: hits of the search service, written as version 15 (Solr) and version 17 write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.simulator import clock, dublincore, jettison, metadata, xmlio
from tests.simulator.access import Caller
from tests.simulator.mediapackage import EPISODE, NAMESPACE, MediaPackage
from tests.simulator.policies import SECURITY, Acl
from tests.simulator.state import State

Read = Callable[[str | None], Path]
RESULTS = "http://search.opencastproject.org"
_NAMESPACES = f'xmlns:mp="{NAMESPACE}" xmlns:ns2="{RESULTS}" xmlns:ns3="{SECURITY}"'
# The order in which Solr's hits name their fields.
_FIELDS = (
    "title", "subject", "creator", "publisher", "contributor", "abstract", "description", "created", "language",
    "rightsHolder", "spatial", "isPartOf", "license",
)  # fmt: skip
_ACTIONS = ("read", "annotate", "write")


@dataclass(frozen=True, slots=True)
class Hit:
    """An episode, or a series (without a package)."""

    id: str
    org: str
    acl: Acl
    modified: datetime
    catalog: dublincore.Catalog
    package: MediaPackage | None = None

    def first(self, name: str) -> str:
        """Give the first value of a property."""
        return self.catalog.first(name) or ""

    def text(self) -> str:
        """Give everything that a text is looked for in."""
        return " ".join(value.value for value in self.catalog.values).casefold()


def episodes(state: State, caller: Caller, read: Read) -> list[Hit]:
    """Give the published episodes that a caller may see, in the order in which they were published."""
    with state.lock:
        held = sorted(state.published.items(), key=lambda item: item[1].modified)
    found = []
    for event_id, episode in held:
        if episode.org != caller.organization.id or not _visible(caller, episode.acl):
            continue
        package = episode.package
        catalogs = [metadata.load(e.url, read) for e in package.of_flavor(EPISODE, "catalog")[:1]]
        catalog = catalogs[0] if catalogs else dublincore.Catalog()
        found.append(Hit(event_id, episode.org, episode.acl, episode.modified, catalog, package))
    return found


def series(state: State, caller: Caller, read: Read) -> list[Hit]:
    """Give the series that have a published episode, as far as the caller may see them."""
    with state.lock:
        held = sorted(state.published.values(), key=lambda episode: episode.modified)
    moments: dict[str, datetime] = {}
    for episode in held:
        identifier = episode.package.series
        if identifier and episode.org == caller.organization.id:
            moments[identifier] = max(episode.modified, moments.get(identifier, episode.modified))
    found = []
    for identifier, modified in moments.items():
        known = state.series.get(identifier)
        if known is not None and _visible(caller, known.acl or ()):
            found.append(Hit(identifier, known.org, known.acl or (), modified, known.catalog))
    return found


def _visible(caller: Caller, acl: Acl) -> bool:
    """Look for a reading role; a deny counts as one here."""
    return caller.admin or any(entry.action == "read" and entry.role in caller.roles for entry in acl)


# --- version 17 -------------------------------------------------------------------------------------------------------


def to_json(hit: Hit) -> dict[str, Any]:
    """Write a hit of version 17: lists in ``dc``, all numbers of the package as floats."""
    shown: dict[str, Any] = {}
    if hit.package is not None:
        shown["mediapackage"] = _floats(json.loads(jettison.convert(hit.package.to_xml()))["mediapackage"])
    shown["org"] = hit.org
    roles: dict[str, list[str]] = {}
    for action in _ACTIONS:
        held = [entry.role for entry in hit.acl if entry.action == action]
        if held:
            roles[action] = held
    if hit.package is None:
        shown["searchable_acl"] = roles
    shown["modified"] = hit.modified.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    if hit.package is not None:
        pairs = [(action, role) for action, names in roles.items() for role in names]
        shown["acl"] = [{"action": action, "allow": True, "role": role} for action, role in pairs]
        shown["type"] = "Episode"
    shown["dc"] = _lists(hit.catalog)
    return shown


def _lists(catalog: dublincore.Catalog) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in catalog.values:
        if value.namespace == dublincore.TERMS:
            found.setdefault(value.name, []).append(_date(value.value) if value.name == "created" else value.value)
    return found


def _date(text: str) -> str:
    moment = clock.parse(text)
    return clock.millis(moment) if moment else text


def _floats(value: Any) -> Any:
    """Pass numbers through Gson, which knows only floating ones."""
    if isinstance(value, dict):
        return {key: _floats(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_floats(held) for held in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- version 15 -------------------------------------------------------------------------------------------------------


def to_xml(hits: Iterable[Hit], *, offset: int, limit: int, total: int, query: str) -> str:
    """Write a page of hits as Solr's service does; several values of a property become its last one."""
    echo = f"<ns2:query>{xmlio.escape(query)}</ns2:query>" if query else ""
    inner = "".join(_result(hit) for hit in hits)
    return (
        f'{xmlio.PROLOG}<ns2:search-results {_NAMESPACES} offset="{offset}" limit="{limit}" total="{total}" '
        f'searchTime="1">{echo}{inner}</ns2:search-results>'
    )


def _result(hit: Hit) -> str:
    own = xmlio.attributes([("id", hit.id), ("org", hit.org)])
    package = hit.package.to_xml("mp:") if hit.package is not None else ""
    whole = ""
    if hit.package is not None:
        whole = f"<ns2:ocMediapackage>{xmlio.escape(_as_stored(hit.package))}</ns2:ocMediapackage>"
    kind = "Series" if hit.package is None else "AudioVisual"
    tail = (
        f"<ns2:mediaType>{kind}</ns2:mediaType><ns2:keywords/>"
        f"<ns2:modified>{clock.millis(hit.modified)}</ns2:modified><ns2:score>0.2335859</ns2:score>"
    )
    return f"<ns2:result{own}>{package}{_acl(hit.acl)}{_fields(hit)}{whole}{tail}</ns2:result>"


def _as_stored(package: MediaPackage) -> str:
    """Write a package with the namespace behind the attributes."""
    declared = f' xmlns="{NAMESPACE}"'
    head, end, rest = package.to_xml().partition("><title")
    return head.replace(declared, "") + declared + end + rest if end else package.to_xml()


def _acl(acl: Acl) -> str:
    aces = "".join(
        f"<ns3:ace><ns3:action>{action}</ns3:action><ns3:allow>true</ns3:allow>"
        f"<ns3:role>{xmlio.escape(entry.role)}</ns3:role></ns3:ace>"
        for action in ("read", "write")
        for entry in acl
        if entry.action == action and entry.allow
    )
    return f"<ns2:acl>{aces}</ns2:acl>"


def _fields(hit: Hit) -> str:
    parts = [f"<ns2:dcExtent>{_extent(hit)}</ns2:dcExtent>"]
    for name in _FIELDS:
        values = hit.catalog.all(name)
        if values:
            text = _second(values[-1]) if name == "created" else values[-1]
            tag = f"ns2:dc{name[0].upper()}{name[1:]}"
            parts.append(f"<{tag}>{xmlio.escape(text)}</{tag}>")
    return "".join(parts)


def _extent(hit: Hit) -> int:
    """Give the length in milliseconds: of the catalog's period, else of the package."""
    period = hit.catalog.period()
    if hit.package is None:
        return -1
    if period is None:
        return -1 if hit.package.duration is None else hit.package.duration
    return int((period[1] - period[0]).total_seconds() * 1000)


def _second(text: str) -> str:
    moment = clock.parse(text)
    return clock.seconds(moment) if moment else text


def allowed_query(criteria: str, caller: Caller, without: str) -> str:
    """Write the query with which Solr was asked: with all roles of the caller."""
    roles = " OR ".join(f"oc_acl_read:{role}" for role in sorted(caller.roles))
    return (
        f"{criteria} AND oc_organization:{caller.organization.id} AND ({roles}) AND -oc_mediatype:{without} "
        "AND -oc_deleted:[* TO *]"
    )
