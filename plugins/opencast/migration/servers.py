"""The source and the target of a migration: who they are, and how URLs of one become URLs of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from opencast.api.info import Me
from opencast.api.opencast import Opencast

#: Properties of an organization that name the addresses of its user interfaces.
_ADDRESS_PROPERTIES = ("org.opencastproject.admin.ui.url", "org.opencastproject.engage.ui.url")


@dataclass(frozen=True)
class Party:
    """One server of a migration.

    :param name: ``<url>#<organization>``; names it in the store.
    :param addresses: the server's own address first, then those of its user interfaces by property.
    :param is_admin: whether the account may see and do everything there.
    """

    name: str
    url: str
    organization: str
    addresses: Mapping[str, str]
    is_admin: bool = True


def party(opencast: Opencast, me: Me) -> Party:
    """Describe a server by what it says of itself (``GET /info/me.json``)."""
    addresses = {"": opencast.client.base_url}
    for name in _ADDRESS_PROPERTIES:
        if me.properties.get(name):
            addresses[name] = me.properties[name]
    url = opencast.client.base_url
    return Party(f"{url}#{me.organization}", url, me.organization, addresses, me.is_admin)


def moved_url(url: str, source: Party, target: Party) -> str:
    """Return a page's URL with the source's address replaced by the target's; other hosts stay.

    The admin interface's address becomes the admin interface's, the engage interface's the engage interface's.
    """
    parts = urlsplit(url)
    for name, address in sorted(source.addresses.items(), reverse=True):
        own = urlsplit(address)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            new = urlsplit(target.addresses.get(name) or target.url)
            return urlunsplit((new.scheme, new.netloc, parts.path, parts.query, parts.fragment))
    return url
